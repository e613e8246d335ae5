//! Operators of ours on their way to other processes; DataFusion's know how to travel themselves.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Result as DfResult, internal_err};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};

use crate::error::Error;
use crate::operators::forgetful::ForgetfulExec;
use crate::operators::in_order::InOrderExec;
use crate::operators::map_batches::MapBatchesExec;
use crate::operators::paced::PacedExec;
use crate::operators::spilling_join::SpillingJoinExec;
use crate::operators::token_count::TokenCountExec;
use crate::operators::{only_input, replace_children};
use crate::udf::{read_table, write_table};

/// An operator of ours without its inputs.
#[derive(Debug, Clone)]
pub enum Parts {
    /// Batches in the size that the work above them can bear.
    Paced,
    /// Rows of whose columns no more is known than their order.
    Forgetful,
    /// Code over the batches of each partition, with the columns that it gives.
    MapBatches(Vec<u8>),
    /// Partitions one after the other.
    InOrder {
        /// How many rows are wanted.
        fetch: Option<u64>,
    },
    /// DataFusion's join, over inputs without rows, with room on disk.
    SpillingJoin(Arc<dyn ExecutionPlan>),
    /// The parts of split texts, counted before they are rows.
    TokenCount {
        /// What is split.
        text: Arc<dyn PhysicalExpr>,
        /// Where.
        pattern: String,
        /// The name of the column of the parts.
        name: String,
    },
}

/// What stands for an operator, if it is one of ours.
///
/// # Errors
/// None but those of the foundation.
pub fn take_apart(plan: &Arc<dyn ExecutionPlan>) -> DfResult<Option<Parts>> {
    if plan.is::<PacedExec>() {
        return Ok(Some(Parts::Paced));
    }
    if plan.is::<ForgetfulExec>() {
        return Ok(Some(Parts::Forgetful));
    }
    if let Some(map) = plan.downcast_ref::<MapBatchesExec>() {
        if map.is_ordered() {
            let message = "a step of the query may go by the order of all its rows";
            return Err(Error::unsupported(message).into());
        }
        return Ok(Some(Parts::MapBatches(write_table(map.code().as_ref(), &map.schema())?)));
    }
    if let Some(ordered) = plan.downcast_ref::<InOrderExec>() {
        return Ok(Some(Parts::InOrder { fetch: ordered.fetch().map(|rows| rows as u64) }));
    }
    if let Some(join) = plan.downcast_ref::<SpillingJoinExec>() {
        let inputs = plan.children().into_iter().map(without_rows).collect();
        let join: Arc<dyn ExecutionPlan> = Arc::clone(join.join()) as _;
        return Ok(Some(Parts::SpillingJoin(replace_children(&join, inputs)?)));
    }
    Ok(plan.downcast_ref::<TokenCountExec>().map(|counts| {
        let (text, pattern) = counts.split();
        let name = plan.schema().field(0).name().clone();
        Parts::TokenCount { text: Arc::clone(text), pattern: pattern.to_owned(), name }
    }))
}

/// What has the columns and partitions of a plan and none of its rows.
fn without_rows(plan: &Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
    let partitions = plan.output_partitioning().partition_count();
    Arc::new(EmptyExec::new(plan.schema()).with_partitions(partitions))
}

/// The operator over its inputs.
///
/// # Errors
/// If the number of inputs does not fit.
pub fn rebuild_operator(
    parts: Parts,
    inputs: Vec<Arc<dyn ExecutionPlan>>,
) -> DfResult<Arc<dyn ExecutionPlan>> {
    match parts {
        Parts::Paced => Ok(Arc::new(PacedExec::new(only_input("PacedExec", inputs)?))),
        Parts::Forgetful => Ok(Arc::new(ForgetfulExec::new(only_input("ForgetfulExec", inputs)?))),
        Parts::MapBatches(code) => {
            let (code, schema) = read_table(&code)?;
            let input = only_input("MapBatchesExec", inputs)?;
            Ok(Arc::new(MapBatchesExec::new(input, schema, code, true)))
        }
        Parts::InOrder { fetch } => {
            let fetch = fetch.map(|rows| usize::try_from(rows).unwrap_or(usize::MAX));
            Ok(Arc::new(InOrderExec::new(only_input("InOrderExec", inputs)?, fetch)))
        }
        Parts::SpillingJoin(join) => {
            let join = replace_children(&join, inputs)?;
            let Some(join) = join.downcast_ref() else {
                return internal_err!("a join that spills is a hash join");
            };
            match SpillingJoinExec::new(join)? {
                Some(join) => Ok(Arc::new(join)),
                None => internal_err!("a join that spilled before it travelled cannot any more"),
            }
        }
        Parts::TokenCount { text, pattern, name } => {
            let input = only_input("TokenCountExec", inputs)?;
            Ok(Arc::new(TokenCountExec::new(input, text, pattern, &name)?))
        }
    }
}

/// The plan with DataFusion's operator in the place of the one that keeps the order of files, and
/// whether there was one.
///
/// # Errors
/// None but those of the foundation.
pub fn without_file_order(
    plan: Arc<dyn ExecutionPlan>,
) -> DfResult<(Arc<dyn ExecutionPlan>, bool)> {
    let mut found = false;
    let plan = plan.transform_up(|plan| {
        let Some(ordered) = plan.downcast_ref::<InOrderExec>() else {
            return Ok(Transformed::no(plan));
        };
        found = true;
        let merged = CoalescePartitionsExec::new(Arc::clone(ordered.input()));
        Ok(Transformed::yes(Arc::new(merged.with_fetch(ordered.fetch()))))
    });
    Ok((plan.data()?, found))
}

/// The partitions of a plan one after the other, in the place of an operator that mixes them.
pub fn in_order(merged: &CoalescePartitionsExec) -> Arc<dyn ExecutionPlan> {
    Arc::new(InOrderExec::new(Arc::clone(merged.input()), merged.fetch()))
}
