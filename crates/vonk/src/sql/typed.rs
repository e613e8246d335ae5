//! Typed literals that the parser does not read itself: intervals of many units, `TIMESTAMP_LTZ '…'`.

use sqlparser::ast::{DataType, DateTimeField, Expr, Interval, TimezoneInfo, TypedString, Value};
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Span, Token};

use vonk_functions::interval::Unit;

/// The units of intervals besides their fields.
const OTHER_UNITS: &[&str] = &["week", "millisecond", "microsecond", "nanosecond"];

/// Reads a typed literal, if one stands where the parser is.
pub(super) fn parse(parser: &mut Parser<'_>) -> Option<Result<Expr, ParserError>> {
    let Token::Word(word) = &parser.peek_token_ref().token else { return None };
    if word.quote_style.is_some() {
        return None;
    }
    let name = word.value.to_lowercase();
    if name == "interval" {
        return interval(parser).map(Ok);
    }
    let data_type = match name.as_str() {
        "timestamp_ltz" => DataType::Timestamp(None, TimezoneInfo::Tz),
        "timestamp_ntz" => DataType::TimestampNtz(None),
        _ => return None,
    };
    let text = string(&parser.peek_nth_token_ref(1).token)?;
    parser.next_token();
    let span = parser.next_token().span;
    let value = Value::SingleQuotedString(text).with_span(span);
    Some(Ok(Expr::TypedString(TypedString { data_type, value, uses_odbc_syntax: false })))
}

/// Reads `INTERVAL '1 day'`, `INTERVAL 1 YEAR -2 MONTHS`, `INTERVAL '1-2' YEAR TO MONTH`.
fn interval(parser: &mut Parser<'_>) -> Option<Expr> {
    let mut tokens = Tokens { parser, at: 1 };
    let first = tokens.value()?;
    let Some(unit) = tokens.unit() else {
        // Without a unit it is a typed literal, whose text has units.
        let text = string(&tokens.parser.peek_nth_token_ref(1).token)?;
        return Some(tokens.done(2, text, None, None));
    };
    if tokens.word("to") {
        let last = tokens.unit()?;
        let count = tokens.at;
        return Some(tokens.done(count, first, field(&unit), field(&last)));
    }
    let mut text = format!("{first} {unit}");
    let mut end = tokens.at;
    while let (Some(value), Some(unit)) = (tokens.value(), tokens.unit()) {
        text += &format!(" {value} {unit}");
        end = tokens.at;
    }
    let is_single = !text.trim().contains("  ") && end <= 4 && field(&unit).is_some();
    match is_single && text.split_whitespace().count() == 2 {
        true => Some(tokens.done(end, first, field(&unit), None)),
        false => Some(tokens.done(end, text, None, None)),
    }
}

/// Looks ahead of a parser.
struct Tokens<'a, 'b> {
    parser: &'a mut Parser<'b>,
    at: usize,
}

impl Tokens<'_, '_> {
    /// A number or a string with a sign before it.
    fn value(&mut self) -> Option<String> {
        let begin = self.at;
        let mut is_negative = false;
        while let Token::Minus | Token::Plus = self.parser.peek_nth_token_ref(self.at).token {
            is_negative ^= self.parser.peek_nth_token_ref(self.at).token == Token::Minus;
            self.at += 1;
        }
        let value = match &self.parser.peek_nth_token_ref(self.at).token {
            Token::Number(digits, _) => Some(digits.clone()),
            token => string(token),
        };
        let Some(value) = value else {
            self.at = begin;
            return None;
        };
        self.at += 1;
        let value = value.trim().to_owned();
        Some(match (is_negative, value.strip_prefix('-')) {
            (false, _) => value,
            (true, Some(positive)) => positive.to_owned(),
            (true, None) => format!("-{}", value.strip_prefix('+').unwrap_or(&value)),
        })
    }

    /// The name of a unit, in the singular.
    fn unit(&mut self) -> Option<String> {
        let Token::Word(word) = &self.parser.peek_nth_token_ref(self.at).token else { return None };
        let lower = word.value.to_lowercase();
        let name = lower.strip_suffix('s').unwrap_or(&lower);
        let known = Unit::named(name).is_some() || OTHER_UNITS.contains(&name);
        if word.quote_style.is_some() || !known {
            return None;
        }
        self.at += 1;
        Some(name.to_owned())
    }

    fn word(&mut self, wanted: &str) -> bool {
        let token = &self.parser.peek_nth_token_ref(self.at).token;
        let found = matches!(token, Token::Word(word) if word.value.eq_ignore_ascii_case(wanted));
        self.at += usize::from(found);
        found
    }

    /// Takes so many tokens and gives the literal.
    fn done(
        self,
        tokens: usize,
        text: String,
        leading_field: Option<DateTimeField>,
        last_field: Option<DateTimeField>,
    ) -> Expr {
        for _ in 0..tokens {
            self.parser.next_token();
        }
        let value = Value::SingleQuotedString(text).with_span(Span::empty());
        Expr::Interval(Interval {
            value: Box::new(Expr::Value(value)),
            leading_field,
            leading_precision: None,
            last_field,
            fractional_seconds_precision: None,
        })
    }
}

fn string(token: &Token) -> Option<String> {
    match token {
        Token::SingleQuotedString(text) | Token::DoubleQuotedString(text) => Some(text.clone()),
        _ => None,
    }
}

fn field(unit: &str) -> Option<DateTimeField> {
    Some(match Unit::named(unit)? {
        Unit::Year => DateTimeField::Year,
        Unit::Month => DateTimeField::Month,
        Unit::Day => DateTimeField::Day,
        Unit::Hour => DateTimeField::Hour,
        Unit::Minute => DateTimeField::Minute,
        Unit::Second => DateTimeField::Second,
    })
}
