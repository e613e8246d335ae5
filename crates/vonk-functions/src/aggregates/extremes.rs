//! `max_by`, `min_by`, `mode`: values of the rows that are first in some order.

use std::cmp::Ordering;
use std::collections::HashMap;

use arrow::array::{Array, AsArray, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::DataType;
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::AggregateUDF;

use super::hash_order::in_hash_order;
use super::whole::{Group, Kernel};
use crate::collections::first_type;
use crate::collections::keys::Keys;
use crate::collections::lists::list_of;
use crate::failure::Failure;
use crate::parameters::{Kind, Parameters};

/// The most values that `max_by` and `min_by` give.
const COUNT_MAX: i64 = 100_000;

/// `max_by(value, order[, count])`
pub(super) fn max_by() -> AggregateUDF {
    by("max_by", |group| first_by(group, Ordering::reverse))
}

/// `min_by(value, order[, count])`
pub(super) fn min_by() -> AggregateUDF {
    by("min_by", |group| first_by(group, |order| order))
}

fn by(name: &'static str, finish: fn(&Group<'_>) -> Result<ScalarValue>) -> AggregateUDF {
    let returns = |types: &[DataType]| match types.len() {
        3 => Ok(list_of(types[0].clone())),
        _ => first_type(types),
    };
    let parameters = Parameters::with_optional(&[Kind::Any, Kind::Any], &[Kind::Long]);
    Kernel { name, parameters, unify: None, returns, finish }.udf()
}

/// The values of the rows that come first; rows without an order are passed over.
fn first_by(group: &Group<'_>, direction: fn(Ordering) -> Ordering) -> Result<ScalarValue> {
    let keys = Keys::new(&group.columns[1])?;
    let mut rows = group.known(1);
    let compare = |a: &usize, b: &usize| direction(keys.get(*a).cmp(&keys.get(*b)));
    if group.columns.len() == 2 {
        // Of equal rows the last one stands, as in Spark.
        let first = rows.into_iter().reduce(|best, next| match compare(&next, &best) {
            Ordering::Greater => best,
            _ => next,
        });
        return first.map_or_else(|| group.null(), |row| group.value(0, row));
    }
    let count = match group.constant(2)? {
        Some(ScalarValue::Int64(Some(count))) => count,
        _ => return group.null(),
    };
    if !(1..=COUNT_MAX).contains(&count) {
        let condition = "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE";
        let message = format!("the count {count} is not between 1 and {COUNT_MAX}");
        return Err(Failure::new(condition, message).into());
    }
    rows.sort_by(compare);
    rows.truncate(usize::try_from(count).unwrap_or_default());
    if rows.is_empty() {
        return group.null();
    }
    let indices: UInt64Array = rows.iter().map(|row| *row as u64).collect();
    Ok(SingleRowListArrayBuilder::new(take(&group.columns[0], &indices, None)?).build_list_scalar())
}

/// `mode(value[, deterministic])`, or in the order of `WITHIN GROUP` with its direction behind it
pub(super) fn mode() -> AggregateUDF {
    let parameters = Parameters::with_optional(&[Kind::Any], &[Kind::Boolean, Kind::Boolean]);
    Kernel { name: "mode", parameters, unify: None, returns: first_type, finish: most_frequent }
        .udf()
}

/// Of values that are there as often: the first in the order of Spark's hash table; the least, or the greatest, if asked.
fn most_frequent(group: &Group<'_>) -> Result<ScalarValue> {
    let keys = Keys::new(&group.columns[0])?;
    let mut counts: HashMap<_, (usize, usize)> = HashMap::new();
    for row in group.known(0) {
        counts.entry(keys.get(row)).or_insert((0, row)).0 += 1;
    }
    let flag = |column: usize| match group.columns.get(column) {
        Some(flags) if !flags.is_empty() && flags.is_valid(0) => {
            Some(flags.as_boolean_opt().is_some_and(|flags| flags.value(0)))
        }
        _ => None,
    };
    let (is_ordered, is_descending) = (flag(1), flag(2));
    if is_ordered != Some(true) {
        let mut distinct: Vec<usize> = counts.values().map(|(_, row)| *row).collect();
        distinct.sort_unstable();
        let times = |row: &usize| counts.get(&keys.get(*row)).map_or(0, |(times, _)| *times);
        // Of the last, as the first that is not less often wins.
        let ordered = in_hash_order(&group.columns[0], &distinct);
        let best = ordered.and_then(|rows| rows.into_iter().rev().max_by_key(times));
        if let Some(row) = best {
            return group.value(0, row);
        }
    }
    let better = |a: (usize, usize), b: (usize, usize)| {
        let by_count = a.0.cmp(&b.0);
        let by_key = keys.get(b.1).cmp(&keys.get(a.1));
        by_count.then(match (is_ordered, is_descending) {
            (Some(true), Some(true)) => by_key.reverse(),
            _ => by_key,
        })
    };
    let best = counts.into_values().reduce(|best, next| match better(next, best) {
        Ordering::Greater => next,
        _ => best,
    });
    best.map_or_else(|| group.null(), |(_, row)| group.value(0, row))
}
