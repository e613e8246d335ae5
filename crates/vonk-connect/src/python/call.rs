//! Calls of functions within expressions, and functions that statements of SQL may call by name.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use spark_connect_proto::common_inline_user_defined_function::Function as Defined;
use spark_connect_proto::common_inline_user_defined_table_function::Function as DefinedTable;
use spark_connect_proto::expression::ExprType;
use spark_connect_proto::{
    CommonInlineUserDefinedFunction, CommonInlineUserDefinedTableFunction, Expression, PythonUdf,
};
use vonk::dataframe::{Column, WindowSpec, lit};
use vonk::udf::OutsideFunction;
use vonk::{Result, functions};

use super::function::{Function, Kind, Shape, Source};
use super::run::{Scalar, in_order};
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
    let udf = python(call)?;
    let (args, named) = arguments(scope, &call.arguments)?;
    let session = scope.connection();
    let words = match named.iter().any(Option::is_some) {
        true => named.iter().map(|name| name.as_deref().unwrap_or_default()).collect::<Vec<_>>(),
        false => Vec::new(),
    };
    let words = words.join(",");
    let names = (0..args.len()).map(|at| format!("_{at}")).collect();
    let shape = Shape { names, named, ..Shape::default() };
    let function = scalar(session, udf, &shape)?;
    let id = format!("{};{words}", function.id);
    let made = outside(call, udf, session, function)?;
    match Kind::of(udf.eval_type)? {
        Kind::Scalar => {
            let name = session.engine.udf_of_expression(made, &id)?;
            Ok(functions::call(&name, args))
        }
        Kind::Aggregate => {
            let name = session.engine.udf_of_expression(made, &format!("groups{id}"))?;
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
    for argument in arguments {
        let (name, value) = match &argument.expr_type {
            Some(ExprType::NamedArgumentExpression(argument)) => {
                let value = required(argument.value.as_deref(), "value of an argument")?;
                (Some(argument.key.clone()), value)
            }
            _ => (None, argument),
        };
        values.push(expression::column(scope, value)?);
        names.push(name);
    }
    Ok((values, names))
}

/// The rows of a group as a list of structs of these values.
fn rows(values: Vec<Column>) -> Column {
    functions::call("collect_list", [row(values)])
}

/// A struct of these values.
pub(crate) fn row(values: impl IntoIterator<Item = Column>) -> Column {
    let parts = values.into_iter().enumerate();
    let parts = parts.flat_map(|(at, value)| [lit(format!("_{at}")), value]);
    functions::call("named_struct", parts.collect::<Vec<_>>())
}

/// Makes a function one of SQL.
///
/// # Errors
/// As [`column`].
pub(crate) fn register(
    session: &ConnectSession,
    call: &CommonInlineUserDefinedFunction,
) -> Result<()> {
    let udf = python(call)?;
    let function = scalar(session, udf, &Shape::default())?;
    let made = outside(call, udf, session, function)?;
    match Kind::of(udf.eval_type)? {
        Kind::Scalar => session.engine.udf_outside(made),
        Kind::Aggregate => session.engine.udaf_outside(made),
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
    let function = Arc::new(table(session, call, schema, Vec::new())?);
    let schema = Arc::clone(&function.schema);
    let map = move |batches| in_order(&function, batches);
    session.engine.udtf_outside(&call.function_name, schema, map)
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

/// The function of a call that gives rows; `named` are the names of its arguments.
///
/// # Errors
/// Those of [`Function::new`].
pub(crate) fn table(
    session: &ConnectSession,
    call: &CommonInlineUserDefinedTableFunction,
    schema: Schema,
    named: Vec<Option<String>>,
) -> Result<Function> {
    let DefinedTable::PythonUdtf(udtf) = required(call.function.as_ref(), "function")?;
    let shape = Shape { named, ..Shape::default() };
    Function::new(session, &udtf.into(), schema, &shape)
}

/// The function that gives the columns of a call's result as JSON, by the handler's `analyze`.
///
/// # Errors
/// As [`table`].
pub(crate) fn analysis(
    session: &ConnectSession,
    call: &CommonInlineUserDefinedTableFunction,
    named: Vec<Option<String>>,
) -> Result<Function> {
    let DefinedTable::PythonUdtf(udtf) = required(call.function.as_ref(), "function")?;
    let source = Source { eval_type: ANALYZE, ..Source::from(udtf) };
    let schema = Schema::new(vec![Field::new("_0", DataType::Utf8, true)]);
    Function::new(session, &source, schema, &Shape { named, ..Shape::default() })
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

/// A function whose result is one column.
fn scalar(session: &ConnectSession, udf: &PythonUdf, shape: &Shape) -> Result<Arc<Function>> {
    let result = types::to_field(&session.engine, required(udf.output_type.as_ref(), "type")?)?;
    let schema = Schema::new(vec![result.with_name("_0")]);
    Ok(Arc::new(Function::new(session, &Source::from(udf), schema, shape)?))
}

fn outside(
    call: &CommonInlineUserDefinedFunction,
    udf: &PythonUdf,
    session: &ConnectSession,
    function: Arc<Function>,
) -> Result<OutsideFunction> {
    let result = types::to_field(&session.engine, required(udf.output_type.as_ref(), "type")?)?;
    let data_type: DataType = function.schema.field(0).data_type().clone();
    Ok(OutsideFunction {
        name: call.function_name.clone(),
        return_type: result.with_data_type(data_type),
        is_deterministic: call.deterministic,
        code: Arc::new(Scalar(function)),
    })
}
