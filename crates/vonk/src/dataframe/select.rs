//! Transformations that choose, compute, name, filter, order and limit.

use std::sync::Arc;

use datafusion::common::DFSchema;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use sqlparser::ast::{Expr, SelectItem};

use super::DataFrame;
use super::column::{Column, col, columns, expr};
use super::syntax::{self, Select};
use crate::config;
use crate::error::{self, Error, Result};
use crate::session::Session;

/// A condition of `filter`: a [`Column`], or SQL text.
pub trait Condition {
    /// The condition as an expression.
    fn into_condition(self) -> Column;
}

impl Condition for Column {
    fn into_condition(self) -> Column {
        self
    }
}

impl Condition for &Column {
    fn into_condition(self) -> Column {
        self.clone()
    }
}

impl Condition for &str {
    fn into_condition(self) -> Column {
        expr(self)
    }
}

impl Condition for String {
    fn into_condition(self) -> Column {
        expr(&self)
    }
}

impl DataFrame {
    /// Computes columns; `*` is all of them.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let numbers = Session::new().range(0, 3);
    /// let doubled = numbers.select([col("id"), (col("id") * 2).alias("double")]);
    /// assert_eq!(doubled.rows::<(i64, i64)>().await?, [(0, 0), (1, 2), (2, 4)]);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn select<C: Into<Column>>(&self, items: impl IntoIterator<Item = C>) -> Self {
        let items = columns(items);
        self.derive(move |plan, session| {
            let list = syntax::items(&items, plan.schema())?;
            Select::over(&[plan], list)?.plan(session)
        })
    }

    /// Computes columns given as SQL text.
    #[must_use]
    pub fn select_expr<T: AsRef<str>>(&self, items: impl IntoIterator<Item = T>) -> Self {
        self.select(items.into_iter().map(|text| expr(text.as_ref())))
    }

    /// Adds a column, or replaces the one of that name.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let squares = Session::new().range(1, 4).with_column("square", col("id") * col("id"));
    /// assert_eq!(squares.rows::<(i64, i64)>().await?, [(1, 1), (2, 4), (3, 9)]);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn with_column(&self, name: &str, value: impl Into<Column>) -> Self {
        self.with_columns([(name, value)])
    }

    /// Adds columns, or replaces those of these names.
    #[must_use]
    pub fn with_columns<N: Into<String>, C: Into<Column>>(
        &self,
        values: impl IntoIterator<Item = (N, C)>,
    ) -> Self {
        let values: Vec<(String, Column)> =
            values.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        self.derive(move |plan, session| {
            let names = Names::of(session);
            let mut list = Vec::new();
            for (table, field) in plan.schema().iter() {
                let new = values.iter().rev().find(|(name, _)| names.same(name, field.name()));
                list.push(match new {
                    Some((name, value)) => syntax::item_as(value.expr()?, name),
                    None => syntax::item(syntax::field(table, field.name())),
                });
            }
            for (name, value) in &values {
                if !plan.schema().fields().iter().any(|field| names.same(name, field.name())) {
                    list.push(syntax::item_as(value.expr()?, name));
                }
            }
            Select::over(&[plan], list)?.plan(session)
        })
    }

    /// Gives a column another name; without a column of the old name nothing changes.
    #[must_use]
    pub fn with_column_renamed(&self, old: &str, new: &str) -> Self {
        self.with_columns_renamed([(old, new)])
    }

    /// Gives columns other names; old names without a column are passed over.
    #[must_use]
    pub fn with_columns_renamed<A: Into<String>, B: Into<String>>(
        &self,
        renames: impl IntoIterator<Item = (A, B)>,
    ) -> Self {
        let renames: Vec<(String, String)> =
            renames.into_iter().map(|(old, new)| (old.into(), new.into())).collect();
        self.derive(move |plan, session| {
            let names = Names::of(session);
            let rename = |field: &str| renames.iter().find(|(old, _)| names.same(old, field));
            if !plan.schema().fields().iter().any(|field| rename(field.name()).is_some()) {
                return Ok(plan);
            }
            let list = plan
                .schema()
                .iter()
                .map(|(table, field)| {
                    let value = syntax::field(table, field.name());
                    match rename(field.name()) {
                        Some((_, new)) => syntax::item_as(value, new),
                        None => syntax::item(value),
                    }
                })
                .collect();
            Select::over(&[plan], list)?.plan(session)
        })
    }

    /// Leaves columns out; names without a column are passed over.
    #[must_use]
    pub fn drop<C: Into<Column>>(&self, names: impl IntoIterator<Item = C>) -> Self {
        let dropped = columns(names);
        self.derive(move |plan, session| {
            let names = Names::of(session);
            let dropped = dropped.iter().map(Column::expr).collect::<Result<Vec<_>>>()?;
            let list: Vec<SelectItem> = plan
                .schema()
                .iter()
                .filter(|(table, field)| {
                    let whole = syntax::field(*table, field.name());
                    !dropped.iter().any(|expr| names.means(expr, &whole))
                })
                .map(|(table, field)| syntax::item(syntax::field(table, field.name())))
                .collect();
            if list.len() == plan.schema().fields().len() {
                return Ok(plan);
            }
            Select::over(&[plan], list)?.plan(session)
        })
    }

    /// Names all columns anew, in order.
    ///
    /// # Errors
    /// The action fails with `INVALID_PARAMETER_VALUE` if the numbers of names and columns differ.
    #[must_use]
    pub fn to_df<N: Into<String>>(&self, names: impl IntoIterator<Item = N>) -> Self {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        self.derive(move |plan, session| {
            let fields = plan.schema().fields().len();
            if names.len() != fields {
                return Err(Error::new(
                    error::Condition::INVALID_PARAMETER,
                    format!("{} names were given for {fields} columns", names.len()),
                ));
            }
            let list = plan
                .schema()
                .iter()
                .zip(&names)
                .map(|((table, field), name)| {
                    syntax::item_as(syntax::field(table, field.name()), name)
                })
                .collect();
            Select::over(&[plan], list)?.plan(session)
        })
    }

    /// Keeps the rows for which the condition is true.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let numbers = Session::new().range(0, 10);
    /// assert_eq!(numbers.filter(col("id").geq(7)).count().await?, 3);
    /// assert_eq!(numbers.filter("id % 2 = 0").count().await?, 5);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn filter(&self, condition: impl Condition) -> Self {
        let condition = condition.into_condition();
        self.derive(move |plan, session| {
            let list = syntax::all_items(plan.schema());
            Select::over(&[plan], list)?.filter(condition.expr()?).plan(session)
        })
    }

    /// The same as [`DataFrame::filter`]; `where` is a word of Rust.
    #[must_use]
    pub fn where_(&self, condition: impl Condition) -> Self {
        self.filter(condition)
    }

    /// Orders the rows; ascending with NULL first unless a column says otherwise.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let down = Session::new().range(0, 3).order_by([col("id").desc()]);
    /// assert_eq!(down.rows::<(i64,)>().await?, [(2,), (1,), (0,)]);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn order_by<C: Into<Column>>(&self, keys: impl IntoIterator<Item = C>) -> Self {
        let keys = columns(keys);
        self.derive(move |plan, session| {
            let keys = keys.iter().map(Column::sort_key).collect::<Result<Vec<_>>>()?;
            let list = syntax::all_items(plan.schema());
            Select::over(&[plan], list)?.order_by(keys).plan(session)
        })
    }

    /// The same as [`DataFrame::order_by`].
    #[must_use]
    pub fn sort<C: Into<Column>>(&self, keys: impl IntoIterator<Item = C>) -> Self {
        self.order_by(keys)
    }

    /// Keeps the first rows.
    #[must_use]
    pub fn limit(&self, rows: usize) -> Self {
        self.derive(move |plan, _| {
            Ok(LogicalPlanBuilder::from(plan).limit(0, Some(rows))?.build()?)
        })
    }

    /// Leaves the first rows out.
    #[must_use]
    pub fn offset(&self, rows: usize) -> Self {
        self.derive(move |plan, _| Ok(LogicalPlanBuilder::from(plan).limit(rows, None)?.build()?))
    }

    /// Names the query, so that `name.column` means its columns, as in a join with itself.
    #[must_use]
    pub fn alias(&self, name: &str) -> Self {
        let name = name.to_owned();
        self.derive(move |plan, _| {
            let table = datafusion::common::TableReference::bare(name.as_str());
            Ok(LogicalPlanBuilder::from(plan).alias(table)?.build()?)
        })
    }

    /// Keeps one of each group of equal rows.
    #[must_use]
    pub fn distinct(&self) -> Self {
        self.derive(|plan, _| Ok(LogicalPlanBuilder::from(plan).distinct()?.build()?))
    }

    /// Keeps one row for each combination of these columns; without columns, of all of them.
    #[must_use]
    pub fn drop_duplicates<C: Into<Column>>(&self, keys: impl IntoIterator<Item = C>) -> Self {
        let keys = columns(keys);
        if keys.is_empty() {
            return self.distinct();
        }
        self.derive(move |plan, session| {
            let keys = Column::exprs(&keys)?;
            let list = syntax::all_items(plan.schema());
            Select::over(&[plan], list)?.distinct_on(keys).plan(session)
        })
    }

    /// Applies a function, so that steps of one's own read as a chain.
    #[must_use]
    pub fn transform(&self, step: impl FnOnce(&DataFrame) -> DataFrame) -> Self {
        step(self)
    }

    /// Turns columns into rows: one row per value column, with its name and its value.
    ///
    /// Without value columns, all that are no ids are taken.
    #[must_use]
    pub fn unpivot<A: Into<Column>, B: Into<Column>>(
        &self,
        ids: impl IntoIterator<Item = A>,
        values: impl IntoIterator<Item = B>,
        variable_name: &str,
        value_name: &str,
    ) -> Self {
        let (ids, values) = (columns(ids), columns(values));
        let (variable_name, value_name) = (variable_name.to_owned(), value_name.to_owned());
        self.derive(move |plan, session| {
            let plan = Arc::new(plan);
            let values = value_columns(&ids, &values, plan.schema(), session);
            let mut branches = Vec::new();
            for value in &values {
                let Some(name) = value.plain_name() else {
                    return Err(Error::new(
                        error::Condition::INVALID_PARAMETER,
                        format!("`{value}` is not a column to unpivot"),
                    ));
                };
                let mut list = ids.iter().map(Column::item).collect::<Result<Vec<_>>>()?;
                list.push(syntax::item_as(syntax::text(name), &variable_name));
                list.push(syntax::item_as(value.expr()?, &value_name));
                branches.push(Select::over(&[plan.as_ref().clone()], list)?.plan(session)?);
            }
            union_all(branches)
        })
    }

    /// The same as [`DataFrame::unpivot`].
    #[must_use]
    pub fn melt<A: Into<Column>, B: Into<Column>>(
        &self,
        ids: impl IntoIterator<Item = A>,
        values: impl IntoIterator<Item = B>,
        variable_name: &str,
        value_name: &str,
    ) -> Self {
        self.unpivot(ids, values, variable_name, value_name)
    }
}

fn value_columns(
    ids: &[Column],
    values: &[Column],
    schema: &DFSchema,
    session: &Session,
) -> Vec<Column> {
    if !values.is_empty() {
        return values.to_vec();
    }
    let names = Names::of(session);
    let is_id = |name: &str| {
        ids.iter().any(|id| id.plain_name().is_some_and(|plain| names.same(plain, name)))
    };
    schema
        .iter()
        .filter(|(_, field)| !is_id(field.name()))
        .map(|(table, field)| Column::of(syntax::field(table, field.name())))
        .collect()
}

fn union_all(branches: Vec<LogicalPlan>) -> Result<LogicalPlan> {
    let mut branches = branches.into_iter();
    let Some(first) = branches.next() else {
        return Err(Error::new(
            error::Condition::INVALID_PARAMETER,
            "there is no column to unpivot",
        ));
    };
    let mut union = LogicalPlanBuilder::from(first);
    for branch in branches {
        union = union.union(branch)?;
    }
    Ok(union.build()?)
}

/// How names of columns compare in a session.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names {
    case_sensitive: bool,
}

impl Names {
    pub(super) fn of(session: &Session) -> Self {
        Self { case_sensitive: session.config().is_on(config::CASE_SENSITIVE) }
    }

    pub(super) fn same(self, a: &str, b: &str) -> bool {
        match self.case_sensitive {
            true => a == b,
            false => a.to_lowercase() == b.to_lowercase(),
        }
    }

    /// Whether a reference, qualified or not, means this column.
    fn means(self, reference: &Expr, column: &Expr) -> bool {
        let parts = |expr: &Expr| match expr {
            Expr::Identifier(ident) => vec![ident.value.clone()],
            Expr::CompoundIdentifier(idents) => {
                idents.iter().map(|ident| ident.value.clone()).collect()
            }
            _ => Vec::new(),
        };
        let (reference, column) = (parts(reference), parts(column));
        !reference.is_empty()
            && reference.len() <= column.len()
            && reference.iter().rev().zip(column.iter().rev()).all(|(a, b)| self.same(a, b))
    }

    /// The column of a schema that has this name.
    ///
    /// # Errors
    /// `UNRESOLVED_COLUMN` with a suggestion, `AMBIGUOUS_REFERENCE` if there are several.
    pub(super) fn find(self, schema: &DFSchema, name: &str) -> Result<Expr> {
        self.find_column(schema, &col(name))
    }

    /// As [`Names::find`], for a column.
    pub(super) fn find_column(self, schema: &DFSchema, column: &Column) -> Result<Expr> {
        let wanted = column.expr()?;
        let name = column.plain_name().unwrap_or_default();
        let found: Vec<Expr> = schema
            .iter()
            .map(|(table, field)| syntax::field(table, field.name()))
            .filter(|column| self.means(&wanted, column))
            .collect();
        match found.as_slice() {
            [only] => Ok(only.clone()),
            [] => {
                let names: Vec<&str> =
                    schema.fields().iter().map(|field| field.name().as_str()).collect();
                Err(Error::new(
                    error::Condition::UNRESOLVED_COLUMN,
                    format!("column `{name}` not found"),
                )
                .hint(format!("the columns are {}", names.join(", ")))
                .did_you_mean(name, names.iter().copied()))
            }
            _ => Err(Error::new(
                error::Condition::AMBIGUOUS_REFERENCE,
                format!("column `{name}` is ambiguous"),
            )
            .hint("put the table's name or alias before it")),
        }
    }
}
