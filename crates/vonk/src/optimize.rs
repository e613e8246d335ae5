//! The rules that rewrite plans: DataFusion's in their order, and where ours stand among them.

use std::sync::Arc;

use datafusion::optimizer::{Optimizer, OptimizerRule};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;

use crate::config::{self, Config};
use crate::error::Result;

mod aggregate_filters;
mod aggregate_statistics;
mod checked;
mod common_subplans;
mod compared_constants;
mod conjunctions;
mod equal_projections;
mod equivalences;
mod grouping_sets;
mod guarded_conditions;
mod join_nulls;
mod join_order;
mod pacing;
mod partition_numbers;
mod plain;
mod planning;
mod recursion;
mod runtime_filters;
mod shifted_sums;
mod spilling_joins;
mod struct_fields;
mod sure_columns;
mod text_comparisons;
mod token_counts;
mod unique_keys;
mod unless;
mod upwards;
mod yielding;
mod zeros_in_lists;

use checked::Checked;
use equivalences::WhereTheyMislead;
pub(crate) use planning::Twice;
use spilling_joins::WhereMemoryIsShort;
use unless::Unless;
use upwards::Upwards;

type PhysicalRules = Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>>;

/// The rules for logical plans.
pub(crate) fn logical_rules(config: &Config) -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let rules = Optimizer::new().rules.into_iter();
    let rules = rules.flat_map(|rule| -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
        let unless = |is_wrong| Unless { rule: Arc::clone(&rule), is_wrong };
        match rule.name() {
            "push_down_filter" => vec![filters_down(config, rule)],
            "eliminate_cross_join" if config.is_on(config::REPAIR_JOIN_NULLS) => {
                vec![Arc::new(unless(join_nulls::takes_null_for_equal))]
            }
            "extract_equijoin_predicate" if config.is_on(config::REPAIR_JOIN_NULLS) => {
                vec![Arc::new(unless(join_nulls::has_such_keys))]
            }
            "push_down_limit" => vec![Arc::new(unless(partition_numbers::are_limited))],
            // They fail where columns that they add meet others of their name.
            "extract_leaf_expressions" | "push_down_leaf_projections"
                if config.is_on(config::REPAIR_PROJECTIONS) =>
            {
                let rule = Arc::new(Checked(rule));
                vec![Arc::new(Unless { rule, is_wrong: struct_fields::shadow })]
            }
            "single_distinct_aggregation_to_group_by" if config.is_on(config::REPAIR_PLANS) => {
                vec![Arc::new(Checked(rule))]
            }
            // Constants are literals by now, and nothing is computed in the input yet.
            "simplify_expressions" if config.is_on(config::SHIFTED_SUMS) => {
                vec![rule, Arc::new(shifted_sums::WhereColumnsAreShared)]
            }
            // It takes equal projections for one.
            "optimize_projections" if config.is_on(config::REPAIR_PROJECTIONS) => {
                vec![Arc::new(equal_projections::WhereStepsRepeat), rule]
            }
            _ => vec![rule],
        }
    });
    let mut rules: Vec<_> = rules.collect();
    if config.is_on(config::COMMON_SUBPLANS) {
        // What is equal is written equally before anything around it moves into it.
        rules.insert(0, Arc::new(common_subplans::WhereQueriesRepeat));
    }
    if config.is_on(config::REPAIR_UNIQUE_KEYS) {
        rules.insert(0, Arc::new(unique_keys::WhereJoinsRepeatThem));
    }
    if config.is_on(config::GROUPING_SETS) {
        rules.push(Arc::new(grouping_sets::FromTheFinest));
    }
    if config.is_on(config::REPAIR_IN_LIST) {
        // Conditions have become lists by now, and their constants literals.
        rules.push(Arc::new(zeros_in_lists::WithTwins));
    }
    rules
}

/// The rule that pushes filters down, without what it does wrong.
fn filters_down(
    config: &Config,
    mut rule: Arc<dyn OptimizerRule + Send + Sync>,
) -> Arc<dyn OptimizerRule + Send + Sync> {
    if config.is_on(config::REPAIR_COMPARED_CONSTANTS) {
        rule = Arc::new(compared_constants::InOneWay(rule));
    }
    if config.is_on(config::REPAIR_AGGREGATE_FILTERS) {
        let is_wrong = aggregate_filters::filters_what_none_give;
        rule = Arc::new(Unless { rule, is_wrong });
    }
    rule
}

/// The rules for logical plans of which parts go to other processes: none of them makes what only makes sense
/// within one.
pub(crate) fn portable_logical_rules(
    config: &Config,
) -> Result<Vec<Arc<dyn OptimizerRule + Send + Sync>>> {
    let mut config = config.clone();
    for option in [config::COMMON_SUBPLANS, config::GROUPING_SETS] {
        config.set(option, "false")?;
    }
    Ok(logical_rules(&config))
}

/// The rules for physical plans of which parts go to other processes: none of them puts in what only
/// makes sense within one, or what hides a join or a group from who cuts the plan into stages.
pub(crate) fn portable_rules(config: &Config) -> Result<PhysicalRules> {
    let mut config = config.clone();
    config.set(config::SPILLING_JOINS, "never")?;
    for option in
        [config::RUNTIME_FILTERS, config::TEXT_COMPARISONS, config::TOKEN_COUNTS, config::PACING]
    {
        config.set(option, "false")?;
    }
    Ok(physical_rules(&config, 0))
}

/// The rules for plans that are cut into stages: what [`portable_rules`] left out, for the operators
/// of each stage.
pub(crate) fn finishing_rules(config: &Config, memory: usize) -> PhysicalRules {
    let mut rules = PhysicalRules::new();
    rules.extend(spilling_joins(config, memory));
    if config.is_on(config::TOKEN_COUNTS) {
        rules.push(Arc::new(Upwards(token_counts::BeforeTheyAreRows)));
    }
    if config.is_on(config::PACING) {
        rules.push(Arc::new(Upwards(pacing::WhereFunctionsAreCalled)));
    }
    rules
}

/// The rule that gives joins room on disk, unless none shall have it.
fn spilling_joins(
    config: &Config,
    memory: usize,
) -> Option<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let where_short = match config.get(config::SPILLING_JOINS) {
        Some("never") => return None,
        Some("always") => WhereMemoryIsShort { bytes: 0 },
        _ => WhereMemoryIsShort::of(memory),
    };
    Some(Arc::new(Upwards(where_short)))
}

/// The rules for physical plans; `memory` is the limit of the pool in bytes.
pub(crate) fn physical_rules(config: &Config, memory: usize) -> PhysicalRules {
    let mut rules = PhysicalRules::new();
    rules.push(Arc::new(Upwards(partition_numbers::WherePartitionsAreNumbered)));
    let where_they_mislead = config.is_on(config::REPAIR_EQUIVALENCES);
    let where_they_mislead =
        where_they_mislead.then(|| Arc::new(Upwards(WhereTheyMislead { everywhere: false })));
    rules.extend(where_they_mislead.clone().map(|rule| rule as Arc<_>));
    for rule in PhysicalOptimizer::new().rules {
        match rule.name() {
            "aggregate_statistics" if config.is_on(config::REPAIR_AGGREGATE_STATISTICS) => {
                rules.push(Arc::new(Upwards(aggregate_statistics::WhereValuesAreKnown)));
            }
            "FilterPushdown" if config.is_on(config::REPAIR_FILTER_PUSHDOWN) => {
                rules.push(Arc::new(sure_columns::WhereColumnsAreSure::new(rule)));
            }
            // Scans tell of constants that are computed in them, as they do since projections have moved there.
            "SanityCheckPlan" => {
                rules.extend(where_they_mislead.clone().map(|rule| rule as Arc<_>));
                rules.push(rule);
            }
            // Joins are where they stay, and have not made filters for their probe sides yet.
            "FilterPushdown(Post)" => {
                rules.extend(spilling_joins(config, memory));
                let filters = config.is_on(config::RUNTIME_FILTERS);
                if filters {
                    rules.push(Arc::new(runtime_filters::OverScans));
                }
                rules.push(match config.is_on(config::REPAIR_FILTER_PUSHDOWN) {
                    true => Arc::new(sure_columns::WhereColumnsAreSure::new(rule)),
                    false => rule,
                });
                if filters {
                    rules.push(Arc::new(runtime_filters::WhereTheyHelp));
                }
            }
            _ => rules.push(rule),
        }
    }
    if config.is_on(config::REPAIR_CONDITIONS) {
        // Conditions have reached their filters by now, and are in the order that they were written in.
        rules.push(Arc::new(Upwards(guarded_conditions::WhereConditionsFail)));
    }
    if config.is_on(config::CONJUNCTIONS) {
        rules.push(Arc::new(Upwards(conjunctions::WhereFiltersAskMore)));
    }
    if config.is_on(config::TEXT_COMPARISONS) {
        rules.push(Arc::new(Upwards(text_comparisons::WhereTextsAreCompared)));
    }
    let count = |name| config.count(name).ok().flatten().unwrap_or(usize::MAX);
    rules.push(Arc::new(Upwards(recursion::WhereQueriesRecur {
        levels_max: count(config::RECURSION_LEVELS_MAX),
        rows_max: count(config::RECURSION_ROWS_MAX),
    })));
    if config.is_on(config::TOKEN_COUNTS) {
        rules.push(Arc::new(Upwards(token_counts::BeforeTheyAreRows)));
    }
    // Every operator is where it stays.
    rules.push(Arc::new(Upwards(yielding::WhereBatchesMultiply)));
    if config.is_on(config::PACING) {
        rules.push(Arc::new(Upwards(pacing::WhereFunctionsAreCalled)));
    }
    rules
}
