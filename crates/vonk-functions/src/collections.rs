//! Functions of arrays, maps and structs.

use arrow::datatypes::DataType;
use datafusion::common::Result;

use crate::function::Function;

mod construct;
mod edit;
pub(crate) mod element;
pub(crate) mod keys;
pub(crate) mod lists;
pub(crate) mod maps;
mod order;
mod search;
mod sequence;
mod sets;
mod sort_maps;
mod stack;
pub(crate) mod types;

/// The most items that an array may have, Spark's `MAX_ROUNDED_ARRAY_LENGTH`.
pub(crate) const LENGTH_MAX: usize = i32::MAX as usize - 15;

/// The type of a function that gives what its first argument is.
pub(crate) fn first_type(types: &[DataType]) -> Result<DataType> {
    Ok(types.first().cloned().unwrap_or(DataType::Null))
}

macro_rules! rows {
    ($($name:literal $(| $alias:literal)*, $usage:literal, $doc:literal, $make:path;)*) => {
        &[$(Function::scalar(&[$name $(, $alias)*], $usage, $doc, $make)),*]
    };
}

/// Every function of arrays, maps and structs that is ours.
pub(crate) const FUNCTIONS: &[Function] = rows![
    "array", "array(value, ...)", "Makes an array of values.", construct::array;
    "array_append", "array_append(array, value)", "Adds a value at the end of an array.", edit::append;
    "array_compact", "array_compact(array)", "Leaves the NULLs of an array out.", edit::compact;
    "array_contains", "array_contains(array, value)", "Tells whether an array holds a value.",
        search::contains;
    "array_distinct", "array_distinct(array)", "Keeps the first of equal items of an array.",
        sets::distinct;
    "array_except", "array_except(array, array)",
        "Gives the items of the first array that the second does not have.", sets::except;
    "array_insert", "array_insert(array, place, value)",
        "Puts a value at a place of an array, counted from 1 or, at the end, from -1.", edit::insert;
    "array_intersect", "array_intersect(array, array)", "Gives the items that both arrays have.",
        sets::intersect;
    "array_join", "array_join(array, separator[, filler])",
        "Joins the items of an array as a text, with a filler in place of NULL.", construct::join;
    "array_max", "array_max(array)", "Gives the greatest item of an array.", search::max;
    "array_min", "array_min(array)", "Gives the least item of an array.", search::min;
    "array_position", "array_position(array, value)",
        "Gives the place of a value in an array from 1, or 0.", search::position;
    "array_prepend", "array_prepend(array, value)", "Adds a value in front of an array.",
        edit::prepend;
    "array_remove", "array_remove(array, value)", "Leaves the items equal to a value out.",
        edit::remove;
    "array_repeat", "array_repeat(value, count)", "Makes an array of one value many times.",
        order::repeat;
    "array_size", "array_size(array)", "Gives how many items an array has.", search::array_size;
    "array_union", "array_union(array, array)", "Gives the items that either array has.",
        sets::union;
    "arrays_overlap", "arrays_overlap(array, array)", "Tells whether arrays have an item in common.",
        sets::overlap;
    "arrays_zip", "arrays_zip(array, ...)",
        "Makes an array of structs of the items at the same places.", construct::zip;
    "element_at", "element_at(container, key)",
        "Gives the item at a place of an array from 1, or the value of a key of a map.",
        element::element_at;
    "flatten", "flatten(arrays)", "Makes one array of an array of arrays.", order::flatten;
    "get", "get(array, place)", "Gives the item at a place of an array from 0, or NULL.", order::get;
    "greatest", "greatest(value, value, ...)", "Gives the greatest of values, without NULLs.",
        construct::greatest;
    "least", "least(value, value, ...)", "Gives the least of values, without NULLs.",
        construct::least;
    "map" | "create_map", "map(key, value, ...)", "Makes a map of keys and values in turns.",
        maps::map;
    "map_concat", "map_concat(map, ...)", "Makes one map of the entries of several.",
        maps::concat_maps;
    "map_contains_key", "map_contains_key(map, key)", "Tells whether a map has a key.",
        maps::contains_key;
    "map_entries", "map_entries(map)", "Gives the entries of a map as structs.", maps::entries;
    "map_from_arrays", "map_from_arrays(keys, values)",
        "Makes a map of an array of keys and one of values.", maps::from_arrays;
    "map_from_entries", "map_from_entries(entries)", "Makes a map of an array of pairs.",
        maps::from_entries;
    "map_keys", "map_keys(map)", "Gives the keys of a map.", maps::keys;
    "map_sort", "map_sort(value)", "Gives maps with their entries in the order of the keys.",
        sort_maps::udf;
    "map_values", "map_values(map)", "Gives the values of a map.", maps::values;
    "named_struct", "named_struct(name, value, ...)", "Makes a struct of names and values in turns.",
        construct::named_struct;
    "sequence", "sequence(start, stop[, step])",
        "Gives the numbers, dates or timestamps from one to another.", sequence::udf;
    "size" | "cardinality", "size(container)", "Gives how many items an array or a map has.",
        search::size;
    "slice", "slice(array, start, length)", "Gives so many items of an array from a place on.",
        order::slice;
    "sort_array", "sort_array(array[, ascending])",
        "Puts the items of an array in order, NULL as the least of all.", order::sort_array;
    "stack", "stack(rows, value, ...)", "Lays values out in so many rows.", stack::udf;
    "str_to_map", "str_to_map(text[, between entries[, between key and value]])",
        "Makes a map of a text of keys and values.", maps::from_text;
    "try_element_at", "try_element_at(container, key)",
        "Gives an item or value as `element_at`, or NULL where there is none.",
        element::try_element_at;
];
