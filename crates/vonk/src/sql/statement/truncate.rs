//! `TRUNCATE TABLE`: the rows of a table or of some partitions go, the table stays.

use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use futures::future::BoxFuture;

use super::partitions::{self, Partition};
use super::{Changes, Command, Source, columns, no_answer, table_name};
use crate::catalog::TableName;
use crate::error::Result;
use crate::sql::{Environment, parse_query, plan_query};
use crate::write::{InsertSpec, insert_into};

struct Truncate {
    name: TableName,
    partition: Option<Partition>,
}

pub(super) fn parse(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let name = table_name(&source.relation()?)?;
    let partition = match source.take(&["PARTITION"]) {
        true => Some(partitions::parse(source)?),
        false => None,
    };
    Ok(Box::new(Truncate { name, partition }))
}

impl Command for Truncate {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            let meta = columns::table(session, &self.name, "TRUNCATE TABLE")?;
            let catalog = session.catalog()?;
            if let Some(partition) = &self.partition {
                partitions::drop(&catalog, &meta, std::slice::from_ref(partition), false)?;
                return no_answer();
            }
            let rows = parse_query(&format!("SELECT * FROM {}", self.name))?;
            let rows = plan_query(session, rows).await?;
            let none = LogicalPlanBuilder::from(rows).limit(0, Some(0))?.build()?;
            let mut spec = InsertSpec::new(self.name.clone());
            spec.overwrite = true;
            // Whatever the session says of partitions: all of them go.
            spec.options.set("partitionOverwriteMode", "static");
            insert_into(&catalog, &session.state(), &spec, &none).await?;
            no_answer()
        })
    }

    fn changes(&self) -> Changes<'_> {
        Changes::Table(&self.name)
    }
}
