//! Columns under other tables, so that a program can say which of two of a name it means, and what
//! a program notes beside them.

use datafusion::logical_expr::expr::FieldMetadata;
use datafusion::logical_expr::{Expr as Resolved, LogicalPlanBuilder};

use super::DataFrame;
use super::select::Names;
use crate::display::shown;

/// The table of columns that were in none, where it has to differ from that of another.
const OTHERS: &str = "__others";

impl DataFrame {
    /// Puts columns, by position, under another table: `table.name` means them then.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let twice = Session::new().sql("SELECT 1 AS a, 2 AS a");
    /// let second = twice.qualified([Some("first"), Some("second")]).select(["second.a"]);
    /// assert_eq!(second.rows::<(i32,)>().await?, [(2,)]);
    /// let second = twice.qualified([None, Some("second")]).select(["second.a"]);
    /// assert_eq!(second.rows::<(i32,)>().await?, [(2,)]);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn qualified<'a>(&self, tables: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let tables = tables.into_iter().map(|table| table.map(str::to_owned));
        let tables: Vec<Option<String>> = tables.collect();
        self.derive(move |plan, _| {
            let schema = plan.schema().clone();
            let given = |at: usize| tables.get(at).and_then(Option::as_deref);
            let named = |at: usize| shown(schema.field(at).name());
            let moved = |name: &str| {
                (0..schema.fields().len()).any(|at| given(at).is_some() && named(at) == name)
            };
            let columns = schema.iter().enumerate().map(|(at, (table, field))| {
                let column = Resolved::Column((table, field).into());
                match given(at) {
                    Some(table) => column.alias_qualified(Some(table), named(at)),
                    // A plan has no column without a table beside one of that name with a table.
                    None if table.is_none() && moved(field.name()) => {
                        column.alias_qualified(Some(OTHERS), field.name())
                    }
                    None => column,
                }
            });
            let columns: Vec<Resolved> = columns.collect();
            Ok(LogicalPlanBuilder::from(plan).project(columns)?.build()?)
        })
    }

    /// Notes texts beside columns by name, under a key of the program's, which schemas then show.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let noted = Session::new().range(0, 3).with_metadata("unit", [("id", "metre")]);
    /// assert_eq!(noted.schema().await?.field(0).metadata()["unit"], "metre");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn with_metadata<N: Into<String>, T: Into<String>>(
        &self,
        key: &str,
        notes: impl IntoIterator<Item = (N, T)>,
    ) -> Self {
        let notes = notes.into_iter().map(|(name, text)| (name.into(), text.into()));
        let notes: Vec<(String, String)> = notes.collect();
        let key = key.to_owned();
        self.derive(move |plan, session| {
            let names = Names::of(session);
            let schema = plan.schema().clone();
            let columns = schema.iter().map(|(table, field)| {
                let column = Resolved::Column((table, field).into());
                let Some((_, text)) = notes.iter().find(|(name, _)| names.same(name, field.name()))
                else {
                    return column;
                };
                let mut metadata = field.metadata().clone();
                metadata.insert(key.clone(), text.clone());
                let metadata = Some(FieldMetadata::from(metadata));
                column.alias_qualified_with_metadata(table.cloned(), field.name(), metadata)
            });
            let columns: Vec<Resolved> = columns.collect();
            Ok(LogicalPlanBuilder::from(plan).project(columns)?.build()?)
        })
    }
}
