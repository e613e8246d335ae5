//! Grouped data: aggregates per group, pivot, rollup and cube.

use std::sync::Arc;

use sqlparser::ast::{Expr, SelectItem};

use super::DataFrame;
use super::column::{Column, columns, lit};
use super::literal::Operand;
use super::syntax::{self, Select};
use crate::error::{Error, Result};
use crate::functions;

/// A query whose rows are grouped, waiting for its aggregates.
#[derive(Debug, Clone)]
pub struct GroupedData {
    input: DataFrame,
    keys: Vec<Column>,
    sets: Vec<Vec<Column>>,
    kind: Kind,
    pivot: Option<Pivot>,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Plain,
    Rollup,
    Cube,
    Sets,
}

/// How many values a pivot may find by itself, as in Spark.
const PIVOT_VALUES_MAX: usize = 10_000;

/// The column whose values become columns, and those values; the action finds them if there are none.
#[derive(Debug, Clone)]
struct Pivot {
    column: Column,
    values: Vec<Column>,
}

impl DataFrame {
    /// Groups the rows with equal keys; without keys all rows are one group.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # use vonk::functions as f;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let sums = Session::new()
    ///     .range(0, 6)
    ///     .group_by([(col("id") % 2).alias("odd")])
    ///     .agg([f::sum("id").alias("sum"), f::count("*").alias("rows")])
    ///     .order_by(["odd"]);
    /// assert_eq!(sums.rows::<(i64, i64, i64)>().await?, [(0, 6, 3), (1, 9, 3)]);
    /// # Ok(()) }
    /// ```
    pub fn group_by<C: Into<Column>>(&self, keys: impl IntoIterator<Item = C>) -> GroupedData {
        self.grouped(columns(keys), Kind::Plain)
    }

    /// Groups by the keys, by all but the last key, and so on up to all rows in one group.
    pub fn rollup<C: Into<Column>>(&self, keys: impl IntoIterator<Item = C>) -> GroupedData {
        self.grouped(columns(keys), Kind::Rollup)
    }

    /// Groups by every subset of the keys.
    pub fn cube<C: Into<Column>>(&self, keys: impl IntoIterator<Item = C>) -> GroupedData {
        self.grouped(columns(keys), Kind::Cube)
    }

    /// Groups by several sets of keys, one after the other; the result has all of `keys`.
    pub fn grouping_sets<C: Into<Column>>(
        &self,
        sets: impl IntoIterator<Item = Vec<Column>>,
        keys: impl IntoIterator<Item = C>,
    ) -> GroupedData {
        let mut grouped = self.grouped(columns(keys), Kind::Sets);
        grouped.sets = sets.into_iter().collect();
        grouped
    }

    /// Aggregates all rows as one group.
    #[must_use]
    pub fn agg<C: Into<Column>>(&self, aggregates: impl IntoIterator<Item = C>) -> Self {
        self.grouped(Vec::new(), Kind::Plain).agg(aggregates)
    }

    fn grouped(&self, keys: Vec<Column>, kind: Kind) -> GroupedData {
        GroupedData { input: self.clone(), keys, sets: Vec::new(), kind, pivot: None }
    }
}

impl GroupedData {
    /// Makes each value of a column a column of its own, in this order.
    ///
    /// Without values, the action finds them first with a query of its own, and orders them; more
    /// than 10,000 are an error.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let sales = Session::new().sql(
    ///     "SELECT * FROM VALUES (2024, 'tea', 3), (2024, 'rye', 1), (2025, 'tea', 5) AS t(y, what, n)",
    /// );
    /// let table = sales.group_by(["y"]).pivot("what", ["tea", "rye"]).sum(["n"]).order_by(["y"]);
    /// assert_eq!(table.columns().await?, ["y", "tea", "rye"]);
    /// let found = sales.group_by(["y"]).pivot::<&str>("what", []).sum(["n"]);
    /// assert_eq!(found.columns().await?, ["y", "rye", "tea"]);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn pivot<V: Operand>(
        mut self,
        column: impl Into<Column>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        let values = values.into_iter().map(lit).collect();
        self.pivot = Some(Pivot { column: column.into(), values });
        self
    }

    /// Computes aggregates per group, behind the keys.
    pub fn agg<C: Into<Column>>(self, aggregates: impl IntoIterator<Item = C>) -> DataFrame {
        let aggregates = columns(aggregates);
        let grouped = Arc::new(self);
        DataFrame::deferred(grouped.input.session().clone(), move |session| {
            let (grouped, aggregates) = (Arc::clone(&grouped), aggregates.clone());
            Box::pin(async move {
                let plan = grouped.input.logical_plan().await?;
                let mut list = grouped.keys.iter().map(Column::item).collect::<Result<Vec<_>>>()?;
                match &grouped.pivot {
                    None => list
                        .extend(aggregates.iter().map(Column::item).collect::<Result<Vec<_>>>()?),
                    Some(pivot) => list.extend(pivot.items(&aggregates, &grouped.input).await?),
                }
                let select = Select::over(std::slice::from_ref(plan), list)?;
                select.group_by(grouped.group_keys()?).plan(&session)
            })
        })
    }

    /// The number of rows per group, as the column `count`.
    pub fn count(self) -> DataFrame {
        self.agg([functions::count("*").alias("count")])
    }

    /// The sums of columns per group.
    pub fn sum<C: Into<Column>>(self, values: impl IntoIterator<Item = C>) -> DataFrame {
        self.each("sum", columns(values))
    }

    /// The averages of columns per group.
    pub fn avg<C: Into<Column>>(self, values: impl IntoIterator<Item = C>) -> DataFrame {
        self.each("avg", columns(values))
    }

    /// The same as [`GroupedData::avg`].
    pub fn mean<C: Into<Column>>(self, values: impl IntoIterator<Item = C>) -> DataFrame {
        self.avg(values)
    }

    /// The smallest values of columns per group.
    pub fn min<C: Into<Column>>(self, values: impl IntoIterator<Item = C>) -> DataFrame {
        self.each("min", columns(values))
    }

    /// The largest values of columns per group.
    pub fn max<C: Into<Column>>(self, values: impl IntoIterator<Item = C>) -> DataFrame {
        self.each("max", columns(values))
    }

    fn each(self, function: &'static str, values: Vec<Column>) -> DataFrame {
        self.agg(values.into_iter().map(|value| {
            let name = format!("{function}({})", value.plain_name().unwrap_or("expr"));
            functions::call(function, [value]).alias(&name)
        }))
    }

    fn group_keys(&self) -> Result<Vec<Expr>> {
        let keys = Column::exprs(&self.keys)?;
        if matches!(self.kind, Kind::Sets) {
            let sets = self.sets.iter().map(|set| Column::exprs(set));
            return Ok(vec![Expr::GroupingSets(sets.collect::<Result<_>>()?)]);
        }
        if keys.is_empty() {
            return Ok(keys);
        }
        let sets = || keys.iter().map(|key| vec![key.clone()]).collect();
        Ok(match self.kind {
            Kind::Plain | Kind::Sets => keys,
            Kind::Rollup => vec![Expr::Rollup(sets())],
            Kind::Cube => vec![Expr::Cube(sets())],
        })
    }
}

impl Pivot {
    /// One column for each value and aggregate.
    async fn items(&self, aggregates: &[Column], input: &DataFrame) -> Result<Vec<SelectItem>> {
        let mut items = Vec::new();
        for (label, matches) in self.cases(input).await? {
            for aggregate in aggregates {
                let name = match aggregates.len() {
                    1 => label.clone(),
                    _ => format!("{label}_{}", aggregate_name(aggregate)?),
                };
                items.push(syntax::item_as(filtered(aggregate.expr()?, &matches)?, &name));
            }
        }
        Ok(items)
    }

    /// What each value is called, and the condition of its rows.
    async fn cases(&self, input: &DataFrame) -> Result<Vec<(String, Expr)>> {
        if !self.values.is_empty() {
            let case = |value: &Column| {
                Ok((label(value)?, syntax::equal(self.column.expr()?, value.expr()?)))
            };
            return self.values.iter().map(case).collect();
        }
        let value = self.column.clone().alias("value");
        let text = self.column.clone().cast("string");
        let found = input.select([value, text.clone().alias("text")]).distinct();
        let found = found.order_by(["value"]).select(["text"]).limit(PIVOT_VALUES_MAX + 1);
        let found: Vec<Option<String>> = found.rows().await?;
        if found.len() > PIVOT_VALUES_MAX {
            let column = &self.column;
            return Err(Error::new(
                crate::Condition::INVALID_PARAMETER,
                format!("the pivot column {column} has more than {PIVOT_VALUES_MAX} values"),
            )
            .hint("give the values that are to become columns"));
        }
        let text = text.expr()?;
        let case = |value: Option<String>| match value {
            Some(value) => (value.clone(), syntax::equal(text.clone(), syntax::text(&value))),
            None => ("null".to_owned(), Expr::IsNull(Box::new(text.clone()))),
        };
        Ok(found.into_iter().map(case).collect())
    }
}

/// The aggregate over only the rows where a condition holds, NULL where there is no such row.
fn filtered(aggregate: Expr, condition: &Expr) -> Result<Expr> {
    match aggregate {
        Expr::Function(mut function) => {
            let counts = function.name.to_string().contains("count");
            function.filter = Some(Box::new(condition.clone()));
            let value = Expr::Function(function);
            if !counts {
                return Ok(value);
            }
            // Only a count of no rows has a value, which Spark does not show.
            let present = functions::max(functions::when(Column::of(condition.clone()), 1));
            functions::when(present.is_not_null(), Column::of(value)).expr()
        }
        other => Err(Error::new(
            crate::Condition::INVALID_PARAMETER,
            format!("`{other}` cannot be pivoted: it is not one aggregate function"),
        )
        .hint("pivot the aggregates alone and compute with the columns afterwards")),
    }
}

fn label(value: &Column) -> Result<String> {
    Ok(match value.expr()? {
        Expr::Value(value) => match value.value.clone().into_string() {
            Some(text) => text,
            None => value.to_string().trim_end_matches('L').to_owned(),
        },
        other => other.to_string(),
    })
}

fn aggregate_name(aggregate: &Column) -> Result<String> {
    let node = aggregate.node()?;
    Ok(match node.aliases.first() {
        Some(alias) => alias.value.clone(),
        None => node.expr.to_string().replace('`', ""),
    })
}
