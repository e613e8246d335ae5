//! The values of outer columns at the bottom of a subquery: what each kind of node does with them.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, Result as DfResult, ScalarValue, not_impl_err};
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::builder::unnest_with_options;
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::{
    Aggregate, BinaryExpr, Distinct, Expr, ExprFunctionExt, ExprSchemable, FetchType, Filter, Join,
    JoinType, Limit, LogicalPlan, LogicalPlanBuilder, Operator, Projection, SkipType, Sort,
    SortExpr, Subquery, SubqueryAlias, Union, Window, lit, when,
};

use super::super::lateral::lateral_item;
use super::outer::{Outer, is_own, outer_columns, subquery_of};
use super::{Domain, Pushed, Unnester, named, named_alike};

impl Domain {
    fn position(&self, column: &Column) -> Option<usize> {
        self.outer.iter().position(|outer| outer.column == *column)
    }

    fn is_used_in(&self, plan: &LogicalPlan) -> bool {
        outer_columns(plan).iter().any(|outer| self.position(&outer.column).is_some())
    }

    /// An expression of `node` that reads the values from columns beside it.
    fn inward(&self, expr: Expr, node: &LogicalPlan, columns: &[Column]) -> DfResult<Expr> {
        let inward = expr.transform_up(|expr| match expr {
            Expr::OuterReferenceColumn(field, column) => match self.position(&column) {
                Some(at) => Ok(Transformed::yes(Expr::Column(columns[at].clone()))),
                None => Ok(Transformed::no(Expr::OuterReferenceColumn(field, column))),
            },
            other => match subquery_of(&other) {
                Some(subquery) => {
                    let is_shadowed = |column: &Column| is_own(node, column);
                    let subquery = self.renamed(subquery, columns, &is_shadowed)?;
                    Ok(Transformed::yes(with_subquery(other, subquery)))
                }
                None => Ok(Transformed::no(other)),
            },
        })?;
        Ok(inward.data)
    }

    /// A subquery that reads the values as outer columns under their new names.
    fn renamed(
        &self,
        subquery: &Subquery,
        columns: &[Column],
        is_shadowed: &dyn Fn(&Column) -> bool,
    ) -> DfResult<Subquery> {
        let plan = subquery.subquery.as_ref().clone();
        let renamed = plan.transform_down_with_subqueries(|plan| {
            plan.map_expressions(|expr| {
                expr.transform_up(|expr| match expr {
                    Expr::OuterReferenceColumn(field, column) if !is_shadowed(&column) => {
                        let column = match self.position(&column) {
                            Some(at) => columns[at].clone(),
                            None => column,
                        };
                        Ok(Transformed::yes(Expr::OuterReferenceColumn(field, column)))
                    }
                    other => Ok(Transformed::no(other)),
                })
            })
        })?;
        let outer = outer_columns(&renamed.data).into_iter();
        let outer = outer.map(|Outer { column, field }| Expr::OuterReferenceColumn(field, column));
        Ok(Subquery {
            outer_ref_columns: outer.collect(),
            subquery: Arc::new(renamed.data),
            spans: subquery.spans.clone(),
        })
    }
}

fn with_subquery(expr: Expr, subquery: Subquery) -> Expr {
    match expr {
        Expr::ScalarSubquery(_) => Expr::ScalarSubquery(subquery),
        Expr::Exists(exists) => Expr::Exists(Exists { subquery, ..exists }),
        Expr::InSubquery(query) => Expr::InSubquery(InSubquery { subquery, ..query }),
        other => other,
    }
}

impl Unnester {
    /// Computes a plan for all values of a domain.
    pub(super) fn push(&mut self, plan: &LogicalPlan, domain: &Domain) -> DfResult<Pushed> {
        if !domain.is_used_in(plan) {
            return self.beside(plan, domain);
        }
        match plan {
            LogicalPlan::Projection(projection) => self.push_projection(projection, domain),
            LogicalPlan::Filter(filter) => {
                let input = self.push(&filter.input, domain)?;
                let predicate = domain.inward(filter.predicate.clone(), plan, &input.columns)?;
                let filter = Filter::try_new(predicate, Arc::new(input.plan))?;
                Ok(Pushed { plan: LogicalPlan::Filter(filter), columns: input.columns })
            }
            LogicalPlan::SubqueryAlias(aliased) => self.push_alias(aliased, domain),
            LogicalPlan::Subquery(subquery) => self.push(&subquery.subquery, domain),
            LogicalPlan::Aggregate(aggregate) => self.push_aggregate(plan, aggregate, domain),
            LogicalPlan::Distinct(Distinct::All(input)) => {
                let input = self.push(input, domain)?;
                let plan = LogicalPlan::Distinct(Distinct::All(Arc::new(input.plan)));
                Ok(Pushed { plan, columns: input.columns })
            }
            LogicalPlan::Sort(Sort { input, fetch: None, .. }) => self.push(input, domain),
            LogicalPlan::Limit(limit) => self.push_limit(limit, domain),
            LogicalPlan::Window(window) => self.push_window(plan, window, domain),
            LogicalPlan::Join(join) => self.push_join(plan, join, domain),
            LogicalPlan::Union(union) => self.push_union(union, domain),
            LogicalPlan::Unnest(unnest) => {
                let input = self.push(&unnest.input, domain)?;
                let (exec, options) = (unnest.exec_columns.clone(), unnest.options.clone());
                let plan = unnest_with_options(input.plan, exec, options)?;
                Ok(Pushed { plan, columns: input.columns })
            }
            LogicalPlan::Values(values) => {
                let names = values.schema.columns();
                let rows = values.values.iter().map(|row| {
                    let exprs = row.iter().cloned().zip(&names);
                    let exprs = exprs.map(|(expr, name)| expr.alias(name.name.as_str()));
                    LogicalPlanBuilder::empty(true).project(exprs)?.build().map(Arc::new)
                });
                let rows = rows.collect::<DfResult<Vec<_>>>()?;
                let plan = match <[_; 1]>::try_from(rows) {
                    Ok([row]) => Arc::unwrap_or_clone(row),
                    Err(rows) => LogicalPlan::Union(Union::try_new_with_loose_types(rows)?),
                };
                self.push(&plan, domain)
            }
            other => not_impl_err!("columns of another query in {}", other.display()),
        }
    }

    /// The values beside every row of a plan that does not read them.
    fn beside(&mut self, plan: &LogicalPlan, domain: &Domain) -> DfResult<Pushed> {
        let columns: Vec<Column> =
            domain.outer.iter().map(|_| Column::from_name(self.name("outer"))).collect();
        let values = domain.plan.schema().columns().into_iter().map(Expr::Column);
        let values = values.zip(&columns).map(|(value, column)| value.alias(column.name.as_str()));
        let values = LogicalPlanBuilder::from(domain.plan.as_ref().clone()).project(values)?;
        let plan = match plan {
            LogicalPlan::EmptyRelation(empty) if empty.produce_one_row => values.build()?,
            plan => LogicalPlanBuilder::from(plan.clone()).cross_join(values.build()?)?.build()?,
        };
        Ok(Pushed { plan, columns })
    }

    fn push_projection(&mut self, node: &Projection, domain: &Domain) -> DfResult<Pushed> {
        let plan = LogicalPlan::Projection(node.clone());
        let input = self.push(&node.input, domain)?;
        let exprs = node.expr.iter().cloned();
        let exprs = exprs.map(|expr| domain.inward(expr, &plan, &input.columns));
        let mut exprs = named_alike(exprs.collect::<DfResult<Vec<_>>>()?, &node.schema);
        exprs.extend(input.columns.iter().cloned().map(Expr::Column));
        let plan = LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(input.plan))?);
        Ok(Pushed { plan, columns: input.columns })
    }

    fn push_alias(&mut self, aliased: &SubqueryAlias, domain: &Domain) -> DfResult<Pushed> {
        let input = self.push(&aliased.input, domain)?;
        let columns = aliased.input.schema().columns().into_iter().zip(aliased.schema.columns());
        let columns = columns
            .map(|(column, own)| Expr::Column(column).alias_qualified(own.relation, own.name));
        let columns = columns.chain(input.columns.iter().cloned().map(Expr::Column));
        let plan = Projection::try_new(columns.collect(), Arc::new(input.plan))?;
        Ok(Pushed { plan: LogicalPlan::Projection(plan), columns: input.columns })
    }

    /// Groups by the values too; without keys, there is a row for each of them.
    fn push_aggregate(
        &mut self,
        plan: &LogicalPlan,
        node: &Aggregate,
        domain: &Domain,
    ) -> DfResult<Pushed> {
        if node.group_expr.iter().any(|key| matches!(key, Expr::GroupingSet(_))) {
            return not_impl_err!("GROUPING SETS over columns of another query");
        }
        let input = self.push(&node.input, domain)?;
        let inward = |expr: &Expr| {
            let (qualifier, name) = expr.qualified_name();
            let expr = domain.inward(expr.clone(), plan, &input.columns)?;
            Ok(named(expr, qualifier.as_ref(), &name))
        };
        let mut keys = node.group_expr.iter().map(inward).collect::<DfResult<Vec<_>>>()?;
        let calls = node.aggr_expr.iter().map(inward).collect::<DfResult<Vec<_>>>()?;
        let is_global = keys.is_empty();
        keys.extend(input.columns.iter().cloned().map(Expr::Column));
        let grouped = Aggregate::try_new(Arc::new(input.plan), keys, calls)?;
        let grouped = LogicalPlan::Aggregate(grouped);
        if !is_global {
            return Ok(Pushed { plan: grouped, columns: input.columns });
        }
        let nothing = LogicalPlanBuilder::empty(true).build()?;
        let values = self.beside(&nothing, domain)?;
        let outer = values.columns.iter().zip(&domain.outer);
        let outer = outer
            .map(|(column, outer)| Outer { column: column.clone(), field: outer.field.clone() });
        let pushed = (Pushed { plan: grouped, columns: input.columns }, outer.collect());
        let attachment = super::Attachment { join_type: JoinType::Left, filter: None };
        let joined = self.attach(&Arc::new(values.plan), pushed, attachment)?;
        let outputs = node.aggr_expr.iter().zip(node.schema.columns()).map(|(call, column)| {
            let value = Expr::Column(column.clone());
            let data_type = call.get_type(node.input.schema())?;
            match of_no_rows(call, &data_type)? {
                Some(default) => Ok(when(value.clone().is_null(), lit(default))
                    .otherwise(value)?
                    .alias_qualified(column.relation, column.name)),
                None => Ok(value),
            }
        });
        let outputs = outputs.collect::<DfResult<Vec<_>>>()?.into_iter();
        let outputs = outputs.chain(values.columns.iter().cloned().map(Expr::Column));
        let plan = Projection::try_new(outputs.collect(), Arc::new(joined))?;
        Ok(Pushed { plan: LogicalPlan::Projection(plan), columns: values.columns })
    }

    /// The first rows for each of the values.
    fn push_limit(&mut self, limit: &Limit, domain: &Domain) -> DfResult<Pushed> {
        // What a projection gives of the first rows, it gives of them alone.
        if let LogicalPlan::Projection(projection) = limit.input.as_ref() {
            let inner = Limit { input: Arc::clone(&projection.input), ..limit.clone() };
            let input = Arc::new(LogicalPlan::Limit(inner));
            let projection = Projection::try_new(projection.expr.clone(), input)?;
            return self.push_projection(&projection, domain);
        }
        let (SkipType::Literal(skip), FetchType::Literal(fetch)) =
            (limit.get_skip_type()?, limit.get_fetch_type()?)
        else {
            return not_impl_err!("LIMIT by a column of another query");
        };
        let (orders, input) = match limit.input.as_ref() {
            LogicalPlan::Sort(sort) => (sort.expr.clone(), &sort.input),
            _ => (Vec::new(), &limit.input),
        };
        let pushed = self.push(input, domain)?;
        let orders = orders.into_iter().map(|order| {
            let expr = domain.inward(order.expr, &limit.input, &pushed.columns)?;
            Ok(SortExpr { expr, ..order })
        });
        let orders = orders.collect::<DfResult<Vec<_>>>()?;
        let values: Vec<Expr> = pushed.columns.iter().cloned().map(Expr::Column).collect();
        let name = self.name("row");
        let number = row_number().partition_by(values.clone());
        let number = if orders.is_empty() { number } else { number.order_by(orders) };
        let number = number.build()?.alias(&name);
        let column = Expr::Column(Column::from_name(&name));
        let skip = u64::try_from(skip).unwrap_or(u64::MAX);
        let after = column.clone().gt(lit(skip));
        let last = fetch.map(|fetch| skip.saturating_add(u64::try_from(fetch).unwrap_or(u64::MAX)));
        let condition = match last {
            Some(last) => after.and(column.lt_eq(lit(last))),
            None => after,
        };
        let own = input.schema().columns().into_iter().map(Expr::Column);
        let plan = LogicalPlanBuilder::from(pushed.plan).window([number])?.filter(condition)?;
        let plan = plan.project(own.chain(values))?.build()?;
        Ok(Pushed { plan, columns: pushed.columns })
    }

    /// A window over the rows for each of the values.
    fn push_window(
        &mut self,
        plan: &LogicalPlan,
        node: &Window,
        domain: &Domain,
    ) -> DfResult<Pushed> {
        let input = self.push(&node.input, domain)?;
        let values: Vec<Expr> = input.columns.iter().cloned().map(Expr::Column).collect();
        let calls = node.window_expr.iter().map(|call| {
            let (qualifier, name) = call.qualified_name();
            let call = domain.inward(call.clone(), plan, &input.columns)?;
            let parted = call.transform_up(|expr| match expr {
                Expr::WindowFunction(mut window) => {
                    window.params.partition_by.extend(values.iter().cloned());
                    Ok(Transformed::yes(Expr::WindowFunction(window)))
                }
                other => Ok(Transformed::no(other)),
            })?;
            Ok(named(parted.data, qualifier.as_ref(), &name))
        });
        let calls = calls.collect::<DfResult<Vec<_>>>()?;
        let plan = LogicalPlan::Window(Window::try_new(calls, Arc::new(input.plan))?);
        Ok(Pushed { plan, columns: input.columns })
    }

    fn push_union(&mut self, union: &Union, domain: &Domain) -> DfResult<Pushed> {
        let columns: Vec<Column> =
            domain.outer.iter().map(|_| Column::from_name(self.name("outer"))).collect();
        let mut inputs = Vec::with_capacity(union.inputs.len());
        for input in &union.inputs {
            let pushed = self.push(input, domain)?;
            let own = input.schema().columns().into_iter().zip(union.schema.columns());
            let own = own.map(|(column, name)| {
                named(Expr::Column(column), name.relation.as_ref(), &name.name)
            });
            let values = pushed.columns.into_iter().zip(&columns);
            let values = values.map(|(value, column)| Expr::Column(value).alias(&column.name));
            let input = Projection::try_new(own.chain(values).collect(), Arc::new(pushed.plan))?;
            inputs.push(Arc::new(LogicalPlan::Projection(input)));
        }
        let both = LogicalPlan::Union(Union::try_new_with_loose_types(inputs)?);
        // The union may have lost the qualifiers.
        let own = both.schema().columns().into_iter().zip(union.schema.columns());
        let own = own
            .map(|(column, name)| named(Expr::Column(column), name.relation.as_ref(), &name.name));
        let outputs: Vec<Expr> = own.chain(columns.iter().cloned().map(Expr::Column)).collect();
        let plan = LogicalPlan::Projection(Projection::try_new(outputs, Arc::new(both))?);
        Ok(Pushed { plan, columns })
    }

    fn push_join(&mut self, plan: &LogicalPlan, join: &Join, domain: &Domain) -> DfResult<Pushed> {
        use JoinType as Type;
        if let Some(item) = lateral_item(&join.right) {
            return self.push_lateral(plan, join, &item, domain);
        }
        let (in_left, in_right) = (domain.is_used_in(&join.left), domain.is_used_in(&join.right));
        let (to_left, to_right) = match join.join_type {
            Type::Inner => (in_left || !in_right, in_right),
            Type::Left | Type::LeftSemi | Type::LeftAnti | Type::LeftMark => (true, in_right),
            Type::Right | Type::RightSemi | Type::RightAnti | Type::RightMark => (in_left, true),
            Type::Full => (true, true),
        };
        let left = if to_left { Some(self.push(&join.left, domain)?) } else { None };
        let right = if to_right { Some(self.push(&join.right, domain)?) } else { None };
        let of_left = left.as_ref().map(|left| left.columns.clone());
        let of_right = right.as_ref().map(|right| right.columns.clone());
        let from_right = matches!(
            join.join_type,
            Type::Right | Type::RightSemi | Type::RightAnti | Type::RightMark
        );
        let columns = match from_right {
            true => of_right.clone().or(of_left.clone()),
            false => of_left.clone().or(of_right.clone()),
        };
        let columns = columns.unwrap_or_default();
        let mut joined = join.clone();
        let on = joined.on.into_iter().map(|(left, right)| {
            let left = domain.inward(left, plan, &columns)?;
            Ok((left, domain.inward(right, plan, &columns)?))
        });
        joined.on = on.collect::<DfResult<Vec<_>>>()?;
        joined.filter = match joined.filter {
            Some(filter) => Some(domain.inward(filter, plan, &columns)?),
            None => None,
        };
        if let (Some(left), Some(right)) = (of_left, of_right) {
            compare(&mut joined, left, right);
            if join.join_type == Type::Full {
                return not_impl_err!("columns of another query in a FULL JOIN");
            }
        }
        let left = left.map_or_else(|| Arc::clone(&join.left), |left| Arc::new(left.plan));
        let right = right.map_or_else(|| Arc::clone(&join.right), |right| Arc::new(right.plan));
        let plan = LogicalPlan::Join(Join::try_new(
            left,
            right,
            joined.on,
            joined.filter,
            joined.join_type,
            joined.join_constraint,
            joined.null_equality,
            joined.null_aware,
        )?);
        let own: Vec<Expr> = join.schema.columns().into_iter().map(Expr::Column).collect();
        let outputs = own.into_iter().chain(columns.iter().cloned().map(Expr::Column));
        let plan = Projection::try_new(outputs.collect(), Arc::new(plan))?;
        Ok(Pushed { plan: LogicalPlan::Projection(plan), columns })
    }

    /// A join with a LATERAL item, which reads the values from the tables before it then.
    fn push_lateral(
        &mut self,
        plan: &LogicalPlan,
        join: &Join,
        item: &LogicalPlan,
        domain: &Domain,
    ) -> DfResult<Pushed> {
        let left = self.push(&join.left, domain)?;
        let subquery = Subquery {
            subquery: Arc::new(item.clone()),
            outer_ref_columns: Vec::new(),
            spans: Default::default(),
        };
        let schema = Arc::clone(join.left.schema());
        let is_shadowed = |column: &Column| schema.has_column(column);
        let subquery = domain.renamed(&subquery, &left.columns, &is_shadowed)?;
        let filter = match &join.filter {
            Some(filter) => Some(domain.inward(filter.clone(), plan, &left.columns)?),
            None => None,
        };
        let joined = LogicalPlan::Join(Join::try_new(
            Arc::new(left.plan),
            Arc::new(LogicalPlan::Subquery(subquery)),
            join.on.clone(),
            filter,
            join.join_type,
            join.join_constraint,
            join.null_equality,
            join.null_aware,
        )?);
        let own: Vec<Expr> = join.schema.columns().into_iter().map(Expr::Column).collect();
        let outputs = own.into_iter().chain(left.columns.iter().cloned().map(Expr::Column));
        let plan = Projection::try_new(outputs.collect(), Arc::new(joined))?;
        Ok(Pushed { plan: LogicalPlan::Projection(plan), columns: left.columns })
    }
}

/// Has a join compare the values of both its sides, NULL with NULL.
fn compare(join: &mut Join, left: Vec<Column>, right: Vec<Column>) {
    use datafusion::common::NullEquality;
    let pairs = left.into_iter().map(Expr::Column).zip(right.into_iter().map(Expr::Column));
    if join.null_equality == NullEquality::NullEqualsNull || join.on.is_empty() {
        join.null_equality = NullEquality::NullEqualsNull;
        join.on.extend(pairs);
        return;
    }
    let same = pairs.map(|(left, right)| {
        let (left, right) = (Box::new(left), Box::new(right));
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::IsNotDistinctFrom, right })
    });
    join.filter = join.filter.take().into_iter().chain(same).reduce(Expr::and);
}

/// What an aggregate gives of no rows, unless NULL.
fn of_no_rows(
    call: &Expr,
    data_type: &datafusion::arrow::datatypes::DataType,
) -> DfResult<Option<ScalarValue>> {
    use datafusion::arrow::datatypes::DataType;
    let Expr::AggregateFunction(function) = call.clone().unalias() else { return Ok(None) };
    let default = function.func.default_value(data_type)?;
    if !default.is_null() {
        return Ok(Some(default));
    }
    let collects = matches!(function.func.name(), "collect_list" | "collect_set" | "array_agg");
    Ok(match data_type {
        DataType::List(item) if collects => {
            let nothing = ScalarValue::new_list(&[], item.data_type(), true);
            Some(ScalarValue::List(nothing))
        }
        _ => None,
    })
}
