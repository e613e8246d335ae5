//! Variants: values whose type is their own. A variant is its JSON text, with sorted members.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int32Builder, ListArray, StringBuilder, StructArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::ScalarUDF;

use super::build::Builder;
use super::json_path::{Step, steps};
use super::json_text::{self, Leniency};
use super::moments::Moments;
use super::options::Options;
use super::tree::Tree;
use super::write::{Writer, is_null};
use crate::ddl;
use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::types::{self, VARIANT};
use crate::{render, rows};

const ONE: Parameters = Parameters::exact(&[Kind::Text]);

/// Spark's `parse_json`.
pub(super) fn parse_json() -> ScalarUDF {
    Kernel::new("parse_json", ONE, rows::text, |call| parsed(call, false)).named(VARIANT).udf()
}

/// Spark's `try_parse_json`.
pub(super) fn try_parse_json() -> ScalarUDF {
    Kernel::new("try_parse_json", ONE, rows::text, |call| parsed(call, true)).named(VARIANT).udf()
}

fn parsed(call: &Call<'_>, is_try: bool) -> Result<ArrayRef> {
    let texts = call.text(0)?;
    rows::texts(call, |row, output| {
        match json_text::read_all(texts.value(row), Leniency::DEFAULT) {
            Some(mut tree) => {
                normalise(&mut tree);
                push(tree, output);
            }
            None if is_try => return Ok(false),
            None => {
                let message = format!("`{}` is no JSON", texts.value(row));
                return Err(Failure::new(
                    "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION",
                    message,
                )
                .hint("use `try_parse_json` to get NULL instead")
                .into());
            }
        }
        Ok(true)
    })
}

/// The most digits of a decimal, and the most behind its point.
const DIGITS_MAX: usize = 38;

/// Writes numbers as the types do that they become: BIGINT, DECIMAL without zeros at its end, DOUBLE.
fn normalise(tree: &mut Tree) {
    match tree {
        Tree::Number(number) => *number = normal(number),
        Tree::Array(items) => items.iter_mut().for_each(normalise),
        Tree::Object(members) => members.iter_mut().for_each(|(_, value)| normalise(value)),
        _ => {}
    }
}

fn normal(number: &str) -> String {
    if let Ok(whole) = number.parse::<i64>() {
        return whole.to_string();
    }
    let digits = number.trim_start_matches('-');
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_decimal = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let count = whole.trim_start_matches('0').len() + fraction.len();
    if is_decimal && count <= DIGITS_MAX {
        let fraction = fraction.trim_end_matches('0');
        let is_zero = fraction.is_empty() && whole.bytes().all(|digit| digit == b'0');
        let sign = if number.starts_with('-') && !is_zero { "-" } else { "" };
        let point = if fraction.is_empty() { "" } else { "." };
        return format!("{sign}{whole}{point}{fraction}");
    }
    let mut text = String::new();
    render::float64(&mut text, number.parse().unwrap_or(f64::NAN));
    text
}

fn push(mut tree: Tree, output: &mut String) {
    sort(&mut tree);
    json_text::push(&tree, output);
}

fn sort(tree: &mut Tree) {
    match tree {
        Tree::Object(members) => {
            members.sort_by(|left, right| left.0.cmp(&right.0));
            members.iter_mut().for_each(|(_, value)| sort(value));
        }
        Tree::Array(items) => items.iter_mut().for_each(sort),
        _ => {}
    }
}

pub(super) fn read(text: &str) -> Tree {
    json_text::read_all(text, Leniency::DEFAULT).unwrap_or(Tree::Null)
}

/// Spark's `is_variant_null`: whether it is the `null` of JSON.
pub(super) fn is_variant_null() -> ScalarUDF {
    Kernel::new("is_variant_null", ONE, rows::boolean, |call| {
        let texts = call.text(0)?;
        let nulls = texts.iter().map(|text| Some(text == Some("null")));
        Ok(Arc::new(nulls.collect::<BooleanArray>()))
    })
    .udf()
}

/// Spark's `is_valid_variant`.
pub(super) fn is_valid_variant() -> ScalarUDF {
    Kernel::new("is_valid_variant", ONE, rows::boolean, |call| {
        let texts = call.text(0)?;
        rows::booleans(call, |row| {
            Ok(Some(json_text::read_all(texts.value(row), Leniency::DEFAULT).is_some()))
        })
    })
    .udf()
}

const GET: Parameters = Parameters::with_optional(&[Kind::Text, Kind::Text], &[Kind::Any]);

/// Spark's `variant_get(variant, path[, type])`.
pub(super) fn variant_get() -> ScalarUDF {
    Kernel::by_value("variant_get", GET, got_type, |call| got(call, false)).named_by(got_name).udf()
}

/// Spark's `try_variant_get(variant, path[, type])`.
pub(super) fn try_variant_get() -> ScalarUDF {
    Kernel::by_value("try_variant_get", GET, got_type, |call| got(call, true))
        .named_by(got_name)
        .udf()
}

fn got_type(_: &[DataType], literals: &[Option<&ScalarValue>]) -> Result<DataType> {
    match literals.get(2).copied().flatten().map(ScalarValue::try_as_str) {
        Some(Some(Some(text))) if text.eq_ignore_ascii_case(VARIANT) => Ok(DataType::Utf8),
        Some(Some(Some(text))) => ddl::parse(text),
        _ => Ok(DataType::Utf8),
    }
}

/// Without a type, and with its own, a variant is what a variant holds.
fn got_name(literals: &[Option<&ScalarValue>]) -> Option<&'static str> {
    match literals.get(2).copied().flatten().map(ScalarValue::try_as_str) {
        Some(Some(Some(text))) if !text.eq_ignore_ascii_case(VARIANT) => None,
        _ => Some(VARIANT),
    }
}

fn got(call: &Call<'_>, is_try: bool) -> Result<ArrayRef> {
    let (texts, paths) = (call.text(0)?, call.text(1)?);
    let type_name = call.constant(2).and_then(|name| name.try_as_str().flatten());
    let as_text = type_name.is_some_and(|name| !name.eq_ignore_ascii_case(VARIANT));
    let mut trees = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        if texts.is_null(row) || paths.is_null(row) {
            trees.push(None);
            continue;
        }
        let tree = read(texts.value(row));
        let path = path_of(paths.value(row))?;
        let found = path.iter().try_fold(&tree, |tree, step| within(tree, step));
        trees.push(found.filter(|found| !as_text || **found != Tree::Null).cloned());
    }
    match *call.returns == DataType::Utf8 && !as_text {
        true => Ok(texts_of(trees.into_iter())),
        false => values_of(&trees, call.returns, call.time_zone(), is_try),
    }
}

/// Variants of trees.
fn texts_of(trees: impl Iterator<Item = Option<Tree>>) -> ArrayRef {
    let mut output = StringBuilder::new();
    for tree in trees {
        match tree {
            Some(tree) => {
                let mut text = String::new();
                push(tree, &mut text);
                output.append_value(text);
            }
            None => output.append_null(),
        }
    }
    Arc::new(output.finish())
}

/// Trees as values of a type.
fn values_of(
    trees: &[Option<Tree>],
    data_type: &DataType,
    zone: &str,
    is_try: bool,
) -> Result<ArrayRef> {
    let moments = Moments::to_read(&Options::default(), zone)?;
    let rows: Vec<Option<&Tree>> = trees.iter().map(Option::as_ref).collect();
    let builder =
        Builder { moments: &moments, reads_texts: true, null_text: "\0", lists_singles: false };
    let mut misfits = vec![false; rows.len()];
    let values = builder.column(data_type, &rows, &mut misfits)?;
    match misfits.iter().position(|misfit| *misfit) {
        Some(row) if !is_try => {
            let mut text = String::new();
            trees[row].iter().for_each(|tree| json_text::push(tree, &mut text));
            let message = format!("the variant `{text}` is no {}", types::name(data_type));
            Err(Failure::new("INVALID_VARIANT_CAST", message)
                .hint("use `try_variant_get` or `try_cast` to get NULL instead")
                .into())
        }
        _ => Ok(values),
    }
}

/// CAST from a variant or to one; the other type is any.
///
/// # Errors
/// `INVALID_VARIANT_CAST` for a variant that is no value of the type, unless `is_try`.
pub(crate) fn cast(
    values: &ArrayRef,
    (from, to): (&Field, &Field),
    zone: &str,
    is_try: bool,
) -> Result<ArrayRef> {
    let done = match (types::is_variant(from), types::is_variant(to)) {
        (true, true) => Arc::clone(values),
        (true, false) => {
            let texts = arrow::compute::cast(values, &DataType::Utf8View)?;
            let trees = texts.as_string_view().iter().map(|text| text.map(read));
            // The null of JSON is the NULL of every other type.
            let trees: Vec<_> = trees.map(|tree| tree.filter(|tree| *tree != Tree::Null)).collect();
            let text = to.data_type().is_string();
            values_of(&trees, if text { &DataType::Utf8 } else { to.data_type() }, zone, is_try)?
        }
        (false, _) => {
            let moments = Moments::to_write(&Options::default(), zone)?;
            let writer = Writer { moments, ignores_null: false, pretty: false };
            let trees = (0..values.len()).map(|row| match is_null(values, row) {
                true => Ok(None),
                false => tree_of(&writer, from, values, row).map(Some),
            });
            texts_of(trees.collect::<Result<Vec<_>>>()?.into_iter())
        }
    };
    Ok(arrow::compute::cast(&done, to.data_type())?)
}

fn path_of(path: &str) -> Result<Vec<Step>> {
    let known = steps(path).filter(|steps| !steps.contains(&Step::Every));
    known.ok_or_else(|| {
        let message = format!("`{path}` is no path of a variant");
        Failure::new("INVALID_VARIANT_GET_PATH", message).hint("write as in `$.a[0]`").into()
    })
}

fn within<'a>(tree: &'a Tree, step: &Step) -> Option<&'a Tree> {
    match (step, tree) {
        (Step::Member(name), tree) => tree.member(name),
        (Step::Item(index), Tree::Array(items)) => items.get(*index),
        _ => None,
    }
}

/// Spark's `to_variant_object`.
pub(super) fn to_variant_object() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Any]);
    Kernel::new("to_variant_object", parameters, rows::text, |call| {
        let writer = writer(call)?;
        let values = call.array(0)?;
        rows::texts(call, |row, output| {
            push(tree_of(&writer, call.field(0), &values, row)?, output);
            Ok(true)
        })
    })
    .named(VARIANT)
    .udf()
}

fn writer(call: &Call<'_>) -> Result<Writer> {
    let moments = Moments::to_write(&Options::default(), call.time_zone())?;
    Ok(Writer { moments, ignores_null: false, pretty: false })
}

fn tree_of(writer: &Writer, field: &Field, values: &ArrayRef, row: usize) -> Result<Tree> {
    if is_null(values, row) {
        return Ok(Tree::Null);
    }
    let mut text = String::new();
    writer.push((field, values), row, 0, &mut text)?;
    Ok(read(&text))
}

/// What a change does at the end of its path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    /// Adds a member that is not there, or an item before one.
    Insert,
    /// Replaces what is there, or adds it.
    Set,
    /// Replaces what is there, if it is.
    SetExisting,
    /// Adds an item behind the others of an array.
    Append,
    Delete,
}

const CHANGE: Parameters = Parameters::exact(&[Kind::Text, Kind::Text, Kind::Any]);

const SET: Parameters =
    Parameters::with_optional(&[Kind::Text, Kind::Text, Kind::Any], &[Kind::Boolean]);

/// A function that changes a variant, and what it is called where NULL is given for a failure.
macro_rules! change {
    ($(#[$doc:meta])* $function:ident = $name:literal, $(#[$try_doc:meta])* $try_function:ident = $try_name:literal, $parameters:ident, $change:expr) => {
        $(#[$doc])*
        pub(super) fn $function() -> ScalarUDF {
            Kernel::new($name, $parameters, rows::text, |call| changed(call, $change, false))
                .named(VARIANT)
                .udf()
        }

        $(#[$try_doc])*
        pub(super) fn $try_function() -> ScalarUDF {
            Kernel::new($try_name, $parameters, rows::text, |call| changed(call, $change, true))
                .named(VARIANT)
                .udf()
        }
    };
}

change! {
    /// Spark's `variant_insert`.
    insert = "variant_insert",
    /// Spark's `try_variant_insert`.
    try_insert = "try_variant_insert", CHANGE, Change::Insert
}

change! {
    /// Spark's `variant_set(variant, path, value[, create])`.
    set = "variant_set",
    /// Spark's `try_variant_set`.
    try_set = "try_variant_set", SET, Change::Set
}

change! {
    /// Spark's `variant_array_append`.
    append = "variant_array_append",
    /// Spark's `try_variant_array_append`.
    try_append = "try_variant_array_append", CHANGE, Change::Append
}

/// Spark's `variant_delete(variant, path)`.
pub(super) fn delete() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Text, Kind::Text]);
    Kernel::new("variant_delete", parameters, rows::text, |call| {
        changed(call, Change::Delete, true)
    })
    .named(VARIANT)
    .udf()
}

/// The variants after a change; one that cannot be changed so is an error, or NULL.
fn changed(call: &Call<'_>, change: Change, is_try: bool) -> Result<ArrayRef> {
    let (texts, paths) = (call.text(0)?, call.text(1)?);
    let values = (call.count() > 2).then(|| call.array(2)).transpose()?;
    let creates = (call.count() > 3).then(|| call.array(3)).transpose()?;
    let writer = writer(call)?;
    let mut output = StringBuilder::new();
    for row in 0..call.rows {
        if texts.is_null(row) || paths.is_null(row) {
            output.append_null();
            continue;
        }
        let mut tree = read(texts.value(row));
        let path = path_of(paths.value(row))?;
        let value = match &values {
            Some(values) => tree_of(&writer, call.field(2), values, row)?,
            None => Tree::Null,
        };
        let creates = creates.as_ref().is_none_or(|creates| creates.as_boolean().value(row));
        let change = if change == Change::Set && !creates { Change::SetExisting } else { change };
        match apply(&mut tree, &path, change, value) {
            Ok(()) => {
                let mut text = String::new();
                push(tree, &mut text);
                output.append_value(text);
            }
            Err(_) if is_try && change != Change::Delete => output.append_null(),
            Err(_) if change == Change::Delete => output.append_value(texts.value(row)),
            Err(failure) => return Err(failure.into()),
        }
    }
    Ok(Arc::new(output.finish()))
}

/// How far behind an array an item may be put; all between are `null`.
const ITEMS_MAX: usize = 1 << 20;

/// Makes a change at the end of a path; members and items on the way to it are made where it adds.
fn apply(tree: &mut Tree, path: &[Step], change: Change, value: Tree) -> Result<(), Failure> {
    let adds = matches!(change, Change::Insert | Change::Set | Change::Append);
    let Some((step, rest)) = path.split_first() else {
        match (change, tree) {
            (Change::Append, Tree::Array(items)) => items.push(value),
            (Change::Append, _) => return Err(not_so("an array is needed at the end of the path")),
            (Change::Set | Change::SetExisting, tree) => *tree = value,
            _ => {}
        }
        return Ok(());
    };
    let is_last = rest.is_empty() && change != Change::Append;
    match (step, tree) {
        (Step::Member(name), Tree::Object(members)) => {
            let at = members.iter().position(|(known, _)| known == name);
            match (at, change) {
                (Some(at), Change::Delete) if is_last => {
                    members.remove(at);
                }
                (Some(_), Change::Insert) if is_last => {
                    let message = format!("the variant has a member `{name}` already");
                    return Err(Failure::new("VARIANT_DUPLICATE_KEY", message)
                        .hint("use `variant_set` to replace it"));
                }
                (Some(at), _) => return apply(&mut members[at].1, rest, change, value),
                (None, _) if adds => members.push((name.clone(), made(rest, change, value))),
                (None, _) => {}
            }
        }
        (Step::Item(index), Tree::Array(items)) => match change {
            Change::Delete if is_last && *index < items.len() => {
                items.remove(*index);
            }
            Change::Insert if is_last && *index < items.len() => items.insert(*index, value),
            _ if *index < items.len() => return apply(&mut items[*index], rest, change, value),
            _ if adds && *index > ITEMS_MAX => return Err(not_so("an item is too far away")),
            _ if adds => {
                items.resize(*index, Tree::Null);
                items.push(made(rest, change, value));
            }
            _ => {}
        },
        (Step::Member(_), _) => return Err(not_so("a name stands in the path for a member")),
        _ => return Err(not_so("a number stands in the path for an item")),
    }
    Ok(())
}

/// What stands at a place that a path makes: objects and arrays with the value at their end.
fn made(path: &[Step], change: Change, value: Tree) -> Tree {
    match path.split_first() {
        None if change == Change::Append => Tree::Array(vec![value]),
        None => value,
        Some((Step::Item(index), rest)) => {
            let mut items = vec![Tree::Null; (*index).min(ITEMS_MAX)];
            items.push(made(rest, change, value));
            Tree::Array(items)
        }
        Some((Step::Member(name), rest)) => {
            Tree::Object(vec![(name.clone(), made(rest, change, value))])
        }
        Some((Step::Every, _)) => Tree::Null,
    }
}

fn not_so(why: &str) -> Failure {
    let message = format!("the variant is of another form than the path: {why}");
    Failure::new("VARIANT_PATH_TYPE_MISMATCH", message)
        .hint("use the function whose name begins with `try_` to get NULL instead")
}

/// Spark's `variant_strip_nulls(variant[, arrays])`: members that are `null` go, and items unless told.
pub(super) fn strip_nulls() -> ScalarUDF {
    const PARAMETERS: Parameters = Parameters::with_optional(&[Kind::Text], &[Kind::Boolean]);
    Kernel::new("variant_strip_nulls", PARAMETERS, rows::text, |call| {
        let texts = call.text(0)?;
        let of_arrays = (call.count() > 1).then(|| call.array(1)).transpose()?;
        rows::texts(call, |row, output| {
            let mut tree = read(texts.value(row));
            strip(&mut tree, of_arrays.as_ref().is_none_or(|flags| flags.as_boolean().value(row)));
            push(tree, output);
            Ok(true)
        })
    })
    .named(VARIANT)
    .udf()
}

fn strip(tree: &mut Tree, of_arrays: bool) {
    match tree {
        Tree::Object(members) => {
            members.retain(|(_, value)| *value != Tree::Null);
            members.iter_mut().for_each(|(_, value)| strip(value, of_arrays));
        }
        Tree::Array(items) => {
            items.retain(|item| !of_arrays || *item != Tree::Null);
            items.iter_mut().for_each(|item| strip(item, of_arrays));
        }
        _ => {}
    }
}

/// What `variant_explode` makes rows of: position, name of the member, and value.
pub(super) fn explode() -> ScalarUDF {
    Kernel::new("variant_explode", ONE, exploded_type, exploded).udf()
}

fn exploded_fields() -> Fields {
    let value = types::with_name(Field::new("value", DataType::Utf8, true), VARIANT);
    let pos = Field::new("pos", DataType::Int32, true);
    Fields::from(vec![pos, Field::new("key", DataType::Utf8, true), value])
}

fn exploded_type(_: &[DataType]) -> Result<DataType> {
    Ok(DataType::new_list(DataType::Struct(exploded_fields()), true))
}

/// The members of an object, by their names, or the items of an array; none of anything else.
fn exploded(call: &Call<'_>) -> Result<ArrayRef> {
    let texts = call.text(0)?;
    let (mut positions, mut keys) = (Int32Builder::new(), StringBuilder::new());
    let mut values: Vec<Option<Tree>> = Vec::new();
    let mut lengths = Vec::with_capacity(call.rows);
    for text in &texts {
        let parts: Vec<(Option<String>, Tree)> = match text.map(read) {
            Some(Tree::Object(members)) => {
                members.into_iter().map(|(name, value)| (Some(name), value)).collect()
            }
            Some(Tree::Array(items)) => items.into_iter().map(|item| (None, item)).collect(),
            _ => Vec::new(),
        };
        lengths.push(parts.len());
        for (position, (key, value)) in (0_i32..).zip(parts) {
            positions.append_value(position);
            keys.append_option(key);
            values.push(Some(value));
        }
    }
    let columns: Vec<ArrayRef> =
        vec![Arc::new(positions.finish()), Arc::new(keys.finish()), texts_of(values.into_iter())];
    let structs = StructArray::try_new(exploded_fields(), columns, None)?;
    let item = Arc::new(Field::new("item", DataType::Struct(exploded_fields()), true));
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(ListArray::try_new(item, offsets, Arc::new(structs), None)?))
}
