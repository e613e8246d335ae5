//! Spark's names of types, lower case, as they stand under the names of columns.

use arrow::datatypes::{DataType, IntervalUnit};

/// Spark's name of an Arrow type, such as `bigint`, `decimal(15,2)` or `array<string>`.
pub(crate) fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::FixedSizeList(item, _) => format!("array<{}>", type_name(item.data_type())),
        DataType::Struct(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|field| format!("{}:{}", field.name(), type_name(field.data_type())))
                .collect();
            format!("struct<{}>", fields.join(","))
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => format!(
                "map<{},{}>",
                type_name(fields[0].data_type()),
                type_name(fields[1].data_type())
            ),
            other => format!("map<{}>", type_name(other)),
        },
        DataType::Dictionary(_, value) => type_name(value),
        DataType::RunEndEncoded(_, values) => type_name(values.data_type()),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => format!("decimal({precision},{scale})"),
        DataType::FixedSizeBinary(_) => "binary".to_owned(),
        other => simple_name(other).map_or_else(|| other.to_string().to_lowercase(), str::to_owned),
    }
}

fn simple_name(data_type: &DataType) -> Option<&'static str> {
    Some(match data_type {
        DataType::Null => "void",
        DataType::Boolean => "boolean",
        DataType::Int8 => "tinyint",
        DataType::Int16 => "smallint",
        DataType::Int32 => "int",
        DataType::Int64 => "bigint",
        DataType::Float32 => "float",
        DataType::Float64 => "double",
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "string",
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "binary",
        DataType::Date32 | DataType::Date64 => "date",
        DataType::Timestamp(_, Some(_)) => "timestamp",
        DataType::Timestamp(_, None) => "timestamp_ntz",
        DataType::Time32(_) | DataType::Time64(_) => "time",
        DataType::Interval(IntervalUnit::YearMonth) => "interval year to month",
        DataType::Interval(IntervalUnit::DayTime | IntervalUnit::MonthDayNano) => "interval",
        DataType::Duration(_) => "interval day to second",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::{Field, Fields};

    use super::*;

    #[test]
    fn types_have_sparks_names() {
        let item = |data_type| Arc::new(Field::new("item", data_type, true));
        let fields = Fields::from(vec![
            Field::new("a", DataType::Int32, true),
            Field::new("b", DataType::Decimal128(15, 2), true),
        ]);
        assert_eq!(type_name(&DataType::Utf8View), "string");
        assert_eq!(type_name(&DataType::List(item(DataType::Int64))), "array<bigint>");
        assert_eq!(type_name(&DataType::Struct(fields)), "struct<a:int,b:decimal(15,2)>");
    }
}
