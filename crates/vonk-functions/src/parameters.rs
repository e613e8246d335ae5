//! What a function takes: the kinds of its parameters, and what arguments become to fit them.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::Result;

use crate::failure::Failure;

/// The parameters of a function in their order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parameters {
    /// The kinds that must be there.
    required: &'static [Kind],
    /// The kinds that may follow.
    optional: &'static [Kind],
    /// The kind of any number of arguments behind them.
    repeated: Option<Kind>,
}

impl Parameters {
    /// Just these.
    pub(crate) const fn exact(required: &'static [Kind]) -> Self {
        Self { required, optional: &[], repeated: None }
    }

    /// These, and perhaps some more.
    pub(crate) const fn with_optional(
        required: &'static [Kind],
        optional: &'static [Kind],
    ) -> Self {
        Self { required, optional, repeated: None }
    }

    /// These, and any number of one kind.
    pub(crate) const fn with_any_number(required: &'static [Kind], repeated: Kind) -> Self {
        Self { required, optional: &[], repeated: Some(repeated) }
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
    /// `BinaryView`
    Bytes,
    /// `BinaryView` stays, all else becomes `Utf8View`.
    TextOrBytes,
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
    /// A whole number of any type, as it is; text becomes `Int64`.
    Whole,
    /// `Date32`
    Date,
    /// `Timestamp(Microsecond, Some(session))`: whichever zone it is given with, dates and text by the caller's cast.
    Timestamp,
    /// A timestamp with or without a zone, as it is; all else as [`Kind::Timestamp`].
    AnyTimestamp,
    /// A list of anything, as it is.
    List,
    /// A map of anything, as it is.
    Map,
    /// A struct of anything, as it is.
    Struct,
}

/// The zone that a type names where the session's is meant.
const UTC: &str = "UTC";

impl Kind {
    /// The type that an argument becomes, if it can.
    fn accept(self, given: &DataType) -> Option<DataType> {
        let is_text = is_text(given);
        let is_null = given.is_null();
        match self {
            Kind::Any => Some(given.clone()),
            Kind::Text => (is_atomic(given)).then_some(DataType::Utf8View),
            Kind::Bytes => (is_text || is_null || is_bytes(given)).then_some(DataType::BinaryView),
            Kind::TextOrBytes if is_bytes(given) => Some(DataType::BinaryView),
            Kind::TextOrBytes => Kind::Text.accept(given),
            Kind::Boolean => {
                (*given == DataType::Boolean || is_text || is_null).then_some(DataType::Boolean)
            }
            Kind::Int => (is_number(given) || is_text || is_null).then_some(DataType::Int32),
            Kind::Long => (is_number(given) || is_text || is_null).then_some(DataType::Int64),
            Kind::Double => (is_number(given) || is_text || is_null).then_some(DataType::Float64),
            Kind::Number if is_number(given) => Some(given.clone()),
            Kind::Number => (is_text || is_null).then_some(DataType::Float64),
            Kind::Whole if given.is_integer() => Some(given.clone()),
            Kind::Whole => (is_text || is_null).then_some(DataType::Int64),
            Kind::Date => (is_moment(given) || is_text || is_null).then_some(DataType::Date32),
            Kind::Timestamp => (is_moment(given) || is_text || is_null).then(timestamp),
            Kind::AnyTimestamp => match given {
                DataType::Timestamp(_, None) => {
                    Some(DataType::Timestamp(TimeUnit::Microsecond, None))
                }
                other => Kind::Timestamp.accept(other),
            },
            Kind::List => matches!(
                given,
                DataType::List(_)
                    | DataType::Null
                    | DataType::LargeList(_)
                    | DataType::FixedSizeList(..)
            )
            .then(|| given.clone()),
            Kind::Map => matches!(given, DataType::Map(..) | DataType::Null).then(|| given.clone()),
            Kind::Struct => {
                matches!(given, DataType::Struct(_) | DataType::Null).then(|| given.clone())
            }
        }
    }

    /// The words by which an error names it.
    fn wanted(self) -> &'static str {
        match self {
            Kind::Any => "any type",
            Kind::Text => "\"STRING\"",
            Kind::Bytes => "\"BINARY\"",
            Kind::TextOrBytes => "(\"STRING\" or \"BINARY\")",
            Kind::Boolean => "\"BOOLEAN\"",
            Kind::Int => "\"INT\"",
            Kind::Long => "\"BIGINT\"",
            Kind::Double => "\"DOUBLE\"",
            Kind::Number => "\"NUMERIC\"",
            Kind::Whole => "\"INTEGRAL\"",
            Kind::Date => "\"DATE\"",
            Kind::Timestamp | Kind::AnyTimestamp => "\"TIMESTAMP\"",
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

/// The types that arguments become.
///
/// # Errors
/// `WRONG_NUM_ARGS` and `DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE`, both with the function's name.
pub(crate) fn coerce(
    name: &str,
    parameters: &Parameters,
    arguments: &[DataType],
) -> Result<Vec<DataType>> {
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
        return Err(Failure::new("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", message).into());
    }
    let types = arguments.iter().enumerate().map(|(at, given)| {
        let kind = parameters.kind(at).unwrap_or(Kind::Any);
        kind.accept(given).ok_or_else(|| {
            let message = format!(
                "argument {} of `{name}` is of type {given}, where {} is needed",
                at + 1,
                kind.wanted()
            );
            Failure::new("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", message).into()
        })
    });
    types.collect()
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn is_bytes(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_)
    )
}

fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric()
}

fn is_moment(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Date32 | DataType::Date64 | DataType::Timestamp(..))
}

/// Whether values have a text form that a function of text may take them by.
fn is_atomic(data_type: &DataType) -> bool {
    !data_type.is_nested()
}
