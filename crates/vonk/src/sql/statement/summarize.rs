//! `SUMMARIZE`: one row of statistics for every column, from one pass over the rows.

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::collect;
use futures::future::BoxFuture;
use sqlparser::ast;

use super::{Command, Source, answer};
use crate::analyze;
use crate::display;
use crate::error::{Error, Result};
use crate::sql::{Environment, parse_query, plan_query};

struct Summarize {
    query: ast::Query,
}

pub(super) fn parse(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    Ok(Box::new(Summarize { query: source.query_or_relation()? }))
}

/// The columns of the answer behind name and type, each with its aggregate over `{}`.
const STATISTICS: [(&str, &str, Applies); 9] = [
    ("min", "min({})", Applies::Ordered),
    ("max", "max({})", Applies::Ordered),
    ("distinct", "approx_count_distinct({})", Applies::Ordered),
    ("mean", "avg(CAST({} AS DOUBLE))", Applies::Numbers),
    ("stddev", "stddev(CAST({} AS DOUBLE))", Applies::Numbers),
    ("q25", "approx_percentile_cont(CAST({} AS DOUBLE), 0.25)", Applies::Numbers),
    ("median", "approx_percentile_cont(CAST({} AS DOUBLE), 0.5)", Applies::Numbers),
    ("q75", "approx_percentile_cont(CAST({} AS DOUBLE), 0.75)", Applies::Numbers),
    ("nulls", "count(*) - count({})", Applies::All),
];

/// The types that a statistic makes sense for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Applies {
    All,
    Ordered,
    Numbers,
}

impl Applies {
    fn fits(self, data_type: &DataType) -> bool {
        match self {
            Applies::All => true,
            Applies::Ordered => !data_type.is_nested(),
            Applies::Numbers => data_type.is_numeric(),
        }
    }
}

impl Command for Summarize {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            let state = session.state();
            let plan = plan_query(session, self.query.clone()).await?;
            let fields = plan.schema().fields().clone();
            let query = parse_query(&aggregate_text(fields.iter().map(AsRef::as_ref)))?;
            let aggregate = analyze::plan_query(&state, &[plan], query)?;
            let physical = state.create_physical_plan(&aggregate).await?;
            let batches = collect(physical, state.task_ctx()).await?;
            let Some(row) = batches.iter().find(|batch| batch.num_rows() > 0) else {
                return Err(Error::internal("an aggregate gave no row"));
            };
            let rows = fields
                .iter()
                .enumerate()
                .map(|(column, field)| summary(row, column, field))
                .collect::<Result<Vec<_>>>()?;
            let mut names = ["column", "type", "", "", "", "", "", "", "", "", ""];
            for (name, (statistic, _, _)) in names[2..].iter_mut().zip(STATISTICS) {
                *name = statistic;
            }
            answer(names, &rows)
        })
    }
}

/// One SELECT with every statistic of every column, NULL where one makes no sense.
fn aggregate_text<'a>(fields: impl Iterator<Item = &'a Field>) -> String {
    let mut items = Vec::new();
    for field in fields {
        let column = format!("`{}`", field.name().replace('`', "``"));
        for (name, aggregate, applies) in STATISTICS {
            let value = if applies.fits(field.data_type()) {
                aggregate.replace("{}", &column)
            } else {
                "NULL".to_owned()
            };
            items.push(format!("{value} AS `{name} {}`", items.len()));
        }
    }
    format!("SELECT {} FROM {}", items.join(", "), analyze::input_name(0))
}

fn summary(row: &RecordBatch, column: usize, field: &Field) -> Result<[Option<String>; 11]> {
    let mut texts: [Option<String>; 11] = Default::default();
    texts[0] = Some(field.name().clone());
    texts[1] = Some(display::type_name(field.data_type()));
    for (n, text) in texts[2..].iter_mut().enumerate() {
        let values = row.column(column * STATISTICS.len() + n);
        if !values.is_null(0) && !matches!(values.data_type(), DataType::Null) {
            let format = FormatOptions::default();
            *text = Some(ArrayFormatter::try_new(values, &format)?.value(0).to_string());
        }
    }
    Ok(texts)
}
