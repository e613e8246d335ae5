//! `approx_top_k` and its kin: the items that are there most often, with how often.
//!
//! Items are counted exactly while there are no more than the sketch may track; past that, the
//! rarest give way, as in the frequent items sketch of Apache DataSketches, whose order of items
//! that are there equally often is kept as well.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, ListArray, StructArray};
use arrow::datatypes::{DataType, Field, Fields, Int32Type, Int64Type};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

use crate::aggregates::whole;
use crate::collections::lists::list_of;
use crate::failure::Failure;
use crate::function::Kernel;
use crate::parameters::{Kind, Parameters};

/// How many items are given and tracked, if nobody says.
const TOP: i32 = 5;
const TRACKED: i32 = 10_000;

/// The most items that may be tracked.
const TRACKED_MAX: i32 = 1_000_000;

/// The part of the table of DataSketches that may be full, and the step in which it is walked.
const LOAD: f64 = 0.75;
const STEP: f64 = 0.618_033_988_749_894_9;

/// Items and how often each was there.
struct Counts {
    counts: HashMap<ScalarValue, i64>,
    /// The items in the order in which they came.
    order: Vec<ScalarValue>,
    tracked: i32,
}

impl Counts {
    fn new(tracked: i32) -> Self {
        Self { counts: HashMap::new(), order: Vec::new(), tracked }
    }

    fn add(&mut self, item: ScalarValue, count: i64) {
        match self.counts.get_mut(&item) {
            Some(known) => *known += count,
            None => {
                self.order.push(item.clone());
                self.counts.insert(item, count);
                self.forget_the_rarest();
            }
        }
    }

    /// Takes the median from every count where there are too many items, and drops those at zero.
    fn forget_the_rarest(&mut self) {
        if self.counts.len() <= usize::try_from(self.tracked).unwrap_or(0) {
            return;
        }
        let mut sorted: Vec<i64> = self.counts.values().copied().collect();
        let middle = sorted.len() / 2;
        let (_, median, _) = sorted.select_nth_unstable(middle);
        let median = *median;
        self.counts.retain(|_, count| {
            *count -= median;
            *count > 0
        });
        self.order.retain(|item| self.counts.contains_key(item));
    }

    /// The items by how often they were there, the most frequent first.
    fn sorted(&self) -> Vec<(ScalarValue, i64)> {
        let mut size: usize = 8;
        while self.order.len() as f64 > size as f64 * LOAD {
            size *= 2;
        }
        let mut slots: Vec<Option<&ScalarValue>> = vec![None; size];
        for item in &self.order {
            let mut at = hash_of(item) as usize & (size - 1);
            while slots[at].is_some() {
                at = (at + 1) & (size - 1);
            }
            slots[at] = Some(item);
        }
        let step = (size as f64 * STEP) as usize | 1;
        let walked = (0..size).filter_map(|turn| slots[(turn * step) & (size - 1)]);
        let mut items: Vec<(ScalarValue, i64)> =
            walked.map(|item| (item.clone(), self.counts[item])).collect();
        items.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        items
    }
}

/// The hash by which DataSketches places an item: Java's, mixed.
fn hash_of(item: &ScalarValue) -> u64 {
    let folded = |value: i64| (value ^ (value as u64 >> 32) as i64) as i32;
    let java = match item {
        ScalarValue::Boolean(Some(value)) => {
            if *value {
                1231
            } else {
                1237
            }
        }
        ScalarValue::Int8(Some(value)) => i32::from(*value),
        ScalarValue::Int16(Some(value)) => i32::from(*value),
        ScalarValue::Int32(Some(value)) | ScalarValue::Date32(Some(value)) => *value,
        ScalarValue::Int64(Some(value))
        | ScalarValue::TimestampMicrosecond(Some(value), _)
        | ScalarValue::DurationMicrosecond(Some(value)) => folded(*value),
        ScalarValue::Float32(Some(value)) => value.to_bits() as i32,
        ScalarValue::Float64(Some(value)) => folded(value.to_bits() as i64),
        other => match other.try_as_str().flatten() {
            Some(text) => text
                .encode_utf16()
                .fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit))),
            None => 0,
        },
    };
    let mut hash = i64::from(java) as u64;
    hash = (hash ^ hash >> 33).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    hash = (hash ^ hash >> 33).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
    hash ^ hash >> 33
}

fn top_fields(item: &DataType) -> Fields {
    Fields::from(vec![
        Field::new("item", item.clone(), true),
        Field::new("count", DataType::Int64, false),
    ])
}

fn state_fields(item: &DataType) -> Fields {
    Fields::from(vec![
        Field::new("items", list_of(item.clone()), false),
        Field::new("counts", list_of(DataType::Int64), false),
        Field::new("maxItemsTracked", DataType::Int32, false),
    ])
}

/// The type of the items of a state.
fn item_of(state: &DataType) -> Result<DataType> {
    if let DataType::Struct(fields) = state
        && let Some(DataType::List(item)) = fields.first().map(|field| field.data_type())
        && fields.len() == 3
    {
        return Ok(item.data_type().clone());
    }
    plan_err!("a state of `approx_top_k_accumulate` is needed, not {state}")
}

/// A number among the arguments of a group.
fn number(group: &whole::Group<'_>, at: usize, name: &str, default: i32) -> Result<i32> {
    let given = match group.constant(at)? {
        Some(ScalarValue::Int32(Some(given))) => given,
        _ => default,
    };
    if given > 0 {
        return Ok(given);
    }
    let message = format!("`{name}` is {given}, not a positive number");
    Err(Failure::new("APPROX_TOP_K_NON_POSITIVE_ARG", message).into())
}

fn tracked(group: &whole::Group<'_>, at: usize) -> Result<i32> {
    let tracked = number(group, at, "maxItemsTracked", TRACKED)?;
    if tracked <= TRACKED_MAX {
        return Ok(tracked);
    }
    let message = format!("`maxItemsTracked` is {tracked}, of {TRACKED_MAX} at most");
    Err(Failure::new("APPROX_TOP_K_MAX_ITEMS_TRACKED_EXCEEDS_LIMIT", message).into())
}

fn counted(group: &whole::Group<'_>, tracked: i32) -> Result<Counts> {
    let mut counts = Counts::new(tracked);
    for row in group.known(0) {
        counts.add(group.value(0, row)?, 1);
    }
    Ok(counts)
}

fn items_array(items: &[(ScalarValue, i64)], item: &DataType) -> Result<ArrayRef> {
    match items.is_empty() {
        true => Ok(arrow::array::new_empty_array(item)),
        false => ScalarValue::iter_to_array(items.iter().map(|(item, _)| item.clone())),
    }
}

/// The first items as an array of structs.
fn top(counts: &Counts, top: i32, item: &DataType) -> Result<ArrayRef> {
    let mut items = counts.sorted();
    items.truncate(usize::try_from(top).unwrap_or(0));
    let numbers = Int64Array::from_iter_values(items.iter().map(|(_, count)| *count));
    let columns: Vec<ArrayRef> = vec![items_array(&items, item)?, Arc::new(numbers)];
    Ok(Arc::new(StructArray::try_new(top_fields(item), columns, None)?))
}

fn one_list(items: ArrayRef) -> ListArray {
    datafusion::common::utils::SingleRowListArrayBuilder::new(items).build_list_array()
}

fn state(counts: &Counts, item: &DataType) -> Result<ScalarValue> {
    let pairs: Vec<(ScalarValue, i64)> =
        counts.order.iter().map(|item| (item.clone(), counts.counts[item])).collect();
    let numbers = Int64Array::from_iter_values(pairs.iter().map(|(_, count)| *count));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(one_list(items_array(&pairs, item)?)),
        Arc::new(one_list(Arc::new(numbers))),
        Arc::new(arrow::array::Int32Array::from(vec![counts.tracked])),
    ];
    let row = StructArray::try_new(state_fields(item), columns, None)?;
    Ok(ScalarValue::Struct(Arc::new(row)))
}

/// Adds the counts of a state in a row.
fn add_state(counts: &mut Counts, states: &StructArray, row: usize) -> Result<()> {
    let items = states.column(0).as_list::<i32>().value(row);
    let numbers = states.column(1).as_list::<i32>().value(row);
    let numbers = numbers.as_primitive::<Int64Type>();
    for at in 0..items.len() {
        counts.add(ScalarValue::try_from_array(&items, at)?, numbers.value(at));
    }
    Ok(())
}

/// `approx_top_k(item[, k[, maxItemsTracked]])`
pub(super) fn approx_top_k() -> AggregateUDF {
    let parameters = Parameters::with_optional(&[Kind::Any], &[Kind::Int, Kind::Int]);
    let returns = |types: &[DataType]| Ok(list_of(DataType::Struct(top_fields(&types[0]))));
    let finish = |group: &whole::Group<'_>| {
        let (k, tracked) = (number(group, 1, "k", TOP)?, tracked(group, 2)?);
        if k > tracked {
            let message = format!("`k` is {k}, more than the {tracked} items that are tracked");
            let condition = "APPROX_TOP_K_MAX_ITEMS_TRACKED_LESS_THAN_K";
            return Err(Failure::new(condition, message).into());
        }
        let items = top(&counted(group, tracked)?, k, group.columns[0].data_type())?;
        Ok(ScalarValue::List(Arc::new(one_list(items))))
    };
    whole::Kernel { name: "approx_top_k", parameters, unify: None, returns, finish }.udf()
}

/// `approx_top_k_accumulate(item[, maxItemsTracked])`
pub(super) fn accumulate() -> AggregateUDF {
    let parameters = Parameters::with_optional(&[Kind::Any], &[Kind::Int]);
    let returns = |types: &[DataType]| Ok(DataType::Struct(state_fields(&types[0])));
    let finish = |group: &whole::Group<'_>| {
        let tracked = tracked(group, 1)?;
        state(&counted(group, tracked)?, group.columns[0].data_type())
    };
    whole::Kernel { name: "approx_top_k_accumulate", parameters, unify: None, returns, finish }
        .udf()
}

/// `approx_top_k_combine(state[, maxItemsTracked])`
pub(super) fn combine() -> AggregateUDF {
    let parameters = Parameters::with_optional(&[Kind::Any], &[Kind::Int]);
    let returns = |types: &[DataType]| {
        item_of(&types[0])?;
        Ok(types[0].clone())
    };
    let finish = |group: &whole::Group<'_>| {
        let item = item_of(group.columns[0].data_type())?;
        let mut counts = Counts::new(tracked(group, 1)?);
        let states = group.columns[0].as_struct();
        for row in group.known(0) {
            add_state(&mut counts, states, row)?;
        }
        state(&counts, &item)
    };
    whole::Kernel { name: "approx_top_k_combine", parameters, unify: None, returns, finish }.udf()
}

/// `approx_top_k_estimate(state[, k])`
pub(super) fn estimate() -> ScalarUDF {
    let parameters = Parameters::with_optional(&[Kind::Any], &[Kind::Int]);
    let returns: fn(&[DataType]) -> Result<DataType> =
        |types| Ok(list_of(DataType::Struct(top_fields(&item_of(&types[0])?))));
    Kernel::new("approx_top_k_estimate", parameters, returns, |call| {
        let states = call.array(0)?;
        let item = item_of(states.data_type())?;
        let tops = call.optional::<Int32Type>(1)?;
        let states = states.as_struct();
        let mut lists = Vec::with_capacity(call.rows);
        for row in 0..call.rows {
            if states.is_null(row) {
                lists.push(ScalarValue::try_new_null(call.returns)?);
                continue;
            }
            let mut counts = Counts::new(TRACKED_MAX);
            add_state(&mut counts, states, row)?;
            let k = tops.as_ref().map_or(TOP, |tops| tops.value(row));
            lists.push(ScalarValue::List(Arc::new(one_list(top(&counts, k, &item)?))));
        }
        match lists.is_empty() {
            true => Ok(arrow::array::new_empty_array(call.returns)),
            false => ScalarValue::iter_to_array(lists),
        }
    })
    .udf()
}
