//! Which Parquet scans decode most of their columns only for the rows that pass their filters.
//!
//! DataFusion leaves that to an option for all scans, with which TPC-H at scale 1 takes 1.3 times the
//! time: to cut rows out of a column costs more than to decode a few columns whole. It pays where many
//! columns are asked for and few of them filtered, as by `SELECT * … WHERE`, and where a key is asked for
//! that few rows have, as by `WHERE customer = 62`.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNode;
use datafusion::common::{ColumnStatistics, ScalarValue, Statistics};
use datafusion::datasource::physical_plan::{FileSource, ParquetSource};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, Literal};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr, split_conjunction};

/// How many columns have to be asked for beside those that are filtered.
const OTHERS_MIN: usize = 8;

/// The same, for each of those that are filtered.
const OTHERS_PER_FILTERED: usize = 4;

/// How far apart the least and the greatest value of a column of keys are at least.
const KEYS_MIN: u64 = 1000;

/// The source of a scan that is about to get these filters, reading late; `None` where that does not pay.
/// `spreads` tells how far apart the values of each column are, where that is known.
pub(super) fn reading_late(
    source: &Arc<dyn FileSource>,
    filters: &[Arc<dyn PhysicalExpr>],
    spreads: &[Option<u64>],
) -> Option<Arc<dyn FileSource>> {
    let parquet = source.downcast_ref::<ParquetSource>()?;
    // An error of a function would be told as one of the file.
    if filters.iter().any(calls_function) {
        return None;
    }
    let filtered: HashSet<usize> = filters
        .iter()
        .flat_map(|filter| collect_columns(filter).into_iter().map(|column| column.index()))
        .collect();
    let asked: Vec<usize> = match source.projection() {
        Some(projection) => projection.column_indices(),
        None => (0..source.table_schema().table_schema().fields().len()).collect(),
    };
    let others = asked.iter().filter(|column| !filtered.contains(column)).count();
    let is_wide = others >= OTHERS_MIN && others >= OTHERS_PER_FILTERED * filtered.len();
    let asks_for_key = asked.len() > 1
        && filters.iter().flat_map(split_conjunction).any(|filter| is_key(filter, spreads));
    (is_wide || asks_for_key)
        .then(|| Arc::new(parquet.clone().with_pushdown_filters(true)) as Arc<dyn FileSource>)
}

/// How far apart the values of each column are, by the least and the greatest of numbers and dates.
pub(super) fn spreads(statistics: &Statistics) -> Vec<Option<u64>> {
    let columns = statistics.column_statistics.iter();
    let spread = |column: &ColumnStatistics| {
        let least = number(column.min_value.get_value()?)?;
        number(column.max_value.get_value()?)?.checked_sub(least)?.try_into().ok()
    };
    columns.map(spread).collect()
}

/// Whether a filter asks for one value of many; 0 often stands for none, which many rows may have.
fn is_key(filter: &Arc<dyn PhysicalExpr>, spreads: &[Option<u64>]) -> bool {
    let Some(equality) = filter.downcast_ref::<BinaryExpr>() else { return false };
    let (column, value) = (equality.left(), equality.right());
    let Some(column) = column.downcast_ref::<Column>() else { return false };
    let Some(value) = value.downcast_ref::<Literal>().and_then(|value| number(value.value()))
    else {
        return false;
    };
    let spread = spreads.get(column.index()).copied().flatten();
    *equality.op() == Operator::Eq && value != 0 && spread.is_some_and(|spread| spread >= KEYS_MIN)
}

fn number(value: &ScalarValue) -> Option<i64> {
    match value {
        ScalarValue::Int16(number) => number.map(i64::from),
        ScalarValue::Int32(number) | ScalarValue::Date32(number) => number.map(i64::from),
        ScalarValue::Int64(number) => *number,
        _ => None,
    }
}

fn calls_function(filter: &Arc<dyn PhysicalExpr>) -> bool {
    // The walk itself cannot fail.
    !matches!(filter.exists(|part| Ok(part.is::<ScalarFunctionExpr>())), Ok(false))
}
