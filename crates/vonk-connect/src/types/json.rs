//! Spark's JSON of types, which PySpark sends where a schema is an object of Python.

use serde_json::Value;
use spark_connect_proto as proto;
use spark_connect_proto::data_type::{self, Kind};
use vonk::{Error, Result};

use crate::errors;

/// The type that a text of JSON means.
///
/// # Errors
/// `INVALID_PLAN_INPUT` if it means none.
pub(super) fn parse(text: &str) -> Result<proto::DataType> {
    let value = serde_json::from_str(text).map_err(|error| {
        Error::new(errors::INVALID_PLAN, format!("the schema is no JSON: {error}"))
    })?;
    of_value(&value)
}

fn of_value(value: &Value) -> Result<proto::DataType> {
    let kind = match value {
        Value::String(name) => {
            Kind::Unparsed(data_type::Unparsed { data_type_string: plain(name) })
        }
        Value::Object(_) => nested(value)?,
        other => return Err(unknown(other)),
    };
    Ok(proto::DataType { kind: Some(kind) })
}

/// Names of JSON that are no names of SQL.
fn plain(name: &str) -> String {
    match name {
        "long" => "bigint",
        "integer" => "int",
        "short" => "smallint",
        "byte" => "tinyint",
        "timestamp" => "timestamp_ltz",
        other => other.split(" collate ").next().unwrap_or(other),
    }
    .to_owned()
}

fn nested(value: &Value) -> Result<Kind> {
    let boxed = |name: &str| Ok::<_, Error>(Some(Box::new(of_value(&value[name])?)));
    let is_on = |name: &str| value[name].as_bool().unwrap_or(true);
    let type_variation_reference = 0;
    Ok(match value["type"].as_str().unwrap_or_default() {
        "array" => Kind::Array(Box::new(data_type::Array {
            element_type: boxed("elementType")?,
            contains_null: is_on("containsNull"),
            type_variation_reference,
        })),
        "map" => Kind::Map(Box::new(data_type::Map {
            key_type: boxed("keyType")?,
            value_type: boxed("valueType")?,
            value_contains_null: is_on("valueContainsNull"),
            type_variation_reference,
        })),
        "struct" => {
            let fields = value["fields"].as_array().ok_or_else(|| unknown(value))?;
            let fields = fields.iter().map(field).collect::<Result<Vec<_>>>()?;
            Kind::Struct(data_type::Struct { fields, type_variation_reference })
        }
        "udt" => return of_value(&value["sqlType"])?.kind.ok_or_else(|| unknown(value)),
        _ => return Err(unknown(value)),
    })
}

fn field(value: &Value) -> Result<data_type::StructField> {
    let metadata = value["metadata"].as_object().filter(|metadata| !metadata.is_empty());
    Ok(data_type::StructField {
        name: value["name"].as_str().unwrap_or_default().to_owned(),
        data_type: Some(of_value(&value["type"])?),
        nullable: value["nullable"].as_bool().unwrap_or(true),
        metadata: metadata.map(|_| value["metadata"].to_string()),
    })
}

fn unknown(value: &Value) -> Error {
    Error::new(errors::INVALID_PLAN, format!("`{value}` is no type"))
}
