//! `collect_set`, `collect_union`, `collect_in_order`, `listagg`: the values of a group as an array or a text.

use std::cmp::Ordering;
use std::collections::HashSet;

use arrow::array::{AsArray, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::DataType;
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::AggregateUDF;

use super::whole::{Group, Kernel};
use crate::collections::first_type;
use crate::collections::keys::Keys;
use crate::collections::lists::{Lists, list_of};
use crate::parameters::{Kind, Parameters};

/// `collect_set(value)`
pub(super) fn collect_set() -> AggregateUDF {
    let returns = |types: &[DataType]| Ok(list_of(types[0].clone()));
    let finish = |group: &Group<'_>| {
        let keys = Keys::new(&group.columns[0])?;
        let mut seen = HashSet::new();
        let rows = group.known(0).into_iter().filter(|row| seen.insert(keys.get(*row)));
        let indices: UInt64Array = rows.map(|row| row as u64).collect();
        let items = take(&group.columns[0], &indices, None)?;
        Ok(SingleRowListArrayBuilder::new(items).build_list_scalar())
    };
    let parameters = Parameters::exact(&[Kind::Any]);
    Kernel { name: "collect_set", parameters, unify: None, returns, finish }.udf()
}

/// `collect_union(array)`
pub(super) fn collect_union() -> AggregateUDF {
    let finish = |group: &Group<'_>| {
        let lists = Lists::new(&group.columns[0])?;
        let keys = Keys::new(lists.items())?;
        let mut seen = HashSet::new();
        let items = (0..group.rows()).flat_map(|row| lists.range(row));
        let items = items.filter(|index| seen.insert(keys.get(*index)));
        let indices: UInt64Array = items.map(|index| index as u64).collect();
        let items = take(lists.items(), &indices, None)?;
        Ok(SingleRowListArrayBuilder::new(items).build_list_scalar())
    };
    let parameters = Parameters::exact(&[Kind::List]);
    Kernel { name: "collect_union", parameters, unify: None, returns: first_type, finish }.udf()
}

/// `collect_in_order(value)`; behind it, for each order: whether it descends, whether NULL comes first, and
/// the value itself
pub(super) fn collect_in_order() -> AggregateUDF {
    let returns = |types: &[DataType]| Ok(list_of(types[0].clone()));
    let finish = |group: &Group<'_>| {
        let indices: UInt64Array = in_order(group, 1)?.iter().map(|row| *row as u64).collect();
        let items = take(&group.columns[0], &indices, None)?;
        Ok(SingleRowListArrayBuilder::new(items).build_list_scalar())
    };
    let parameters = Parameters::with_any_number(&[Kind::Any], Kind::Any);
    Kernel { name: "collect_in_order", parameters, unify: None, returns, finish }.udf()
}

/// `listagg(text[, separator])`; behind them, for each order of `WITHIN GROUP`: whether it descends,
/// whether NULL comes first, and the value itself
pub(super) fn listagg() -> AggregateUDF {
    let parameters = Parameters::with_any_number(&[Kind::TextOrBytes], Kind::Any);
    let returns = |types: &[DataType]| {
        Ok(if types[0] == DataType::BinaryView { DataType::Binary } else { DataType::Utf8 })
    };
    Kernel { name: "listagg", parameters, unify: Some(like_first), returns, finish: joined }.udf()
}

/// The separator becomes what it separates.
fn like_first(_: &str, mut types: Vec<DataType>) -> Result<Vec<DataType>> {
    if types.len() > 1 {
        types[1] = types[0].clone();
    }
    Ok(types)
}

/// The rows whose value is known, by the orders that the columns from `first` on tell.
fn in_order(group: &Group<'_>, first: usize) -> Result<Vec<usize>> {
    let mut rows = group.known(0);
    let orders = group.columns[first.min(group.columns.len())..].chunks_exact(3).map(|order| {
        let flag = |at: usize| order[at].as_boolean_opt().is_some_and(|flags| flags.value(0));
        Ok((flag(0), flag(1), Keys::new(&order[2])?))
    });
    let orders = orders.collect::<Result<Vec<(bool, bool, Keys)>>>()?;
    rows.sort_by(|a, b| {
        let by = |(descends, nulls_first, keys): &(bool, bool, Keys)| {
            let nulls = keys.is_null(*a).cmp(&keys.is_null(*b));
            let nulls = if *nulls_first { nulls.reverse() } else { nulls };
            let values = keys.get(*a).cmp(&keys.get(*b));
            nulls.then(if *descends { values.reverse() } else { values })
        };
        orders.iter().map(by).find(|order| *order != Ordering::Equal).unwrap_or(Ordering::Equal)
    });
    Ok(rows)
}

fn joined(group: &Group<'_>) -> Result<ScalarValue> {
    let rows = in_order(group, 2)?;
    if rows.is_empty() {
        return group.null();
    }
    let values = &group.columns[0];
    let separator = group.constant(1)?;
    if let Some(bytes) = values.as_binary_view_opt() {
        let parts: Vec<&[u8]> = rows.iter().map(|row| bytes.value(*row)).collect();
        let separator = match &separator {
            Some(ScalarValue::BinaryView(Some(separator))) => separator.as_slice(),
            _ => &[],
        };
        return Ok(ScalarValue::Binary(Some(parts.join(separator))));
    }
    let texts = values.as_string_view();
    let parts: Vec<&str> = rows.iter().map(|row| texts.value(*row)).collect();
    let separator = separator.as_ref().and_then(|separator| separator.try_as_str().flatten());
    Ok(ScalarValue::Utf8(Some(parts.join(separator.unwrap_or_default()))))
}
