//! `SET` and `RESET`: the options of the session.

use datafusion::logical_expr::LogicalPlan;
use futures::future::BoxFuture;
use sqlparser::ast::Expr;
use sqlparser::tokenizer::Token;

use super::{Command, Source, answer, no_answer};
use crate::analyze::offset_of_interval;
use crate::config::{self, OPTIONS};
use crate::error::{Condition, Error, Result};
use crate::sql::{Environment, typed};

enum Set {
    All,
    Documented,
    Show(String),
    Change { name: String, value: String },
}

struct Reset {
    name: Option<String>,
}

pub(super) fn parse_set(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    if source.at_end() {
        return Ok(Box::new(Set::All));
    }
    if source.parser.consume_token(&Token::Minus) {
        source.expect(&["v"])?;
        return Ok(Box::new(Set::Documented));
    }
    if source.take(&["TIME", "ZONE"]) {
        let name = "spark.sql.session.timeZone".to_owned();
        if source.take(&["LOCAL"]) {
            return Ok(Box::new(Reset { name: Some(name) }));
        }
        let value = match typed::parse(source.parser).transpose()? {
            Some(Expr::Interval(literal)) => {
                offset_of_interval(&literal).unwrap_or_else(|| literal.to_string())
            }
            Some(other) => other.to_string(),
            None => unquoted(&source.rest()).to_owned(),
        };
        return Ok(Box::new(Set::Change { name, value }));
    }
    let text = source.rest();
    Ok(Box::new(match text.split_once('=') {
        Some((name, value)) => Set::Change {
            name: unquoted(name.trim()).to_owned(),
            value: unquoted(value.trim()).to_owned(),
        },
        None => Set::Show(unquoted(text.trim()).to_owned()),
    }))
}

pub(super) fn parse_reset(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let name = source.rest();
    let name = Some(unquoted(name.trim()).to_owned()).filter(|name| !name.is_empty());
    Ok(Box::new(Reset { name }))
}

fn unquoted(text: &str) -> &str {
    for quote in ['\'', '"', '`'] {
        let inner = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
        if let Some(inner) = inner {
            return inner;
        }
    }
    text
}

impl Command for Set {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            let config = session.config();
            match self {
                Set::All => {
                    let rows: Vec<_> =
                        config.iter().map(|(name, value)| pair(name, Some(value))).collect();
                    answer(["key", "value"], &rows)
                }
                Set::Documented => {
                    let rows: Vec<_> = OPTIONS
                        .iter()
                        .map(|row| {
                            let value = config.get(row.name).unwrap_or_default();
                            [row.name, value, row.doc].map(|text| Some(text.to_owned()))
                        })
                        .collect();
                    answer(["key", "value", "meaning"], &rows)
                }
                Set::Show(name) => {
                    let value = match (config.get(name), config::known(name)?) {
                        (None, None) => Some("<undefined>"),
                        (value, _) => value,
                    };
                    answer(["key", "value"], &[pair(name, value)])
                }
                Set::Change { name, value } => {
                    let variable = name.rsplit('.').next().unwrap_or(name);
                    let scope = name[..name.len() - variable.len()].to_lowercase();
                    let is_variable = matches!(scope.as_str(), "" | "session." | "system.session.")
                        && session.variables().get(variable).is_some();
                    if is_variable {
                        let message = format!("`{name}` is a variable, not an option");
                        return Err(Error::new(Condition::SET_VARIABLE_USING_SET, message)
                            .hint("use `SET VARIABLE`"));
                    }
                    session.set(name, value)?;
                    answer(["key", "value"], &[pair(name, Some(value))])
                }
            }
        })
    }
}

fn pair(name: &str, value: Option<&str>) -> [Option<String>; 2] {
    [Some(name.to_owned()), value.map(str::to_owned)]
}

impl Command for Reset {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            match &self.name {
                Some(name) => session.unset(name)?,
                None => {
                    for (name, _) in session.config().iter() {
                        session.unset(name)?;
                    }
                }
            }
            no_answer()
        })
    }
}
