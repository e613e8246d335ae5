//! Groups of ROLLUP and CUBE are made of the finest ones, rather than each of all rows.
//!
//! DataFusion repeats every row for every set. Here, the rows are grouped by all keys once, and what the
//! aggregates are at then is put together for the sets.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result as DfResult};
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams};
use datafusion::logical_expr::utils::grouping_set_to_exprlist;
use datafusion::logical_expr::{
    Aggregate, AggregateUDF, Expr, ExprSchemable, GroupingSet, LogicalPlan, LogicalPlanBuilder,
};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

mod stages;

use stages::{Merge, State, Whole};

/// The functions that are put together to the letter from what they are of parts.
const FUNCTIONS: [&str; 5] = ["avg", "count", "max", "min", "sum"];

/// Groups by all keys first.
#[derive(Debug)]
pub(super) struct FromTheFinest;

impl OptimizerRule for FromTheFinest {
    fn name(&self) -> &str {
        "grouping_sets"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _config: &dyn OptimizerConfig,
    ) -> DfResult<Transformed<LogicalPlan>> {
        let LogicalPlan::Aggregate(aggregate) = &plan else { return Ok(Transformed::no(plan)) };
        let [Expr::GroupingSet(sets)] = aggregate.group_expr.as_slice() else {
            return Ok(Transformed::no(plan));
        };
        let keys: Vec<Expr> =
            grouping_set_to_exprlist(&aggregate.group_expr)?.into_iter().cloned().collect();
        let stages = aggregate.aggr_expr.iter().map(|call| Stages::of(call, aggregate));
        let stages = stages.collect::<DfResult<Option<Vec<_>>>>()?;
        match stages {
            Some(stages) if !stages.is_empty() && has_finest(sets, &keys) => {
                from_finest(aggregate, sets, &keys, stages).map(Transformed::yes)
            }
            _ => Ok(Transformed::no(plan)),
        }
    }
}

/// Whether one of several sets is of all keys.
fn has_finest(sets: &GroupingSet, keys: &[Expr]) -> bool {
    match sets {
        GroupingSet::Rollup(_) | GroupingSet::Cube(_) => !keys.is_empty(),
        GroupingSet::GroupingSets(sets) => {
            let is_finest = |set: &Vec<Expr>| keys.iter().all(|key| set.contains(key));
            sets.len() > 1 && !keys.is_empty() && sets.iter().any(is_finest)
        }
    }
}

/// The two functions that a call becomes.
struct Stages {
    state: Expr,
    merge: Arc<AggregateUDF>,
}

impl Stages {
    /// Nothing for calls that are not of plain values.
    fn of(call: &Expr, aggregate: &Aggregate) -> DfResult<Option<Self>> {
        let Expr::AggregateFunction(call) = call.clone().unalias() else { return Ok(None) };
        let AggregateFunction { func, params } = call;
        let AggregateFunctionParams { args, distinct, order_by, null_treatment, .. } = &params;
        let is_plain = !distinct && order_by.is_empty() && null_treatment.is_none();
        if !is_plain || args.len() != 1 || !FUNCTIONS.contains(&func.name()) {
            return Ok(None);
        }
        let schema = aggregate.input.schema();
        let fields = args.iter().map(|arg| Ok(arg.to_field(schema)?.1));
        let whole = Whole::new(func, fields.collect::<DfResult<_>>()?)?;
        let Some(whole) = whole else { return Ok(None) };
        let state = Arc::new(AggregateUDF::new_from_impl(State::new(whole.clone())));
        let merge = Arc::new(AggregateUDF::new_from_impl(Merge::new(whole)));
        let state = Expr::AggregateFunction(AggregateFunction { func: state, params });
        Ok(Some(Self { state, merge }))
    }
}

fn from_finest(
    aggregate: &Aggregate,
    sets: &GroupingSet,
    keys: &[Expr],
    stages: Vec<Stages>,
) -> DfResult<LogicalPlan> {
    // A function that is asked for twice, under two names, is one here.
    let mut states: Vec<Expr> = Vec::new();
    for stage in &stages {
        if !states.contains(&stage.state) {
            states.push(stage.state.clone());
        }
    }
    // A column that a state is of may get another name later, which the state is then called by.
    let states = states.into_iter().map(|state| {
        let name = state.schema_name().to_string();
        state.alias(name)
    });
    let input = aggregate.input.as_ref().clone();
    let finest = LogicalPlanBuilder::from(input)
        .aggregate(keys.to_vec(), states.collect::<Vec<_>>())?
        .build()?;
    let columns = finest.schema().columns();
    let place = |key: &Expr| {
        let index = keys.iter().position(|known| known == key);
        index.map_or_else(|| key.clone(), |index| Expr::Column(columns[index].clone()))
    };
    let places = |keys: &Vec<Expr>| keys.iter().map(place).collect::<Vec<_>>();
    let sets = match sets {
        GroupingSet::Rollup(keys) => GroupingSet::Rollup(places(keys)),
        GroupingSet::Cube(keys) => GroupingSet::Cube(places(keys)),
        GroupingSet::GroupingSets(sets) => {
            GroupingSet::GroupingSets(sets.iter().map(places).collect())
        }
    };
    let merges = stages.into_iter().map(|Stages { state, merge }| {
        let (qualifier, name) = state.qualified_name();
        let state = Expr::Column(Column::new(qualifier, name));
        Expr::AggregateFunction(AggregateFunction::new_udf(
            merge,
            vec![state],
            false,
            None,
            vec![],
            None,
        ))
    });
    let merges: Vec<Expr> = merges.collect();
    let mut different: Vec<Expr> = Vec::new();
    for merge in &merges {
        if !different.contains(merge) {
            different.push(merge.clone());
        }
    }
    let coarse = Aggregate::try_new(Arc::new(finest), vec![Expr::GroupingSet(sets)], different)?;
    let plan = LogicalPlanBuilder::from(LogicalPlan::Aggregate(coarse));
    // The names that those above know.
    let names = aggregate.schema.columns();
    let groups = names.len() - merges.len();
    let groups = names[..groups].iter().cloned().map(Expr::Column);
    let calls = merges.iter().zip(&names[groups.len()..]).map(|(merge, name)| {
        let (qualifier, known) = merge.qualified_name();
        Expr::Column(Column::new(qualifier, known))
            .alias_qualified(name.relation.clone(), name.name.clone())
    });
    plan.project(groups.clone().chain(calls).collect::<Vec<_>>())?.build()
}
