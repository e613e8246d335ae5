//! `DESCRIBE FUNCTION`: how a function is called, and what it does or is made of.

use datafusion::logical_expr::LogicalPlan;
use futures::future::BoxFuture;

use super::describe::is_extended;
use super::{Command, Source, answer};
use crate::analyze::{Body, Functions, Routine};
use crate::display;
use crate::error::{Condition, Error, Result};
use crate::sql::{Environment, parse_query, plan_query};

struct DescribeFunction {
    name: String,
    is_extended: bool,
}

/// `[EXTENDED] name`, where the name may be an operator.
pub(super) fn parse(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let is_extended = is_extended(source);
    let name = source.rest().trim().trim_matches(['`', '\'']).to_owned();
    Ok(Box::new(DescribeFunction { name, is_extended }))
}

impl Command for DescribeFunction {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            let bare = self.name.rsplit('.').next().unwrap_or(&self.name).to_lowercase();
            let lines = match session.routines().get(&bare) {
                Some(routine) => self.of_routine(session, &routine).await?,
                None => self.of_known(session, &bare)?,
            };
            let rows: Vec<_> = lines.into_iter().map(|line| [Some(line)]).collect();
            answer(["function_desc"], &rows)
        })
    }
}

impl DescribeFunction {
    fn of_known(&self, session: &dyn Environment, name: &str) -> Result<Vec<String>> {
        let state = session.state();
        let functions = Functions::of(&state);
        let Some(known) = functions.describe(name) else {
            let message = format!("function `{}` does not exist", self.name);
            let names = functions.names();
            return Err(Error::new(Condition::UNRESOLVED_ROUTINE, message)
                .did_you_mean(name, names.iter().map(String::as_str)));
        };
        let mut lines =
            vec![format!("Function: {name}"), format!("Usage: {} - {}", known.usage, known.doc)];
        if self.is_extended {
            let others = known.names.iter().filter(|other| *other != name);
            let others: Vec<&str> = others.map(String::as_str).collect();
            let text = match others.is_empty() {
                true => format!("No example/argument for {name}."),
                false => format!("Other names: {}.", others.join(", ")),
            };
            lines.push(format!("Extended Usage:\n    {text}\n"));
        }
        Ok(lines)
    }

    /// A function that was made by a statement.
    async fn of_routine(
        &self,
        session: &dyn Environment,
        routine: &Routine,
    ) -> Result<Vec<String>> {
        let name = match routine.is_temporary {
            true => routine.name.clone(),
            false => {
                let database = session.catalog()?.current_database();
                format!("spark_catalog.{database}.{}", routine.name)
            }
        };
        let parameters = routine.parameters.iter();
        let inputs: Vec<String> = parameters
            .map(|parameter| match &parameter.default {
                Some(default) => {
                    format!("{} {} DEFAULT {default}", parameter.name, parameter.data_type)
                }
                None => format!("{} {}", parameter.name, parameter.data_type),
            })
            .collect();
        let (kind, body) = match &routine.body {
            Body::Value(value, _) => ("SCALAR", value.to_string()),
            Body::Rows(query, _) => ("TABLE", query.to_string()),
        };
        let inputs = if inputs.is_empty() { vec!["()".to_owned()] } else { aligned(inputs) };
        let mut parts = vec![
            ("Function:", vec![name]),
            ("Type:", vec![kind.to_owned()]),
            ("Input:", inputs),
            ("Returns:", returns(session, routine).await?),
        ];
        if self.is_extended {
            parts.push(("Body:", vec![body]));
        }
        let width = parts.iter().map(|(head, _)| head.len()).max().unwrap_or_default() + 1;
        let lines = parts.into_iter().flat_map(|(head, values)| {
            let heads = std::iter::once(head).chain(std::iter::repeat(""));
            heads
                .zip(values)
                .map(|(head, value)| format!("{head:<width$}{value}"))
                .collect::<Vec<_>>()
        });
        Ok(lines.collect())
    }
}

/// Texts, all as long as the longest.
fn aligned(texts: Vec<String>) -> Vec<String> {
    let width = texts.iter().map(String::len).max().unwrap_or_default();
    texts.into_iter().map(|text| format!("{text:<width$}")).collect()
}

/// The type of a function's value, or the columns of its rows.
async fn returns(session: &dyn Environment, routine: &Routine) -> Result<Vec<String>> {
    let arguments = routine.parameters.iter();
    let arguments = arguments.map(|parameter| format!("CAST(NULL AS {})", parameter.data_type));
    let call = format!("{}({})", routine.name, arguments.collect::<Vec<_>>().join(", "));
    let text = match &routine.body {
        Body::Value(..) => format!("SELECT {call}"),
        Body::Rows(..) => format!("SELECT * FROM {call}"),
    };
    let plan = plan_query(session, parse_query(&text)?).await?;
    let fields = plan.schema().fields().iter();
    Ok(match &routine.body {
        Body::Value(..) => {
            fields.map(|field| display::field_type_name(field).to_uppercase()).collect()
        }
        Body::Rows(..) => aligned(
            fields
                .map(|field| {
                    format!("{} {}", field.name(), display::field_type_name(field).to_uppercase())
                })
                .collect(),
        ),
    })
}
