//! Results as text: the grid of `show`, its vertical form, and HTML for notebooks.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use spark_connect_proto::{HtmlString, ShowString};
use vonk::Result;

use super::{Query, input};
use crate::session::ConnectSession;

pub(super) async fn show_string(session: &Arc<ConnectSession>, show: &ShowString) -> Result<Query> {
    let input = input(session, &show.input).await?;
    let (rows, truncate) = bounds(show.num_rows, show.truncate);
    let text = match show.vertical {
        true => input.frame.show_vertical(rows, truncate).await?,
        false => input.frame.show_string(rows, truncate).await?,
    };
    one(session, "show_string", text).await
}

pub(super) async fn html_string(session: &Arc<ConnectSession>, html: &HtmlString) -> Result<Query> {
    let input = input(session, &html.input).await?;
    let (rows, truncate) = bounds(html.num_rows, html.truncate);
    let text = input.frame.show_html(rows, truncate).await?;
    one(session, "html_string", text).await
}

/// Rows and the longest value; 0 is as long as they are.
fn bounds(rows: i32, truncate: i32) -> (usize, Option<usize>) {
    let truncate = usize::try_from(truncate).ok().filter(|longest| *longest > 0);
    (usize::try_from(rows).unwrap_or(0), truncate)
}

async fn one(session: &Arc<ConnectSession>, name: &str, text: String) -> Result<Query> {
    let column: ArrayRef = Arc::new(StringArray::from(vec![text]));
    let batch = RecordBatch::try_from_iter([(name, column)])?;
    Query::new(session.engine.from_batches(vec![batch])?).await
}
