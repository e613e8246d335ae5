//! Errors of reading, with the name of the file and what to do about it.

use arrow::error::ArrowError;
use datafusion::common::DataFusionError;

use crate::error::{Condition, Error};

/// The error as ours, about this file unless it names one already.
pub(super) fn in_file(error: DataFusionError, file: &str, format: &str) -> Error {
    if is_resource(&error) {
        return error.into();
    }
    if let Some(reason) = malformed(&error) {
        return not_readable(file, format, &reason);
    }
    Error::from(error).or_file(file)
}

/// A file that is not what its format promises.
pub(super) fn not_readable(file: &str, format: &str, reason: &str) -> Error {
    let reason = reason.trim_end_matches(['.', '\n']);
    Error::new(Condition::CANNOT_PARSE_FILE, format!("cannot be read as `{format}`: {reason}"))
        .file(file)
        .hint("it may be cut short, still being written, or of another format: write it again, or name its format")
}

fn is_resource(error: &DataFusionError) -> bool {
    matches!(error.find_root(), DataFusionError::ResourcesExhausted(_))
}

/// The reason, if the error says that the file's bytes are wrong.
fn malformed(error: &DataFusionError) -> Option<String> {
    match error.find_root() {
        DataFusionError::ParquetError(inner) => Some(match &**inner {
            parquet::errors::ParquetError::External(inner) => {
                if inner.is::<Error>() || inner.is::<object_store::Error>() {
                    return None;
                }
                inner.to_string()
            }
            parquet::errors::ParquetError::General(text)
            | parquet::errors::ParquetError::EOF(text)
            | parquet::errors::ParquetError::ArrowError(text) => text.clone(),
            other => other.to_string(),
        }),
        DataFusionError::ArrowError(inner, _) => match &**inner {
            ArrowError::ParquetError(text)
            | ArrowError::IpcError(text)
            | ArrowError::AvroError(text)
            | ArrowError::ParseError(text)
            | ArrowError::SchemaError(text)
            | ArrowError::InvalidArgumentError(text)
            | ArrowError::CDataInterface(text) => Some(text.clone()),
            ArrowError::IoError(text, _) => Some(text.clone()),
            _ => None,
        },
        DataFusionError::IoError(inner) => match inner.kind() {
            std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::InvalidData => {
                Some(inner.to_string())
            }
            _ => None,
        },
        DataFusionError::Internal(text) => Some(text.clone()),
        _ => None,
    }
}
