//! Unions, intersections and differences of two queries.

use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use sqlparser::ast::SelectItem;

use super::DataFrame;
use super::select::Names;
use super::syntax::{self, Select};
use crate::analyze::count_occurrences;
use crate::error::{Condition, Error, Result};
use crate::session::Session;

/// Set operations that take columns by position and coerce their types.
macro_rules! by_position {
    ($($(#[$doc:meta])* $name:ident = |$left:ident, $right:ident| $plan:expr;)*) => {
        impl DataFrame {
            $($(#[$doc])*
            #[must_use]
            pub fn $name(&self, other: &DataFrame) -> Self {
                self.derive_with(other, |$left, $right, _| {
                    same_width(&$left, &$right)?;
                    Ok($plan?)
                })
            })*
        }
    };
}

by_position! {
    /// The rows of this query, then those of another, by position of the columns.
    ///
    /// As in Spark, equal rows are kept; `.distinct()` removes them.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let session = Session::new();
    /// let twice = session.range(0, 2).union(&session.range(0, 2));
    /// assert_eq!(twice.count().await?, 4);
    /// assert_eq!(twice.distinct().count().await?, 2);
    /// # Ok(()) }
    /// ```
    union = |left, right| LogicalPlanBuilder::from(left).union(right)?.build();
    /// The same as [`DataFrame::union`].
    union_all = |left, right| LogicalPlanBuilder::from(left).union(right)?.build();
    /// The distinct rows that both have.
    intersect = |left, right| LogicalPlanBuilder::intersect(left, right, false);
    /// The distinct rows of this query that another does not have.
    subtract = |left, right| LogicalPlanBuilder::except(left, right, false);
    /// The rows that both have, as often as both have them.
    intersect_all = |left, right| {
        LogicalPlanBuilder::intersect(left, right, true).and_then(count_occurrences)
    };
    /// The rows of this query, without as many of each as another has.
    except_all = |left, right| {
        LogicalPlanBuilder::except(left, right, true).and_then(count_occurrences)
    };
    /// The same as [`DataFrame::subtract`].
    except = |left, right| LogicalPlanBuilder::except(left, right, false);
}

impl DataFrame {
    /// The rows of this query, then those of another, by names of the columns.
    ///
    /// With `allow_missing`, a column that one side lacks is NULL there; without, it is an error.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let session = Session::new();
    /// let (a, b) = (session.sql("SELECT 1 AS x, 2 AS y"), session.sql("SELECT 3 AS y, 4 AS x"));
    /// let both = a.union_by_name(&b, false);
    /// assert_eq!(both.select(["x"]).rows::<(i64,)>().await?, [(1,), (4,)]);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn union_by_name(&self, other: &DataFrame, allow_missing: bool) -> Self {
        self.derive_with(other, move |left, right, session| {
            let names = Names::of(session);
            let mut columns: Vec<String> = names_of(&left);
            for name in names_of(&right) {
                if columns.iter().any(|column| names.same(column, &name)) {
                    continue;
                }
                if !allow_missing {
                    return Err(missing(&name, "left"));
                }
                columns.push(name);
            }
            let left = by_name(left, &columns, allow_missing, "left", session)?;
            let right = by_name(right, &columns, allow_missing, "right", session)?;
            Ok(LogicalPlanBuilder::from(left).union(right)?.build()?)
        })
    }
}

/// The columns of these names, in this order; NULL for those that are missing.
fn by_name(
    plan: LogicalPlan,
    columns: &[String],
    allow_missing: bool,
    side: &str,
    session: &Session,
) -> Result<LogicalPlan> {
    let names = Names::of(session);
    let mut list: Vec<SelectItem> = Vec::new();
    for column in columns {
        let mut found = plan.schema().iter().filter(|(_, field)| names.same(field.name(), column));
        list.push(match found.next() {
            Some((table, field)) => syntax::item_as(syntax::field(table, field.name()), column),
            None if allow_missing => syntax::item_as(syntax::null(), column),
            None => return Err(missing(column, side)),
        });
    }
    Select::over(&[plan], list)?.plan(session)
}

fn names_of(plan: &LogicalPlan) -> Vec<String> {
    plan.schema().fields().iter().map(|field| field.name().clone()).collect()
}

fn missing(column: &str, side: &str) -> Error {
    Error::new(
        Condition::UNRESOLVED_COLUMN,
        format!("the {side} side of the union has no column `{column}`"),
    )
    .hint("allow missing columns to fill them with NULL")
}

fn same_width(left: &LogicalPlan, right: &LogicalPlan) -> Result<()> {
    let (a, b) = (left.schema().fields().len(), right.schema().fields().len());
    if a == b {
        return Ok(());
    }
    Err(Error::new(
        Condition::NUM_COLUMNS_MISMATCH,
        format!("the left side has {a} columns and the right side has {b}"),
    )
    .hint("select the same number of columns on both sides"))
}
