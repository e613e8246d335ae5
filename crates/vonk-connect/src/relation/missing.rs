//! Missing values: filled, their rows dropped, values replaced.

use std::sync::Arc;

use spark_connect_proto::{NaDrop, NaFill, NaReplace};
use vonk::Result;
use vonk::dataframe::{Column, col};

use super::{Query, input};
use crate::errors::required;
use crate::expression::quoted;
use crate::literal;
use crate::session::ConnectSession;

fn subset(names: &[String]) -> Vec<Column> {
    names.iter().map(|name| col(&quoted(name))).collect()
}

pub(super) async fn fill(session: &Arc<ConnectSession>, fill: &NaFill) -> Result<Query> {
    let input = input(session, &fill.input).await?;
    let values = fill.values.iter().map(|value| literal::column(&session.engine, value));
    let values = values.collect::<Result<Vec<Column>>>()?;
    let frame = match values.as_slice() {
        [value] => input.frame.na().subset(subset(&fill.cols)).fill(value),
        values => fill.cols.iter().zip(values).fold(input.frame.clone(), |frame, (name, value)| {
            frame.na().subset([col(&quoted(name))]).fill(value)
        }),
    };
    Ok(input.with(frame))
}

pub(super) async fn drop(session: &Arc<ConnectSession>, drop: &NaDrop) -> Result<Query> {
    let input = input(session, &drop.input).await?;
    let na = input.frame.na().subset(subset(&drop.cols));
    Ok(input.with(match drop.min_non_nulls {
        Some(least) => na.drop_below(usize::try_from(least).unwrap_or(0)),
        None => na.drop("any"),
    }))
}

pub(super) async fn replace(session: &Arc<ConnectSession>, replace: &NaReplace) -> Result<Query> {
    let input = input(session, &replace.input).await?;
    let pairs = replace.replacements.iter().map(|pair| {
        let old = required(pair.old_value.as_ref(), "value to replace")?;
        let new = required(pair.new_value.as_ref(), "value to put in its place")?;
        Ok((literal::column(&session.engine, old)?, literal::column(&session.engine, new)?))
    });
    let pairs = pairs.collect::<Result<Vec<_>>>()?;
    Ok(input.with(input.frame.na().subset(subset(&replace.cols)).replace(pairs)))
}
