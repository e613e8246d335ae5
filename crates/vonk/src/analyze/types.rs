//! The types of SQL by Spark's names for them.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, IntervalUnit, TimeUnit};
use datafusion::common::Result as DfResult;
use datafusion::logical_expr::planner::TypePlanner;
use sqlparser::ast::{self, DataType as SqlType, ExactNumberInfo, IntervalFields, TimezoneInfo};
use vonk_functions::Failure;
use vonk_functions::interval::{Range, Unit};
use vonk_functions::types::{VARIANT, with_name};

/// Precision and scale of DECIMAL without either.
const DECIMAL_DEFAULT: (u64, i64) = (10, 0);

/// Plans types; `timestamps_have_zone` is what TIMESTAMP alone means.
#[derive(Debug)]
pub(super) struct SparkTypes {
    pub(super) timestamps_have_zone: bool,
}

impl TypePlanner for SparkTypes {
    fn plan_type_field(&self, sql_type: &SqlType) -> DfResult<Option<FieldRef>> {
        Ok(self.field(sql_type)?.map(Arc::new))
    }
}

impl SparkTypes {
    fn field(&self, sql_type: &SqlType) -> DfResult<Option<Field>> {
        let data_type = match sql_type {
            SqlType::Interval { fields: Some(fields), .. } => {
                return Ok(Some(range(fields).field("")));
            }
            SqlType::Interval { fields: None, .. } => {
                DataType::Interval(IntervalUnit::MonthDayNano)
            }
            SqlType::Timestamp(_, zone) => self.timestamp(*zone),
            SqlType::TimestampNtz(_) => local_timestamp(),
            SqlType::Time(precision, _) => return time(precision.unwrap_or(6)).map(Some),
            SqlType::Decimal(size) | SqlType::Numeric(size) | SqlType::Dec(size) => decimal(*size)?,
            SqlType::Char(None) | SqlType::Character(None) => return Err(sizeless("CHAR").into()),
            SqlType::Varchar(None)
            | SqlType::CharVarying(None)
            | SqlType::CharacterVarying(None) => return Err(sizeless("VARCHAR").into()),
            SqlType::Char(_)
            | SqlType::Character(_)
            | SqlType::Varchar(_)
            | SqlType::CharVarying(_)
            | SqlType::CharacterVarying(_)
            | SqlType::String(_)
            | SqlType::Text => DataType::Utf8View,
            SqlType::Binary(_) | SqlType::Varbinary(_) | SqlType::Bytea => DataType::Binary,
            SqlType::Float(_) | SqlType::Real | SqlType::Float4 => DataType::Float32,
            SqlType::Double(_) => DataType::Float64,
            SqlType::Array(ast::ArrayElemTypeDef::AngleBracket(item)) => {
                let Some(item) = self.field(item)?.map(|item| item.with_name("item")) else {
                    return self.list_of_plain(item);
                };
                DataType::List(Arc::new(item))
            }
            SqlType::Struct(fields, _) => return self.structure(fields),
            SqlType::Map(key, value) => return self.map(key, value),
            SqlType::Custom(name, modifiers) => return self.custom(name, modifiers),
            other => match plain(other) {
                Some(data_type) => data_type,
                None => return Ok(None),
            },
        };
        Ok(Some(Field::new("", data_type, true)))
    }

    fn list_of_plain(&self, item: &SqlType) -> DfResult<Option<Field>> {
        Err(unsupported(&item.to_string()).into())
    }

    fn part(&self, name: &str, sql_type: &SqlType) -> DfResult<Field> {
        match self.field(sql_type)? {
            Some(field) => Ok(field.with_name(name)),
            None => Err(unsupported(&sql_type.to_string()).into()),
        }
    }

    fn structure(&self, fields: &[ast::StructField]) -> DfResult<Option<Field>> {
        let fields = fields.iter().enumerate().map(|(at, field)| {
            let name = match &field.field_name {
                Some(name) => name.value.clone(),
                None => format!("col{}", at + 1),
            };
            self.part(&name, &field.field_type)
        });
        let fields = fields.collect::<DfResult<Fields>>()?;
        Ok(Some(Field::new("", DataType::Struct(fields), true)))
    }

    fn map(&self, key: &SqlType, value: &SqlType) -> DfResult<Option<Field>> {
        let key = self.part("key", key)?.with_nullable(false);
        let entries = Fields::from(vec![key, self.part("value", value)?]);
        let entries = Field::new("entries", DataType::Struct(entries), false);
        Ok(Some(Field::new("", DataType::Map(Arc::new(entries), false), true)))
    }

    fn timestamp(&self, zone: TimezoneInfo) -> DataType {
        let has_zone = match zone {
            TimezoneInfo::None => self.timestamps_have_zone,
            TimezoneInfo::WithoutTimeZone => false,
            TimezoneInfo::WithTimeZone | TimezoneInfo::Tz => true,
        };
        if has_zone { zoned_timestamp() } else { local_timestamp() }
    }

    /// Names that the parser does not know.
    fn custom(&self, name: &ast::ObjectName, modifiers: &[String]) -> DfResult<Option<Field>> {
        let name = name.to_string().to_lowercase();
        let data_type = match name.as_str() {
            "byte" => DataType::Int8,
            "short" => DataType::Int16,
            "long" => DataType::Int64,
            "void" => DataType::Null,
            "timestamp_ltz" => zoned_timestamp(),
            "timestamp_ntz" => local_timestamp(),
            VARIANT if modifiers.is_empty() => {
                return Ok(Some(with_name(Field::new("", DataType::Utf8View, true), VARIANT)));
            }
            _ => return Err(unsupported(&name).into()),
        };
        if !modifiers.is_empty() {
            return Err(unsupported(&format!("{name}({})", modifiers.join(", "))).into());
        }
        Ok(Some(Field::new("", data_type, true)))
    }
}

fn plain(sql_type: &SqlType) -> Option<DataType> {
    Some(match sql_type {
        SqlType::Boolean | SqlType::Bool => DataType::Boolean,
        SqlType::TinyInt(_) => DataType::Int8,
        SqlType::SmallInt(_) => DataType::Int16,
        SqlType::Int(_) | SqlType::Integer(_) => DataType::Int32,
        SqlType::BigInt(_) => DataType::Int64,
        SqlType::Date => DataType::Date32,
        _ => return None,
    })
}

fn unsupported(name: &str) -> Failure {
    let message = format!("the type `{}` does not exist", name.to_uppercase());
    Failure::new("UNSUPPORTED_DATATYPE", message)
}

fn sizeless(name: &str) -> Failure {
    let failure =
        Failure::new("DATATYPE_MISSING_SIZE", format!("the type `{name}` needs a length"));
    failure.hint(format!("write `{name}(10)`, or `STRING` for any length"))
}

fn zoned_timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

fn local_timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, None)
}

fn time(precision: u64) -> DfResult<Field> {
    let field = Field::new("", DataType::Time64(TimeUnit::Microsecond), true);
    match precision {
        6 => Ok(field),
        0..6 => Ok(with_name(field, &format!("time({precision})"))),
        _ => {
            let message = format!("times of day have 0 to 6 digits, not {precision}");
            Err(Failure::new("UNSUPPORTED_TIME_PRECISION", message).into())
        }
    }
}

fn decimal(size: ExactNumberInfo) -> DfResult<DataType> {
    let (precision, scale) = match size {
        ExactNumberInfo::None => DECIMAL_DEFAULT,
        ExactNumberInfo::Precision(precision) => (precision, 0),
        ExactNumberInfo::PrecisionAndScale(precision, scale) => (precision, scale),
    };
    match (u8::try_from(precision), i8::try_from(scale)) {
        (Ok(precision @ 0..=38), Ok(scale)) if scale >= 0 && scale <= precision as i8 => {
            Ok(DataType::Decimal128(precision.max(1), scale))
        }
        (Ok(0..=38), _) => {
            let message = format!("the scale {scale} is not between 0 and {precision}");
            Err(Failure::new("DECIMAL_SCALE_EXCEEDS_PRECISION", message).into())
        }
        _ => {
            let message = format!("a decimal has at most 38 digits, not {precision}");
            Err(Failure::new("DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", message).into())
        }
    }
}

fn range(fields: &IntervalFields) -> Range {
    use Unit::{Day, Hour, Minute, Month, Second, Year};
    let (start, end) = match fields {
        IntervalFields::Year => (Year, Year),
        IntervalFields::Month => (Month, Month),
        IntervalFields::Day => (Day, Day),
        IntervalFields::Hour => (Hour, Hour),
        IntervalFields::Minute => (Minute, Minute),
        IntervalFields::Second => (Second, Second),
        IntervalFields::YearToMonth => (Year, Month),
        IntervalFields::DayToHour => (Day, Hour),
        IntervalFields::DayToMinute => (Day, Minute),
        IntervalFields::DayToSecond => (Day, Second),
        IntervalFields::HourToMinute => (Hour, Minute),
        IntervalFields::HourToSecond => (Hour, Second),
        IntervalFields::MinuteToSecond => (Minute, Second),
    };
    Range::new(start, end)
}

/// The fields of an interval type in the parser's words.
pub(super) fn fields_of(range: Range) -> Option<IntervalFields> {
    const ALL: [IntervalFields; 13] = [
        IntervalFields::Year,
        IntervalFields::Month,
        IntervalFields::Day,
        IntervalFields::Hour,
        IntervalFields::Minute,
        IntervalFields::Second,
        IntervalFields::YearToMonth,
        IntervalFields::DayToHour,
        IntervalFields::DayToMinute,
        IntervalFields::DayToSecond,
        IntervalFields::HourToMinute,
        IntervalFields::HourToSecond,
        IntervalFields::MinuteToSecond,
    ];
    ALL.into_iter().find(|fields| self::range(fields) == range)
}
