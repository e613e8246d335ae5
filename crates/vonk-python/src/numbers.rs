//! Arithmetic and conversions with Python's meaning; what would leave 64 bits is redone in Python.

use std::borrow::Cow;

use crate::redo::{Redo, Result};
use crate::value::{Value, whole};

/// A text or list that an operator repeats may become this long; beyond, Python does it.
const REPEATED_MAX: usize = 1 << 20;

/// The operators between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Sub,
    Mul,
    Div,
    FloorDiv,
    Mod,
    Pow,
    And,
    Or,
    Xor,
}

impl Operator {
    /// By the name that tracing gives it.
    pub(crate) fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            "add" => Self::Add,
            "sub" => Self::Sub,
            "mul" => Self::Mul,
            "truediv" => Self::Div,
            "floordiv" => Self::FloorDiv,
            "mod" => Self::Mod,
            "pow" => Self::Pow,
            "and" => Self::And,
            "or" => Self::Or,
            "xor" => Self::Xor,
            _ => return None,
        })
    }

    /// Python's `a <operator> b`.
    pub(crate) fn apply<'a>(self, a: &'a Value<'a>, b: &'a Value<'a>) -> Result<Value<'a>> {
        if let (Some(x), Some(y)) = (a.as_int(), b.as_int()) {
            if let (Value::Bool(x), Value::Bool(y)) = (a, b)
                && let Some(value) = self.of_truths(*x, *y)
            {
                return Ok(Value::Bool(value));
            }
            return self.of_ints(x, y);
        }
        if let (Some(x), Some(y)) = (a.as_float(), b.as_float()) {
            return self.of_floats(x, y).map(Value::Float);
        }
        match self {
            Self::Add => concatenated(a, b),
            Self::Mul => repeated(a, b),
            _ => Err(Redo("an operator between other types")),
        }
    }

    fn of_truths(self, a: bool, b: bool) -> Option<bool> {
        match self {
            Self::And => Some(a & b),
            Self::Or => Some(a | b),
            Self::Xor => Some(a ^ b),
            _ => None,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "numbers that lose digits are refused")]
    fn of_ints<'a>(self, a: i64, b: i64) -> Result<Value<'a>> {
        const EXACT: u64 = 1 << 53;
        let value = match self {
            Self::Add => a.checked_add(b),
            Self::Sub => a.checked_sub(b),
            Self::Mul => a.checked_mul(b),
            Self::FloorDiv if b != 0 => floor_div(a, b),
            Self::Mod if b != 0 => floor_mod(a, b),
            Self::Pow => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
            Self::And => Some(a & b),
            Self::Or => Some(a | b),
            Self::Xor => Some(a ^ b),
            Self::Div if b != 0 && a.unsigned_abs() <= EXACT && b.unsigned_abs() <= EXACT => {
                return Ok(Value::Float(a as f64 / b as f64));
            }
            Self::Div | Self::FloorDiv | Self::Mod => None,
        };
        value.map(Value::Int).ok_or(Redo("whole numbers beyond 64 bits, or a division by zero"))
    }

    fn of_floats(self, a: f64, b: f64) -> Result<f64> {
        match self {
            Self::Add => Ok(a + b),
            Self::Sub => Ok(a - b),
            Self::Mul => Ok(a * b),
            Self::Div if b != 0.0 => Ok(a / b),
            Self::Mod if b != 0.0 => {
                let rest = a % b;
                let is_other_side = rest != 0.0 && (b < 0.0) != (rest < 0.0);
                let zero = 0.0_f64.copysign(b);
                Ok(if is_other_side {
                    rest + b
                } else if rest == 0.0 {
                    zero
                } else {
                    rest
                })
            }
            _ => Err(Redo("an operator of floats")),
        }
    }
}

fn floor_div(a: i64, b: i64) -> Option<i64> {
    let quotient = a.checked_div(b)?;
    let is_below = a % b != 0 && (a < 0) != (b < 0);
    Some(if is_below { quotient - 1 } else { quotient })
}

fn floor_mod(a: i64, b: i64) -> Option<i64> {
    let rest = a.checked_rem(b)?;
    Some(if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest })
}

fn concatenated<'a>(a: &'a Value<'a>, b: &'a Value<'a>) -> Result<Value<'a>> {
    let joined = |a: &'a [Value<'a>], b: &'a [Value<'a>]| {
        a.iter().chain(b).map(Value::reborrow).collect::<Box<[_]>>()
    };
    match (a, b) {
        (Value::Str(a), Value::Str(b)) => Ok(Value::owned([a.as_ref(), b.as_ref()].concat())),
        (Value::Tuple(a), Value::Tuple(b)) => Ok(Value::Tuple(joined(a, b))),
        (Value::List(a), Value::List(b)) => Ok(Value::List(joined(a, b))),
        _ => Err(Redo("a sum of other types")),
    }
}

fn repeated<'a>(a: &'a Value<'a>, b: &'a Value<'a>) -> Result<Value<'a>> {
    let (text, times) = match (a, b) {
        (Value::Str(text), times) | (times, Value::Str(text)) => (text, times.as_int()),
        _ => return Err(Redo("a product of other types")),
    };
    let times = times.ok_or(Redo("a product of a text and no whole number"))?;
    let times = usize::try_from(times).unwrap_or_default();
    if text.len().saturating_mul(times) > REPEATED_MAX {
        return Err(Redo("a text repeated very often"));
    }
    Ok(Value::owned(text.repeat(times)))
}

/// Python's `int(value)`.
pub(crate) fn to_int<'a>(value: &Value<'_>) -> Result<Value<'a>> {
    if let Some(value) = value.as_int() {
        return Ok(Value::Int(value));
    }
    match value {
        Value::Float(value) => whole(value.trunc()).map(Value::Int),
        Value::Str(text) => {
            let digits = text.trim_matches(is_space);
            let plain = digits.strip_prefix(['+', '-']).unwrap_or(digits);
            let is_plain = !plain.is_empty() && plain.bytes().all(|byte| byte.is_ascii_digit());
            is_plain.then(|| digits.parse().ok()).flatten().map(Value::Int)
        }
        _ => None,
    }
    .ok_or(Redo("`int` of something else"))
}

/// Python's `float(value)`.
pub(crate) fn to_float<'a>(value: &Value<'_>) -> Result<Value<'a>> {
    if let Some(value) = value.as_float() {
        return Ok(Value::Float(value));
    }
    let parsed = match value {
        Value::Str(text) => text.trim_matches(is_space).parse().ok(),
        _ => None,
    };
    parsed.map(Value::Float).ok_or(Redo("`float` of something else"))
}

/// Python's `str(value)`.
pub(crate) fn to_text<'a>(value: &'a Value<'a>) -> Result<Value<'a>> {
    let text: Cow<'_, str> = match value {
        Value::Str(text) => Cow::Borrowed(text),
        Value::None => "None".into(),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::Int(value) => value.to_string().into(),
        Value::Float(value) => float_text(*value).into(),
        Value::Tuple(_) | Value::List(_) => return Err(Redo("`str` of several values")),
    };
    Ok(Value::Str(text))
}

/// Python's `repr(value)`: the shortest digits that are read back as the same float.
fn float_text(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..16).contains(&exponent) {
        let plain = value.to_string();
        return if plain.contains('.') { plain } else { plain + ".0" };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// Python's `str.isspace` of one character.
pub(crate) fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character)
}
