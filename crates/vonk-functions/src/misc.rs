//! Functions of no other category: types, errors, identities, the session, numbers as text.

use crate::function::Function;

mod coalesce;
mod errors;
mod format_number;
mod geo;
mod identity;
mod measure;
mod nulls;
mod number_format;
mod type_of;

/// Every function of no other category that is ours.
pub(crate) const FUNCTIONS: &[Function] = &[
    Function::scalar(
        &["coalesce"],
        "coalesce(value, …)",
        "Gives the first value that is not NULL.",
        coalesce::coalesce,
    ),
    Function::scalar(
        &["st_geogfromwkb"],
        "st_geogfromwkb(bytes)",
        "Reads well-known bytes as a geography.",
        geo::geog_from_wkb,
    ),
    Function::scalar(
        &["st_geomfromwkb"],
        "st_geomfromwkb(bytes[, srid])",
        "Reads well-known bytes as a geometry.",
        geo::geom_from_wkb,
    ),
    Function::scalar(
        &["st_asbinary"],
        "st_asbinary(shape)",
        "Gives the well-known bytes of a geometry or geography.",
        geo::as_binary,
    ),
    Function::scalar(
        &["st_srid"],
        "st_srid(shape)",
        "Gives the number of a shape's reference system.",
        geo::srid,
    ),
    Function::scalar(
        &["st_setsrid"],
        "st_setsrid(shape, srid)",
        "Gives a shape in another reference system.",
        geo::set_srid,
    ),
    Function::scalar(
        &["current_database", "current_schema"],
        "current_database()",
        "Names the database in use.",
        identity::current_database,
    ),
    Function::scalar(
        &["current_path"],
        "current_path()",
        "Names where functions are looked up.",
        identity::current_path,
    ),
    Function::scalar(
        &["collation"],
        "collation(text)",
        "Names how texts compare.",
        identity::collation,
    ),
    Function::scalar(
        &["measure"],
        "measure(column)",
        "Is refused: there are no metric views.",
        measure::udf,
    ),
    Function::scalar(&["typeof"], "typeof(value)", "Names the type of a value.", type_of::udf),
    Function::scalar(
        &["assert_true"],
        "assert_true(condition[, message])",
        "Fails unless a condition is true.",
        errors::assert_true,
    ),
    Function::scalar(
        &["raise_error"],
        "raise_error(message)",
        "Fails with a message.",
        errors::raise_error,
    ),
    Function::scalar(
        &["isnan"],
        "isnan(number)",
        "Tells whether a number is NaN; NULL is not.",
        nulls::isnan,
    ),
    Function::scalar(
        &["normalize_nan_and_zero"],
        "normalize_nan_and_zero(value)",
        "Gives a value in which floating numbers that are equal are alike: one zero, one NaN.",
        nulls::normalize,
    ),
    Function::scalar(
        &["nanvl"],
        "nanvl(number, other)",
        "Gives a number, or another if it is NaN.",
        nulls::nanvl,
    ),
    Function::scalar(
        &["version"],
        "version()",
        "Gives the version of Spark that vonk follows, and its own.",
        identity::version,
    ),
    Function::scalar(
        &["current_user", "user", "session_user"],
        "current_user()",
        "Names the user.",
        identity::current_user,
    ),
    Function::scalar(
        &["current_catalog"],
        "current_catalog()",
        "Names the catalog.",
        identity::current_catalog,
    ),
    Function::scalar(
        &["input_file_name"],
        "input_file_name()",
        "Gives an empty text: rows do not know their file.",
        identity::input_file_name,
    ),
    Function::scalar(
        &["input_file_block_start"],
        "input_file_block_start()",
        "Gives -1: rows do not know their block.",
        identity::input_file_block_start,
    ),
    Function::scalar(
        &["input_file_block_length"],
        "input_file_block_length()",
        "Gives -1: rows do not know their block.",
        identity::input_file_block_length,
    ),
    Function::scalar(
        &["spark_partition_id"],
        "spark_partition_id()",
        "Gives 0: rows do not know their partition.",
        identity::partition_id,
    ),
    Function::scalar(
        &["monotonically_increasing_id"],
        "monotonically_increasing_id()",
        "Numbers the rows.",
        identity::increasing_id,
    ),
    Function::scalar(
        &["java_method", "reflect", "try_reflect"],
        "java_method(class, method, ...)",
        "Is refused: there is no Java.",
        errors::java_method,
    ),
    Function::scalar(
        &["format_number"],
        "format_number(number, digits)",
        "Writes a number with commas and so many digits behind the point.",
        format_number::udf,
    ),
    Function::scalar(
        &["to_char", "to_varchar"],
        "to_char(value, format)",
        "Writes a number by a format.",
        number_format::to_char,
    ),
    Function::scalar(
        &["to_number"],
        "to_number(text, format)",
        "Reads a number by a format.",
        number_format::to_number,
    ),
    Function::scalar(
        &["try_to_number"],
        "try_to_number(text, format)",
        "Reads a number by a format, NULL where it cannot.",
        number_format::try_to_number,
    ),
];
