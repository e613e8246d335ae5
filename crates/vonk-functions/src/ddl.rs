//! Types written in SQL's words: `a INT, b ARRAY<STRING>`, `struct<a: int>`.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, IntervalUnit, TimeUnit};
use datafusion::common::Result;

use crate::failure::Failure;
use crate::types;

/// The type that a text names; names with their types and commas between them are a struct.
///
/// ```
/// use arrow::datatypes::DataType;
/// let data_type = vonk_functions::ddl::parse("a INT, b ARRAY<STRING>")?;
/// assert!(matches!(data_type, DataType::Struct(fields) if fields.len() == 2));
/// assert_eq!(vonk_functions::ddl::parse("decimal(10, 2)")?, DataType::Decimal128(10, 2));
/// # Ok::<(), datafusion::common::DataFusionError>(())
/// ```
///
/// # Errors
/// `PARSE_SYNTAX_ERROR`
pub fn parse(text: &str) -> Result<DataType> {
    let tokens = tokens(text);
    let fields = Parser { tokens: &tokens, type_name: None }.all(Parser::columns);
    if let Some(fields) = fields {
        return Ok(DataType::Struct(fields));
    }
    Parser { tokens: &tokens, type_name: None }.all(Parser::data_type).ok_or_else(|| {
        Failure::new("PARSE_SYNTAX_ERROR", format!("`{text}` is no type and no list of columns"))
            .hint("write as in `a INT, b STRING`")
            .into()
    })
}

/// A word, a number, a text or a sign.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Quoted(String),
    Text,
    Sign(char),
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(first) = rest.next() {
        match first {
            _ if first.is_whitespace() => {}
            '`' | '\'' | '"' => {
                let quoted = rest.by_ref().take_while(|letter| *letter != first).collect();
                tokens.push(if first == '`' { Token::Quoted(quoted) } else { Token::Text });
            }
            _ if is_of_word(first) => {
                let mut word = String::from(first);
                while let Some(next) = rest.next_if(|next| is_of_word(*next)) {
                    word.push(next);
                }
                tokens.push(Token::Word(word));
            }
            sign => tokens.push(Token::Sign(sign)),
        }
    }
    tokens
}

fn is_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The types that are one word.
const PLAIN: &[(&[&str], DataType)] = &[
    (&["boolean"], DataType::Boolean),
    (&["tinyint", "byte"], DataType::Int8),
    (&["smallint", "short"], DataType::Int16),
    (&["int", "integer"], DataType::Int32),
    (&["bigint", "long"], DataType::Int64),
    (&["float", "real"], DataType::Float32),
    (&["double"], DataType::Float64),
    (&["string"], DataType::Utf8),
    (&["binary"], DataType::Binary),
    (&["date"], DataType::Date32),
    (&["timestamp_ntz"], DataType::Timestamp(TimeUnit::Microsecond, None)),
    (&["void"], DataType::Null),
    (&["interval"], DataType::Interval(IntervalUnit::MonthDayNano)),
];

struct Parser<'a> {
    tokens: &'a [Token],
    /// Spark's name of the type that was read last, where Arrow's does not tell it.
    type_name: Option<String>,
}

impl Parser<'_> {
    /// What the whole text is, or nothing.
    fn all<T>(mut self, read: fn(&mut Self) -> Option<T>) -> Option<T> {
        let read = read(&mut self)?;
        self.tokens.is_empty().then_some(read)
    }

    fn word(&mut self) -> Option<String> {
        let (Token::Word(word), rest) = self.tokens.split_first()? else { return None };
        self.tokens = rest;
        Some(word.to_lowercase())
    }

    fn keyword(&mut self, keyword: &str) -> Option<()> {
        match self.tokens.split_first()? {
            (Token::Word(word), rest) if word.eq_ignore_ascii_case(keyword) => {
                self.tokens = rest;
                Some(())
            }
            _ => None,
        }
    }

    fn sign(&mut self, sign: char) -> Option<()> {
        let (first, rest) = self.tokens.split_first()?;
        (*first == Token::Sign(sign)).then(|| self.tokens = rest)
    }

    /// `a INT, b STRING`
    fn columns(&mut self) -> Option<Fields> {
        let mut fields = vec![self.column()?];
        while self.sign(',').is_some() {
            fields.push(self.column()?);
        }
        Some(fields.into())
    }

    /// `a INT`, `a: INT NOT NULL COMMENT 'text'`
    fn column(&mut self) -> Option<Field> {
        let (first, rest) = self.tokens.split_first()?;
        let (Token::Word(name) | Token::Quoted(name)) = first else { return None };
        self.tokens = rest;
        let _ = self.sign(':');
        let field = self.field(name)?;
        let is_required = self.keyword("not").is_some();
        if is_required {
            self.keyword("null")?;
        }
        if self.keyword("comment").is_some() {
            let (Token::Text, rest) = self.tokens.split_first()? else { return None };
            self.tokens = rest;
        }
        Some(field)
    }

    fn field(&mut self, name: &str) -> Option<Field> {
        let field = Field::new(name, self.data_type()?, true);
        Some(match self.type_name.take() {
            Some(type_name) => types::with_name(field, &type_name),
            None => field,
        })
    }

    fn data_type(&mut self) -> Option<DataType> {
        let word = self.word()?;
        if let Some((_, plain)) = PLAIN.iter().find(|(names, _)| names.contains(&word.as_str())) {
            return match word.as_str() {
                "interval" => Some(self.interval()),
                _ => Some(plain.clone()),
            };
        }
        match word.as_str() {
            "timestamp" | "timestamp_ltz" => Some(crate::parameters::timestamp()),
            "decimal" | "dec" | "numeric" => {
                let mut digits = self.numbers()?.into_iter();
                let (precision, scale) = (digits.next().unwrap_or(10), digits.next().unwrap_or(0));
                let is_valid = precision <= 38 && scale <= precision;
                is_valid.then_some(DataType::Decimal128(precision as u8, scale as i8))
            }
            "time" => {
                let precision = self.numbers()?.first().copied().unwrap_or(6);
                if precision > 6 {
                    return None;
                }
                self.type_name = Some(format!("time({precision})"));
                Some(DataType::Time64(TimeUnit::Microsecond))
            }
            "char" | "character" | "varchar" => {
                self.numbers()?;
                Some(DataType::Utf8)
            }
            "array" => {
                self.sign('<')?;
                let item = self.field("item")?;
                self.sign('>')?;
                Some(DataType::List(Arc::new(item)))
            }
            "map" => {
                self.sign('<')?;
                let key = self.field("key")?.with_nullable(false);
                self.sign(',')?;
                let value = self.field("value")?;
                self.sign('>')?;
                let entries = DataType::Struct(vec![key, value].into());
                Some(DataType::Map(Arc::new(Field::new("entries", entries, false)), false))
            }
            "struct" => {
                self.sign('<')?;
                if self.sign('>').is_some() {
                    return Some(DataType::Struct(Fields::empty()));
                }
                let fields = self.columns()?;
                self.sign('>')?;
                Some(DataType::Struct(fields))
            }
            _ => None,
        }
    }

    /// `(10, 2)`, or nothing.
    fn numbers(&mut self) -> Option<Vec<usize>> {
        let mut numbers = Vec::new();
        if self.sign('(').is_none() {
            return Some(numbers);
        }
        loop {
            numbers.push(self.word()?.parse().ok()?);
            if self.sign(',').is_none() {
                break;
            }
        }
        self.sign(')')?;
        Some(numbers)
    }

    /// `year to month`, `day to second` and the like behind `interval`.
    fn interval(&mut self) -> DataType {
        const MONTHS: [&str; 2] = ["year", "month"];
        const DAYS: [&str; 4] = ["day", "hour", "minute", "second"];
        let Some(Token::Word(unit)) = self.tokens.first() else {
            return DataType::Interval(IntervalUnit::MonthDayNano);
        };
        let unit = unit.to_lowercase();
        let data_type = match unit.as_str() {
            unit if MONTHS.contains(&unit) => DataType::Interval(IntervalUnit::YearMonth),
            unit if DAYS.contains(&unit) => DataType::Duration(TimeUnit::Microsecond),
            _ => return DataType::Interval(IntervalUnit::MonthDayNano),
        };
        self.tokens = &self.tokens[1..];
        let end = self.keyword("to").and_then(|()| self.word());
        self.type_name = Some(match end {
            Some(end) => format!("interval {unit} to {end}"),
            None => format!("interval {unit}"),
        });
        data_type
    }
}
