//! `SET` and `RESET`: the options of the session.

use datafusion::logical_expr::LogicalPlan;
use futures::future::BoxFuture;
use sqlparser::tokenizer::Token;

use super::{Command, Source, answer, no_answer};
use crate::config::OPTIONS;
use crate::error::{Condition, Error, Result};
use crate::sql::Environment;

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
        let text = source.rest();
        let name = crate::config::TIME_ZONE.to_owned();
        if text.trim().eq_ignore_ascii_case("LOCAL") {
            return Ok(Box::new(Reset { name: Some(name) }));
        }
        let value = offset_of_interval(&text).unwrap_or_else(|| unquoted(&text).to_owned());
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

/// The zone that an interval stands for, as `+02:30` for `INTERVAL '2:30' HOUR TO MINUTE`; `None` if the text is
/// no interval of hours, minutes and seconds.
fn offset_of_interval(text: &str) -> Option<String> {
    let text = text.replace(['\'', '"'], " ").to_uppercase();
    let mut words = text.split_whitespace().peekable();
    if words.next()? != "INTERVAL" {
        return None;
    }
    let mut seconds = 0_i64;
    while let Some(value) = words.next() {
        let (sign, value) = match value.strip_prefix('-') {
            Some(value) => (-1, value),
            None => (1, value.strip_prefix('+').unwrap_or(value)),
        };
        let mut unit = unit_seconds(words.next()?)?;
        for part in value.split(':') {
            seconds += sign * i64::from(part.parse::<u32>().ok()?) * unit;
            unit /= 60;
        }
        if words.next_if_eq(&"TO").is_some() {
            unit_seconds(words.next()?)?;
        }
    }
    let (sign, rest) = (if seconds < 0 { '-' } else { '+' }, seconds.abs());
    let (hours, minutes, seconds) = (rest / 3600, rest / 60 % 60, rest % 60);
    let behind = if seconds == 0 { String::new() } else { format!(":{seconds:02}") };
    Some(format!("{sign}{hours:02}:{minutes:02}{behind}"))
}

fn unit_seconds(unit: &str) -> Option<i64> {
    match unit.trim_end_matches('S') {
        "HOUR" => Some(3600),
        "MINUTE" => Some(60),
        "SECOND" => Some(1),
        _ => None,
    }
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
                Set::Show(name) => match config.get(name) {
                    None if !OPTIONS.iter().any(|row| row.name.eq_ignore_ascii_case(name)) => {
                        Err(Error::new(
                            Condition::CONFIG_NOT_FOUND,
                            format!("option `{name}` is not set"),
                        )
                        .did_you_mean(name, OPTIONS.iter().map(|row| row.name)))
                    }
                    value => answer(["key", "value"], &[pair(name, value)]),
                },
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
