//! Missing values: fill them, drop their rows, replace values.

use arrow::datatypes::DataType;
use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{BinaryOperator, CaseWhen, Expr};

use super::DataFrame;
use super::column::{Column, columns, lit};
use super::literal::Operand;
use super::select::Names;
use super::syntax::{self, Select};
use crate::display::type_name;
use crate::error::{Condition, Error, Result};

/// What can be done about missing values: NULL, and NaN in floating-point columns.
///
/// ```
/// # use vonk::prelude::*;
/// # #[tokio::main] async fn main() -> vonk::Result<()> {
/// let data = Session::new().sql("SELECT * FROM VALUES (1, 'a'), (NULL, 'b'), (3, NULL) AS t(n, s)");
/// assert_eq!(data.na().fill(0).filter("n = 0").count().await?, 1);
/// assert_eq!(data.na().drop("any").count().await?, 1);
/// assert_eq!(data.na().subset(["s"]).replace([("a", "z")]).filter("s = 'z'").count().await?, 1);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct NaFunctions {
    input: DataFrame,
    subset: Vec<Column>,
}

impl DataFrame {
    /// What can be done about missing values.
    pub fn na(&self) -> NaFunctions {
        NaFunctions { input: self.clone(), subset: Vec::new() }
    }

    /// Replaces values, in the columns whose type is theirs; as `na().replace`.
    #[must_use]
    pub fn replace<A: Operand, B: Operand>(
        &self,
        values: impl IntoIterator<Item = (A, B)>,
    ) -> Self {
        self.na().replace(values)
    }
}

/// The kinds of columns that a value can stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Text,
    Boolean,
}

impl NaFunctions {
    /// Looks only at these columns.
    #[must_use]
    pub fn subset<C: Into<Column>>(mut self, names: impl IntoIterator<Item = C>) -> Self {
        self.subset = columns(names);
        self
    }

    /// Puts a value where there is none, in the columns whose type is the value's.
    pub fn fill(self, value: impl Operand) -> DataFrame {
        let value = value.into_operand();
        self.change(move |column, data_type| {
            let value = value.expr()?;
            if kind_of_value(&value) != kind_of_type(data_type) {
                return Ok(None);
            }
            let value = syntax::cast(value, syntax::data_type(&type_name(data_type))?);
            let missing = missing(column.clone(), data_type);
            Ok(Some(case([(missing, value)], column)))
        })
    }

    /// Leaves out the rows where `any` or `all` of the columns have no value.
    ///
    /// # Errors
    /// The action fails with `INVALID_PARAMETER_VALUE` if `how` is neither.
    pub fn drop(self, how: &str) -> DataFrame {
        let how = how.to_owned();
        self.keep(move |columns| match how.as_str() {
            "any" => Ok(columns),
            "all" => Ok(1),
            other => Err(Error::new(
                Condition::INVALID_PARAMETER,
                format!("`{other}` is no way to drop rows"),
            )
            .hint("use `any` or `all`")),
        })
    }

    /// Leaves out the rows where fewer than `values` of the columns have a value.
    pub fn drop_below(self, values: usize) -> DataFrame {
        self.keep(move |_| Ok(values))
    }

    /// Replaces values by others, in the columns whose type is theirs.
    pub fn replace<A: Operand, B: Operand>(
        self,
        values: impl IntoIterator<Item = (A, B)>,
    ) -> DataFrame {
        let pairs: Vec<(Column, Column)> =
            values.into_iter().map(|(old, new)| (lit(old), lit(new))).collect();
        self.change(move |column, data_type| {
            let mut cases = Vec::new();
            for (old, new) in &pairs {
                let (old, new) = (old.expr()?, new.expr()?);
                if kind_of_value(&old) == kind_of_type(data_type) {
                    let new = syntax::cast(new, syntax::data_type(&type_name(data_type))?);
                    cases.push((syntax::equal(column.clone(), old), new));
                }
            }
            Ok((!cases.is_empty()).then(|| case(cases, column)))
        })
    }

    /// Computes the chosen columns anew where `change` gives an expression.
    fn change(
        self,
        change: impl Fn(Expr, &DataType) -> Result<Option<Expr>> + Send + Sync + 'static,
    ) -> DataFrame {
        let Self { input, subset } = self;
        input.derive(move |plan, session| {
            let chosen = chosen(&subset, plan.schema(), Names::of(session))?;
            let mut list = Vec::new();
            for (table, field) in plan.schema().iter() {
                let column = syntax::field(table, field.name());
                let changed = match chosen.contains(&column) {
                    true => change(column.clone(), field.data_type())?,
                    false => None,
                };
                list.push(match changed {
                    Some(expr) => syntax::item_as(expr, field.name()),
                    None => syntax::item(column),
                });
            }
            Select::over(&[plan], list)?.plan(session)
        })
    }

    /// Keeps the rows where at least as many of the chosen columns have a value as `least` says.
    fn keep(self, least: impl Fn(usize) -> Result<usize> + Send + Sync + 'static) -> DataFrame {
        let Self { input, subset } = self;
        input.derive(move |plan, session| {
            let chosen = chosen(&subset, plan.schema(), Names::of(session))?;
            let least = least(chosen.len())?;
            let present = plan.schema().iter().filter_map(|(table, field)| {
                let column = syntax::field(table, field.name());
                let missing = missing(column.clone(), field.data_type());
                let one_if_present = case([(missing, syntax::number(0))], syntax::number(1));
                chosen.contains(&column).then_some(one_if_present)
            });
            let sum = present.reduce(|sum, one| syntax::binary(sum, BinaryOperator::Plus, one));
            let Some(sum) = sum else { return Ok(plan) };
            let enough = syntax::binary(sum, BinaryOperator::GtEq, syntax::number(least));
            let list = syntax::all_items(plan.schema());
            Select::over(&[plan], list)?.filter(enough).plan(session)
        })
    }
}

/// The columns of a subset, or all of them.
fn chosen(
    subset: &[Column],
    schema: &datafusion::common::DFSchema,
    names: Names,
) -> Result<Vec<Expr>> {
    if subset.is_empty() {
        let all = schema.iter().map(|(table, field)| syntax::field(table, field.name()));
        return Ok(all.collect());
    }
    subset.iter().map(|column| names.find_column(schema, column)).collect()
}

/// Whether there is no value: NULL, or NaN in a floating-point column.
fn missing(column: Expr, data_type: &DataType) -> Expr {
    let null = Expr::IsNull(Box::new(column.clone()));
    if !data_type.is_floating() {
        return null;
    }
    syntax::binary(null, BinaryOperator::Or, syntax::call("isnan", vec![column]))
}

fn case(cases: impl IntoIterator<Item = (Expr, Expr)>, otherwise: Expr) -> Expr {
    let conditions =
        cases.into_iter().map(|(condition, result)| CaseWhen { condition, result }).collect();
    Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions,
        else_result: Some(Box::new(otherwise)),
    }
}

fn kind_of_type(data_type: &DataType) -> Option<Kind> {
    match data_type {
        DataType::Boolean => Some(Kind::Boolean),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Some(Kind::Text),
        other if other.is_numeric() => Some(Kind::Number),
        _ => None,
    }
}

fn kind_of_value(value: &Expr) -> Option<Kind> {
    use sqlparser::ast::Value;
    match value {
        Expr::Value(value) => match &value.value {
            Value::Boolean(_) => Some(Kind::Boolean),
            Value::SingleQuotedString(_) => Some(Kind::Text),
            Value::Number(..) => Some(Kind::Number),
            _ => None,
        },
        // Negative and floating-point constants.
        Expr::UnaryOp { .. } | Expr::Cast { .. } => Some(Kind::Number),
        _ => None,
    }
}
