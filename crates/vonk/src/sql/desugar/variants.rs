//! `value:a.b[0]`: what stands at a path of a variant, as a call of `variant_get`.

use sqlparser::ast::{Expr, JsonPath, JsonPathElem, Value};

use crate::analyze::call;
use crate::error::{Condition, Error, Result};

/// Spells the paths of an expression.
pub(super) fn spell_out(expr: &mut Expr) -> Result<()> {
    let Expr::JsonAccess { value, path } = expr else { return Ok(()) };
    let text = |text: &str| Expr::value(Value::SingleQuotedString(text.to_owned()));
    let value = std::mem::replace(value.as_mut(), text(""));
    *expr = call("variant_get", vec![value, text(&path_of(path)?), text("variant")]);
    Ok(())
}

/// `$.a[0]['b c']`
fn path_of(path: &JsonPath) -> Result<String> {
    let mut text = "$".to_owned();
    for step in &path.path {
        match step {
            JsonPathElem::Dot { key, .. } => push_member(key, &mut text),
            JsonPathElem::Bracket { key } | JsonPathElem::ColonBracket { key } => match key {
                Expr::Value(value) => match &value.value {
                    Value::SingleQuotedString(name) | Value::DoubleQuotedString(name) => {
                        push_member(name, &mut text);
                    }
                    Value::Number(index, _) => text.push_str(&format!("[{index}]")),
                    other => return Err(no_step(other)),
                },
                other => return Err(no_step(other)),
            },
        }
    }
    Ok(text)
}

fn push_member(name: &str, text: &mut String) {
    let is_plain = name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    match is_plain && !name.is_empty() {
        true => text.push_str(&format!(".{name}")),
        false => text.push_str(&format!("['{name}']")),
    }
}

fn no_step(step: &impl std::fmt::Display) -> Error {
    let message = format!("`{step}` is no step of a path of a variant");
    Error::new(Condition::PARSE_SYNTAX_ERROR, message)
        .hint("use `variant_get` with a path that is computed")
}
