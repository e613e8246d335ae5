//! Samples by chance, of all rows or by the values of a column.

use std::sync::Arc;

use spark_connect_proto::{Sample, StatSampleBy};
use vonk::Result;
use vonk::dataframe::lit;
use vonk::functions;

use super::{Query, input};
use crate::errors::required;
use crate::session::ConnectSession;
use crate::{expression, literal};

pub(super) async fn sample(session: &Arc<ConnectSession>, sample: &Sample) -> Result<Query> {
    let input = input(session, &sample.input).await?;
    let seed = sample.seed.map_or_else(rand::random, |seed| seed as u64);
    if sample.with_replacement.unwrap_or(false) {
        let share = sample.upper_bound - sample.lower_bound;
        return Ok(input.with(input.frame.sample_with_replacement(share, Some(seed))));
    }
    let frame = input.frame.sample_between(sample.lower_bound, sample.upper_bound, seed);
    Ok(input.with(frame))
}

/// A share of the rows for each value of a column; none of values that have no share.
pub(super) async fn sample_by(session: &Arc<ConnectSession>, by: &StatSampleBy) -> Result<Query> {
    let input = input(session, &by.input).await?;
    let scope = input.scope(session);
    let column = expression::column(&scope, required(by.col.as_ref(), "column to sample by")?)?;
    let mut parts = Vec::new();
    for part in &by.fractions {
        let value = literal::column(&session.engine, required(part.stratum.as_ref(), "stratum")?)?;
        parts.extend([column.clone().eq(value), lit(part.fraction)]);
    }
    if parts.is_empty() {
        return Ok(input.with(input.frame.limit(0)));
    }
    parts.push(lit(0.0));
    let seed = by.seed.unwrap_or_else(rand::random);
    let chosen = functions::call("rand", [lit(seed)]).lt(functions::call("when", parts));
    Ok(input.with(scope.only(&input.frame).filter(chosen)))
}
