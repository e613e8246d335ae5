//! Subqueries and LATERAL items that read columns of the query around them, as joins.
//!
//! DataFusion takes such a subquery apart where its outer columns stand in filters only, and refuses
//! the rest. Here any of them is computed for all values of its outer columns at once: these values,
//! each once, are joined in at the bottom of the subquery, and its rows are joined back by them
//! (Neumann and Kemper, "Unnesting Arbitrary Queries", BTW 2015). What DataFusion does well stays
//! with it, because its plans read the outer tables once.

use std::sync::Arc;

use datafusion::arrow::datatypes::FieldRef;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{
    Column, DFSchema, ExprSchema, NullEquality, Result as DfResult, TableReference, not_impl_err,
};
use datafusion::functions_aggregate::expr_fn::array_agg;
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::{
    Aggregate, Distinct, Expr, Filter, Join, JoinConstraint, JoinType, LogicalPlan,
    LogicalPlanBuilder, Projection, Subquery, lit,
};

use self::outer::{Outer, is_simple, outer_columns, uses_outer};
use super::lateral::lateral_item;
use super::{lateral, subqueries};

mod outer;
mod push;

/// Makes joins of the subqueries and LATERAL items that DataFusion cannot take apart.
pub(super) fn unnest(plan: LogicalPlan) -> DfResult<LogicalPlan> {
    let mut unnester = Unnester { names: 0 };
    let unnested = plan.transform_down_with_subqueries(|plan| unnester.node(plan))?;
    if !unnested.transformed {
        return Ok(unnested.data);
    }
    // What is joined by an outer join may be NULL, and the nodes above have to know.
    Ok(unnested
        .data
        .transform_up_with_subqueries(|plan| Ok(Transformed::yes(plan.recompute_schema()?)))?
        .data)
}

struct Unnester {
    /// How many names were given; no two in a plan are the same.
    names: usize,
}

/// The values that the outer columns of a subquery have, each once.
struct Domain {
    plan: Arc<LogicalPlan>,
    outer: Vec<Outer>,
}

/// A plan that has columns with the values of a domain beside its own.
struct Pushed {
    plan: LogicalPlan,
    /// These columns, in the order of the domain.
    columns: Vec<Column>,
}

/// How the rows of a subquery come to those of the query around it.
struct Attachment {
    join_type: JoinType,
    filter: Option<Expr>,
}

impl Unnester {
    fn name(&mut self, kind: &str) -> String {
        self.names += 1;
        format!("__{kind}{}", self.names)
    }

    fn node(&mut self, plan: LogicalPlan) -> DfResult<Transformed<LogicalPlan>> {
        match plan {
            LogicalPlan::Join(join) => self.join(join),
            LogicalPlan::Projection(_)
            | LogicalPlan::Filter(_)
            | LogicalPlan::Aggregate(_)
            | LogicalPlan::Window(_) => self.expressions(plan),
            other => Ok(Transformed::no(other)),
        }
    }

    /// A join with a LATERAL item, or one whose condition has a subquery.
    fn join(&mut self, join: Join) -> DfResult<Transformed<LogicalPlan>> {
        let has_subquery = join.filter.as_ref().is_some_and(has_subquery);
        if has_subquery && join.join_type == JoinType::Inner {
            let Join { filter, .. } = join.clone();
            let bare = LogicalPlan::Join(Join { filter: None, ..join });
            let Some(filter) = filter else { return Ok(Transformed::no(bare)) };
            let filtered = LogicalPlan::Filter(Filter::try_new(filter, Arc::new(bare))?);
            return Ok(Transformed::yes(self.node(filtered)?.data));
        }
        let Some(item) = lateral_item(&join.right) else {
            return Ok(Transformed::no(LogicalPlan::Join(join)));
        };
        if !matches!(join.join_type, JoinType::Inner | JoinType::Left) {
            return not_impl_err!("a LATERAL item in a {} join", join.join_type);
        }
        let outer = self.outer_of(&item, join.left.schema());
        let filter = lateral::condition(&join);
        let pushed = self.for_values(&item, &join.left, outer)?;
        let attachment = Attachment { join_type: join.join_type, filter };
        let joined = self.attach(&join.left, pushed, attachment)?;
        Ok(Transformed::yes(columns_of(joined, &join.schema)?))
    }

    /// What a subquery reads of the query that has `schema`.
    fn outer_of(&self, plan: &LogicalPlan, schema: &DFSchema) -> Vec<Outer> {
        let mut outer = outer_columns(plan);
        outer.retain(|outer| schema.has_column(&outer.column));
        outer
    }

    /// A subquery for all values of its outer columns, which it gives as well.
    fn for_values(
        &mut self,
        subquery: &LogicalPlan,
        around: &Arc<LogicalPlan>,
        outer: Vec<Outer>,
    ) -> DfResult<(Pushed, Vec<Outer>)> {
        if outer.is_empty() {
            let pushed = Pushed { plan: subquery.clone(), columns: Vec::new() };
            return Ok((pushed, outer));
        }
        let columns = outer.iter().map(|outer| Expr::Column(outer.column.clone()));
        let values = Projection::try_new(columns.collect(), Arc::clone(around))?;
        let values = Distinct::All(Arc::new(LogicalPlan::Projection(values)));
        let plan = Arc::new(LogicalPlan::Distinct(values));
        let pushed = self.push(subquery, &Domain { plan, outer: outer.clone() })?;
        Ok((pushed, outer))
    }

    /// Joins what was computed for all values back by them.
    fn attach(
        &self,
        around: &Arc<LogicalPlan>,
        (pushed, outer): (Pushed, Vec<Outer>),
        attachment: Attachment,
    ) -> DfResult<LogicalPlan> {
        // A column without a type is NULL in every row; hash joins find no partner for such.
        let has_type = |(outer, _): &(Outer, Column)| {
            let field = around.schema().field_from_column(&outer.column);
            !field.is_ok_and(|field| field.data_type().is_null())
        };
        let pairs = outer.into_iter().zip(pushed.columns).filter(has_type);
        let on = pairs.map(|(outer, pushed)| (Expr::Column(outer.column), Expr::Column(pushed)));
        let on = on.collect();
        Ok(LogicalPlan::Join(Join::try_new(
            Arc::clone(around),
            Arc::new(pushed.plan),
            on,
            attachment.filter,
            attachment.join_type,
            JoinConstraint::On,
            NullEquality::NullEqualsNull,
            false,
        )?))
    }

    /// Takes the subqueries out of the expressions of a node with one input.
    fn expressions(&mut self, plan: LogicalPlan) -> DfResult<Transformed<LogicalPlan>> {
        let [input] = plan.inputs()[..] else { return Ok(Transformed::no(plan)) };
        let mut is_needed = false;
        plan.apply_expressions(|expr| {
            is_needed |= is_hard(expr, &plan);
            Ok(if is_needed { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        })?;
        if !is_needed {
            return Ok(Transformed::no(plan));
        }
        let schema = Arc::clone(input.schema());
        let mut around = Arc::new(input.clone());
        let mut exprs = Vec::new();
        for expr in plan.expressions() {
            let taken_out = expr.transform_down(|expr| {
                if !is_hard_itself(&expr, &plan) {
                    return Ok(Transformed::no(expr));
                }
                match expr {
                    Expr::InSubquery(_) => subqueries::spell_value(expr, &schema),
                    Expr::Exists(Exists { subquery, negated }) => {
                        let mark = self.exists(&mut around, &subquery)?;
                        let mark = if negated { mark.is_null() } else { mark.is_not_null() };
                        Ok(Transformed::yes(mark))
                    }
                    Expr::ScalarSubquery(subquery) => {
                        Ok(Transformed::yes(self.scalar(&mut around, &subquery)?))
                    }
                    other => Ok(Transformed::no(other)),
                }
            })?;
            exprs.push(taken_out.data);
        }
        Ok(Transformed::yes(rebuilt(&plan, exprs, around)?))
    }

    /// A column that is not NULL where a subquery has rows.
    fn exists(&mut self, around: &mut Arc<LogicalPlan>, subquery: &Subquery) -> DfResult<Expr> {
        let outer = self.outer_of(&subquery.subquery, around.schema());
        let (pushed, outer) = self.for_values(&subquery.subquery, around, outer)?;
        let mark = self.name("exists");
        let values = pushed.columns.iter().cloned().map(Expr::Column);
        let marked = LogicalPlanBuilder::from(pushed.plan);
        let marked = match pushed.columns.is_empty() {
            true => marked.limit(0, Some(1))?,
            false => marked.project(values.clone())?.distinct()?,
        };
        let plan = marked.project(values.chain([lit(true).alias(&mark)]))?.build()?;
        let pushed = Pushed { plan, columns: pushed.columns };
        let attachment = Attachment { join_type: JoinType::Left, filter: None };
        *around = Arc::new(self.attach(around, (pushed, outer), attachment)?);
        Ok(Expr::Column(Column::from_name(mark)))
    }

    /// A column with the one value of a subquery, NULL where it has no row.
    fn scalar(&mut self, around: &mut Arc<LogicalPlan>, subquery: &Subquery) -> DfResult<Expr> {
        let name = self.name("value");
        let value = Expr::Column(Column::from(subquery.subquery.schema().qualified_field(0)));
        let plan = LogicalPlanBuilder::from(subquery.subquery.as_ref().clone());
        let plan = plan.project([value.alias(&name)])?.build()?;
        let outer = self.outer_of(&plan, around.schema());
        let is_one = outer::gives_one_row(&plan);
        let (mut pushed, outer) = self.for_values(&plan, around, outer)?;
        let column = Expr::Column(Column::from_name(&name));
        if !is_one {
            pushed.plan = only_value(pushed.plan, &pushed.columns, &name)?;
        }
        let attachment = Attachment { join_type: JoinType::Left, filter: None };
        *around = Arc::new(self.attach(around, (pushed, outer), attachment)?);
        Ok(column)
    }
}

/// One row for each of the values, and an error where there are more.
fn only_value(plan: LogicalPlan, values: &[Column], name: &str) -> DfResult<LogicalPlan> {
    let values: Vec<Expr> = values.iter().cloned().map(Expr::Column).collect();
    let all = array_agg(Expr::Column(Column::from_name(name))).alias(name);
    let grouped = LogicalPlanBuilder::from(plan).aggregate(values.clone(), [all])?;
    let only = vonk_functions::only::udf().call(vec![Expr::Column(Column::from_name(name))]);
    grouped.project(values.into_iter().chain([only.alias(name)]))?.build()
}

/// A node over an input with more columns, which gives the columns that it gave before.
pub(super) fn rebuilt(
    plan: &LogicalPlan,
    exprs: Vec<Expr>,
    input: Arc<LogicalPlan>,
) -> DfResult<LogicalPlan> {
    match plan {
        LogicalPlan::Projection(projection) => {
            let exprs = named_alike(exprs, &projection.schema);
            Ok(LogicalPlan::Projection(Projection::try_new(exprs, input)?))
        }
        LogicalPlan::Aggregate(aggregate) => {
            let keys = aggregate.group_expr.len();
            let (keys, calls) = exprs.split_at(keys);
            let changed = keys.iter().zip(&aggregate.group_expr).filter(|(new, old)| new != old);
            let changed: Vec<Expr> = changed
                .map(|(new, old)| new.clone().alias(old.schema_name().to_string()))
                .collect();
            let columns = input.schema().columns().into_iter().map(Expr::Column);
            let input = LogicalPlanBuilder::from(Arc::unwrap_or_clone(input));
            let input = input.project(columns.collect::<Vec<_>>().into_iter().chain(changed))?;
            let keys = keys.iter().zip(&aggregate.group_expr).map(|(new, old)| match new == old {
                true => new.clone(),
                false => Expr::Column(Column::from_name(old.schema_name().to_string())),
            });
            let calls = calls.iter().zip(&aggregate.aggr_expr).map(|(new, old)| {
                let (qualifier, name) = old.qualified_name();
                named(new.clone(), qualifier.as_ref(), &name)
            });
            let input = Arc::new(input.build()?);
            Ok(LogicalPlan::Aggregate(Aggregate::try_new(input, keys.collect(), calls.collect())?))
        }
        LogicalPlan::Window(window) => {
            let calls = exprs.into_iter().zip(&window.window_expr).map(|(new, old)| {
                let (qualifier, name) = old.qualified_name();
                named(new, qualifier.as_ref(), &name)
            });
            let plan = plan.with_new_exprs(calls.collect(), vec![Arc::unwrap_or_clone(input)])?;
            columns_of(plan, &window.schema)
        }
        other => {
            let plan = other.with_new_exprs(exprs, vec![Arc::unwrap_or_clone(input)])?;
            columns_of(plan, other.schema())
        }
    }
}

/// Only the columns of a schema.
fn columns_of(plan: LogicalPlan, schema: &DFSchema) -> DfResult<LogicalPlan> {
    let columns: Vec<Expr> = schema.columns().into_iter().map(Expr::Column).collect();
    Ok(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(plan))?))
}

/// Expressions under the names that a schema has.
fn named_alike(exprs: Vec<Expr>, schema: &DFSchema) -> Vec<Expr> {
    let fields = schema.iter();
    exprs
        .into_iter()
        .zip(fields)
        .map(|(expr, (qualifier, field)): (Expr, (Option<&TableReference>, &FieldRef))| {
            named(expr, qualifier, field.name())
        })
        .collect()
}

pub(super) fn named(expr: Expr, qualifier: Option<&TableReference>, name: &str) -> Expr {
    let (own, own_name) = expr.qualified_name();
    match own.as_ref() == qualifier && own_name == name {
        true => expr,
        false => expr.alias_qualified(qualifier.cloned(), name),
    }
}

fn has_subquery(expr: &Expr) -> bool {
    let is_one = |expr: &Expr| match expr {
        Expr::Exists(_) | Expr::InSubquery(_) => true,
        Expr::ScalarSubquery(subquery) => uses_outer(&subquery.subquery),
        _ => false,
    };
    expr.exists(|expr| Ok(is_one(expr))).unwrap_or(false)
}

/// Whether an expression of a node has a subquery that DataFusion cannot take out of it.
fn is_hard(expr: &Expr, node: &LogicalPlan) -> bool {
    expr.exists(|expr| Ok(is_hard_itself(expr, node))).unwrap_or(false)
}

fn is_hard_itself(expr: &Expr, node: &LogicalPlan) -> bool {
    let is_filter = matches!(node, LogicalPlan::Filter(_));
    let takes_values = is_filter || matches!(node, LogicalPlan::Projection(_));
    match expr {
        Expr::Exists(Exists { subquery: query, .. })
        | Expr::InSubquery(InSubquery { subquery: query, .. }) => {
            let plan = &query.subquery;
            !is_filter || !is_simple(plan) || outer::aggregates_all(plan)
        }
        Expr::ScalarSubquery(subquery) => {
            let plan = &subquery.subquery;
            let is_easy = takes_values && is_simple(plan) && outer::gives_one_row(plan);
            uses_outer(plan) && !is_easy
        }
        _ => false,
    }
}
