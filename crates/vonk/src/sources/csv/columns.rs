//! Makes Arrow arrays of the fields of CSV records, one column at a time.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Decimal128Builder, LargeStringBuilder,
    PrimitiveBuilder, StringBuilder, StringViewBuilder, new_null_array,
};
use arrow::compute::cast;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use datafusion::common::Result as DataFusionResult;

use super::super::literal;
use super::super::times::timestamp_array;
use super::options::ValueOptions;
use super::records::{Field, Form, Scanner};
use crate::error::Error;

/// The fields of one column in a stretch of valid UTF-8.
pub(super) struct Texts<'a> {
    pub(super) text: &'a str,
    /// Where `text` begins in the buffer that the fields point into.
    pub(super) offset: usize,
    pub(super) fields: &'a [Field],
    pub(super) scanner: &'a Scanner,
    pub(super) values: &'a ValueOptions,
}

/// A column, with NULL in those rows whose text does not fit the type.
pub(super) struct Converted {
    pub(super) array: ArrayRef,
    /// The rows whose text does not fit, in order.
    pub(super) misfits: Vec<usize>,
}

impl Texts<'_> {
    /// The text of a row as the file means it, and whether it stood in quotes.
    pub(super) fn get(&self, field: Field) -> (Cow<'_, str>, bool) {
        let range = field.range();
        let text = (range.start.checked_sub(self.offset))
            .and_then(|start| self.text.get(start..range.end - self.offset))
            .unwrap_or_default();
        match field.form {
            Form::Plain | Form::Trailing => (Cow::Borrowed(text), false),
            Form::Quoted | Form::Unclosed => (Cow::Borrowed(text), true),
            Form::Escaped => (Cow::Owned(self.scanner.unescape(text)), true),
        }
    }

    /// The column as `data_type`.
    ///
    /// # Errors
    /// If no column of this type can be read from text.
    pub(super) fn convert(&self, data_type: &DataType) -> DataFusionResult<Converted> {
        let times = &self.values.times;
        match data_type {
            DataType::Utf8 => Ok(self.strings(StringBuilder::new())),
            DataType::LargeUtf8 => Ok(self.strings(LargeStringBuilder::new())),
            DataType::Utf8View => Ok(self.strings(StringViewBuilder::new())),
            DataType::Binary => Ok(self.strings(BinaryBuilder::new())),
            DataType::Boolean => Ok(self.booleans()),
            DataType::Int8 => Ok(self.integers::<Int8Type>()),
            DataType::Int16 => Ok(self.integers::<Int16Type>()),
            DataType::Int32 => Ok(self.integers::<Int32Type>()),
            DataType::Int64 => {
                Ok(self.primitives::<Int64Type>(|text| literal::parse_integer(text.as_bytes())))
            }
            DataType::UInt8 => Ok(self.integers::<UInt8Type>()),
            DataType::UInt16 => Ok(self.integers::<UInt16Type>()),
            DataType::UInt32 => Ok(self.integers::<UInt32Type>()),
            DataType::UInt64 => Ok(self.primitives::<UInt64Type>(|text| text.parse().ok())),
            #[expect(clippy::cast_possible_truncation, reason = "as Spark reads FLOAT")]
            DataType::Float32 => {
                Ok(self
                    .primitives::<Float32Type>(|text| self.values.double(text).map(|d| d as f32)))
            }
            DataType::Float64 => {
                Ok(self.primitives::<Float64Type>(|text| self.values.double(text)))
            }
            DataType::Date32 => Ok(self.primitives::<Date32Type>(|text| times.date(text))),
            DataType::Decimal128(precision, scale) => self.decimals(*precision, *scale),
            DataType::Timestamp(_, _) => {
                let (instants, misfits) = self.parsed(|text| times.timestamp_or_date(text));
                Ok(Converted { array: timestamp_array(&instants, data_type)?, misfits })
            }
            DataType::Null => Ok(Converted {
                array: new_null_array(data_type, self.fields.len()),
                misfits: Vec::new(),
            }),
            DataType::Dictionary(_, value) => {
                let Converted { array, misfits } = self.convert(value)?;
                Ok(Converted { array: cast(&array, data_type)?, misfits })
            }
            other => Err(Error::unsupported(format!("reading type `{other}` from csv"))
                .hint("read the column as a string and convert it in the query")
                .into()),
        }
    }

    /// Calls `visit` for each row with the value of its text: `Ok(None)` is NULL, `Err` a misfit.
    fn for_each<T>(
        &self,
        parse: impl Fn(&str) -> Option<T>,
        mut visit: impl FnMut(Option<T>),
    ) -> Vec<usize> {
        let mut misfits = Vec::new();
        for (row, field) in self.fields.iter().enumerate() {
            let (text, _) = self.get(*field);
            if text.is_empty() || *text == self.values.null_value {
                visit(None);
                continue;
            }
            let value = parse(&text).or_else(|| parse(text.trim()));
            if value.is_none() && !text.trim().is_empty() {
                misfits.push(row);
            }
            visit(value);
        }
        misfits
    }

    fn parsed<T>(&self, parse: impl Fn(&str) -> Option<T>) -> (Vec<Option<T>>, Vec<usize>) {
        let mut values = Vec::with_capacity(self.fields.len());
        let misfits = self.for_each(parse, |value| values.push(value));
        (values, misfits)
    }

    fn primitives<T: ArrowPrimitiveType>(
        &self,
        parse: impl Fn(&str) -> Option<T::Native>,
    ) -> Converted {
        let mut builder = PrimitiveBuilder::<T>::with_capacity(self.fields.len());
        let misfits = self.for_each(parse, |value| builder.append_option(value));
        Converted { array: Arc::new(builder.finish()), misfits }
    }

    fn integers<T: ArrowPrimitiveType>(&self) -> Converted
    where
        T::Native: TryFrom<i64>,
    {
        self.primitives::<T>(|text| literal::parse_integer(text.as_bytes())?.try_into().ok())
    }

    fn booleans(&self) -> Converted {
        let mut builder = BooleanBuilder::with_capacity(self.fields.len());
        let misfits = self.for_each(literal::parse_boolean, |value| builder.append_option(value));
        Converted { array: Arc::new(builder.finish()), misfits }
    }

    fn decimals(&self, precision: u8, scale: i8) -> DataFusionResult<Converted> {
        let mut builder = Decimal128Builder::with_capacity(self.fields.len())
            .with_precision_and_scale(precision, scale)?;
        let parse = |text: &str| literal::parse_decimal(text, precision, scale);
        let misfits = self.for_each(parse, |value| builder.append_option(value));
        Ok(Converted { array: Arc::new(builder.finish()), misfits })
    }

    fn strings(&self, mut builder: impl TextBuilder) -> Converted {
        for field in self.fields {
            let (text, quoted) = self.get(*field);
            builder.append(match (text.is_empty(), quoted) {
                (true, true) => Some(self.values.empty_value.as_str()),
                (true, false) => None,
                (false, _) if *text == self.values.null_value => None,
                (false, _) => Some(&text),
            });
        }
        Converted { array: builder.finish(), misfits: Vec::new() }
    }
}

impl ValueOptions {
    /// A number, or one of the words for what is no number or infinite.
    pub(super) fn double(&self, text: &str) -> Option<f64> {
        literal::parse_double(text).or_else(|| {
            let text = text.trim();
            if text == self.nan {
                Some(f64::NAN)
            } else if text == self.positive_infinity || text == "Infinity" {
                Some(f64::INFINITY)
            } else if text == self.negative_infinity || text == "-Infinity" {
                Some(f64::NEG_INFINITY)
            } else {
                None
            }
        })
    }
}

/// Builders of arrays of texts.
trait TextBuilder {
    fn append(&mut self, text: Option<&str>);
    fn finish(&mut self) -> ArrayRef;
}

macro_rules! text_builder {
    ($($builder:ident),*) => {$(
        impl TextBuilder for $builder {
            fn append(&mut self, text: Option<&str>) {
                self.append_option(text);
            }

            fn finish(&mut self) -> ArrayRef {
                Arc::new($builder::finish(self))
            }
        }
    )*};
}

text_builder!(StringBuilder, LargeStringBuilder, StringViewBuilder, BinaryBuilder);
