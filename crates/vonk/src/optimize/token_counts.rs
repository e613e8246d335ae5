//! Counts the parts of split texts before they become rows.
//!
//! `SELECT word, count(*) FROM (SELECT explode(split(value, ' ')) AS word FROM t) GROUP BY word` is how
//! words are counted in Spark. Whatever stands between the rows and their groups and looks at the word
//! alone (a filter, `lower(word)`) gives the same for equal words. So the words are counted first, by
//! [`TokenCountExec`], and groups add up these counts.
//! sql/plans/token_counts.slt proves it.

use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::Volatility;
use datafusion::physical_expr::aggregate::{AggregateExprBuilder, AggregateFunctionExpr};
use datafusion::physical_expr::expressions::{Column, Literal};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::filter::{FilterExec, FilterExecBuilder};
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::unnest::UnnestExec;
use datafusion::physical_plan::{ExecutionPlan, Partitioning};

use super::upwards::{Rewrite, Rewritten};
use crate::operators::token_count::TokenCountExec;

/// Puts [`TokenCountExec`] below groups of the parts of texts.
#[derive(Debug)]
pub(super) struct BeforeTheyAreRows;

impl Rewrite for BeforeTheyAreRows {
    fn name(&self) -> &'static str {
        "token_counts"
    }

    fn rewrite(&self, plan: Arc<dyn ExecutionPlan>) -> Rewritten {
        Ok(match counted(&plan)? {
            Some(counted) => Transformed::yes(counted),
            None => Transformed::no(plan),
        })
    }

    /// A sum may be NULL where a count is not, though none is.
    fn keeps_schema(&self) -> bool {
        false
    }
}

/// A plan whose rows stand for several each: how many, says the column at this place.
struct Weighted {
    plan: Arc<dyn ExecutionPlan>,
    weight: usize,
}

impl Weighted {
    fn weight_column(&self) -> Arc<dyn PhysicalExpr> {
        Arc::new(Column::new(self.plan.schema().field(self.weight).name(), self.weight))
    }
}

/// The groups over rows that are counted, if all they want of a row is that it is there.
fn counted(plan: &Arc<dyn ExecutionPlan>) -> DfResult<Option<Arc<dyn ExecutionPlan>>> {
    let Some(groups) = plan.downcast_ref::<AggregateExec>() else { return Ok(None) };
    let begins = matches!(
        groups.mode(),
        AggregateMode::Partial | AggregateMode::Single | AggregateMode::SinglePartitioned
    );
    let plain = begins
        && groups.group_expr().is_single()
        && !groups.group_expr().is_empty()
        && groups.filter_expr().iter().all(Option::is_none)
        && groups.aggr_expr().iter().all(|call| counts_rows(call))
        && groups.group_expr().expr().iter().all(|(expr, _)| is_pure(expr));
    if !plain {
        return Ok(None);
    }
    let Some(input) = weighted(groups.input())? else { return Ok(None) };
    let sum = AggregateExprBuilder::new(sum_udaf(), vec![input.weight_column()])
        .schema(input.plan.schema())
        .alias("count")
        .build()?;
    let aggregates = if groups.aggr_expr().is_empty() { vec![] } else { vec![Arc::new(sum)] };
    let filters = vec![None; aggregates.len()];
    let schema = input.plan.schema();
    let sums = AggregateExec::try_new(
        *groups.mode(),
        groups.group_expr().clone(),
        aggregates,
        filters,
        input.plan,
        schema,
    )?;
    let keys = groups.group_expr().expr().len();
    let named = plan.schema();
    let given = sums.schema();
    // One sum answers all counts.
    let columns = named.fields().iter().enumerate().map(|(at, field)| {
        let at = at.min(keys);
        let expr = Arc::new(Column::new(given.field(at).name(), at)) as Arc<dyn PhysicalExpr>;
        ProjectionExpr { expr, alias: field.name().clone() }
    });
    let columns: Vec<ProjectionExpr> = columns.collect();
    Ok(Some(Arc::new(ProjectionExec::try_new(columns, Arc::new(sums))?)))
}

/// `count(*)`, or the count of a constant that is not NULL.
fn counts_rows(call: &AggregateFunctionExpr) -> bool {
    let constant = |argument: &Arc<dyn PhysicalExpr>| {
        argument.downcast_ref::<Literal>().is_some_and(|literal| !literal.value().is_null())
    };
    call.fun().name() == "count" && !call.is_distinct() && call.expressions().iter().all(constant)
}

/// The plan over counted parts, if all of it looks at one row and one part at a time.
fn weighted(plan: &Arc<dyn ExecutionPlan>) -> DfResult<Option<Weighted>> {
    if let Some(rows) = plan.downcast_ref::<UnnestExec>() {
        return parts(rows);
    }
    if let Some(filter) = plan.downcast_ref::<FilterExec>() {
        let Some(input) = weighted(filter.input())?.filter(|_| is_pure(filter.predicate())) else {
            return Ok(None);
        };
        let projection = filter
            .projection()
            .as_ref()
            .map(|columns| columns.iter().copied().chain([input.weight]).collect::<Vec<_>>());
        let weight = projection.as_ref().map_or(input.weight, |columns| columns.len() - 1);
        let filter = FilterExecBuilder::new(Arc::clone(filter.predicate()), input.plan)
            .apply_projection(projection)?
            .build()?;
        return Ok(Some(Weighted { plan: Arc::new(filter), weight }));
    }
    if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        let pure = projection.expr().iter().all(|column| is_pure(&column.expr));
        let Some(input) = weighted(projection.input())?.filter(|_| pure) else { return Ok(None) };
        let weight = projection.expr().len();
        let weights = ProjectionExpr { expr: input.weight_column(), alias: "count".to_owned() };
        let columns: Vec<_> = projection.expr().iter().cloned().chain([weights]).collect();
        let plan = Arc::new(ProjectionExec::try_new(columns, input.plan)?);
        return Ok(Some(Weighted { plan, weight }));
    }
    if let Some(giving_way) = plan.downcast_ref::<CooperativeExec>() {
        return weighted(giving_way.input());
    }
    if let Some(exchange) = plan.downcast_ref::<RepartitionExec>()
        && let Partitioning::RoundRobinBatch(_) = exchange.partitioning()
    {
        let Some(input) = weighted(exchange.input())? else { return Ok(None) };
        let plan = RepartitionExec::try_new(input.plan, exchange.partitioning().clone())?;
        return Ok(Some(Weighted { plan: Arc::new(plan), weight: input.weight }));
    }
    Ok(None)
}

/// Counted parts in the place of rows, if the rows are nothing but the parts of a split text.
fn parts(rows: &UnnestExec) -> DfResult<Option<Weighted>> {
    let is_plain = rows.struct_column_indices().is_empty()
        && rows.list_column_indices().len() == 1
        && rows.list_column_indices()[0].depth == 1
        && !rows.options().preserve_nulls();
    let Some(input) = rows.input().downcast_ref::<ProjectionExec>().filter(|_| is_plain) else {
        return Ok(None);
    };
    let [column] = input.expr() else { return Ok(None) };
    let Some(split) = column.expr.downcast_ref::<ScalarFunctionExpr>() else { return Ok(None) };
    let ([text, pattern], "split") = (split.args(), split.fun().name()) else { return Ok(None) };
    let pattern = pattern.downcast_ref::<Literal>().map(Literal::value);
    let Some(pattern) = pattern.and_then(|pattern| pattern.try_as_str().flatten()) else {
        return Ok(None);
    };
    let (texts, name) = (Arc::clone(input.input()), column.alias.as_str());
    let plan = TokenCountExec::new(texts, Arc::clone(text), pattern.to_owned(), name)?;
    Ok(Some(Weighted { plan: Arc::new(plan), weight: 1 }))
}

/// Whether equal rows give equal values.
fn is_pure(expr: &Arc<dyn PhysicalExpr>) -> bool {
    let mut pure = true;
    // The walk itself cannot fail.
    let _ = expr.apply(|expr| {
        if let Some(call) = expr.downcast_ref::<ScalarFunctionExpr>() {
            pure &= call.fun().signature().volatility != Volatility::Volatile;
        }
        Ok(if pure { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    });
    pure
}
