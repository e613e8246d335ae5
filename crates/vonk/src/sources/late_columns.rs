//! Which Parquet scans decode most of their columns only for the rows that pass their filters.
//!
//! DataFusion leaves that to an option for all scans, with which TPC-H at scale 1 takes 1.3 times the
//! time: to cut rows out of a column costs more than to decode a few columns whole. It pays where many
//! columns are asked for and few of them filtered, as by `SELECT * … WHERE`.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNode;
use datafusion::datasource::physical_plan::{FileSource, ParquetSource};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};

/// How many columns have to be asked for beside those that are filtered.
const OTHERS_MIN: usize = 8;

/// The same, for each of those that are filtered.
const OTHERS_PER_FILTERED: usize = 4;

/// The source of a scan that is about to get these filters, reading late; `None` where that does not pay.
pub(super) fn reading_late(
    source: &Arc<dyn FileSource>,
    filters: &[Arc<dyn PhysicalExpr>],
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
    let pays = others >= OTHERS_MIN && others >= OTHERS_PER_FILTERED * filtered.len();
    pays.then(|| Arc::new(parquet.clone().with_pushdown_filters(true)) as Arc<dyn FileSource>)
}

fn calls_function(filter: &Arc<dyn PhysicalExpr>) -> bool {
    // The walk itself cannot fail.
    !matches!(filter.exists(|part| Ok(part.is::<ScalarFunctionExpr>())), Ok(false))
}
