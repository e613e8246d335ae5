//! `SHOW TABLE EXTENDED`: what is known of every table or view of a pattern, in one text each.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringArray};
use datafusion::logical_expr::LogicalPlan;
use futures::future::BoxFuture;

use super::describe::{self, Row};
use super::partitions::{self, Partition};
use super::show::{Listed, parse_database};
use super::{Command, Source, rows_of};
use crate::catalog::{TableKind, TableMeta, TableName};
use crate::display;
use crate::error::{Condition, Error, Result};
use crate::sql::{Environment, plan_table};

struct ShowExtended {
    database: Option<String>,
    pattern: String,
    partition: Option<Partition>,
}

/// `SHOW TABLE EXTENDED [IN database] LIKE 'pattern' [PARTITION (…)]`.
pub(super) fn parse(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let database = parse_database(source)?;
    source.expect(&["LIKE"])?;
    let pattern = source.string()?;
    let partition = match source.take(&["PARTITION"]) {
        true => Some(partitions::parse(source)?),
        false => None,
    };
    Ok(Box::new(ShowExtended { database, pattern, partition }))
}

impl Command for ShowExtended {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            let mut rows = Vec::new();
            match &self.partition {
                Some(partition) => rows.push(self.partition(session, partition)?),
                None => {
                    let database = self.database.as_deref();
                    for listed in Listed::all(session, database, Some(&self.pattern))? {
                        let information = information(session, &listed).await?;
                        rows.push((listed, information));
                    }
                }
            }
            let column = |text: fn(&(Listed, String)) -> &str| -> ArrayRef {
                Arc::new(rows.iter().map(|row| Some(text(row))).collect::<StringArray>())
            };
            let temporary = rows.iter().map(|(listed, _)| Some(listed.is_temporary));
            let columns: [(&str, ArrayRef); 4] = [
                ("namespace", column(|(listed, _)| &listed.database)),
                ("tableName", column(|(listed, _)| &listed.name)),
                ("isTemporary", Arc::new(temporary.collect::<BooleanArray>())),
                ("information", column(|(_, information)| information)),
            ];
            rows_of(RecordBatch::try_from_iter(columns)?)
        })
    }
}

impl ShowExtended {
    /// What is known of one partition; the pattern is the name of its table then.
    fn partition(
        &self,
        session: &dyn Environment,
        partition: &Partition,
    ) -> Result<(Listed, String)> {
        let catalog = session.catalog()?;
        let name = TableName { database: self.database.clone(), table: self.pattern.clone() };
        let Some(meta) = catalog.table(&name)? else {
            let message = format!("table `{}` does not exist", self.pattern);
            return Err(Error::new(Condition::TABLE_OR_VIEW_NOT_FOUND, message)
                .hint("with PARTITION, LIKE takes the name of one table"));
        };
        let found = partitions::one(&catalog, &meta, partition)?;
        let values = found.display().to_string().replace('/', ", ");
        let location = catalog.data_location(&meta)?.join(&found);
        let lines = [
            describe::row("Partition Values", format!("[{values}]")),
            describe::row("Location", location.display().to_string()),
            describe::row("Created Time", "UNKNOWN"),
            describe::row("Last Access", "UNKNOWN"),
        ];
        let listed =
            Listed { database: meta.name.database, name: meta.name.table, is_temporary: false };
        Ok((listed, text(&lines)))
    }
}

async fn information(session: &dyn Environment, listed: &Listed) -> Result<String> {
    let quoted = |name: &str| format!("`{}`", name.replace('`', "``"));
    let name = match listed.database.as_str() {
        "" => quoted(&listed.name),
        database => format!("{}.{}", quoted(database), quoted(&listed.name)),
    };
    let meta = match listed.is_temporary {
        true => None,
        false => session.catalog()?.table(&TableName::parse(&name)?)?,
    };
    let lines = match &meta {
        Some(meta) => known(session, meta)?,
        None => vec![
            describe::row("Table", listed.name.clone()),
            describe::row("Created Time", "UNKNOWN"),
            describe::row("Last Access", "UNKNOWN"),
            describe::row("Created By", describe::CREATOR),
            describe::row("Type", "VIEW"),
            describe::row("View Schema Mode", "BINDING"),
        ],
    };
    let plan = plan_table(session, &name).await?;
    let schema = display::result_schema(&Arc::new(plan.schema().as_arrow().clone()));
    Ok(format!("{}Schema: {}\n", text(&lines), display::tree(&schema)))
}

/// What the catalog knows, and by which columns a table is in partitions.
fn known(session: &dyn Environment, meta: &TableMeta) -> Result<Vec<Row>> {
    let mut lines = describe::details(session, meta)?;
    if meta.kind == TableKind::Table && !meta.partition_columns.is_empty() {
        let names = meta.partition_columns.iter().map(|name| format!("`{name}`"));
        let names = names.collect::<Vec<_>>().join(", ");
        lines.push(describe::row("Partition Columns", format!("[{names}]")));
    }
    Ok(lines)
}

/// `name: value` in lines.
fn text(lines: &[Row]) -> String {
    let lines = lines.iter().map(|[name, value, _]| {
        let [name, value] = [name, value].map(|text| text.as_deref().unwrap_or_default());
        format!("{name}: {value}\n")
    });
    lines.collect()
}
