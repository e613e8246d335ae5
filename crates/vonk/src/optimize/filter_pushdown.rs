//! Keeps filters from being pushed down where two columns have one name.
//!
//! DataFusion 55 finds the column of a pushed filter by its name in the schema of the operator below
//! (`ProjectionExec::gather_filters_for_pushdown`), so that of two columns of one name, as a join
//! gives them, the first is filtered: rows are lost (apache/datafusion#21246, mended by #25259, which
//! is not in 55.2). sql/queries/joins.slt has a query that tells when this can go.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::config::ConfigOptions;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::replace_children_if_necessary;

/// DataFusion's filter pushdown for the parts of a plan where names are unique.
#[derive(Debug)]
pub(super) struct WhereNamesAreUnique {
    rule: Arc<dyn PhysicalOptimizerRule + Send + Sync>,
}

impl WhereNamesAreUnique {
    pub(super) fn new(rule: Arc<dyn PhysicalOptimizerRule + Send + Sync>) -> Self {
        Self { rule }
    }

    /// Applies the rule to the largest parts below `plan` where it is safe; the flag tells whether
    /// names are unique in all of the plan, which then is left for the caller.
    fn parts(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        config: &ConfigOptions,
    ) -> DfResult<(Arc<dyn ExecutionPlan>, bool)> {
        let mut children = Vec::new();
        let mut all_unique = true;
        for child in plan.children() {
            let (child, unique) = self.parts(Arc::clone(child), config)?;
            all_unique &= unique;
            children.push((child, unique));
        }
        if all_unique {
            let children = children.into_iter().map(|(child, _)| child).collect();
            let plan = replace_children_if_necessary(plan, children)?;
            if names_are_unique(&plan) {
                return Ok((plan, true));
            }
            // What the operator gives has a name twice, but no filter comes from above it here.
            return Ok((self.rule.optimize(plan, config)?, false));
        }
        let children = children.into_iter().map(|(child, unique)| match unique {
            true => self.rule.optimize(child, config),
            false => Ok(child),
        });
        let children = children.collect::<DfResult<Vec<_>>>()?;
        Ok((replace_children_if_necessary(plan, children)?, false))
    }
}

fn names_are_unique(plan: &Arc<dyn ExecutionPlan>) -> bool {
    let schema = plan.schema();
    let mut seen = HashSet::with_capacity(schema.fields().len());
    schema.fields().iter().all(|field| seen.insert(field.name().as_str()))
}

impl PhysicalOptimizerRule for WhereNamesAreUnique {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        config: &ConfigOptions,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        let (plan, unique) = self.parts(plan, config)?;
        if unique { self.rule.optimize(plan, config) } else { Ok(plan) }
    }

    fn name(&self) -> &str {
        self.rule.name()
    }

    fn schema_check(&self) -> bool {
        self.rule.schema_check()
    }
}
