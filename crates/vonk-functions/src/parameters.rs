//! What a function takes: the kinds of its parameters, and what arguments become to fit them.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, TimeUnit};
use datafusion::common::Result;

use crate::collections::lists::list_of;
use crate::collections::types::map_of;
use crate::failure::Failure;
use crate::types::{self, is_bytes, is_moment};

/// The parameters of a function in their order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parameters {
    /// The kinds that must be there.
    required: &'static [Kind],
    /// The kinds that may follow.
    optional: &'static [Kind],
    /// The kind of any number of arguments behind them.
    repeated: Option<Kind>,
    /// What it may take instead, by the number of arguments.
    other: Option<&'static Parameters>,
}

impl Parameters {
    /// Just these.
    pub(crate) const fn exact(required: &'static [Kind]) -> Self {
        Self { required, optional: &[], repeated: None, other: None }
    }

    /// These, and perhaps some more.
    pub(crate) const fn with_optional(
        required: &'static [Kind],
        optional: &'static [Kind],
    ) -> Self {
        Self { required, optional, repeated: None, other: None }
    }

    /// These, and any number of one kind.
    pub(crate) const fn with_any_number(required: &'static [Kind], repeated: Kind) -> Self {
        Self { required, optional: &[], repeated: Some(repeated), other: None }
    }

    /// These, or others where as many arguments are given.
    pub(crate) const fn or(mut self, other: &'static Parameters) -> Self {
        self.other = Some(other);
        self
    }

    /// Those that so many arguments can be for.
    fn for_count(&self, count: usize) -> &Self {
        let most = self.required.len() + self.optional.len();
        let fits = count >= self.required.len() && (count <= most || self.repeated.is_some());
        self.other.filter(|_| !fits).unwrap_or(self)
    }

    fn kind(&self, at: usize) -> Option<Kind> {
        let fixed = self.required.iter().chain(self.optional).nth(at);
        fixed.copied().or(self.repeated)
    }
}

/// The kind of a parameter; what does not say that it keeps its type becomes the one that is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Anything, as it is.
    Any,
    /// `Utf8View`
    Text,
    /// `Utf8View`, of text alone.
    OnlyText,
    /// A map of texts, as it is.
    Options,
    /// `BinaryView`
    Bytes,
    /// `BinaryView` stays if all arguments of this kind are bytes, else they become `Utf8View`.
    TextOrBytes,
    /// `Int64` of a number, else as [`Kind::TextOrBytes`].
    LongTextOrBytes,
    /// A list stays, else as [`Kind::TextOrBytes`].
    TextBytesOrList,
    /// A list stays, all else becomes `Utf8View`.
    TextOrList,
    /// `Utf8View`, or a list of it.
    TextOrTexts,
    /// `Boolean`
    Boolean,
    /// `Int32`
    Int,
    /// `Int64`
    Long,
    /// `Float64`
    Double,
    /// A number of any type, as it is; text becomes `Float64`.
    Number,
    /// An interval, as it is, else as [`Kind::Number`].
    NumberOrInterval,
    /// `Int32` of a number, else `Utf8View`.
    IntOrText,
    /// `Int64` of a whole number.
    Seed,
    /// A number of any type, as it is; no text.
    OnlyNumber,
    /// `Int64` of `Int64`, else `Int32`.
    IntOrLong,
    /// A whole number or a truth value, as it is.
    WholeOrBoolean,
    /// A whole number of any type, as it is; text becomes `Int64`.
    Whole,
    /// `Date32`
    Date,
    /// `Timestamp(Microsecond, Some(session))`: whichever zone it is given with, dates and text by the caller's cast.
    Timestamp,
    /// A timestamp with or without a zone, as it is; all else as [`Kind::Timestamp`].
    AnyTimestamp,
    /// `Timestamp(Microsecond, None)`
    TimestampNtz,
    /// `Time64(Microsecond)`
    Time,
    /// A time, as it is, else as [`Kind::AnyTimestamp`].
    TimestampOrTime,
    /// A date, timestamp or time, as it is; text becomes a timestamp.
    Moment,
    /// A date or timestamp, as it is; all else becomes `Utf8View`.
    TextOrMoment,
    /// An interval, as it is, else as [`Kind::Moment`].
    Extractable,
    /// `Date32` of a date, and of nothing else.
    OnlyDate,
    /// `Time64(Microsecond)` of a time, and of nothing else.
    OnlyTime,
    /// `Date32` of what CAST makes a date of.
    ToDate,
    /// A timestamp of what CAST makes one of, numbers too.
    ToTimestamp,
    /// `Int32` of a whole number or text, of no other number.
    Small,
    /// `Decimal128(18, 6)`
    Seconds,
    /// `Int64`, `Float64` or a decimal.
    SecondsSinceEpoch,
    /// A list of anything; NULL is one of NULLs.
    List,
    /// A map of anything; NULL is one of NULLs.
    Map,
    /// A struct of anything, as it is.
    Struct,
}

/// The zone that a type names where the session's is meant.
const UTC: &str = "UTC";

impl Kind {
    /// The type that an argument becomes, if it can.
    fn accept(self, given: &DataType) -> Option<DataType> {
        self.accept_text(given)
            .or_else(|| self.accept_number(given))
            .or_else(|| self.accept_other(given))
    }

    fn accept_text(self, given: &DataType) -> Option<DataType> {
        let is_text = is_text(given);
        let is_null = given.is_null();
        match self {
            Kind::Any => Some(given.clone()),
            Kind::Text => (is_atomic(given)).then_some(DataType::Utf8View),
            Kind::OnlyText => (is_text || is_null).then_some(DataType::Utf8View),
            Kind::Options => (is_null || is_map_of_text(given)).then(|| given.clone()),
            Kind::Bytes => (is_text || is_null || is_bytes(given)).then_some(DataType::BinaryView),
            Kind::TextOrBytes if is_bytes(given) => Some(DataType::BinaryView),
            Kind::TextOrBytes => Kind::Text.accept(given),
            Kind::LongTextOrBytes if is_number(given) => Some(DataType::Int64),
            Kind::LongTextOrBytes => Kind::TextOrBytes.accept(given),
            Kind::TextBytesOrList => match given {
                list @ DataType::List(_) => Some(list.clone()),
                other => Kind::TextOrBytes.accept(other),
            },
            Kind::TextOrList => match given {
                list @ DataType::List(_) => Some(list.clone()),
                other => Kind::Text.accept(other),
            },
            Kind::TextOrTexts => match given {
                DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => {
                    let item = Field::new_list_field(DataType::Utf8View, true);
                    Some(DataType::List(Arc::new(item)))
                }
                other => Kind::Text.accept(other),
            },
            _ => None,
        }
    }

    fn accept_number(self, given: &DataType) -> Option<DataType> {
        let is_text = is_text(given);
        let is_null = given.is_null();
        match self {
            Kind::Boolean => {
                (*given == DataType::Boolean || is_text || is_null).then_some(DataType::Boolean)
            }
            Kind::Int => (is_number(given) || is_text || is_null).then_some(DataType::Int32),
            Kind::Long => (is_number(given) || is_text || is_null).then_some(DataType::Int64),
            Kind::Double => (is_number(given) || is_text || is_null).then_some(DataType::Float64),
            Kind::Seed => (given.is_integer() || is_null).then_some(DataType::Int64),
            Kind::OnlyNumber => (is_number(given) || is_null).then(|| given.clone()),
            Kind::Number if is_number(given) => Some(given.clone()),
            Kind::Number => (is_text || is_null).then_some(DataType::Float64),
            Kind::NumberOrInterval => match given {
                DataType::Interval(_) | DataType::Duration(_) => Some(given.clone()),
                other => Kind::Number.accept(other),
            },
            Kind::IntOrText if is_number(given) => Some(DataType::Int32),
            Kind::IntOrText => Kind::Text.accept(given),
            Kind::IntOrLong if *given == DataType::Int64 => Some(DataType::Int64),
            Kind::IntOrLong => Kind::Int.accept(given),
            Kind::WholeOrBoolean if is_null => Some(DataType::Int32),
            Kind::WholeOrBoolean => {
                (given.is_integer() || *given == DataType::Boolean).then(|| given.clone())
            }
            Kind::Whole if given.is_integer() => Some(given.clone()),
            Kind::Whole => (is_text || is_null).then_some(DataType::Int64),
            _ => None,
        }
    }

    fn accept_other(self, given: &DataType) -> Option<DataType> {
        let is_text = is_text(given);
        let is_null = given.is_null();
        match self {
            Kind::Date => (is_moment(given) || is_text || is_null).then_some(DataType::Date32),
            Kind::Timestamp => (is_moment(given) || is_text || is_null).then(timestamp),
            Kind::AnyTimestamp => match given {
                DataType::Timestamp(_, None) => {
                    Some(DataType::Timestamp(TimeUnit::Microsecond, None))
                }
                other => Kind::Timestamp.accept(other),
            },
            Kind::TimestampNtz => (is_moment(given) || is_text || is_null)
                .then_some(DataType::Timestamp(TimeUnit::Microsecond, None)),
            Kind::Time => (is_time(given) || is_text || is_null).then(time),
            Kind::TimestampOrTime if is_time(given) => Some(time()),
            Kind::TimestampOrTime => Kind::AnyTimestamp.accept(given),
            Kind::Moment if *given == DataType::Date32 => Some(DataType::Date32),
            Kind::Moment => Kind::TimestampOrTime.accept(given),
            Kind::TextOrMoment if is_moment(given) => Kind::Moment.accept(given),
            Kind::TextOrMoment => (is_text || is_null).then_some(DataType::Utf8View),
            Kind::Extractable => match given {
                DataType::Interval(_) => Some(given.clone()),
                DataType::Duration(_) => Some(DataType::Duration(TimeUnit::Microsecond)),
                other => Kind::Moment.accept(other),
            },
            Kind::OnlyDate => (*given == DataType::Date32 || is_null).then_some(DataType::Date32),
            Kind::OnlyTime => (is_time(given) || is_null).then(time),
            Kind::ToDate => Kind::Date.accept(given),
            Kind::ToTimestamp if is_number(given) => Some(timestamp()),
            Kind::ToTimestamp => Kind::Timestamp.accept(given),
            Kind::Small => (given.is_integer() || is_text || is_null).then_some(DataType::Int32),
            Kind::Seconds => {
                (is_number(given) || is_text || is_null).then_some(DataType::Decimal128(18, 6))
            }
            Kind::SecondsSinceEpoch => match given {
                decimal @ DataType::Decimal128(..) => Some(decimal.clone()),
                float if float.is_floating() => Some(DataType::Float64),
                other => Kind::Long.accept(other),
            },
            Kind::List => match given {
                DataType::List(_) => Some(given.clone()),
                DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                    Some(DataType::List(Arc::clone(item)))
                }
                DataType::Null => Some(list_of(DataType::Null)),
                _ => None,
            },
            Kind::Map if is_null => Some(map_of(DataType::Null, DataType::Null)),
            Kind::Map => matches!(given, DataType::Map(..)).then(|| given.clone()),
            Kind::Struct => {
                matches!(given, DataType::Struct(_) | DataType::Null).then(|| given.clone())
            }
            _ => None,
        }
    }

    /// The words by which an error names it.
    fn wanted(self) -> &'static str {
        match self {
            Kind::Any => "any type",
            Kind::Text | Kind::OnlyText => "\"STRING\"",
            Kind::Options => "\"MAP<STRING, STRING>\"",
            Kind::Bytes => "\"BINARY\"",
            Kind::TextOrBytes => "(\"STRING\" or \"BINARY\")",
            Kind::LongTextOrBytes => "(\"BIGINT\" or \"BINARY\" or \"STRING\")",
            Kind::TextBytesOrList => "(\"STRING\" or \"BINARY\" or \"ARRAY\")",
            Kind::TextOrList => "(\"STRING\" or \"ARRAY\")",
            Kind::TextOrTexts => "(\"STRING\" or \"ARRAY<STRING>\")",
            Kind::Boolean => "\"BOOLEAN\"",
            Kind::Int => "\"INT\"",
            Kind::Long => "\"BIGINT\"",
            Kind::Double => "\"DOUBLE\"",
            Kind::Number | Kind::OnlyNumber => "\"NUMERIC\"",
            Kind::NumberOrInterval => "(\"NUMERIC\" or \"INTERVAL\")",
            Kind::IntOrText => "(\"INT\" or \"STRING\")",
            Kind::IntOrLong | Kind::Seed => "(\"INT\" or \"BIGINT\")",
            Kind::WholeOrBoolean => "(\"INTEGRAL\" or \"BOOLEAN\")",
            Kind::Whole => "\"INTEGRAL\"",
            Kind::Date => "\"DATE\"",
            Kind::Timestamp | Kind::AnyTimestamp => "\"TIMESTAMP\"",
            Kind::TimestampNtz => "\"TIMESTAMP_NTZ\"",
            Kind::Time | Kind::OnlyTime => "\"TIME\"",
            Kind::OnlyDate | Kind::ToDate => "\"DATE\"",
            Kind::ToTimestamp => "\"TIMESTAMP\"",
            Kind::TimestampOrTime => "(\"TIMESTAMP\" or \"TIME\")",
            Kind::Moment => "(\"DATE\" or \"TIMESTAMP\" or \"TIME\")",
            Kind::TextOrMoment => "(\"STRING\" or \"DATE\" or \"TIMESTAMP\")",
            Kind::Extractable => "(\"DATE\" or \"TIMESTAMP\" or \"TIME\" or \"INTERVAL\")",
            Kind::Small => "(\"INT\" or \"SMALLINT\" or \"TINYINT\")",
            Kind::Seconds => "\"DECIMAL(18,6)\"",
            Kind::SecondsSinceEpoch => "\"NUMERIC\"",
            Kind::List => "\"ARRAY\"",
            Kind::Map => "\"MAP\"",
            Kind::Struct => "\"STRUCT\"",
        }
    }
}

/// The type of timestamps with the session's time zone.
pub(crate) fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()))
}

fn time() -> DataType {
    DataType::Time64(TimeUnit::Microsecond)
}

/// The types that arguments become.
///
/// # Errors
/// `WRONG_NUM_ARGS` and `DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE`, both with the function's name.
pub(crate) fn coerce(
    name: &str,
    parameters: &Parameters,
    arguments: &[DataType],
) -> Result<Vec<DataType>> {
    let parameters = parameters.for_count(arguments.len());
    let least = parameters.required.len();
    let most = least + parameters.optional.len();
    let count = arguments.len();
    if count < least || (count > most && parameters.repeated.is_none()) {
        let wanted = match parameters.repeated {
            Some(_) => format!("at least {least}"),
            None if least == most => least.to_string(),
            None => format!("{least} to {most}"),
        };
        let message = format!("`{name}` takes {wanted} arguments, not {count}");
        return Err(Failure::new("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", message).into_text());
    }
    let is_either =
        |at: usize| matches!(parameters.kind(at), Some(Kind::TextOrBytes | Kind::TextBytesOrList));
    let mut either = arguments.iter().enumerate().filter(|(at, _)| is_either(*at));
    let is_all_bytes = either.all(|(_, given)| is_bytes(given) || given.is_null());
    let has_bytes = arguments.iter().any(is_bytes);
    let types = arguments.iter().enumerate().map(|(at, given)| {
        let kind = match parameters.kind(at).unwrap_or(Kind::Any) {
            Kind::TextOrBytes if !is_all_bytes => Kind::Text,
            Kind::TextBytesOrList if !is_all_bytes => Kind::TextOrList,
            Kind::TextOrBytes | Kind::TextBytesOrList if given.is_null() && has_bytes => {
                Kind::Bytes
            }
            kind => kind,
        };
        kind.accept(given).ok_or_else(|| {
            let message = format!(
                "argument {} of `{name}` is of type {}, where {} is needed",
                at + 1,
                types::quoted(&types::unnamed(given.clone())),
                kind.wanted()
            );
            let condition = match (kind, given) {
                (Kind::Options, DataType::Map(..)) => "INVALID_OPTIONS.NON_STRING_TYPE",
                (Kind::Options, _) => "INVALID_OPTIONS.NON_MAP_FUNCTION",
                _ => "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
            };
            Failure::new(condition, message).into_text()
        })
    });
    types.collect()
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn is_map_of_text(data_type: &DataType) -> bool {
    let DataType::Map(entries, _) = data_type else { return false };
    match entries.data_type() {
        DataType::Struct(fields) => fields.iter().all(|field| is_text(field.data_type())),
        _ => false,
    }
}

fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric()
}

fn is_time(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Time32(_) | DataType::Time64(_))
}

/// Whether values have a text form that a function of text may take them by.
fn is_atomic(data_type: &DataType) -> bool {
    !data_type.is_nested()
}
