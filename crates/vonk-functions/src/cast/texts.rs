//! Casts of text to what it says.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, PrimitiveArray, StringViewArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, DurationMicrosecondType, Field,
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, IntervalMonthDayNano,
    IntervalMonthDayNanoType, IntervalUnit, IntervalYearMonthType, Time64MicrosecondType, TimeUnit,
    TimestampMicrosecondType,
};
use datafusion::common::{Result, internal_err};

use super::{Caster, from_text, invalid, moments, out_of_range};
use crate::arithmetic::Mode;
use crate::interval::{self, Range};

/// Casts texts to any type that is no text.
pub(super) fn cast(caster: &Caster, texts: &StringViewArray, to: &Field) -> Result<ArrayRef> {
    let cuts = caster.mode == Mode::Legacy;
    let reader = Reader { caster, texts, to };
    match to.data_type() {
        DataType::Boolean => reader.booleans(),
        DataType::Int8 => reader.map::<Int8Type>(|text| small(from_text::whole(text, cuts)?)),
        DataType::Int16 => reader.map::<Int16Type>(|text| small(from_text::whole(text, cuts)?)),
        DataType::Int32 => reader.map::<Int32Type>(|text| small(from_text::whole(text, cuts)?)),
        DataType::Int64 => reader.map::<Int64Type>(|text| from_text::whole(text, cuts)),
        DataType::Float32 => reader.map::<Float32Type>(from_text::float),
        DataType::Float64 => reader.map::<Float64Type>(from_text::double),
        DataType::Decimal128(precision, scale) => reader.decimals(*precision, *scale),
        DataType::Date32 => reader.map::<Date32Type>(moments::date),
        DataType::Timestamp(TimeUnit::Microsecond, None) => {
            reader.map::<TimestampMicrosecondType>(|text| moments::moment(text)?.local())
        }
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => {
            let zone = &caster.zone;
            reader.map::<TimestampMicrosecondType>(|text| moments::moment(text)?.utc(zone))
        }
        DataType::Time64(TimeUnit::Microsecond) => {
            let unit = super::times::time_unit(to);
            reader.map::<Time64MicrosecondType>(|text| Some(moments::time(text)? / unit * unit))
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            reader.map::<IntervalMonthDayNanoType>(calendar)
        }
        DataType::Interval(IntervalUnit::YearMonth) => {
            let range = Range::of(to).unwrap_or(interval::YEAR_TO_MONTH);
            reader.map::<IntervalYearMonthType>(|text| small(span(text, range)?))
        }
        DataType::Duration(TimeUnit::Microsecond) => {
            let range = Range::of(to).unwrap_or(interval::DAY_TO_SECOND);
            reader.map::<DurationMicrosecondType>(|text| span(text, range))
        }
        other => internal_err!("a cast from text to {other}"),
    }
}

struct Reader<'a> {
    caster: &'a Caster,
    texts: &'a StringViewArray,
    to: &'a Field,
}

impl Reader<'_> {
    fn map<T: ArrowPrimitiveType>(
        &self,
        read: impl Fn(&str) -> Option<T::Native>,
    ) -> Result<ArrayRef> {
        let values = self.texts.iter().map(|text| self.value(text, &read));
        let values = values.collect::<Result<PrimitiveArray<T>>>()?;
        Ok(Arc::new(values.with_data_type(self.to.data_type().clone())))
    }

    fn booleans(&self) -> Result<ArrayRef> {
        let values = self.texts.iter().map(|text| self.value(text, &from_text::boolean));
        Ok(Arc::new(values.collect::<Result<BooleanArray>>()?))
    }

    fn value<V>(&self, text: Option<&str>, read: &impl Fn(&str) -> Option<V>) -> Result<Option<V>> {
        let Some(text) = text else { return Ok(None) };
        match read(text) {
            Some(value) => Ok(Some(value)),
            None => self.malformed(text),
        }
    }

    fn malformed<V>(&self, text: &str) -> Result<Option<V>> {
        self.caster.none(|| invalid(&format!("'{text}'"), "STRING", self.to))
    }

    /// A number that is one, but does not fit, is another error than a text that is none.
    fn decimals(&self, precision: u8, scale: i8) -> Result<ArrayRef> {
        let values = self.texts.iter().map(|text| {
            let Some(text) = text else { return Ok(None) };
            let Some(digits) = from_text::digits(text) else { return self.malformed(text) };
            match digits.at_scale(i64::from(scale), precision) {
                Some(value) => Ok(Some(value)),
                None => self.caster.none(|| out_of_range(text, precision, scale)),
            }
        });
        let values = values.collect::<Result<PrimitiveArray<Decimal128Type>>>()?;
        Ok(Arc::new(values.with_precision_and_scale(precision, scale)?))
    }
}

fn small<T: TryFrom<i64>>(value: i64) -> Option<T> {
    T::try_from(value).ok()
}

fn calendar(text: &str) -> Option<IntervalMonthDayNano> {
    let units = interval::parse_units(text)?;
    let nanos = units.micros.checked_mul(1000)?;
    Some(IntervalMonthDayNano::new(units.months, units.days, nanos))
}

/// Reads `1-2`, `INTERVAL '1-2' YEAR TO MONTH` and, as Spark does, `1 year 2 months`.
fn span(text: &str, range: Range) -> Option<i64> {
    let text = from_text::trim(text);
    if let Some(value) = literal(text, range) {
        return Some(value);
    }
    let units = interval::parse_units(text)?;
    match range.start.is_months() {
        true if units.days == 0 && units.micros == 0 => Some(i64::from(units.months)),
        false if units.months == 0 => units.duration(),
        _ => None,
    }
}

/// The value within a literal, whose fields are those of the type.
fn literal(text: &str, range: Range) -> Option<i64> {
    let upper = text.to_ascii_uppercase();
    let Some(rest) = upper.strip_prefix("INTERVAL") else {
        return interval::parse_fields(text, range);
    };
    let rest = rest.trim_start();
    let (sign, rest) = match rest.strip_prefix('-') {
        Some(rest) => (-1, rest.trim_start()),
        None => (1, rest.strip_prefix('+').unwrap_or(rest).trim_start()),
    };
    let (value, fields) = rest.strip_prefix('\'')?.split_once('\'')?;
    let fields = fields.split_whitespace().collect::<Vec<_>>().join(" ");
    if !fields.eq_ignore_ascii_case(&range.name()) {
        return None;
    }
    interval::parse_fields(value, range)?.checked_mul(sign)
}
