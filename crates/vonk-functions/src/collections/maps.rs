//! Maps: made of keys and values, put together, taken apart.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, MapArray, StructArray, UInt64Array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{concat, take};
use arrow::datatypes::{DataType, Field};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ScalarUDF;

use super::construct::{interleaved, of_values};
use super::keys::{Keys, canonical};
use super::lists::{Lists, fit, item_of, list, list_of};
use super::types::{self, entry_of, map_of};
use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::java_regex::Patterns;
use crate::parameters::{Kind, Parameters};

/// A column of maps: where each of them begins and ends among the entries.
pub(crate) struct Maps {
    map: MapArray,
}

impl Maps {
    /// Reads a column of maps.
    pub(crate) fn new(array: &ArrayRef) -> Result<Self> {
        match array.data_type() {
            DataType::Map(..) => Ok(Self { map: array.as_map().clone() }),
            other => exec_err!("a map is needed, not {other}"),
        }
    }

    pub(crate) fn is_null(&self, row: usize) -> bool {
        self.map.is_null(row)
    }

    pub(crate) fn nulls(&self) -> Option<&NullBuffer> {
        self.map.nulls()
    }

    pub(crate) fn keys(&self) -> &ArrayRef {
        self.map.keys()
    }

    pub(crate) fn values(&self) -> &ArrayRef {
        self.map.values()
    }

    /// Where a row's entries stand; NULL has none.
    pub(crate) fn range(&self, row: usize) -> Range<usize> {
        if self.map.is_null(row) {
            return 0..0;
        }
        let offsets = self.map.value_offsets();
        let place = |at: usize| usize::try_from(offsets[at]).unwrap_or_default();
        place(row)..place(row + 1)
    }
}

/// Whether a type is a map or has one as a part.
fn holds_map(data_type: &DataType) -> bool {
    match data_type {
        DataType::Map(..) => true,
        DataType::List(item) => holds_map(item.data_type()),
        DataType::Struct(parts) => parts.iter().any(|part| holds_map(part.data_type())),
        _ => false,
    }
}

/// Maps of these lengths over keys and values behind each other.
///
/// # Errors
/// `NULL_MAP_KEY`, and `DUPLICATED_MAP_KEY` for a key that one map has twice.
pub(crate) fn build(
    keys: &ArrayRef,
    values: &ArrayRef,
    lengths: &[usize],
    nulls: Option<NullBuffer>,
    returns: &DataType,
) -> Result<ArrayRef> {
    let (key_type, value_type) = entry_of(returns);
    if holds_map(&key_type) {
        let message = format!("a map cannot be a key of a map: {}", crate::types::name(returns));
        let failure = Failure::new("DATATYPE_MISMATCH.INVALID_MAP_KEY_TYPE", message);
        return Err(failure.hint("use `map_entries` of it as the key").into());
    }
    let keys = canonical(&fit(keys, &key_type)?)?;
    let values = fit(values, &value_type)?;
    check_keys(&keys, lengths)?;
    let DataType::Map(entries, sorted) = returns else {
        return exec_err!("a map is made, not a value of {returns}");
    };
    let DataType::Struct(fields) = entries.data_type() else {
        return exec_err!("a map has entries, not {}", entries.data_type());
    };
    let parts = StructArray::try_new(fields.clone(), vec![keys, values], None)?;
    let offsets = OffsetBuffer::from_lengths(lengths.iter().copied());
    let nulls = nulls.filter(|nulls| nulls.null_count() > 0);
    Ok(Arc::new(MapArray::try_new(Arc::clone(entries), offsets, parts, nulls, *sorted)?))
}

/// As [`build`], but of a key that one map has twice the last value counts if the session says so.
fn made(
    call: &Call<'_>,
    (keys, values): (&ArrayRef, &ArrayRef),
    lengths: &[usize],
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    if !call.last_key_wins() {
        return build(keys, values, lengths, nulls, call.returns);
    }
    let fitted = canonical(&fit(keys, &entry_of(call.returns).0)?)?;
    let known = Keys::new(&fitted)?;
    let mut entries = Entries::default();
    let mut begin = 0;
    for length in lengths {
        let mut places: HashMap<_, usize> = HashMap::with_capacity(*length);
        let mut kept: Vec<(usize, usize)> = Vec::with_capacity(*length);
        for index in begin..begin + length {
            match places.entry(known.get(index)) {
                Entry::Occupied(place) => kept[*place.get()].1 = index,
                Entry::Vacant(place) => {
                    place.insert(kept.len());
                    kept.push((index, index));
                }
            }
        }
        kept.into_iter().for_each(|(key, value)| entries.push(key, value));
        entries.end();
        begin += length;
    }
    entries.finish(keys, values, nulls, call.returns)
}

fn check_keys(keys: &ArrayRef, lengths: &[usize]) -> Result<()> {
    if keys.logical_null_count() > 0 {
        let failure = Failure::new("NULL_MAP_KEY", "a key of a map is NULL");
        return Err(failure.hint("leave entries without a key out").into());
    }
    let rows = Keys::new(keys)?;
    let mut begin = 0;
    for length in lengths {
        let mut seen = HashSet::with_capacity(*length);
        for index in begin..begin + length {
            if !seen.insert(rows.get(index)) {
                let key = datafusion::common::ScalarValue::try_from_array(keys, index)?;
                let message = format!("the key `{key}` of a map is there twice");
                let failure = Failure::new("DUPLICATED_MAP_KEY", message);
                return Err(failure.hint("keep one entry of each key").into());
            }
        }
        begin += length;
    }
    Ok(())
}

/// `map(key, value, …)`
pub(super) fn map() -> ScalarUDF {
    let parameters = Parameters::with_any_number(&[], Kind::Any);
    let returns = |types: &[DataType]| {
        let part = |at: usize| types.get(at).cloned().unwrap_or(DataType::Null);
        Ok(map_of(part(0), part(1)))
    };
    Kernel::new("map", parameters, returns, |call| {
        let (key, value) = entry_of(call.returns);
        let columns = |first: usize, data_type: &DataType| {
            let columns =
                (first..call.count()).step_by(2).map(|at| fit(&call.array(at)?, data_type));
            interleaved(&columns.collect::<Result<Vec<_>>>()?, data_type, call.rows)
        };
        let (keys, values) = (columns(0, &key)?, columns(1, &value)?);
        made(call, (&keys, &values), &vec![call.count() / 2; call.rows], None)
    })
    .unifying(types::keys_and_values)
    .by_field(|fields, _| {
        let part = |at: usize| fields.iter().skip(at).step_by(2).map(AsRef::as_ref).collect();
        let (keys, values): (Vec<&Field>, Vec<&Field>) = (part(0), part(1));
        Ok(named_map(&of_values("key", &keys), &of_values("value", &values)))
    })
    .udf()
}

/// A map whose keys and values keep Spark's names of their types.
fn named_map(key: &Field, value: &Field) -> DataType {
    let plain = map_of(key.data_type().clone(), value.data_type().clone());
    let DataType::Map(entries, sorted) = &plain else { return plain };
    let DataType::Struct(parts) = entries.data_type() else { return plain };
    let named = parts
        .iter()
        .zip([key, value])
        .map(|(part, given)| part.as_ref().clone().with_metadata(given.metadata().clone()));
    let entries = entries.as_ref().clone().with_data_type(DataType::Struct(named.collect()));
    DataType::Map(Arc::new(entries), *sorted)
}

/// `map_from_arrays(keys, values)`
pub(super) fn from_arrays() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::List, Kind::List]);
    let returns = |types: &[DataType]| Ok(map_of(item_of(&types[0]), item_of(&types[1])));
    Kernel::new("map_from_arrays", parameters, returns, |call| {
        let (keys, values) = (call.lists(0)?, call.lists(1)?);
        let nulls = NullBuffer::union(keys.nulls(), values.nulls());
        let mut entries = Entries::default();
        for row in 0..call.rows {
            if keys.is_null(row) || values.is_null(row) {
                entries.end();
                continue;
            }
            let (own_keys, own_values) = (keys.range(row), values.range(row));
            if own_keys.len() != own_values.len() {
                let message = "the arrays of keys and of values of a map differ in length";
                return Err(Failure::new("INVALID_PARAMETER_VALUE", message).into());
            }
            own_keys.zip(own_values).for_each(|(key, value)| entries.push(key, value));
            entries.end();
        }
        entries.made(call, keys.items(), values.items(), nulls)
    })
    .udf()
}

/// `map_from_entries(array of structs of two fields)`
pub(super) fn from_entries() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::List]);
    Kernel::new("map_from_entries", parameters, type_from_entries, |call| {
        let lists = call.lists(0)?;
        let structs = lists.items().as_struct();
        let is_open =
            |row: usize| lists.is_null(row) || lists.range(row).any(|index| structs.is_null(index));
        let nulls: NullBuffer = (0..call.rows).map(|row| !is_open(row)).collect();
        let mut entries = Entries::default();
        for row in 0..call.rows {
            if nulls.is_valid(row) {
                lists.range(row).for_each(|index| entries.push(index, index));
            }
            entries.end();
        }
        entries.made(call, structs.column(0), structs.column(1), Some(nulls))
    })
    .udf()
}

fn type_from_entries(types: &[DataType]) -> Result<DataType> {
    match item_of(&types[0]) {
        DataType::Struct(fields) if fields.len() == 2 => {
            Ok(map_of(fields[0].data_type().clone(), fields[1].data_type().clone()))
        }
        other => {
            let condition = "DATATYPE_MISMATCH.MAP_FROM_ENTRIES_WRONG_TYPE";
            let message = format!("`map_from_entries` takes an array of pairs, not one of {other}");
            Err(Failure::new(condition, message).into())
        }
    }
}

/// Maps under construction: for each row, which keys and values it has.
#[derive(Default)]
pub(crate) struct Entries {
    keys: Vec<u64>,
    values: Vec<u64>,
    lengths: Vec<usize>,
    begin: usize,
}

impl Entries {
    /// Adds the key and the value at these indices to the row under construction.
    pub(crate) fn push(&mut self, key: usize, value: usize) {
        self.keys.push(key as u64);
        self.values.push(value as u64);
    }

    /// Ends a row.
    pub(crate) fn end(&mut self) {
        self.lengths.push(self.keys.len() - self.begin);
        self.begin = self.keys.len();
    }

    /// The maps, of the type `returns`.
    pub(crate) fn finish(
        self,
        keys: &ArrayRef,
        values: &ArrayRef,
        nulls: Option<NullBuffer>,
        returns: &DataType,
    ) -> Result<ArrayRef> {
        let keys = take(keys, &UInt64Array::from(self.keys), None)?;
        let values = take(values, &UInt64Array::from(self.values), None)?;
        build(&keys, &values, &self.lengths, nulls, returns)
    }

    /// As [`Entries::finish`], for a function that makes maps of what may have a key twice.
    fn made(
        self,
        call: &Call<'_>,
        keys: &ArrayRef,
        values: &ArrayRef,
        nulls: Option<NullBuffer>,
    ) -> Result<ArrayRef> {
        let keys = take(keys, &UInt64Array::from(self.keys), None)?;
        let values = take(values, &UInt64Array::from(self.values), None)?;
        made(call, (&keys, &values), &self.lengths, nulls)
    }
}

/// `map_concat(map, …)`
pub(super) fn concat_maps() -> ScalarUDF {
    let parameters = Parameters::with_any_number(&[], Kind::Map);
    let returns = |types: &[DataType]| {
        Ok(types.first().cloned().unwrap_or_else(|| map_of(DataType::Utf8View, DataType::Utf8View)))
    };
    Kernel::new("map_concat", parameters, returns, |call| {
        let maps = (0..call.count()).map(|at| Maps::new(&call.array(at)?));
        let maps = maps.collect::<Result<Vec<Maps>>>()?;
        let is_null = |row: usize| maps.iter().any(|map| map.is_null(row));
        let nulls: NullBuffer = (0..call.rows).map(|row| !is_null(row)).collect();
        let mut entries = Entries::default();
        for row in 0..call.rows {
            let mut begin = 0;
            for map in maps.iter().filter(|_| nulls.is_valid(row)) {
                let own = map.range(row);
                own.for_each(|index| entries.push(begin + index, begin + index));
                begin += map.keys().len();
            }
            entries.end();
        }
        if maps.is_empty() {
            let empty = arrow::array::new_empty_array(&DataType::Utf8View);
            return entries.made(call, &empty, &empty, Some(nulls));
        }
        let keys: Vec<&dyn Array> = maps.iter().map(|map| map.keys().as_ref()).collect();
        let values: Vec<&dyn Array> = maps.iter().map(|map| map.values().as_ref()).collect();
        entries.made(call, &concat(&keys)?, &concat(&values)?, Some(nulls))
    })
    .unifying(types::maps_alike)
    .udf()
}

/// `map_keys(map)`
pub(super) fn keys() -> ScalarUDF {
    let returns = |types: &[DataType]| Ok(list_of(entry_of(&types[0]).0));
    Kernel::new("map_keys", Parameters::exact(&[Kind::Map]), returns, |call| {
        parts(call, |maps| Arc::clone(maps.keys()))
    })
    .udf()
}

/// `map_values(map)`
pub(super) fn values() -> ScalarUDF {
    let returns = |types: &[DataType]| Ok(list_of(entry_of(&types[0]).1));
    Kernel::new("map_values", Parameters::exact(&[Kind::Map]), returns, |call| {
        parts(call, |maps| Arc::clone(maps.values()))
    })
    .udf()
}

/// `map_entries(map)`
pub(super) fn entries() -> ScalarUDF {
    let returns = |types: &[DataType]| match &types[0] {
        DataType::Map(entries, _) => Ok(list_of(entries.data_type().clone())),
        other => Ok(list_of(other.clone())),
    };
    Kernel::new("map_entries", Parameters::exact(&[Kind::Map]), returns, |call| {
        parts(call, |maps| Arc::new(maps.map.entries().clone()))
    })
    .udf()
}

fn parts(call: &Call<'_>, part: impl Fn(&Maps) -> ArrayRef) -> Result<ArrayRef> {
    let maps = Maps::new(&call.array(0)?)?;
    let DataType::List(item) = call.returns else {
        return exec_err!("an array is made, not a value of {}", call.returns);
    };
    let ranges = (0..call.rows).map(|row| maps.range(row));
    let lengths: Vec<usize> = ranges.clone().map(|range| range.len()).collect();
    let indices: UInt64Array = ranges.flatten().map(|index| Some(index as u64)).collect();
    let items = take(&part(&maps), &indices, None)?;
    list(item, lengths, items, maps.nulls().cloned())
}

/// `map_contains_key(map, key)`
pub(super) fn contains_key() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Map, Kind::Any]);
    Kernel::new(
        "map_contains_key",
        parameters,
        |_| Ok(DataType::Boolean),
        |call| {
            let maps = Maps::new(&call.array(0)?)?;
            let [keys, wanted] = Keys::of([maps.keys(), &call.array(1)?])?;
            let contains = |row: usize| {
                let is_open = maps.is_null(row) || wanted.is_null(row);
                let key = |index: usize| keys.get(index) == wanted.get(row);
                (!is_open).then(|| maps.range(row).any(key))
            };
            Ok(Arc::new((0..call.rows).map(contains).collect::<BooleanArray>()))
        },
    )
    .unifying(types::map_and_key)
    .udf()
}

/// `str_to_map(text[, between entries[, between key and value]])`, both regular expressions
pub(super) fn from_text() -> ScalarUDF {
    let parameters = Parameters::with_optional(&[Kind::Text], &[Kind::Text, Kind::Text]);
    let returns = |_: &[DataType]| Ok(map_of(DataType::Utf8View, DataType::Utf8View));
    Kernel::new("str_to_map", parameters, returns, |call| {
        let texts = call.text(0)?;
        let pattern = |at: usize| (call.count() > at).then(|| call.text(at)).transpose();
        let (outer, inner) = (pattern(1)?, pattern(2)?);
        let mut outer_patterns = Patterns::of("str_to_map");
        let mut inner_patterns = Patterns::of("str_to_map");
        let (mut keys, mut values) = (Vec::new(), Vec::new());
        let (mut lengths, mut valid) = (Vec::new(), Vec::new());
        for row in 0..call.rows {
            let before = keys.len();
            let is_open = |column: &Option<arrow::array::StringViewArray>| {
                column.as_ref().is_some_and(|column| column.is_null(row))
            };
            valid.push(!(texts.is_null(row) || is_open(&outer) || is_open(&inner)));
            if valid[row] {
                let outer = outer.as_ref().map_or(",", |column| column.value(row));
                let inner = inner.as_ref().map_or(":", |column| column.value(row));
                let mut entries = Vec::new();
                let text = texts.value(row);
                outer_patterns.get(outer)?.split(text, usize::MAX, |entry| entries.push(entry))?;
                let inner = inner_patterns.get(inner)?;
                for entry in entries {
                    let at = keys.len();
                    inner.split(entry, 2, |part| match keys.len() == at {
                        true => keys.push(Some(part)),
                        false => values.push(Some(part)),
                    })?;
                    // An entry without a separator is a key alone.
                    values.resize(keys.len(), None);
                }
            }
            lengths.push(keys.len() - before);
        }
        let keys: ArrayRef = Arc::new(arrow::array::StringViewArray::from(keys));
        let values: ArrayRef = Arc::new(arrow::array::StringViewArray::from(values));
        made(call, (&keys, &values), &lengths, Some(valid.into()))
    })
    .udf()
}

/// The items of an array argument as [`Lists`].
impl Call<'_> {
    /// An argument of arrays.
    pub(crate) fn lists(&self, at: usize) -> Result<Lists> {
        Lists::new(&self.array(at)?)
    }
}
