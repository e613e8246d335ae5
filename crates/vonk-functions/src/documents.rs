//! Functions of documents within texts: JSON, CSV and XML.

use crate::function::Function;

mod build;
mod csv;
mod json;
mod json_path;
mod json_text;
mod moments;
mod options;
mod schema;
mod tree;
mod unloaded;
pub(crate) mod variant;
mod variant_schema;
mod write;
mod xml;
mod xpath;

pub(crate) use json_text::push_text as push_json_text;

/// The type, in DDL, that a text has which is written out: what `schema_of_json` and its kin give.
///
/// ```
/// let ddl = vonk_functions::schema_of("schema_of_json", r#"{"a": 1}"#);
/// assert_eq!(ddl.as_deref(), Some("STRUCT<a: BIGINT>"));
/// ```
pub fn schema_of(function: &str, text: &str) -> Option<String> {
    let options = options::Options::default();
    match function {
        "schema_of_json" => {
            let tree = json_text::read_all(text, options.leniency())?;
            Some(schema::of_json(&tree, &options).ddl())
        }
        "schema_of_csv" => Some(csv::schema(text, &options)),
        "schema_of_xml" => xml::schema(text, &options),
        _ => None,
    }
}

/// Every function of documents.
pub(crate) const FUNCTIONS: &[Function] = &[
    Function::scalar(
        &["from_avro"],
        "from_avro(bytes, schema[, options])",
        "Is refused, as Spark does without its package for Avro.",
        unloaded::from_avro,
    ),
    Function::scalar(
        &["to_avro"],
        "to_avro(value[, schema])",
        "Is refused, as Spark does without its package for Avro.",
        unloaded::to_avro,
    ),
    Function::scalar(
        &["schema_of_avro"],
        "schema_of_avro(schema[, options])",
        "Is refused, as Spark does without its package for Avro.",
        unloaded::schema_of_avro,
    ),
    Function::scalar(
        &["from_protobuf"],
        "from_protobuf(bytes, message[, descriptor[, options]])",
        "Is refused, as Spark does without its package for Protobuf.",
        unloaded::from_protobuf,
    ),
    Function::scalar(
        &["to_protobuf"],
        "to_protobuf(value, message[, descriptor[, options]])",
        "Is refused, as Spark does without its package for Protobuf.",
        unloaded::to_protobuf,
    ),
    Function::scalar(
        &["get_json_object"],
        "get_json_object(json, path)",
        "Gives what stands at a path of a JSON text.",
        json_path::udf,
    ),
    Function::scalar(
        &["json_array_length"],
        "json_array_length(json)",
        "Counts the items of an array in JSON.",
        json::array_length,
    ),
    Function::scalar(
        &["json_object_keys"],
        "json_object_keys(json)",
        "Gives the names of the members of an object in JSON.",
        json::object_keys,
    ),
    Function::scalar(
        &["from_json"],
        "from_json(json, schema[, options])",
        "Reads JSON as a value of a type.",
        json::from_json,
    ),
    Function::scalar(
        &["to_json"],
        "to_json(value[, options])",
        "Writes a struct, map or array as JSON.",
        json::to_json,
    ),
    Function::scalar(
        &["schema_of_json"],
        "schema_of_json(json[, options])",
        "Gives the type that JSON has.",
        json::schema_of_json,
    ),
    Function::scalar(
        &["from_csv"],
        "from_csv(csv, schema[, options])",
        "Reads a record of CSV as a struct.",
        csv::from_csv,
    ),
    Function::scalar(
        &["to_csv"],
        "to_csv(struct[, options])",
        "Writes a struct as a record of CSV.",
        csv::to_csv,
    ),
    Function::scalar(
        &["schema_of_csv"],
        "schema_of_csv(csv[, options])",
        "Gives the type that a record of CSV has.",
        csv::schema_of_csv,
    ),
    Function::scalar(
        &["from_xml"],
        "from_xml(xml, schema[, options])",
        "Reads an element of XML as a struct.",
        xml::from_xml,
    ),
    Function::scalar(
        &["to_xml"],
        "to_xml(struct[, options])",
        "Writes a struct as an element of XML.",
        xml::to_xml,
    ),
    Function::scalar(
        &["schema_of_xml"],
        "schema_of_xml(xml[, options])",
        "Gives the type that an element of XML has.",
        xml::schema_of_xml,
    ),
    Function::scalar(
        &["xpath"],
        "xpath(xml, path)",
        "Gives the texts of the nodes at a path.",
        xpath::texts,
    ),
    Function::scalar(
        &["xpath_boolean"],
        "xpath_boolean(xml, path)",
        "Tells whether a path holds or finds a node.",
        xpath::boolean,
    ),
    Function::scalar(
        &["xpath_double", "xpath_number"],
        "xpath_double(xml, path)",
        "Gives the number at a path.",
        xpath::double,
    ),
    Function::scalar(
        &["xpath_float"],
        "xpath_float(xml, path)",
        "Gives the number at a path as a FLOAT.",
        xpath::float,
    ),
    Function::scalar(
        &["xpath_int"],
        "xpath_int(xml, path)",
        "Gives the whole number at a path, 0 for what is none.",
        xpath::int,
    ),
    Function::scalar(
        &["xpath_long"],
        "xpath_long(xml, path)",
        "Gives the whole number at a path as a BIGINT.",
        xpath::long,
    ),
    Function::scalar(
        &["xpath_short"],
        "xpath_short(xml, path)",
        "Gives the whole number at a path as a SMALLINT.",
        xpath::short,
    ),
    Function::scalar(
        &["xpath_string"],
        "xpath_string(xml, path)",
        "Gives the text of the first node at a path.",
        xpath::string,
    ),
    Function::scalar(
        &["parse_json"],
        "parse_json(json)",
        "Reads JSON as a variant.",
        variant::parse_json,
    ),
    Function::scalar(
        &["try_parse_json"],
        "try_parse_json(json)",
        "Reads JSON as a variant, NULL where it cannot.",
        variant::try_parse_json,
    ),
    Function::scalar(
        &["variant_explode", "variant_explode_outer"],
        "variant_explode(variant)",
        "Makes a row of every member of an object, and of every item of an array.",
        variant::explode,
    ),
    Function::scalar(
        &["is_variant_null"],
        "is_variant_null(variant)",
        "Tells whether a variant is the null of JSON.",
        variant::is_variant_null,
    ),
    Function::scalar(
        &["is_valid_variant"],
        "is_valid_variant(variant)",
        "Tells whether a variant is well formed.",
        variant::is_valid_variant,
    ),
    Function::scalar(
        &["schema_of_variant"],
        "schema_of_variant(variant)",
        "Gives the type of what a variant holds.",
        variant_schema::schema_of_variant,
    ),
    Function::aggregate(
        &["schema_of_variant_agg"],
        "schema_of_variant_agg(variant)",
        "Gives the type that holds what all variants of a group hold.",
        |_| variant_schema::schema_of_variant_agg(),
    ),
    Function::scalar(
        &["variant_get"],
        "variant_get(variant, path[, type])",
        "Gives what stands at a path of a variant.",
        variant::variant_get,
    ),
    Function::scalar(
        &["try_variant_get"],
        "try_variant_get(variant, path[, type])",
        "Gives what stands at a path of a variant, NULL where it does not fit.",
        variant::try_variant_get,
    ),
    Function::scalar(
        &["to_variant_object"],
        "to_variant_object(value)",
        "Gives a value as a variant.",
        variant::to_variant_object,
    ),
    Function::scalar(
        &["variant_insert"],
        "variant_insert(variant, path, value)",
        "Adds a value where none is.",
        variant::insert,
    ),
    Function::scalar(
        &["try_variant_insert"],
        "try_variant_insert(variant, path, value)",
        "Adds a value where none is, NULL where it cannot.",
        variant::try_insert,
    ),
    Function::scalar(
        &["variant_set"],
        "variant_set(variant, path, value[, create])",
        "Puts a value at a path.",
        variant::set,
    ),
    Function::scalar(
        &["try_variant_set"],
        "try_variant_set(variant, path, value[, create])",
        "Puts a value at a path, NULL where it cannot.",
        variant::try_set,
    ),
    Function::scalar(
        &["variant_array_append"],
        "variant_array_append(variant, path, value)",
        "Adds an item to an array.",
        variant::append,
    ),
    Function::scalar(
        &["try_variant_array_append"],
        "try_variant_array_append(variant, path, value)",
        "Adds an item to an array, NULL where it cannot.",
        variant::try_append,
    ),
    Function::scalar(
        &["variant_delete"],
        "variant_delete(variant, path)",
        "Removes what stands at a path.",
        variant::delete,
    ),
    Function::scalar(
        &["variant_strip_nulls"],
        "variant_strip_nulls(variant[, arrays])",
        "Removes the members that are null, and the items of arrays unless told not to.",
        variant::strip_nulls,
    ),
];
