//! Windows: which rows a function sees beside the one it is computed for.

use std::cmp::Ordering;

use sqlparser::ast;

use super::column::{Column, columns};
use super::syntax;
use crate::error::Result;

/// The beginning of a [`WindowSpec`].
///
/// ```
/// # use vonk::prelude::*;
/// # use vonk::{Window, functions as f};
/// # #[tokio::main] async fn main() -> vonk::Result<()> {
/// let running = Window::order_by(["id"]).rows_between(Window::UNBOUNDED_PRECEDING, Window::CURRENT_ROW);
/// let sums = Session::new().range(1, 4).select([f::sum("id").over(&running).alias("sum")]);
/// assert_eq!(sums.rows::<(i64,)>().await?, [(1,), (3,), (6,)]);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Window(());

/// Which rows a window function sees: those of its partition, in an order, within a frame.
#[derive(Debug, Clone, Default)]
pub struct WindowSpec {
    partition_by: Vec<Column>,
    order_by: Vec<Column>,
    frame: Option<(ast::WindowFrameUnits, i64, i64)>,
}

impl Window {
    /// The first row of the partition.
    pub const UNBOUNDED_PRECEDING: i64 = i64::MIN;
    /// The last row of the partition.
    pub const UNBOUNDED_FOLLOWING: i64 = i64::MAX;
    /// The row itself.
    pub const CURRENT_ROW: i64 = 0;

    /// A window of the rows with equal keys.
    pub fn partition_by<C: Into<Column>>(keys: impl IntoIterator<Item = C>) -> WindowSpec {
        WindowSpec::default().partition_by(keys)
    }

    /// A window of all rows in this order.
    pub fn order_by<C: Into<Column>>(keys: impl IntoIterator<Item = C>) -> WindowSpec {
        WindowSpec::default().order_by(keys)
    }
}

impl WindowSpec {
    /// Sees the rows with equal keys.
    #[must_use]
    pub fn partition_by<C: Into<Column>>(mut self, keys: impl IntoIterator<Item = C>) -> Self {
        self.partition_by = columns(keys);
        self
    }

    /// Sees the rows in this order.
    #[must_use]
    pub fn order_by<C: Into<Column>>(mut self, keys: impl IntoIterator<Item = C>) -> Self {
        self.order_by = columns(keys);
        self
    }

    /// Sees rows by their distance from the current one: negative before, positive after.
    #[must_use]
    pub fn rows_between(mut self, start: i64, end: i64) -> Self {
        self.frame = Some((ast::WindowFrameUnits::Rows, start, end));
        self
    }

    /// Sees rows by the distance of their sort key from the current one's.
    #[must_use]
    pub fn range_between(mut self, start: i64, end: i64) -> Self {
        self.frame = Some((ast::WindowFrameUnits::Range, start, end));
        self
    }

    pub(super) fn syntax(&self) -> Result<ast::WindowSpec> {
        Ok(ast::WindowSpec {
            window_name: None,
            partition_by: Column::exprs(&self.partition_by)?,
            order_by: self.order_by.iter().map(Column::sort_key).collect::<Result<_>>()?,
            window_frame: self.frame.map(|(units, start, end)| ast::WindowFrame {
                units,
                start_bound: bound(start),
                end_bound: Some(bound(end)),
            }),
        })
    }
}

fn bound(distance: i64) -> ast::WindowFrameBound {
    let rows = Box::new(syntax::number(distance.unsigned_abs()));
    match (distance, distance.cmp(&0)) {
        (Window::UNBOUNDED_PRECEDING, _) => ast::WindowFrameBound::Preceding(None),
        (Window::UNBOUNDED_FOLLOWING, _) => ast::WindowFrameBound::Following(None),
        (_, Ordering::Equal) => ast::WindowFrameBound::CurrentRow,
        (_, Ordering::Less) => ast::WindowFrameBound::Preceding(Some(rows)),
        (_, Ordering::Greater) => ast::WindowFrameBound::Following(Some(rows)),
    }
}
