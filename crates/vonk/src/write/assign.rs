//! Store assignment: a query's columns as a table's, in their order, under their names, as their types.

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, cast};
use vonk_functions::arithmetic::Mode;
use vonk_functions::bounded_text::BoundedText;
use vonk_functions::cast::cast_expr;

use super::InsertSpec;
use crate::display::type_name;
use crate::error::{Condition, Error, Result};

/// The query's columns as the table's: in their order, under their names, cast to their types.
pub(super) fn assign(
    query: &LogicalPlan,
    table: &SchemaRef,
    spec: &InsertSpec,
) -> Result<LogicalPlan> {
    let sources = sources_of(query, table, spec)?;
    let exprs = table.fields().iter().zip(sources).map(|(field, source)| {
        let Some(source) = source.or_else(|| default_of(field.name(), spec)) else {
            let null = cast(Expr::Literal(ScalarValue::Null, None), field.data_type().clone());
            return Ok(null.alias(field.name()));
        };
        let found = source.get_type(query.schema().as_ref())?;
        check_assignable(field.name(), &found, field.data_type())?;
        let cast = match &found == field.data_type() {
            true => source,
            // Fields of structs are assigned by their place, whatever they are called.
            false if found.is_nested() => {
                cast_expr(source, &Field::new(field.name(), found, true), field, Mode::Ansi)?
            }
            false => cast(source, field.data_type().clone()),
        };
        let stored = match BoundedText::of(field) {
            Some(bounded) => bounded.stored(cast),
            None => cast,
        };
        Ok(stored.alias(field.name()))
    });
    let exprs = exprs.collect::<Result<Vec<_>>>()?;
    Ok(LogicalPlanBuilder::from(query.clone()).project(exprs)?.build()?)
}

/// The declared value of a column that the query leaves out.
fn default_of(column: &str, spec: &InsertSpec) -> Option<Expr> {
    let mut defaults = spec.defaults.iter();
    let (_, value) = defaults.find(|(name, _)| name.eq_ignore_ascii_case(column))?;
    Some(value.clone())
}

/// For each column of the table what it is filled from; `None` is NULL.
fn sources_of(query: &LogicalPlan, table: &Schema, spec: &InsertSpec) -> Result<Vec<Option<Expr>>> {
    let mut sources: Vec<Option<Expr>> = vec![None; table.fields().len()];
    let mut is_set = vec![false; sources.len()];
    let mut fill = |index: usize, source: Expr| {
        if std::mem::replace(&mut is_set[index], true) {
            let message = format!("column `{}` is given twice", table.field(index).name());
            return Err(Error::new(Condition::COLUMN_ALREADY_EXISTS, message));
        }
        sources[index] = Some(source);
        Ok(())
    };
    for (name, value) in &spec.partition {
        // What PARTITION says is text of a path, of whatever type the column is.
        let index = column_index(table, name)?;
        fill(index, cast(value.clone(), table.field(index).data_type().clone()))?;
    }
    let columns = query.schema().columns();
    let receivers: Vec<usize> = if spec.by_name {
        columns.iter().map(|column| column_index(table, &column.name)).collect::<Result<_>>()?
    } else if spec.columns.is_empty() {
        let is_fixed = |index: &usize| {
            let name = table.field(*index).name();
            spec.partition.iter().any(|(fixed, _)| fixed.eq_ignore_ascii_case(name))
        };
        (0..table.fields().len()).filter(|index| !is_fixed(index)).collect()
    } else {
        spec.columns.iter().map(|name| column_index(table, name)).collect::<Result<_>>()?
    };
    if receivers.len() != columns.len() {
        let message = format!(
            "the query gives {} columns, but {} of `{}` are to be filled",
            columns.len(),
            receivers.len(),
            spec.table
        );
        let condition = match columns.len() < receivers.len() {
            true => Condition::INSERT_NOT_ENOUGH_COLUMNS,
            false => Condition::INSERT_TOO_MANY_COLUMNS,
        };
        return Err(Error::new(condition, message)
            .hint("name the columns behind the table, or give one value for each"));
    }
    for (index, column) in receivers.into_iter().zip(columns) {
        fill(index, Expr::Column(column))?;
    }
    Ok(sources)
}

fn column_index(table: &Schema, name: &str) -> Result<usize> {
    let names = || table.fields().iter().map(|field| field.name().as_str());
    names().position(|field| field.eq_ignore_ascii_case(name)).ok_or_else(|| {
        let message = format!("column `{name}` is not among the table's columns");
        let error = Error::new(Condition::UNRESOLVED_COLUMN, message);
        error.did_you_mean(name, names())
    })
}

/// Spark's ANSI store assignment: what is stored is the value that was given, or an error.
///
/// # Errors
/// `INCOMPATIBLE_DATA_FOR_TABLE` for types between which a cast could mean something else.
fn check_assignable(column: &str, from: &DataType, to: &DataType) -> Result<()> {
    if is_assignable(from, to) {
        return Ok(());
    }
    let (from, to) = (type_name(from), type_name(to));
    let message = format!("a value of type {from} cannot be stored in column `{column}` of {to}");
    Err(Error::new(Condition::INCOMPATIBLE_DATA_FOR_TABLE, message)
        .hint("cast it in the query if that is what you mean"))
}

/// Whether values of one type may be stored as another.
pub(crate) fn is_assignable(from: &DataType, to: &DataType) -> bool {
    use DataType::{
        Binary, BinaryView, Date32, Dictionary, FixedSizeList, LargeBinary, LargeList, LargeUtf8,
        List, Map, Null, Struct, Timestamp, Utf8, Utf8View,
    };
    let is_text = |data_type: &DataType| matches!(data_type, Utf8 | LargeUtf8 | Utf8View);
    let is_binary = |data_type: &DataType| matches!(data_type, Binary | LargeBinary | BinaryView);
    match (from, to) {
        (from, to) if from == to => true,
        (Null, _) => true,
        (Dictionary(_, value), to) => is_assignable(value, to),
        (from, to) if from.is_numeric() && to.is_numeric() => true,
        (from, to) if is_text(to) => !from.is_nested(),
        (from, to) if is_binary(from) && is_binary(to) => true,
        (Date32 | Timestamp(..), Date32 | Timestamp(..)) => true,
        (List(from) | LargeList(from) | FixedSizeList(from, _), List(to)) => {
            is_assignable(from.data_type(), to.data_type())
        }
        (Struct(from), Struct(to)) => {
            let mut pairs = from.iter().zip(to);
            from.len() == to.len()
                && pairs.all(|(from, to)| is_assignable(from.data_type(), to.data_type()))
        }
        (Map(from, _), Map(to, _)) => is_assignable(from.data_type(), to.data_type()),
        _ => false,
    }
}
