//! Joins of two queries, on names or on a condition.

use datafusion::common::{DFSchema, TableReference};
use datafusion::logical_expr::{Expr as Resolved, LogicalPlan, LogicalPlanBuilder};
use sqlparser::ast::{JoinConstraint, JoinOperator, SelectItem};

use super::DataFrame;
use super::column::Column;
use super::select::Names;
use super::syntax::{self, Select};
use crate::error::{Condition, Error, Result};
use crate::functions;
use crate::session::Session;

/// What two queries are joined on: names that both have, or a condition.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[expect(clippy::large_enum_variant, reason = "an argument that lives for one call")]
pub enum JoinOn {
    /// Columns of these names are equal, and the result has them once.
    Names(Vec<String>),
    /// The condition holds.
    Condition(Column),
}

impl From<&str> for JoinOn {
    fn from(name: &str) -> Self {
        Self::Names(vec![name.to_owned()])
    }
}

impl<const N: usize> From<[&str; N]> for JoinOn {
    fn from(names: [&str; N]) -> Self {
        Self::Names(names.iter().map(|&name| name.to_owned()).collect())
    }
}

impl From<Vec<String>> for JoinOn {
    fn from(names: Vec<String>) -> Self {
        Self::Names(names)
    }
}

impl From<Column> for JoinOn {
    fn from(condition: Column) -> Self {
        Self::Condition(condition)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Inner,
    Left,
    Right,
    Full,
    Semi,
    Anti,
}

impl DataFrame {
    /// Joins with another query: `inner`, `left`, `right`, `full`, `semi`, `anti` or `cross`.
    ///
    /// On names, the result has the join columns once, then the other columns of both sides. On a
    /// condition it has all columns; where both sides share a name, say `left.name` and
    /// `right.name`, or give the sides an [`alias`](DataFrame::alias) of your own.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let session = Session::new();
    /// let people = session.sql("SELECT * FROM VALUES (1, 'Ada'), (2, 'Alan') AS p(id, name)");
    /// let born = session.sql("SELECT * FROM VALUES (1, 1815) AS b(id, year)");
    /// let joined = people.join(&born, "id", "left").order_by(["id"]);
    /// assert_eq!(joined.columns().await?, ["id", "name", "year"]);
    /// assert_eq!(joined.count().await?, 2);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn join(&self, other: &DataFrame, on: impl Into<JoinOn>, how: &str) -> Self {
        let (on, how) = (on.into(), how.to_owned());
        self.derive_with(other, move |left, right, session| {
            if normal(&how) == "cross" {
                return cross(left, right, session);
            }
            let kind = kind(&how)?;
            match &on {
                JoinOn::Names(names) => join_on_names(left, right, names, kind, session),
                JoinOn::Condition(condition) => {
                    let (left, right) = tell_apart(left, right)?;
                    let list = output(&left, &right, kind);
                    let on = JoinConstraint::On(condition.expr()?);
                    Select::over(&[left, right], list)?.join(operator(kind, on))?.plan(session)
                }
            }
        })
    }

    /// Every row of this query with every row of another.
    #[must_use]
    pub fn cross_join(&self, other: &DataFrame) -> Self {
        self.derive_with(other, cross)
    }
}

fn cross(left: LogicalPlan, right: LogicalPlan, session: &Session) -> Result<LogicalPlan> {
    let (left, right) = tell_apart(left, right)?;
    let list = output(&left, &right, Kind::Inner);
    let inputs = [left, right];
    Select::over(&inputs, list)?.join(JoinOperator::CrossJoin(JoinConstraint::None))?.plan(session)
}

/// Joins where columns of equal name are equal; the result has each of them once, first.
fn join_on_names(
    left: LogicalPlan,
    right: LogicalPlan,
    names: &[String],
    kind: Kind,
    session: &Session,
) -> Result<LogicalPlan> {
    let (left, right) = tell_apart(left, right)?;
    let same = Names::of(session);
    let mut keys = Vec::new();
    for name in names {
        keys.push((same.find(left.schema(), name)?, same.find(right.schema(), name)?));
    }
    let mut list = Vec::new();
    for (name, (a, b)) in names.iter().zip(&keys) {
        list.push(match kind {
            Kind::Full => {
                let either = vec![Column::of(a.clone()), Column::of(b.clone())];
                syntax::item_as(functions::call("coalesce", either).expr()?, name)
            }
            Kind::Right => syntax::item(b.clone()),
            _ => syntax::item(a.clone()),
        });
    }
    let others = |schema: &DFSchema| -> Vec<SelectItem> {
        schema
            .iter()
            .map(|(table, field)| syntax::field(table, field.name()))
            .filter(|column| !keys.iter().any(|(a, b)| a == column || b == column))
            .map(syntax::item)
            .collect()
    };
    list.extend(others(left.schema()));
    if !matches!(kind, Kind::Semi | Kind::Anti) {
        list.extend(others(right.schema()));
    }
    let equal = keys.iter().map(|(a, b)| syntax::equal(a.clone(), b.clone()));
    let Some(condition) = syntax::all_of(equal) else {
        return Err(Error::new(Condition::INVALID_PARAMETER, "a join needs a name or a condition")
            .hint("use `cross_join` for every row with every row"));
    };
    let on = JoinConstraint::On(condition);
    Select::over(&[left, right], list)?.join(operator(kind, on))?.plan(session)
}

/// The columns of both sides, or of the left one where the right one only decides.
fn output(left: &LogicalPlan, right: &LogicalPlan, kind: Kind) -> Vec<SelectItem> {
    let mut list = syntax::all_items(left.schema());
    if !matches!(kind, Kind::Semi | Kind::Anti) {
        list.extend(syntax::all_items(right.schema()));
    }
    list
}

fn operator(kind: Kind, on: JoinConstraint) -> JoinOperator {
    match kind {
        Kind::Inner => JoinOperator::Inner(on),
        Kind::Left => JoinOperator::LeftOuter(on),
        Kind::Right => JoinOperator::RightOuter(on),
        Kind::Full => JoinOperator::FullOuter(on),
        Kind::Semi => JoinOperator::LeftSemi(on),
        Kind::Anti => JoinOperator::LeftAnti(on),
    }
}

fn normal(how: &str) -> String {
    how.to_lowercase().replace('_', "")
}

fn kind(how: &str) -> Result<Kind> {
    Ok(match normal(how).as_str() {
        "inner" => Kind::Inner,
        "left" | "leftouter" => Kind::Left,
        "right" | "rightouter" => Kind::Right,
        "full" | "outer" | "fullouter" => Kind::Full,
        "semi" | "leftsemi" => Kind::Semi,
        "anti" | "leftanti" => Kind::Anti,
        _ => {
            return Err(Error::new(
                Condition::INVALID_PARAMETER,
                format!("there is no join of type `{how}`"),
            )
            .hint("use `inner`, `left`, `right`, `full`, `semi`, `anti` or `cross`"));
        }
    })
}

/// Gives columns that both sides have under the same reference a table of their own.
///
/// They become `left.name` and `right.name`; with a number where such tables are there already.
pub(super) fn tell_apart(
    left: LogicalPlan,
    right: LogicalPlan,
) -> Result<(LogicalPlan, LogicalPlan)> {
    let (a, b) = (left.schema().clone(), right.schema().clone());
    let clash = |table: Option<&TableReference>, name: &str, other: &DFSchema| {
        other.iter().any(|(its, field)| {
            field.name() == name && (its.is_none() || table.is_none() || its == table)
        })
    };
    // On the left, a column keeps a table of its own: the right one's then differs from it.
    let left_name = free_name("left", &[&a, &b]);
    let right_name = free_name("right", &[&a, &b]);
    let left = requalify(left, left_name, |table, name| {
        b.iter().any(|(its, field)| field.name() == name && (table.is_none() || its == table))
    })?;
    let right = requalify(right, right_name, |table, name| clash(table, name, &a))?;
    Ok((left, right))
}

fn free_name(name: &str, schemas: &[&DFSchema]) -> String {
    let taken = |candidate: &str| {
        schemas.iter().any(|schema| {
            schema.iter().any(|(table, _)| table.is_some_and(|table| table.table() == candidate))
        })
    };
    let numbered = |number: usize| match number {
        1 => name.to_owned(),
        _ => format!("{name}_{number}"),
    };
    (1..).map(numbered).find(|candidate| !taken(candidate)).unwrap_or_else(|| name.to_owned())
}

fn requalify(
    plan: LogicalPlan,
    table: String,
    changes: impl Fn(Option<&TableReference>, &str) -> bool,
) -> Result<LogicalPlan> {
    let schema = plan.schema().clone();
    if !schema.iter().any(|(its, field)| changes(its, field.name())) {
        return Ok(plan);
    }
    let list: Vec<Resolved> = schema
        .iter()
        .map(|(its, field)| {
            let column = Resolved::Column((its, field).into());
            match changes(its, field.name()) {
                true => column.alias_qualified(Some(table.as_str()), field.name()),
                false => column,
            }
        })
        .collect();
    Ok(LogicalPlanBuilder::from(plan).project(list)?.build()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_have_all_of_sparks_names() {
        assert_eq!(kind("left_outer").unwrap(), Kind::Left);
        assert_eq!(kind("FULL").unwrap(), Kind::Full);
        assert!(kind("sideways").is_err());
    }

    #[test]
    fn a_free_name_is_numbered_when_taken() {
        let schema = DFSchema::try_from_qualified_schema(
            "left",
            &arrow::datatypes::Schema::new(vec![arrow::datatypes::Field::new(
                "a",
                arrow::datatypes::DataType::Int32,
                true,
            )]),
        )
        .unwrap();
        assert_eq!(free_name("left", &[&schema]), "left_2");
    }
}
