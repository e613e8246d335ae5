//! Queries by name, and how queries run.

use datafusion::physical_plan::display::DisplayableExecutionPlan;
use datafusion::physical_plan::displayable;
use futures::StreamExt;

use super::DataFrame;
use crate::error::{Condition, Error, Result};
use crate::sql::Environment;

impl DataFrame {
    /// Gives the query a name in the session, in place of a view that has it.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let session = Session::new();
    /// session.range(0, 3).create_or_replace_temp_view("three").await?;
    /// assert_eq!(session.sql("SELECT * FROM three").count().await?, 3);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`DataFrame::check`].
    pub async fn create_or_replace_temp_view(&self, name: &str) -> Result<()> {
        let plan = self.logical_plan().await?.clone();
        self.session.views().insert(name, plan);
        Environment::cached(&self.session).remove(&name.to_lowercase());
        Ok(())
    }

    /// Gives the query a name in the session.
    ///
    /// # Errors
    /// Those of [`DataFrame::check`], and `TABLE_OR_VIEW_ALREADY_EXISTS` if a view has the name.
    pub async fn create_temp_view(&self, name: &str) -> Result<()> {
        if self.session.views().get(name).is_some() {
            return Err(Error::new(
                Condition::TABLE_ALREADY_EXISTS,
                format!("temporary view `{name}` already exists"),
            )
            .hint("use `create_or_replace_temp_view` to replace it"));
        }
        self.create_or_replace_temp_view(name).await
    }

    /// How the query runs: `simple` gives the physical plan, `extended` the logical plans too,
    /// `formatted` a drawing, and `analyze` runs the query and gives its figures.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let plan = Session::new().range(0, 3).filter("id > 1").explain("simple").await?;
    /// assert!(plan.contains("FilterExec"));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of planning, for `analyze` of the data, and `INVALID_PARAMETER_VALUE` for another mode.
    pub async fn explain(&self, mode: &str) -> Result<String> {
        let logical = self.logical_plan().await?;
        let state = self.session.state();
        let physical = || async { Ok::<_, Error>(state.create_physical_plan(logical).await?) };
        match mode {
            "simple" => Ok(displayable(physical().await?.as_ref()).indent(false).to_string()),
            "formatted" => Ok(displayable(physical().await?.as_ref()).tree_render().to_string()),
            "extended" => Ok(format!(
                "== Logical Plan ==\n{}\n\n== Optimized Logical Plan ==\n{}\n\n== Physical Plan ==\n{}",
                logical.display_indent(),
                state.optimize(logical)?.display_indent(),
                displayable(physical().await?.as_ref()).indent(false),
            )),
            "analyze" => {
                let mut execution = self.start().await?;
                while let Some(batch) = execution.stream.next().await {
                    batch?;
                }
                let measured = DisplayableExecutionPlan::with_metrics(execution.plan.as_ref());
                Ok(measured.indent(false).to_string())
            }
            other => Err(Error::new(
                Condition::INVALID_PARAMETER,
                format!("there is no explanation of mode `{other}`"),
            )
            .hint("use `simple`, `extended`, `formatted` or `analyze`")),
        }
    }
}
