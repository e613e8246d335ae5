//! `to_char` and `to_number`: numbers as text by formats such as `$99G999D99`.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::ScalarUDF;

use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

/// The most digits that a decimal has.
const PRECISION_MAX: usize = 38;

/// Spark's `to_char(number, format)`.
pub(super) fn to_char() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Number, Kind::Text]);
    Kernel::new("to_char", parameters, rows::text, |call| {
        let numbers = plain_digits(&call.array(0)?)?;
        let numbers = numbers.as_string_view();
        let formats = call.text(1)?;
        let mut last: Option<(&str, Format)> = None;
        rows::texts(call, |row, output| {
            let format = formats.value(row);
            if last.as_ref().is_none_or(|(known, _)| *known != format) {
                last = Some((format, Format::read(format)?));
            }
            if let Some((_, format)) = &last {
                format.write(numbers.value(row), output);
            }
            Ok(true)
        })
    })
    .udf()
}

/// Numbers as digits without an exponent.
fn plain_digits(numbers: &ArrayRef) -> Result<ArrayRef> {
    let texts = match numbers.data_type() {
        DataType::Float32 | DataType::Float64 => {
            let numbers = cast(numbers, &DataType::Float64)?;
            let numbers = numbers.as_primitive::<arrow::datatypes::Float64Type>();
            let texts = numbers.iter().map(|number| number.map(|number| number.to_string()));
            std::sync::Arc::new(texts.collect::<arrow::array::StringArray>()) as ArrayRef
        }
        _ => cast(numbers, &DataType::Utf8)?,
    };
    Ok(cast(&texts, &DataType::Utf8View)?)
}

const TEXT_AND_FORMAT: Parameters = Parameters::exact(&[Kind::Text, Kind::Text]);

/// Spark's `to_number(text, format)`.
pub(super) fn to_number() -> ScalarUDF {
    Kernel::by_value("to_number", TEXT_AND_FORMAT, number_type, |call| numbers(call, false)).udf()
}

/// Spark's `try_to_number(text, format)`.
pub(super) fn try_to_number() -> ScalarUDF {
    Kernel::by_value("try_to_number", TEXT_AND_FORMAT, number_type, |call| numbers(call, true))
        .udf()
}

/// A decimal with the digits of the format.
fn number_type(_: &[DataType], literals: &[Option<&ScalarValue>]) -> Result<DataType> {
    let format = literals.get(1).copied().flatten().and_then(|format| format.try_as_str());
    let Some(Some(format)) = format else {
        return Ok(DataType::Decimal128(PRECISION_MAX as u8, 0));
    };
    let format = Format::read(format)?;
    let (whole, fraction) = format.digits();
    if whole + fraction > PRECISION_MAX {
        let message =
            format!("a decimal has {PRECISION_MAX} digits, the format {}", whole + fraction);
        return Err(Failure::new("DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", message).into());
    }
    Ok(DataType::Decimal128((whole + fraction).max(1) as u8, fraction as i8))
}

fn numbers(call: &Call<'_>, is_try: bool) -> Result<ArrayRef> {
    let (texts, formats) = (call.text(0)?, call.text(1)?);
    let DataType::Decimal128(_, scale) = call.returns else {
        return datafusion::common::internal_err!("`to_number` gives a decimal");
    };
    let scale = *scale as usize;
    let format = match formats.iter().flatten().next() {
        Some(format) => Format::read(format)?,
        None => return Ok(arrow::array::new_null_array(call.returns, call.rows)),
    };
    rows::numbers::<Decimal128Type>(call, |row| {
        let text = texts.value(row);
        match format.parse(text, scale) {
            Some(number) => Ok(Some(number)),
            None if is_try => Ok(None),
            None => {
                let format = formats.value(row);
                let message = format!("`{text}` is not of the format `{format}`");
                Err(Failure::new("INVALID_FORMAT.MISMATCH_INPUT", message)
                    .hint("use `try_to_number` to get NULL instead")
                    .into())
            }
        }
    })
}

/// A part of a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    /// Digits, exactly as many if the group begins with 0, at most as many if it begins with 9.
    Digits {
        count: usize,
        exact: bool,
    },
    Comma,
    Point,
    Dollar,
    /// `S`: a plus or a minus.
    Sign,
    /// `MI`: a minus or a space.
    Minus,
    /// `PR` is both of these around a negative number.
    Open,
    Close,
}

#[derive(Debug)]
struct Format {
    text: String,
    tokens: Vec<Token>,
}

impl Format {
    fn read(text: &str) -> Result<Self> {
        let upper = text.to_uppercase();
        let mut tokens = Vec::new();
        let mut rest = upper.as_str();
        while let Some(first) = rest.chars().next() {
            let (token, length) = match first {
                '0' | '9' => {
                    let count = rest.bytes().take_while(|sign| matches!(sign, b'0' | b'9')).count();
                    (Token::Digits { count, exact: first == '0' }, count)
                }
                ',' | 'G' => (Token::Comma, 1),
                '.' | 'D' => (Token::Point, 1),
                '$' => (Token::Dollar, 1),
                'S' => (Token::Sign, 1),
                'M' if rest.starts_with("MI") => (Token::Minus, 2),
                'P' if rest.starts_with("PR") => (Token::Close, 2),
                other => {
                    let message = format!("the format `{text}` has an unexpected `{other}`");
                    return Err(Failure::new("INVALID_FORMAT.UNEXPECTED_TOKEN", message).into());
                }
            };
            tokens.push(token);
            rest = &rest[length..];
        }
        if tokens.last() == Some(&Token::Close) {
            tokens.insert(0, Token::Open);
        }
        check(text, &tokens)?;
        Ok(Self { text: upper, tokens })
    }

    /// How many digits stand before and behind the point.
    fn digits(&self) -> (usize, usize) {
        let point = self.tokens.iter().position(|token| *token == Token::Point);
        let (whole, fraction) = self.tokens.split_at(point.unwrap_or(self.tokens.len()));
        let count = |tokens: &[Token]| {
            let counts = tokens.iter().map(|token| match token {
                Token::Digits { count, .. } => *count,
                _ => 0,
            });
            counts.sum()
        };
        (count(whole), count(fraction))
    }

    fn write(&self, number: &str, output: &mut String) {
        let is_negative = number.starts_with('-');
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let whole = whole.trim_start_matches(['-', '0']);
        let fraction = fraction.trim_end_matches('0');
        let (whole_digits, fraction_digits) = self.digits();
        if whole.len() > whole_digits || fraction.len() > fraction_digits {
            let hidden = self.text.chars().filter(|sign| !"SMIPR$".contains(*sign));
            output.extend(hidden.map(|sign| match sign {
                '0' | '9' => '#',
                'D' => '.',
                'G' => ',',
                other => other,
            }));
            return;
        }
        let whole = format!("{whole:>whole_digits$}");
        let fraction = format!("{fraction:0<fraction_digits$}");
        let mut digits = whole.chars();
        for token in &self.tokens {
            match token {
                Token::Digits { count, exact } => {
                    let filled = |digit| if digit == ' ' && *exact { '0' } else { digit };
                    output.extend(digits.by_ref().take(*count).map(filled));
                }
                Token::Comma if output.ends_with(|c: char| c.is_ascii_digit()) => output.push(','),
                Token::Comma => output.push(' '),
                Token::Point => {
                    if output.ends_with(' ') {
                        output.pop();
                        output.push('0');
                    }
                    output.push('.');
                    digits = fraction.chars();
                }
                Token::Dollar => output.push('$'),
                Token::Sign => push_behind(output, if is_negative { '-' } else { '+' }),
                Token::Minus if is_negative => push_behind(output, '-'),
                Token::Minus => output.push(' '),
                Token::Open if is_negative => output.push('<'),
                Token::Close if is_negative => push_behind(output, '>'),
                Token::Open | Token::Close => {}
            }
        }
        without_lone_point(output);
        if matches!(output.as_str(), "" | "+" | "-") {
            "0".clone_into(output);
        }
    }

    /// The number that a text stands for, times ten to the scale.
    fn parse(&self, text: &str, scale: usize) -> Option<i128> {
        let mut rest = text.trim_matches(' ');
        let (mut whole, mut fraction) = (String::new(), String::new());
        let (mut is_negative, mut is_behind_point) = (false, false);
        let mut tokens = self.tokens.as_slice();
        while let Some((token, after)) = tokens.split_first() {
            tokens = after;
            match token {
                Token::Digits { .. } | Token::Comma => {
                    let is_group =
                        |token: &Token| matches!(token, Token::Digits { .. } | Token::Comma);
                    let count = after.iter().take_while(|token| is_group(token)).count();
                    let start = self.tokens.len() - after.len() - 1;
                    let groups = &self.tokens[start..=start + count];
                    tokens = &after[count..];
                    let output = if is_behind_point { &mut fraction } else { &mut whole };
                    rest = read_groups(groups, rest, is_behind_point, output)?;
                }
                Token::Point => {
                    if let Some(behind) = rest.strip_prefix('.') {
                        rest = behind;
                        is_behind_point = true;
                    }
                }
                Token::Dollar => rest = rest.strip_prefix('$')?,
                Token::Sign | Token::Minus => {
                    let minus = rest.strip_prefix('-');
                    is_negative |= minus.is_some();
                    let plus = rest.strip_prefix('+').filter(|_| *token == Token::Sign);
                    rest = minus.or(plus).unwrap_or(rest);
                }
                Token::Open => {
                    let open = rest.strip_prefix('<');
                    is_negative |= open.is_some();
                    rest = open.unwrap_or(rest);
                }
                Token::Close if is_negative => rest = rest.strip_prefix('>')?,
                Token::Close => {}
            }
        }
        if !rest.is_empty() || fraction.len() > scale {
            return None;
        }
        let digits = format!("{whole}{fraction:0<scale$}");
        let number: i128 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
        Some(if is_negative { -number } else { number })
    }
}

/// Reads groups of digits with commas between them, which must end where those of the format do.
fn read_groups<'a>(
    groups: &[Token],
    text: &'a str,
    is_behind_point: bool,
    output: &mut String,
) -> Option<&'a str> {
    let end =
        text.find(|c: char| !c.is_ascii_digit() && c != ',' && c != ' ').unwrap_or(text.len());
    let (read, rest) = text.split_at(end);
    let read = read.replace(' ', "");
    let mut given: Vec<&str> = read.split(',').collect();
    let mut wanted: Vec<(usize, bool)> = Vec::new();
    for token in groups {
        if let Token::Digits { count, exact } = token {
            wanted.push((*count, *exact));
        }
    }
    if given.len() > wanted.len() {
        return None;
    }
    if !is_behind_point {
        given.reverse();
        wanted.reverse();
    }
    for (at, (count, exact)) in wanted.iter().enumerate() {
        let length = given.get(at).map_or(0, |group| group.len());
        if length > *count || (*exact && length != *count) {
            return None;
        }
    }
    output.push_str(&read.replace(',', ""));
    Some(rest)
}

/// Puts a sign where the spaces at the end begin.
fn push_behind(output: &mut String, sign: char) {
    without_lone_point(output);
    let end = output.trim_end_matches(' ').len();
    match end < output.len() && end > 0 {
        true => output.replace_range(end..=end, sign.encode_utf8(&mut [0; 4])),
        false => output.push(sign),
    }
}

/// A point without digits behind it is a space.
fn without_lone_point(output: &mut String) {
    if let Some(at) = output.find('.')
        && matches!(output.as_bytes().get(at + 1), None | Some(b' '))
    {
        output.replace_range(at..=at, " ");
    }
}

fn check(text: &str, tokens: &[Token]) -> Result<()> {
    let count = |wanted: fn(&Token) -> bool| tokens.iter().filter(|token| wanted(token)).count();
    let digits = count(|token| matches!(token, Token::Digits { .. }));
    let point = tokens.iter().position(|token| *token == Token::Point);
    let is_late = |token: Token| {
        let last = tokens.iter().rposition(|known| *known == token);
        point.zip(last).is_some_and(|(point, last)| last > point)
    };
    let failure = match () {
        () if tokens.is_empty() => ("INVALID_FORMAT.EMPTY", "is empty"),
        () if digits == 0 => ("INVALID_FORMAT.WRONG_NUM_DIGIT", "has no digits"),
        () if count(|token| *token == Token::Point) > 1 => {
            ("INVALID_FORMAT.WRONG_NUM_TOKEN", "has more than one point")
        }
        () if count(|token| *token == Token::Dollar) > 1 => {
            ("INVALID_FORMAT.WRONG_NUM_TOKEN", "has more than one dollar sign")
        }
        () if is_late(Token::Comma) => {
            ("INVALID_FORMAT.THOUSANDS_SEPS_MUST_BEFORE_DEC", "has a comma behind the point")
        }
        () if is_late(Token::Dollar) => {
            ("INVALID_FORMAT.CUR_MUST_BEFORE_DEC", "has a dollar sign behind the point")
        }
        () if tokens.windows(2).any(|pair| pair == [Token::Comma, Token::Comma]) => {
            ("INVALID_FORMAT.CONT_THOUSANDS_SEPS", "has commas without digits between them")
        }
        () => return Ok(()),
    };
    Err(Failure::new(failure.0, format!("the format `{text}` {}", failure.1)).into())
}

#[cfg(test)]
mod tests {
    use super::Format;

    #[test]
    fn numbers_are_written_by_their_format() {
        let write = |number: &str, format: &str| {
            let mut output = String::new();
            Format::read(format).unwrap().write(number, &mut output);
            output
        };
        assert_eq!(write("454", "999"), "454");
        assert_eq!(write("454.00", "000D00"), "454.00");
        assert_eq!(write("12454", "99G999"), "12,454");
        assert_eq!(write("78.12", "$99.99"), "$78.12");
        assert_eq!(write("-12454.8", "99G999D9S"), "12,454.8-");
        assert_eq!(write("12454", "999"), "###");
        assert_eq!(write("12.5", "99.99"), "12.50");
        assert_eq!(write("0", "99.99"), " 0.00");
    }

    #[test]
    fn texts_are_read_by_their_format() {
        let read = |text: &str, format: &str| {
            let format = Format::read(format).unwrap();
            let (_, scale) = format.digits();
            format.parse(text, scale)
        };
        assert_eq!(read("12,454.8-", "00,000.9MI"), Some(-124548));
        assert_eq!(read("<00,454.8>", "00,000.9PR"), Some(-4548));
        assert_eq!(read("$78.12", "$00.00"), Some(7812));
        assert_eq!(read("45", "000"), None);
        assert_eq!(read("+454", "S000"), Some(454));
    }
}
