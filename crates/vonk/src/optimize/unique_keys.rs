//! Tells of groups what is true of them, where one of their keys was unique before a join.
//!
//! DataFusion 55 notes which columns determine all others. A column that was unique before a join determines
//! the columns of its side only; grouped by it and by a column of the other side, it was said to be unique
//! again. So `SELECT DISTINCT a` over `GROUP BY a, z` gave `a` once for each `z`, and `GROUP BY a, z` over it
//! lost `z`. A key that has another name in the groups determines nothing but with all the others.
//! sql/queries/unique_keys.slt tells when this can go.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, Dependency, Result as DfResult};
use datafusion::logical_expr::{Aggregate, Distinct, Expr, LogicalPlan, Projection};
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

/// The reserved beginning of the names of keys.
const KEY: &str = "__key";

/// Gives such keys names of their own.
#[derive(Debug)]
pub(super) struct WhereJoinsRepeatThem;

impl OptimizerRule for WhereJoinsRepeatThem {
    fn name(&self) -> &str {
        "unique_keys"
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _config: &dyn OptimizerConfig,
    ) -> DfResult<Transformed<LogicalPlan>> {
        let (mut joins, mut groups) = (false, 0);
        plan.apply_with_subqueries(|node| {
            joins |= matches!(node, LogicalPlan::Join(_));
            groups += usize::from(matches!(
                node,
                LogicalPlan::Aggregate(_) | LogicalPlan::Distinct(Distinct::All(_))
            ));
            Ok(TreeNodeRecursion::Continue)
        })?;
        if !joins || groups < 2 {
            return Ok(Transformed::no(plan));
        }
        let mut changed = false;
        // What a step knows of its columns it knows of its input.
        let told = plan.transform_up_with_subqueries(|node| {
            let node = grouped(node.recompute_schema()?)?;
            let node = node.transform_data(told)?;
            changed |= node.transformed;
            Ok(Transformed::yes(node.data))
        })?;
        Ok(Transformed::new(told.data, changed, TreeNodeRecursion::Continue))
    }
}

/// DISTINCT as the groups that it is, so that those around it learn what it knows.
fn grouped(plan: LogicalPlan) -> DfResult<Transformed<LogicalPlan>> {
    let LogicalPlan::Distinct(Distinct::All(input)) = plan else {
        return Ok(Transformed::no(plan));
    };
    let columns: Vec<Expr> = input.schema().columns().into_iter().map(Expr::Column).collect();
    if columns.is_empty() {
        return Ok(Transformed::no(LogicalPlan::Distinct(Distinct::All(input))));
    }
    let groups = Aggregate::try_new(input, columns, Vec::new())?;
    Ok(Transformed::yes(LogicalPlan::Aggregate(groups)))
}

/// The step with other names for the keys that mislead, behind which they have their own again.
fn told(plan: LogicalPlan) -> DfResult<Transformed<LogicalPlan>> {
    let keys = misleading(&plan);
    let aggregate = match plan {
        LogicalPlan::Aggregate(aggregate) if !keys.is_empty() => aggregate,
        other => return Ok(Transformed::no(other)),
    };
    let columns = aggregate.schema.columns();
    let mut groups = Vec::with_capacity(aggregate.group_expr.len());
    let mut outputs: Vec<Expr> = columns.iter().cloned().map(Expr::Column).collect();
    for (at, key) in aggregate.group_expr.into_iter().enumerate() {
        match &key {
            Expr::Column(column) if keys.contains(&column.flat_name()) => {
                let name = format!("{KEY}{at}");
                let Column { relation, name: own, .. } = columns[at].clone();
                outputs[at] = Expr::Column(Column::from_name(&name)).alias_qualified(relation, own);
                groups.push(key.alias(name));
            }
            _ => groups.push(key),
        }
    }
    let grouped = Aggregate::try_new(aggregate.input, groups, aggregate.aggr_expr)?;
    let grouped = Arc::new(LogicalPlan::Aggregate(grouped));
    let renamed = Projection::try_new(outputs, grouped)?;
    Ok(Transformed::yes(LogicalPlan::Projection(renamed)))
}

/// The keys of a step that it would be told are unique, and are not.
fn misleading(plan: &LogicalPlan) -> HashSet<String> {
    match plan {
        LogicalPlan::Aggregate(Aggregate { group_expr, input, .. })
            if !group_expr.iter().any(|key| matches!(key, Expr::GroupingSet(_))) =>
        {
            let keys = group_expr.iter().map(|key| key.schema_name().to_string());
            misleading_keys(input.schema(), &keys.collect())
        }
        _ => HashSet::new(),
    }
}

fn misleading_keys(schema: &DFSchema, keys: &HashSet<String>) -> HashSet<String> {
    let names = schema.field_names();
    let named = |indices: &[usize]| -> HashSet<String> {
        indices.iter().filter_map(|index| names.get(*index).cloned()).collect()
    };
    let dependencies = schema.functional_dependencies().iter();
    let repeated = dependencies.filter(|dependency| dependency.mode == Dependency::Multi);
    let misleading = repeated.filter_map(|dependency| {
        let sources = named(&dependency.source_indices);
        let covered = named(&dependency.target_indices);
        (sources.is_subset(keys) && !keys.is_subset(&covered)).then_some(sources)
    });
    misleading.flatten().collect()
}
