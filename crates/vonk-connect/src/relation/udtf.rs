//! Rows that handlers of Python make: of the arguments of a call, one of which may be a table.

use std::sync::Arc;

use arrow::datatypes::Schema;
use futures::StreamExt;
use spark_connect_proto::expression::ExprType;
use spark_connect_proto::subquery_expression::SubqueryType;
use spark_connect_proto::{CommonInlineUserDefinedTableFunction, Expression, SubqueryExpression};
use vonk::dataframe::{Column, col, expr};
use vonk::{DataFrame, Error, Result, functions};

use super::{Query, Scope};
use crate::errors::{self, required};
use crate::expression::{self, Order, quoted};
use crate::python::{self, Analysis, Function, OverPartitions, Shape, in_order};
use crate::session::ConnectSession;
use crate::types;

/// The rows that a handler gives.
pub(super) async fn table(
    session: &Arc<ConnectSession>,
    call: &CommonInlineUserDefinedTableFunction,
) -> Result<Query> {
    let mut given = Given::new(session, &call.arguments).await?;
    let schema = match python::declared_columns(session, call)? {
        Some(schema) => schema,
        None => given.analyzed(session, call).await?,
    };
    let function = Arc::new(python::table(session, call, schema, &given.shape())?);
    let frame = given.rows();
    Query::new(given.through(&frame, &function)).await
}

/// The arguments of a call.
struct Given {
    values: Vec<Column>,
    names: Vec<Option<String>>,
    table: Option<Table>,
    /// A query of one row, over which values stand that are no columns.
    one: DataFrame,
}

/// An argument that is a table: each of its rows is a call.
struct Table {
    /// Which argument it is.
    at: usize,
    frame: DataFrame,
    /// What the handler sees of it.
    fields: Vec<(String, Column)>,
    /// Rows with equal keys have a handler of their own.
    keys: Vec<Column>,
    order: Vec<Column>,
    /// Whether all rows have the same handler.
    is_single: bool,
}

impl Given {
    async fn new(session: &Arc<ConnectSession>, arguments: &[Expression]) -> Result<Self> {
        let one = session.engine.sql("SELECT 1 AS one");
        let mut given = Self { values: Vec::new(), names: Vec::new(), table: None, one };
        let scope = Scope::empty(session);
        for (at, argument) in arguments.iter().enumerate() {
            let (name, value) = python::argument(argument)?;
            given.names.push(name);
            match table_argument(value) {
                Some(_) if given.table.is_some() => {
                    let message = "a call of a table function has at most one table";
                    return Err(Error::new(errors::TOO_MANY_TABLES, message));
                }
                Some(subquery) => {
                    let table = Table::new(session, at, subquery).await?;
                    given.values.push(table.row());
                    given.table = Some(table);
                }
                None => given.values.push(expression::column(&scope, value)?),
            }
        }
        Ok(given)
    }

    /// Asks the handler's `analyze` for its columns, and for how it wants the rows of its table.
    async fn analyzed(
        &mut self,
        session: &Arc<ConnectSession>,
        call: &CommonInlineUserDefinedTableFunction,
    ) -> Result<Schema> {
        let function = Arc::new(python::analysis(session, call, &self.shape())?);
        let sample = match &self.table {
            // No row of the table is needed to know its type.
            Some(table) => {
                let values = self.values.iter().cloned().enumerate().map(|(at, value)| {
                    let value = match at == table.at {
                        true => functions::call("any_value", [value]),
                        false => value,
                    };
                    value.alias(&format!("_{at}"))
                });
                table.frame.limit(0).agg(values)
            }
            None => self.select(&self.one, Vec::new()),
        };
        let told = self.through(&sample, &function).rows::<(String,)>().await?;
        let (json,) = required(told.first(), "columns of its function")?;
        let analysis = Analysis::of(json)?;
        if let Some(table) = &mut self.table {
            table.lay_out(&analysis);
            self.values[table.at] = table.row();
        }
        types::schema_of_json(&session.engine, &analysis.schema)
    }

    fn shape(&self) -> Shape {
        let table = self.table.as_ref();
        let keys = table.map_or(0, |table| table.keys.len());
        let named = self.names.clone();
        Shape { named, keys, table: table.map(|table| table.at), ..Shape::default() }
    }

    /// The arguments as columns `_0`, `_1` and so on.
    fn arguments(&self) -> Vec<Column> {
        let values = self.values.iter().enumerate();
        values.map(|(at, value)| value.clone().alias(&format!("_{at}"))).collect()
    }

    fn select(&self, frame: &DataFrame, mut columns: Vec<Column>) -> DataFrame {
        columns.extend(self.arguments());
        match columns.is_empty() {
            true => frame.clone(),
            false => frame.select(columns),
        }
    }

    /// The keys and arguments of all calls, those of one handler behind each other.
    fn rows(&self) -> DataFrame {
        let Some(table) = &self.table else { return self.select(&self.one, Vec::new()) };
        let keys = table.keys.iter().enumerate();
        let keys: Vec<Column> =
            keys.map(|(at, key)| key.clone().alias(&format!("key{at}"))).collect();
        let order: Vec<Column> = table.keys.iter().chain(&table.order).cloned().collect();
        let order_is_free = order.is_empty();
        let frame = match order_is_free {
            false => table.frame.order_by(order),
            true => table.frame.clone(),
        };
        let rows = self.select(&frame, keys);
        // Behind everything else, which the planner would spread over partitions again.
        if order_is_free && table.is_single { rows.coalesce(1) } else { rows }
    }

    /// What a function makes of calls.
    fn through(&self, frame: &DataFrame, function: &Arc<Function>) -> DataFrame {
        let function = Arc::clone(function);
        let schema = Arc::clone(&function.schema);
        if !self.values.is_empty() {
            return frame.map_outside(schema, Arc::new(OverPartitions(function)));
        }
        // A call without arguments stands over the column of the one row.
        frame.map_batches(schema, move |batches| {
            in_order(&function, batches.map(|batch| Ok(batch?.project(&[])?)).boxed())
        })
    }
}

/// The table that an argument is, if it is one.
fn table_argument(argument: &Expression) -> Option<&SubqueryExpression> {
    match argument.expr_type.as_ref()? {
        ExprType::SubqueryExpression(subquery)
            if subquery.subquery_type() == SubqueryType::TableArg =>
        {
            Some(subquery)
        }
        _ => None,
    }
}

impl Table {
    async fn new(
        session: &Arc<ConnectSession>,
        at: usize,
        subquery: &SubqueryExpression,
    ) -> Result<Self> {
        let frame = Scope::empty(session).reference(subquery.plan_id)?.rows().clone();
        let query = Query::new(frame).await?;
        let scope = query.scope(session);
        let options = subquery.table_arg_options.clone().unwrap_or_default();
        let keys = expression::columns(&scope, &options.partition_spec)?;
        let order = expression::sort_orders(&scope, &options.order_spec)?;
        let fields = scope.names().map(|name| (name.to_owned(), col(&quoted(name)))).collect();
        let is_single = options.with_single_partition();
        let frame = scope.only(&query.frame);
        Ok(Self { at, frame, fields, keys, order, is_single })
    }

    /// One of its rows as a value.
    fn row(&self) -> Column {
        expression::structure(self.fields.iter().map(|(name, value)| (name, value.clone())))
    }

    /// Takes over what `analyze` has said of the table.
    fn lay_out(&mut self, analysis: &Analysis) {
        self.is_single |= analysis.is_single;
        if !analysis.partition.is_empty() {
            self.keys = analysis.partition.iter().map(|key| expr(key)).collect();
        }
        if !analysis.order.is_empty() {
            let sorted = |key: &python::Ordered| {
                let python::Ordered { is_ascending, has_nulls_first, .. } = *key;
                expression::sorted(expr(&key.name), Order { is_ascending, has_nulls_first })
            };
            self.order = analysis.order.iter().map(sorted).collect();
        }
        if !analysis.select.is_empty() {
            let selected = analysis.select.iter();
            self.fields = selected.map(|(name, text)| (name.clone(), expr(text))).collect();
        }
    }
}
