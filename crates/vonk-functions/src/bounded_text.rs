//! `CHAR(n)` and `VARCHAR(n)`: texts whose length a table bounds, and what becomes of those that are
//! stored and compared.

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, Int32Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{Expr, lit};

use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;
use crate::types::TYPE_KEY;

const PARAMETERS: Parameters = Parameters::exact(&[Kind::Text, Kind::Int]);

/// A type of texts that tables declare; queries see texts.
///
/// ```
/// use vonk_functions::bounded_text::BoundedText;
/// assert_eq!(BoundedText::parse("char(5)"), Some(BoundedText::Char(5)));
/// assert_eq!(BoundedText::parse("string"), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BoundedText {
    /// Filled up with spaces to so many characters.
    Char(i32),
    /// At most so many characters.
    Varchar(i32),
}

impl BoundedText {
    /// The type of a name in small letters: `char(5)`.
    pub fn parse(name: &str) -> Option<Self> {
        let (kind, length) = name.strip_suffix(')')?.split_once('(')?;
        let length = length.parse().ok()?;
        match kind {
            "char" => Some(Self::Char(length)),
            "varchar" => Some(Self::Varchar(length)),
            _ => None,
        }
    }

    /// The type of a column of texts, if it is one of these.
    pub fn of(field: &Field) -> Option<Self> {
        let name = field.metadata().get(TYPE_KEY).filter(|_| field.data_type().is_string())?;
        Self::parse(name)
    }

    /// A text as a column of this type stores it, or the error that it is too long.
    #[must_use]
    pub fn stored(self, text: Expr) -> Expr {
        let (kernel, length) = match self {
            Self::Char(length) => (STORE_CHAR, length),
            Self::Varchar(length) => (STORE_VARCHAR, length),
        };
        kernel.udf().call(vec![text, lit(length)])
    }
}

/// A text filled up with spaces to so many characters; longer ones stay.
#[must_use]
pub fn filled(text: Expr, length: i32) -> Expr {
    match &text {
        Expr::Literal(value, _) => match value.try_as_str() {
            Some(Some(literal)) => {
                let mut literal = literal.to_owned();
                fill(&mut literal, length);
                Expr::Literal(ScalarValue::Utf8View(Some(literal)), None)
            }
            _ => text,
        },
        _ => FILL.udf().call(vec![text, lit(length)]),
    }
}

const STORE_CHAR: Kernel = Kernel::new("store_as_char", PARAMETERS, rows::text, |call| {
    each(call, |text, length, written| {
        written.push_str(cut("char", text, length)?);
        fill(written, length);
        Ok(())
    })
});

const STORE_VARCHAR: Kernel = Kernel::new("store_as_varchar", PARAMETERS, rows::text, |call| {
    each(call, |text, length, written| {
        written.push_str(cut("varchar", text, length)?);
        Ok(())
    })
});

const FILL: Kernel = Kernel::new("fill_with_spaces", PARAMETERS, text_view, |call| {
    let filled = each(call, |text, length, written| {
        written.push_str(text);
        fill(written, length);
        Ok(())
    })?;
    Ok(arrow::compute::cast(&filled, &DataType::Utf8View)?)
});

/// The layout that texts of queries have, so that what is compared stays of one type.
fn text_view(_: &[DataType]) -> Result<DataType> {
    Ok(DataType::Utf8View)
}

fn each(call: &Call<'_>, write: impl Fn(&str, i32, &mut String) -> Result<()>) -> Result<ArrayRef> {
    let (texts, lengths) = (call.text(0)?, call.primitive::<Int32Type>(1)?);
    rows::texts(call, |row, written| {
        write(texts.value(row), lengths.value(row), written)?;
        Ok(true)
    })
}

/// The text without the spaces at its end that are too many.
fn cut<'a>(kind: &str, text: &'a str, length: i32) -> Result<&'a str> {
    let length = usize::try_from(length).unwrap_or(0);
    let Some((end, _)) = text.char_indices().nth(length) else { return Ok(text) };
    if text[end..].bytes().all(|letter| letter == b' ') {
        return Ok(&text[..end]);
    }
    let found = text.chars().count();
    let message = format!("a text of {found} characters is too long for {kind}({length})");
    let failure = Failure::new("EXCEED_LIMIT_LENGTH", message);
    Err(failure.hint("shorten it with `left`, or declare the column longer").into())
}

fn fill(text: &mut String, length: i32) {
    let missing = usize::try_from(length).unwrap_or(0).saturating_sub(text.chars().count());
    text.extend(std::iter::repeat_n(' ', missing));
}
