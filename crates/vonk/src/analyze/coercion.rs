//! Spark's casts, explicit and implied: runs before DataFusion's own coercion and leaves it nothing.
//!
//! Every CAST that Arrow does otherwise becomes a function of ours, and operands, arguments, rows
//! and branches of different types are cast to the type that Spark gives them.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{
    Column, DFSchema, ExprSchema, JoinType, NullEquality, Result as DfResult, ScalarValue,
};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    Expr, ExprSchemable, Join, LogicalPlan, Projection, Subquery, Union, Values,
};
use vonk_functions::arithmetic::Mode;
use vonk_functions::cast::cast_expr;
use vonk_functions::coercion as matrix;
use vonk_functions::{Failure, types};

use super::lambdas;

mod calls;
mod operators;
mod orderings;

pub(super) use operators::compared;

/// Casts in a new plan as Spark does.
pub(super) fn resolve(plan: LogicalPlan, mode: Mode) -> DfResult<LogicalPlan> {
    let rules = Rules { mode };
    rules.plan(plan, &DFSchema::empty())
}

#[derive(Debug, Clone, Copy)]
struct Rules {
    mode: Mode,
}

impl Rules {
    /// A plan whose inputs come first; `outer` are the columns of the queries around it.
    fn plan(&self, plan: LogicalPlan, outer: &DFSchema) -> DfResult<LogicalPlan> {
        let plan = match plan {
            LogicalPlan::Join(join) => self.join_inputs(join, outer)?,
            plan => plan.map_children(|input| self.plan(input, outer).map(Transformed::yes))?.data,
        };
        orderings::check(&plan)?;
        let mut schema = merge_schema(&plan.inputs());
        if let LogicalPlan::TableScan(scan) = &plan {
            let source = scan.source.schema();
            schema.merge(&DFSchema::try_from_qualified_schema(scan.table_name.clone(), &source)?);
        }
        let scope = Scope { rules: *self, schema: &schema, outer };
        match plan {
            LogicalPlan::Values(values) => scope.values(values),
            // Counts of rows, not values.
            LogicalPlan::Limit(_) => Ok(plan),
            plan => {
                let names = NamePreserver::new(&plan);
                let plan = plan.map_expressions(|expr| {
                    let name = names.save(&expr);
                    let cast = scope.expr(expr)?;
                    Ok(Transformed::yes(name.restore(cast)))
                })?;
                match plan.data {
                    LogicalPlan::Join(join) => self.join(join)?.recompute_schema(),
                    LogicalPlan::Union(union) => self.union(union),
                    plan => plan.recompute_schema(),
                }
            }
        }
    }

    /// The right side of a lateral join sees the columns of its left side.
    fn join_inputs(&self, mut join: Join, outer: &DFSchema) -> DfResult<LogicalPlan> {
        let left = self.plan(Arc::unwrap_or_clone(join.left), outer)?;
        let mut seen = left.schema().as_ref().clone();
        seen.merge(outer);
        join.left = Arc::new(left);
        join.right = Arc::new(self.plan(Arc::unwrap_or_clone(join.right), &seen)?);
        LogicalPlan::Join(join).recompute_schema()
    }

    /// The rows of INTERSECT and EXCEPT have the common types of both sides, column by column.
    fn set_operation(&self, mut join: Join) -> DfResult<Join> {
        let (left, right) = (Arc::clone(join.left.schema()), Arc::clone(join.right.schema()));
        let is_it = matches!(join.join_type, JoinType::LeftSemi | JoinType::LeftAnti)
            && join.null_equality == NullEquality::NullEqualsNull
            && join.filter.is_none()
            && join.on.len() == left.fields().len()
            && join.on.len() == right.fields().len();
        if !is_it {
            return Ok(join);
        }
        let pairs = left.fields().iter().zip(right.fields());
        let commons = pairs.map(|(left, right)| matrix::common(left, right, self.mode));
        let Some(commons) = commons.collect::<Option<Vec<_>>>() else { return Ok(join) };
        join.left = self.columns_as(join.left, &commons)?;
        join.right = self.columns_as(join.right, &commons)?;
        Ok(join)
    }

    fn join(&self, join: Join) -> DfResult<LogicalPlan> {
        let mut join = self.set_operation(join)?;
        let (left_schema, right_schema) =
            (Arc::clone(join.left.schema()), Arc::clone(join.right.schema()));
        let pairs = join.on.into_iter().map(|(left, right)| {
            let left_field = left.to_field(&left_schema)?.1;
            let right_field = right.to_field(&right_schema)?.1;
            let Some(common) = matrix::comparison(&left_field, &right_field, self.mode) else {
                return Ok((left, right));
            };
            Ok((self.cast(left, &left_field, &common)?, self.cast(right, &right_field, &common)?))
        });
        join.on = pairs.collect::<DfResult<_>>()?;
        Ok(LogicalPlan::Join(join))
    }

    /// The inputs of a union get its common types, column by column.
    fn union(&self, union: Union) -> DfResult<LogicalPlan> {
        let columns = union.schema.fields().len();
        let mut commons = Vec::with_capacity(columns);
        for at in 0..columns {
            let fields = union.inputs.iter().map(|input| input.schema().field(at).as_ref());
            let Some(common) = matrix::common_of(fields, self.mode) else {
                return Err(incompatible_column(&union, at).into());
            };
            commons.push(common);
        }
        let inputs = union.inputs.into_iter().map(|input| self.columns_as(input, &commons));
        let inputs = inputs.collect::<DfResult<Vec<_>>>()?;
        Ok(LogicalPlan::Union(Union::try_new_with_loose_types(inputs)?))
    }

    fn columns_as(&self, input: Arc<LogicalPlan>, commons: &[Field]) -> DfResult<Arc<LogicalPlan>> {
        let schema = Arc::clone(input.schema());
        let is_same = |(field, common): (&FieldRef, &Field)| same_type(field, common);
        if schema.fields().iter().zip(commons).all(is_same) {
            return Ok(input);
        }
        let columns = schema.iter().zip(commons).map(|((table, field), common)| {
            let column = Expr::Column(Column::new(table.cloned(), field.name()));
            let cast = self.cast(column.clone(), field, common)?;
            let is_cast = cast != column;
            Ok(if is_cast { cast.alias_qualified(table.cloned(), field.name()) } else { cast })
        });
        let columns = columns.collect::<DfResult<Vec<_>>>()?;
        Ok(Arc::new(LogicalPlan::Projection(Projection::try_new(columns, input)?)))
    }

    /// The cast that is implied; what Spark would not allow is left to the rules that follow.
    fn cast(&self, expr: Expr, from: &Field, to: &Field) -> DfResult<Expr> {
        if same_type(from, to) {
            return Ok(expr);
        }
        let to: FieldRef = Arc::new(to.clone());
        match expr {
            Expr::Literal(ScalarValue::Null, metadata) if metadata.is_none() => {
                let null = ScalarValue::try_new_null(to.data_type())?;
                let metadata = (!to.metadata().is_empty())
                    .then(|| datafusion::common::metadata::FieldMetadata::new_from_field(&to));
                Ok(Expr::Literal(null, metadata))
            }
            // It stays a literal, whose value the type of a call may depend on.
            Expr::Literal(ScalarValue::Utf8(text), None)
                if *to.data_type() == DataType::Utf8View =>
            {
                Ok(Expr::Literal(ScalarValue::Utf8View(text), None))
            }
            expr => cast_expr(expr, from, &to, self.mode),
        }
    }
}

/// Whether two fields have one type, names of intervals included.
fn same_type(left: &Field, right: &Field) -> bool {
    left.data_type() == right.data_type() && types::field_name(left) == types::field_name(right)
}

/// What names mean in the expressions of one plan.
struct Scope<'a> {
    rules: Rules,
    schema: &'a DFSchema,
    outer: &'a DFSchema,
}

impl Scope<'_> {
    fn expr(&self, expr: Expr) -> DfResult<Expr> {
        let mut expr = lambdas::settle(expr, self.schema)?.data;
        // A cast of an array gives its lambda other types, and those may need casts of their own.
        loop {
            let cast = expr.transform_up(|expr| self.one(expr).map(Transformed::yes))?.data;
            let settled = lambdas::settle(cast, self.schema)?;
            if !settled.transformed {
                return Ok(settled.data);
            }
            expr = settled.data;
        }
    }

    /// One expression whose parts are cast already.
    fn one(&self, expr: Expr) -> DfResult<Expr> {
        match expr {
            Expr::Cast(cast) => {
                let from = self.field(&cast.expr)?;
                self.explicit(*cast.expr, &from, &cast.field, self.rules.mode)
            }
            Expr::TryCast(cast) => {
                let from = self.field(&cast.expr)?;
                self.explicit(*cast.expr, &from, &cast.field, Mode::Try)
            }
            Expr::ScalarSubquery(subquery) => Ok(Expr::ScalarSubquery(self.subquery(subquery)?)),
            Expr::Exists(mut exists) => {
                exists.subquery = self.subquery(exists.subquery)?;
                Ok(Expr::Exists(exists))
            }
            Expr::InSubquery(mut of) => {
                of.subquery = self.subquery(of.subquery)?;
                self.in_subquery(of)
            }
            Expr::OuterReferenceColumn(field, column) => {
                // The column may have another type than when the reference was made.
                let field = match self.outer.field_from_column(&column) {
                    Ok(found) => Arc::clone(found),
                    Err(_) => field,
                };
                Ok(Expr::OuterReferenceColumn(field, column))
            }
            other => self.operator(other),
        }
    }

    /// A cast that is written; one that changes nothing stays, as a name may refer to it.
    fn explicit(&self, expr: Expr, from: &Field, to: &FieldRef, mode: Mode) -> DfResult<Expr> {
        cast_expr(expr, from, to, mode)
    }

    fn subquery(&self, subquery: Subquery) -> DfResult<Subquery> {
        let mut outer = self.schema.clone();
        outer.merge(self.outer);
        let plan = self.rules.plan(Arc::unwrap_or_clone(subquery.subquery), &outer)?;
        let references = subquery.outer_ref_columns.into_iter().map(|column| match column {
            Expr::OuterReferenceColumn(field, column) => {
                let found = outer.field_from_column(&column).map(Arc::clone);
                Expr::OuterReferenceColumn(found.unwrap_or(field), column)
            }
            other => other,
        });
        Ok(Subquery {
            outer_ref_columns: references.collect(),
            subquery: Arc::new(plan),
            spans: subquery.spans,
        })
    }

    fn in_subquery(&self, mut of: datafusion::logical_expr::expr::InSubquery) -> DfResult<Expr> {
        let left = self.field(&of.expr)?;
        let [right] = of.subquery.subquery.schema().fields().as_ref() else {
            return Ok(Expr::InSubquery(of));
        };
        if let Some(common) = matrix::comparison(&left, right, self.rules.mode) {
            *of.expr = self.rules.cast(*of.expr, &left, &common)?;
            let plan = Arc::clone(&of.subquery.subquery);
            of.subquery.subquery = self.rules.columns_as(plan, &[common])?;
        }
        Ok(Expr::InSubquery(of))
    }

    /// The rows of a VALUES get the common types of their columns.
    fn values(&self, values: Values) -> DfResult<LogicalPlan> {
        let columns = values.schema.fields().len();
        let mut rows = values.values;
        for row in &mut rows {
            for (at, expr) in row.iter_mut().enumerate() {
                let taken = std::mem::take(expr);
                *expr = self.expr(unwrap(taken, values.schema.field(at).data_type()))?;
            }
        }
        let mut commons = Vec::with_capacity(columns);
        for at in 0..columns {
            let fields = rows.iter().map(|row| self.field(&row[at]));
            let fields = fields.collect::<DfResult<Vec<_>>>()?;
            let common = matrix::common_of(fields.iter().map(AsRef::as_ref), self.rules.mode);
            let Some(common) = common else {
                let message = format!(
                    "column {} of the rows of VALUES has types that do not fit together",
                    at + 1
                );
                let condition = "INVALID_INLINE_TABLE.INCOMPATIBLE_TYPES_IN_INLINE_TABLE";
                return Err(Failure::new(condition, message).into());
            };
            for (row, field) in rows.iter_mut().zip(&fields) {
                let taken = std::mem::take(&mut row[at]);
                row[at] = decided(self.rules.cast(taken, field, &common)?);
            }
            commons.push(common.with_nullable(true));
        }
        let fields = values.schema.iter().zip(commons).map(|((table, field), common)| {
            (table.cloned(), Arc::new(common.with_name(field.name())))
        });
        let metadata = values.schema.as_arrow().metadata().clone();
        let schema = DFSchema::new_with_metadata(fields.collect(), metadata)?;
        Ok(LogicalPlan::Values(Values { schema: Arc::new(schema), values: rows }))
    }

    /// The type of an expression.
    fn field(&self, expr: &Expr) -> DfResult<FieldRef> {
        Ok(expr.to_field(self.schema)?.1)
    }
}

/// The planner's own cast to the type of a column of VALUES, which Spark's rules decide anew.
///
/// Casts that are written within VALUES are calls of ours by now: see [`super::forms`].
fn unwrap(expr: Expr, column: &DataType) -> Expr {
    match expr {
        Expr::Cast(cast) if cast.field.data_type() == column => *cast.expr,
        Expr::Literal(value, _) if value.is_null() => Expr::Literal(ScalarValue::Null, None),
        other => other,
    }
}

/// A value of VALUES with its type, marked: the plan of a view passes here with each query of it, and
/// casts are not the planner's then.
fn decided(expr: Expr) -> Expr {
    match &expr {
        Expr::Cast(_) => expr.alias("value"),
        Expr::Literal(value, _) if value.is_null() && *value != ScalarValue::Null => {
            expr.alias("value")
        }
        _ => expr,
    }
}

fn incompatible_column(union: &Union, at: usize) -> Failure {
    let names = union.inputs.iter().map(|input| types::sql_name(input.schema().field(at)));
    let names = names.map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(" and ");
    let message = format!("column {} of the set operation has the types {names}", at + 1);
    Failure::new("INCOMPATIBLE_COLUMN_TYPE", message).hint("cast them to one type")
}
