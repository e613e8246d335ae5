//! The names of types in casts, in capitals as Spark writes them.

use sqlparser::ast::{ArrayElemTypeDef, DataType, ExactNumberInfo, TimezoneInfo};

/// `DECIMAL(10,0)` for `decimal`, `TINYINT` for `byte`, `ARRAY<INT>` for `array<integer>`.
pub(super) fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Decimal(size) | DataType::Dec(size) | DataType::Numeric(size) => decimal(*size),
        DataType::Int(_) | DataType::Integer(_) => "INT".to_owned(),
        DataType::Real | DataType::Float(_) => "FLOAT".to_owned(),
        DataType::Double(_) => "DOUBLE".to_owned(),
        DataType::Text | DataType::String(_) | DataType::Varchar(_) | DataType::Char(_) => {
            "STRING".to_owned()
        }
        DataType::Timestamp(_, TimezoneInfo::WithoutTimeZone) => "TIMESTAMP_NTZ".to_owned(),
        DataType::Timestamp(..) => "TIMESTAMP".to_owned(),
        DataType::Time(precision, _) => format!("TIME({})", precision.unwrap_or(6)),
        DataType::Array(
            ArrayElemTypeDef::AngleBracket(item) | ArrayElemTypeDef::Parenthesis(item),
        ) => format!("ARRAY<{}>", type_name(item)),
        DataType::Map(key, value) => format!("MAP<{}, {}>", type_name(key), type_name(value)),
        DataType::Struct(fields, _) => {
            let fields = fields.iter().map(|field| {
                let name = field.field_name.as_ref().map(|name| name.value.as_str());
                format!("{}: {}", name.unwrap_or_default(), type_name(&field.field_type))
            });
            format!("STRUCT<{}>", fields.collect::<Vec<_>>().join(", "))
        }
        other => match other.to_string().to_uppercase().as_str() {
            "BYTE" => "TINYINT".to_owned(),
            "SHORT" => "SMALLINT".to_owned(),
            "LONG" => "BIGINT".to_owned(),
            "BOOL" => "BOOLEAN".to_owned(),
            "TIMESTAMP_LTZ" => "TIMESTAMP".to_owned(),
            other => other.to_owned(),
        },
    }
}

fn decimal(size: ExactNumberInfo) -> String {
    match size {
        ExactNumberInfo::None => "DECIMAL(10,0)".to_owned(),
        ExactNumberInfo::Precision(precision) => format!("DECIMAL({precision},0)"),
        ExactNumberInfo::PrecisionAndScale(precision, scale) => {
            format!("DECIMAL({precision},{scale})")
        }
    }
}
