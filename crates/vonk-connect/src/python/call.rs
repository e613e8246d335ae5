//! Calls of functions within expressions, and functions that statements of SQL may call by name.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use serde::Deserialize;
use spark_connect_proto::common_inline_user_defined_function::Function as Defined;
use spark_connect_proto::common_inline_user_defined_table_function::Function as DefinedTable;
use spark_connect_proto::expression::ExprType;
use spark_connect_proto::{
    CommonInlineUserDefinedFunction, CommonInlineUserDefinedTableFunction, Expression, PythonUdf,
};
use vonk::dataframe::{Column, WindowSpec};
use vonk::udf::OutsideFunction;
use vonk::{Error, Result, functions};

use super::function::{Function, Kind, Shape, Source};
use super::run::{OverPartitions, Scalar};
use crate::errors::{self, required};
use crate::expression;
use crate::relation::Scope;
use crate::session::ConnectSession;
use crate::types;

/// The value of a call. Of an aggregate it is the function of the list of the group's rows.
///
/// # Errors
/// `UNSUPPORTED_FEATURE` for functions that are no part of an expression, those of
/// [`Function::new`].
pub(crate) fn column(scope: &Scope<'_>, call: &CommonInlineUserDefinedFunction) -> Result<Column> {
    called(scope, call, |rows| rows)
}

/// The value of an aggregate over a window, or none if the expression is no such function.
///
/// # Errors
/// As [`column`].
pub(crate) fn over(
    scope: &Scope<'_>,
    function: &Expression,
    window: &WindowSpec,
) -> Result<Option<Column>> {
    match &function.expr_type {
        Some(ExprType::CommonInlineUserDefinedFunction(call)) => {
            called(scope, call, |rows| rows.over(window)).map(Some)
        }
        _ => Ok(None),
    }
}

fn called(
    scope: &Scope<'_>,
    call: &CommonInlineUserDefinedFunction,
    gathered: impl FnOnce(Column) -> Column,
) -> Result<Column> {
    let kind = Kind::of(python(call)?.eval_type)?;
    let (args, named) = arguments(scope, &call.arguments)?;
    let session = scope.connection();
    let words = match named.iter().any(Option::is_some) {
        true => named.iter().map(|name| name.as_deref().unwrap_or_default()).collect::<Vec<_>>(),
        false => Vec::new(),
    };
    let words = words.join(",");
    let names = (0..args.len()).map(|at| format!("_{at}")).collect();
    let shape = Shape { names, named, ..Shape::default() };
    let (function, id) = of_one_column(session, call, &shape)?;
    let id = format!("{id};{words}");
    match kind {
        Kind::Scalar => {
            let name = session.engine.udf_of_expression(function, &id)?;
            Ok(functions::call(&name, args))
        }
        Kind::Aggregate => {
            let name = session.engine.udf_of_expression(function, &format!("groups{id}"))?;
            Ok(functions::call(&name, [gathered(rows(args))]))
        }
        _ => Err(errors::unsupported("functions of tables within expressions")),
    }
}

/// The arguments of a call, and the names of those that have one.
///
/// # Errors
/// Those of the expressions.
pub(crate) fn arguments(
    scope: &Scope<'_>,
    arguments: &[Expression],
) -> Result<(Vec<Column>, Vec<Option<String>>)> {
    let (mut values, mut names) = (Vec::new(), Vec::new());
    for one in arguments {
        let (name, value) = argument(one)?;
        values.push(expression::column(scope, value)?);
        names.push(name);
    }
    Ok((values, names))
}

/// The name of an argument, if it has one, and its value.
///
/// # Errors
/// `INVALID_PLAN_INPUT` for a name without a value.
pub(crate) fn argument(argument: &Expression) -> Result<(Option<String>, &Expression)> {
    match &argument.expr_type {
        Some(ExprType::NamedArgumentExpression(named)) => {
            let value = required(named.value.as_deref(), "value of an argument")?;
            Ok((Some(named.key.clone()), value))
        }
        _ => Ok((None, argument)),
    }
}

/// The rows of a group as a list of structs of these values.
fn rows(values: Vec<Column>) -> Column {
    functions::call("collect_list", [row(values)])
}

/// A struct of these values.
pub(crate) fn row(values: impl IntoIterator<Item = Column>) -> Column {
    let parts = values.into_iter().enumerate();
    expression::structure(parts.map(|(at, value)| (format!("_{at}"), value)))
}

/// Makes a function one of SQL.
///
/// # Errors
/// As [`column`].
pub(crate) fn register(
    session: &ConnectSession,
    call: &CommonInlineUserDefinedFunction,
) -> Result<()> {
    let (function, _) = of_one_column(session, call, &Shape::default())?;
    match Kind::of(python(call)?.eval_type)? {
        Kind::Scalar => session.engine.udf_outside(function),
        Kind::Aggregate => session.engine.udaf_outside(function),
        _ => Err(errors::unsupported("functions of tables within expressions")),
    }
}

/// Makes a function that gives rows one of SQL.
///
/// # Errors
/// `UNSUPPORTED_FEATURE` if its columns are known to its `analyze` only.
pub(crate) fn register_table(
    session: &ConnectSession,
    call: &CommonInlineUserDefinedTableFunction,
) -> Result<()> {
    let Some(schema) = declared_columns(session, call)? else {
        return Err(errors::unsupported("table functions by name whose columns `analyze` gives"));
    };
    let function = Arc::new(table(session, call, schema, &Shape::default())?);
    let schema = Arc::clone(&function.schema);
    session.engine.udtf_outside(&call.function_name, schema, Arc::new(OverPartitions(function)))
}

/// The columns that a function gives, if it says so before it is called.
///
/// # Errors
/// Those of the type.
pub(crate) fn declared_columns(
    session: &ConnectSession,
    call: &CommonInlineUserDefinedTableFunction,
) -> Result<Option<Schema>> {
    let DefinedTable::PythonUdtf(udtf) = required(call.function.as_ref(), "function")?;
    udtf.return_type.as_ref().map(|output| Function::columns_of(session, output)).transpose()
}

/// The function of a call that gives rows.
///
/// # Errors
/// Those of [`Function::new`].
pub(crate) fn table(
    session: &ConnectSession,
    call: &CommonInlineUserDefinedTableFunction,
    schema: Schema,
    shape: &Shape,
) -> Result<Function> {
    let DefinedTable::PythonUdtf(udtf) = required(call.function.as_ref(), "function")?;
    Function::new(session, &udtf.into(), schema, shape)
}

/// The function that gives what the handler's `analyze` says of a call, for [`Analysis::of`].
///
/// # Errors
/// As [`table`].
pub(crate) fn analysis(
    session: &ConnectSession,
    call: &CommonInlineUserDefinedTableFunction,
    shape: &Shape,
) -> Result<Function> {
    let DefinedTable::PythonUdtf(udtf) = required(call.function.as_ref(), "function")?;
    let source = Source { eval_type: ANALYZE, ..Source::from(udtf) };
    let schema = Schema::new(vec![Field::new("_0", DataType::Utf8, true)]);
    // There is one row, whose table has no keys yet.
    Function::new(session, &source, schema, &Shape { keys: 0, ..shape.clone() })
}

/// What a handler's `analyze` says of a call.
#[derive(Deserialize)]
pub(crate) struct Analysis {
    /// The columns of the result, as JSON.
    pub(crate) schema: String,
    /// Whether one handler wants all rows of its table.
    #[serde(rename = "single")]
    pub(crate) is_single: bool,
    /// Expressions by which the rows are divided among handlers.
    pub(crate) partition: Vec<String>,
    /// The order of the rows.
    pub(crate) order: Vec<Ordered>,
    /// Names and expressions of what the handler wants of the table's columns.
    pub(crate) select: Vec<(String, String)>,
}

/// A key of an order, which workers write as a list.
#[derive(Deserialize)]
pub(crate) struct Ordered {
    pub(crate) name: String,
    pub(crate) is_ascending: bool,
    pub(crate) has_nulls_first: bool,
}

impl Analysis {
    /// Reads what a worker says.
    ///
    /// # Errors
    /// `INTERNAL_ERROR` if it is no analysis.
    pub(crate) fn of(json: &str) -> Result<Self> {
        serde_json::from_str(json)
            .map_err(|error| Error::internal(format!("a worker gave no analysis: {error}")))
    }
}

/// The number by which workers are told to ask `analyze`, which PySpark has none for.
const ANALYZE: i32 = -1;

/// The function of Python that a call defines.
///
/// # Errors
/// `UNSUPPORTED_FEATURE` if it is one of Scala or Java.
pub(crate) fn python(call: &CommonInlineUserDefinedFunction) -> Result<&PythonUdf> {
    match required(call.function.as_ref(), "function")? {
        Defined::PythonUdf(udf) => Ok(udf),
        Defined::ScalarScalaUdf(_) | Defined::JavaUdf(_) => {
            Err(errors::unsupported("functions of Scala and Java"))
        }
    }
}

/// A function whose result is one column, and what it is told from others by.
fn of_one_column(
    session: &ConnectSession,
    call: &CommonInlineUserDefinedFunction,
    shape: &Shape,
) -> Result<(OutsideFunction, String)> {
    let udf = python(call)?;
    let return_type =
        types::to_field(&session.engine, required(udf.output_type.as_ref(), "type")?)?;
    let schema = Schema::new(vec![return_type.clone().with_name("_0")]);
    let function = Function::new(session, &Source::from(udf), schema, shape)?;
    let id = function.id.clone();
    let outside = OutsideFunction {
        name: call.function_name.clone(),
        argument_types: None,
        return_type,
        is_deterministic: call.deterministic,
        code: Arc::new(Scalar(Arc::new(function))),
    };
    Ok((outside, id))
}
