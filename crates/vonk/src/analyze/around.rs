//! Queries of the DataFrame API that stand within another and may read its columns.
//!
//! Such a query is planned by itself, step by step, before the one around it. A name that it does
//! not have is a column of the one around: syntax gets a call in its place, whose type is known, and
//! the finished plan the outer reference that SQL text would have given.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, Result as DfResult, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};
use sqlparser::ast;

use super::syntax::call;

/// The reserved beginning of the names of calls that stand for columns around.
const PREFIX: &str = "__around";

/// The columns of the queries around one, the nearest first.
#[derive(Debug)]
pub(crate) struct Around {
    columns: Vec<(Column, FieldRef)>,
    schema: DFSchema,
}

impl Around {
    /// The columns of a query, and behind them those that are around it already.
    pub(crate) fn new(schema: &DFSchema, beyond: Option<&Around>) -> Self {
        let column = |(table, field): (Option<&_>, &FieldRef)| {
            (Column::from((table, field)), Arc::clone(field))
        };
        let mut columns: Vec<(Column, FieldRef)> = schema.iter().map(column).collect();
        columns.extend(beyond.iter().flat_map(|beyond| beyond.columns.iter().cloned()));
        Self { columns, schema: schema.clone() }
    }

    /// The columns of the nearest query, as names find them.
    pub(super) fn schema(&self) -> &DFSchema {
        &self.schema
    }

    /// The call that stands for a column, which syntax refers to in this way.
    pub(super) fn stand_in(&self, reference: &ast::Expr) -> Option<ast::Expr> {
        let of = |column: &Column| {
            super::resolve::reference(column.relation.as_ref(), &column.name) == *reference
        };
        let at = self.columns.iter().position(|(column, _)| of(column))?;
        Some(call(&format!("{PREFIX}{at}"), Vec::new()))
    }

    /// The function of such a call.
    pub(super) fn function(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        let at: usize = name.strip_prefix(PREFIX)?.parse().ok()?;
        let (_, field) = self.columns.get(at)?;
        let data_type = field.data_type().clone();
        let signature = Signature::nullary(Volatility::Volatile);
        let stand_in = StandIn { name: name.to_owned(), data_type, signature };
        Some(Arc::new(ScalarUDF::from(stand_in)))
    }

    /// Puts outer references in the place of the calls.
    pub(super) fn refer(&self, plan: LogicalPlan) -> DfResult<LogicalPlan> {
        let expr = |expr: Expr| {
            let Expr::ScalarFunction(call) = &expr else { return Ok(Transformed::no(expr)) };
            let at = call.name().strip_prefix(PREFIX).and_then(|at| at.parse::<usize>().ok());
            match at.and_then(|at| self.columns.get(at)) {
                Some((column, field)) => Ok(Transformed::yes(Expr::OuterReferenceColumn(
                    Arc::clone(field),
                    column.clone(),
                ))),
                None => Ok(Transformed::no(expr)),
            }
        };
        let node = |plan: LogicalPlan| {
            let names = plan.schema().clone();
            let changed = plan.map_expressions(|one| {
                let name = one.schema_name().to_string();
                let changed = one.transform_up(expr)?;
                // A column that is passed on by a projection keeps the name that others know.
                Ok(match changed.transformed && !matches!(changed.data, Expr::Alias(_)) {
                    true => changed.update_data(|one| {
                        match names.has_column_with_unqualified_name(&name) {
                            true => one.alias(name),
                            false => one,
                        }
                    }),
                    false => changed,
                })
            })?;
            match changed.transformed {
                true => Ok(Transformed::yes(changed.data.recompute_schema()?)),
                false => Ok(changed),
            }
        };
        Ok(plan.transform_up_with_subqueries(node)?.data)
    }
}

/// A function that has a type, and that is gone before anything runs.
#[derive(Debug, PartialEq, Eq, Hash)]
struct StandIn {
    name: String,
    data_type: DataType,
    signature: Signature,
}

impl ScalarUDFImpl for StandIn {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DfResult<DataType> {
        Ok(self.data_type.clone())
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        exec_err!("a column of a query around was not put in its place")
    }
}
