//! Columns under other tables, so that a program can say which of two of a name it means.

use datafusion::logical_expr::{Expr as Resolved, LogicalPlanBuilder};

use super::DataFrame;
use crate::display::DUPLICATE_MARK;

impl DataFrame {
    /// Puts columns, by position, under another table: `table.name` means them then.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let twice = Session::new().sql("SELECT 1 AS a, 2 AS a");
    /// let second = twice.qualified([Some("first"), Some("second")]).select(["second.a"]);
    /// assert_eq!(second.rows::<(i32,)>().await?, [(2,)]);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn qualified<'a>(&self, tables: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let tables = tables.into_iter().map(|table| table.map(str::to_owned));
        let tables: Vec<Option<String>> = tables.collect();
        self.derive(move |plan, _| {
            let schema = plan.schema().clone();
            let columns = schema.iter().enumerate().map(|(at, (table, field))| {
                let column = Resolved::Column((table, field).into());
                match tables.get(at) {
                    Some(Some(table)) => {
                        let name = field.name().split(DUPLICATE_MARK).next().unwrap_or_default();
                        column.alias_qualified(Some(table.as_str()), name)
                    }
                    _ => column,
                }
            });
            let columns: Vec<Resolved> = columns.collect();
            Ok(LogicalPlanBuilder::from(plan).project(columns)?.build()?)
        })
    }
}
