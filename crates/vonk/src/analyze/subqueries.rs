//! Subqueries in conditions, spelled so that NULL counts and that no two columns share a name.
//!
//! DataFusion 55 makes joins of them that know true and false only: `x IN (…) OR …` and a
//! correlated `NOT IN` take NULL for false (apache/datafusion#25347, #25340, #25473), and a column
//! of the subquery that is compared with one of the outer query becomes ambiguous when the column that
//! is given has its name.
//! sql/queries/subqueries.slt has queries that tell when this can go.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result as DfResult, ScalarValue};
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{
    Expr, Filter, LogicalPlan, LogicalPlanBuilder, Subquery, lit, when,
};

use super::decorrelate;

/// The name of the column of an IN subquery, which no user's column has.
const VALUE: &str = "__value";

/// The name of the column of an EXISTS subquery.
const EXISTS: &str = "__exists";

/// Whether a plan holds a query within a query, or a LATERAL item.
pub(super) fn any(plan: &LogicalPlan) -> DfResult<bool> {
    let is_one = |expr: &Expr| {
        let is_one = matches!(
            expr,
            Expr::Exists(_)
                | Expr::InSubquery(_)
                | Expr::ScalarSubquery(_)
                | Expr::SetComparison(_)
        );
        Ok(is_one)
    };
    plan.exists(|node| {
        let mut found = matches!(node, LogicalPlan::Subquery(_));
        if !found {
            node.apply_expressions(|expr| {
                found |= expr.exists(is_one)?;
                Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
            })?;
        }
        Ok(found)
    })
}

/// Spells the subqueries in the filters of a plan.
pub(super) fn spell(plan: LogicalPlan) -> DfResult<LogicalPlan> {
    let spelled = plan.transform_up_with_subqueries(|plan| match plan {
        LogicalPlan::Filter(filter) if has_subquery(&filter.predicate)? => {
            let schema = Arc::clone(filter.input.schema());
            let conditions = split_conjunction_owned(filter.predicate).into_iter();
            let conditions = conditions.map(|condition| spell_condition(condition, &schema));
            let predicate = conjunction(conditions.collect::<DfResult<Vec<_>>>()?);
            let filter = Filter::try_new(predicate.unwrap_or_else(|| lit(true)), filter.input)?;
            Ok(Transformed::yes(LogicalPlan::Filter(filter)))
        }
        LogicalPlan::Projection(_) | LogicalPlan::Aggregate(_) => name_values(plan),
        other => Ok(Transformed::no(other)),
    })?;
    Ok(spelled.data)
}

/// Gives the columns of the scalar subqueries that a node computes with names of their own.
fn name_values(plan: LogicalPlan) -> DfResult<Transformed<LogicalPlan>> {
    let [input] = plan.inputs()[..] else { return Ok(Transformed::no(plan)) };
    let input = Arc::new(input.clone());
    let mut named = false;
    let exprs = plan.expressions().into_iter().map(|expr| {
        let expr = expr.transform_up(|expr| match expr {
            Expr::ScalarSubquery(query) if !query.outer_ref_columns.is_empty() => {
                Ok(Transformed::yes(Expr::ScalarSubquery(with_own_name(query)?)))
            }
            other => Ok(Transformed::no(other)),
        })?;
        named |= expr.transformed;
        Ok(expr.data)
    });
    let exprs = exprs.collect::<DfResult<Vec<_>>>()?;
    match named {
        true => Ok(Transformed::yes(decorrelate::rebuilt(&plan, exprs, input)?)),
        false => Ok(Transformed::no(plan)),
    }
}

fn has_subquery(expr: &Expr) -> DfResult<bool> {
    let is_one = |expr: &Expr| {
        matches!(expr, Expr::InSubquery(_) | Expr::Exists(_) | Expr::ScalarSubquery(_))
    };
    expr.exists(|expr| Ok(is_one(expr)))
}

/// A condition that keeps a row where it is true: NULL is as good as false here.
fn spell_condition(condition: Expr, outer: &DFSchema) -> DfResult<Expr> {
    let (condition, denied) = match condition {
        Expr::Not(inner) if matches!(*inner, Expr::InSubquery(_)) => (*inner, true),
        other => (other, false),
    };
    match condition {
        Expr::InSubquery(query) if query.negated == denied => {
            Ok(Expr::InSubquery(InSubquery { negated: false, ..renamed(query)? }))
        }
        Expr::InSubquery(query) => none_equal(query, outer),
        other => Ok(other.transform_up(|expr| spell_value(expr, outer))?.data),
    }
}

/// NOT IN as a condition. An uncorrelated one over a column becomes a join that knows NULL.
fn none_equal(query: InSubquery, outer: &DFSchema) -> DfResult<Expr> {
    let is_column = matches!(*query.expr, Expr::Column(_));
    if (is_column && query.subquery.outer_ref_columns.is_empty()) || !can_move(&query.expr)? {
        return Ok(Expr::InSubquery(InSubquery { negated: true, ..renamed(query)? }));
    }
    let value = outer_references(*query.expr, outer)?;
    let may_be_equal = |inner| value.clone().eq(inner).is_not_false();
    exists(&query.subquery, true, Some(&may_be_equal))
}

/// A subquery within an expression, where NULL is not false.
pub(super) fn spell_value(expr: Expr, outer: &DFSchema) -> DfResult<Transformed<Expr>> {
    let query = match expr {
        Expr::InSubquery(query) if can_move(&query.expr)? => query,
        Expr::Exists(Exists { subquery, negated }) => {
            return Ok(Transformed::yes(exists(&subquery, negated, None)?));
        }
        Expr::ScalarSubquery(query) if !query.outer_ref_columns.is_empty() => {
            return Ok(Transformed::yes(Expr::ScalarSubquery(with_own_name(query)?)));
        }
        other => return Ok(Transformed::no(other)),
    };
    let value = outer_references(query.expr.as_ref().clone(), outer)?;
    let equal = exists(&query.subquery, false, Some(&|inner| value.clone().eq(inner)))?;
    let null = exists(&query.subquery, false, Some(&Expr::is_null))?;
    let any = exists(&query.subquery, false, None)?;
    let unknown = null.or(query.expr.is_null().and(any));
    let value = when(equal, lit(!query.negated))
        .when(unknown, Expr::Literal(ScalarValue::Boolean(None), None))
        .otherwise(lit(query.negated))?;
    Ok(Transformed::yes(value))
}

/// Whether a value means the same as a reference from within a subquery, a level deeper.
fn can_move(value: &Expr) -> DfResult<bool> {
    let stays = value.exists(|expr| {
        Ok(matches!(
            expr,
            Expr::OuterReferenceColumn(..)
                | Expr::InSubquery(_)
                | Expr::Exists(_)
                | Expr::ScalarSubquery(_)
        ))
    })?;
    Ok(!stays && !value.is_volatile())
}

fn outer_references(value: Expr, outer: &DFSchema) -> DfResult<Expr> {
    let moved = value.transform_up(|expr| match expr {
        Expr::Column(column) => {
            let (_, field) = outer.qualified_field_from_column(&column)?;
            Ok(Transformed::yes(Expr::OuterReferenceColumn(Arc::clone(field), column)))
        }
        other => Ok(Transformed::no(other)),
    })?;
    Ok(moved.data)
}

fn renamed(query: InSubquery) -> DfResult<InSubquery> {
    Ok(InSubquery { subquery: with_own_name(query.subquery)?, ..query })
}

/// The same subquery, whose only column has a name of its own.
fn with_own_name(subquery: Subquery) -> DfResult<Subquery> {
    let Some((value, input)) = value_and_input(&subquery)? else { return Ok(subquery) };
    let plan = LogicalPlanBuilder::from(input).project([value.alias(VALUE)])?.build()?;
    Ok(subquery.with_plan(Arc::new(plan)))
}

/// What the column of a subquery is, and the plan it is computed over.
fn value_and_input(subquery: &Subquery) -> DfResult<Option<(Expr, LogicalPlan)>> {
    let plan = subquery.subquery.as_ref();
    let Some(column) = plan.schema().columns().into_iter().next() else { return Ok(None) };
    let (mut value, mut input) = (Expr::Column(column), plan.clone());
    // Of projections over each other, those below give names as well.
    while let LogicalPlan::Projection(projection) = &input {
        if projection.expr.iter().any(Expr::is_volatile) {
            break;
        }
        let computed = value.transform_up(|expr| match expr {
            Expr::Column(column) => {
                let index = projection.schema.index_of_column(&column)?;
                Ok(Transformed::yes(projection.expr[index].clone().unalias()))
            }
            other => Ok(Transformed::no(other)),
        })?;
        value = computed.data;
        input = projection.input.as_ref().clone();
    }
    Ok(Some((value, input)))
}

/// EXISTS over the rows of a subquery for whose value a condition holds.
fn exists(
    subquery: &Subquery,
    negated: bool,
    condition: Option<&dyn Fn(Expr) -> Expr>,
) -> DfResult<Expr> {
    let mut outer_ref_columns = subquery.outer_ref_columns.clone();
    let plan = match value_and_input(subquery)? {
        Some((value, input)) => {
            let input = match condition.map(|condition| condition(value)) {
                Some(condition) => {
                    add_outer_references(&condition, &mut outer_ref_columns)?;
                    filtered(input, condition)?
                }
                None => input,
            };
            Arc::new(LogicalPlanBuilder::from(input).project([lit(1).alias(EXISTS)])?.build()?)
        }
        None => Arc::clone(&subquery.subquery),
    };
    let subquery = Subquery { subquery: plan, outer_ref_columns, spans: subquery.spans.clone() };
    Ok(Expr::Exists(Exists { subquery, negated }))
}

/// A plan with a filter more, in one node: of two, only the columns of the lower are pulled up.
fn filtered(plan: LogicalPlan, condition: Expr) -> DfResult<LogicalPlan> {
    match plan {
        LogicalPlan::Filter(filter) => {
            let both = filter.predicate.and(condition);
            Ok(LogicalPlan::Filter(Filter::try_new(both, filter.input)?))
        }
        other => LogicalPlanBuilder::from(other).filter(condition)?.build(),
    }
}

fn add_outer_references(expr: &Expr, references: &mut Vec<Expr>) -> DfResult<()> {
    expr.apply(|expr| {
        if matches!(expr, Expr::OuterReferenceColumn(..)) && !references.contains(expr) {
            references.push(expr.clone());
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}
