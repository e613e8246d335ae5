//! The rules that rewrite plans: DataFusion's in their order, and where ours stand among them.

use std::sync::Arc;

use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;

mod filter_pushdown;
mod float_pruning;

type PhysicalRules = Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>>;

/// The rules for physical plans.
pub(crate) fn physical_rules() -> PhysicalRules {
    let mut rules: PhysicalRules = PhysicalOptimizer::new()
        .rules
        .into_iter()
        .map(|rule| match rule.name() {
            "FilterPushdown" => Arc::new(filter_pushdown::WhereNamesAreUnique::new(rule)) as _,
            _ => rule,
        })
        .collect();
    // Filters have reached the scans by now, those of joins and of ORDER BY with LIMIT too.
    rules.push(Arc::new(float_pruning::WithoutFloats));
    rules
}
