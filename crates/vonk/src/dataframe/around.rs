//! Queries that read columns of the one that they are used in: correlated subqueries, lateral joins.

use std::sync::Arc;

use datafusion::logical_expr::{Expr as Resolved, JoinType, LogicalPlan};

use super::DataFrame;
use super::column::Column;
use super::join::tell_apart;
use super::syntax::Select;
use crate::analyze;
use crate::error::{Condition, Error, Result};
use crate::session::Session;

/// The columns of a query, for others that are used within it.
///
/// ```
/// # use vonk::prelude::*;
/// # #[tokio::main] async fn main() -> vonk::Result<()> {
/// let session = Session::new();
/// let people = session.sql("SELECT * FROM VALUES ('Ada', 2), ('Bob', 0) AS p(name, pets)");
/// let around = people.around().await?;
/// let pets = session.range(1, 9).within(&around).filter(col("id").leq(col("pets")));
/// let pets = pets.reference().await?;
/// let owners = people.filter(pets.exists());
/// assert_eq!(owners.select(["name"]).rows::<(String,)>().await?, [("Ada".into(),)]);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Around {
    columns: Arc<analyze::Around>,
}

impl Session {
    /// The session, whose queries may read columns of the one around them.
    #[must_use]
    pub fn within(&self, around: &Around) -> Self {
        self.planning_within(Arc::clone(&around.columns))
    }
}

impl DataFrame {
    /// The columns of this query, for others that are used within it.
    ///
    /// # Errors
    /// Those of [`DataFrame::check`].
    pub async fn around(&self) -> Result<Around> {
        let schema = self.logical_plan().await?.schema();
        let columns = Arc::new(analyze::Around::new(schema, self.session.around()));
        Ok(Around { columns })
    }

    /// The same query; what is made of it may read columns of the query around it.
    #[must_use]
    pub fn within(&self, around: &Around) -> Self {
        Self { session: self.session.within(around), ..self.clone() }
    }

    /// Joins every row with the rows that another query has for it, which was made
    /// [`within`](DataFrame::within) this one: `inner`, `left` or `cross`.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let session = Session::new();
    /// let lists = session.sql("SELECT * FROM VALUES (1, 3), (2, 1) AS l(k, n)");
    /// let below = session.range(0, 9).within(&lists.around().await?).filter("id < n");
    /// assert_eq!(lists.lateral_join(&below, None, "inner").count().await?, 4);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn lateral_join(&self, other: &DataFrame, on: Option<Column>, how: &str) -> Self {
        let how = how.to_lowercase();
        self.derive_with(other, move |left, right, session| {
            let join_type = match how.as_str() {
                "inner" | "cross" => JoinType::Inner,
                "left" | "leftouter" | "left_outer" => JoinType::Left,
                other => {
                    let message = format!("there is no lateral join of type `{other}`");
                    return Err(Error::new(Condition::INVALID_PARAMETER, message)
                        .hint("use `inner`, `left` or `cross`"));
                }
            };
            let (left, right) = tell_apart(left, right)?;
            let condition = match &on {
                Some(condition) => over_both(condition, &left, &right, session)?,
                None => datafusion::logical_expr::lit(true),
            };
            analyze::lateral_join(&session.state(), left, right, condition, join_type)
        })
    }
}

/// A condition over the columns of two plans.
fn over_both(
    condition: &Column,
    left: &LogicalPlan,
    right: &LogicalPlan,
    session: &Session,
) -> Result<Resolved> {
    let inputs = [left.clone(), right.clone()];
    let cross = sqlparser::ast::JoinOperator::CrossJoin(sqlparser::ast::JoinConstraint::None);
    let plan = Select::over(&inputs, vec![condition.item()?])?.join(cross)?.plan(session)?;
    match plan {
        LogicalPlan::Projection(projection) => match <[Resolved; 1]>::try_from(projection.expr) {
            Ok([condition]) => Ok(condition.unalias()),
            Err(_) => Err(Error::internal("a condition became several columns")),
        },
        _ => Err(Error::internal("a condition did not become a projection")),
    }
}
