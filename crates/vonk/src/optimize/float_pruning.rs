//! Keeps Parquet scans from skipping rows by the bounds of floating-point columns.
//!
//! Writers leave NaN out of the least and greatest value of a column, and NaN is greater than every
//! number; a row group whose numbers are all too small may well hold NaN (apache/datafusion#24804).
//! The filter itself stays above the scan. sql/sources/parquet_nan.slt proves it.

use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::config::ConfigOptions;
use datafusion::datasource::physical_plan::{
    FileScanConfig, FileScanConfigBuilder, FileSource, ParquetSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_expr::expressions::{Column, Literal, lit};
use datafusion::physical_expr::{PhysicalExpr, conjunction, split_conjunction};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;

/// Takes the conditions on floating-point columns from what Parquet scans prune by.
#[derive(Debug)]
pub(super) struct WithoutFloats;

impl PhysicalOptimizerRule for WithoutFloats {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        let pruned = plan.transform_up(|plan| {
            Ok(match without_floats(&plan)? {
                Some(changed) => Transformed::yes(changed),
                None => Transformed::no(plan),
            })
        })?;
        Ok(pruned.data)
    }

    fn name(&self) -> &str {
        "float_pruning"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn without_floats(plan: &Arc<dyn ExecutionPlan>) -> DfResult<Option<Arc<dyn ExecutionPlan>>> {
    let Some(scan) = plan.downcast_ref::<DataSourceExec>() else { return Ok(None) };
    let Some(config) = scan.data_source().downcast_ref::<FileScanConfig>() else {
        return Ok(None);
    };
    let Some(source) = config.file_source().downcast_ref::<ParquetSource>() else {
        return Ok(None);
    };
    let Some(predicate) = source.filter() else { return Ok(None) };
    let computed = plan.schema();
    let schemas = [config.file_schema().as_ref(), computed.as_ref()];
    let conditions = split_conjunction(&predicate);
    let mut kept = Vec::with_capacity(conditions.len());
    for condition in &conditions {
        if !reads_float(condition, &schemas)? {
            kept.push(Arc::clone(condition));
        }
    }
    if kept.len() == conditions.len() {
        return Ok(None);
    }
    let predicate = if kept.is_empty() { lit(true) } else { conjunction(kept) };
    let source = Arc::new(source.with_predicate(predicate));
    let config = FileScanConfigBuilder::from(config.clone()).with_source(source).build();
    Ok(Some(DataSourceExec::from_data_source(config)))
}

/// Whether a condition is about a floating-point column of the file or one that the scan computes.
fn reads_float(expr: &Arc<dyn PhysicalExpr>, schemas: &[&Schema]) -> DfResult<bool> {
    let mut found = false;
    expr.apply(|expr| {
        found |= match (expr.downcast_ref::<Column>(), expr.downcast_ref::<Literal>()) {
            (Some(column), _) => {
                let mut fields =
                    schemas.iter().filter_map(|schema| schema.field_with_name(column.name()).ok());
                fields.any(|field| field.data_type().is_floating())
            }
            // What stands for a column that the scan computes. Its -0.0 would be less than 0.0 here.
            (_, Some(value)) => value.value().data_type().is_floating(),
            _ => false,
        };
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}
