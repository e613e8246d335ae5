//! Queries by name, and how queries run.

use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use datafusion::physical_plan::{ExecutionPlan, displayable};
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
        if self.session.views().contains(name) {
            return Err(Error::new(
                Condition::TABLE_ALREADY_EXISTS,
                format!("temporary view `{name}` already exists"),
            )
            .hint("use `create_or_replace_temp_view` to replace it"));
        }
        self.create_or_replace_temp_view(name).await
    }

    /// Gives the query a name in the database `global_temp`, in place of a view that has it if
    /// `replace`.
    ///
    /// # Errors
    /// Those of [`DataFrame::create_temp_view`].
    pub async fn create_global_temp_view(&self, name: &str, replace: bool) -> Result<()> {
        let name = format!("{}.{name}", crate::sql::GLOBAL_DATABASE);
        match replace {
            true => self.create_or_replace_temp_view(&name).await,
            false => self.create_temp_view(&name).await,
        }
    }

    /// The files that the query reads, as URLs, sorted.
    ///
    /// # Errors
    /// Those of planning.
    pub async fn input_files(&self) -> Result<Vec<String>> {
        let state = self.session.state();
        let plan = state.create_physical_plan(self.logical_plan().await?).await?;
        let mut files = Vec::new();
        add_files(plan.as_ref(), &mut files);
        files.sort();
        files.dedup();
        Ok(files)
    }

    /// How the query runs: `simple` gives the physical plan, `logical` and `optimized` the plan before and after the rules,
    /// `extended` both and what the rules made of it,
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
            "logical" => Ok(logical.display_indent().to_string()),
            "optimized" => Ok(state.optimize(logical)?.display_indent().to_string()),
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

/// Adds the files of every scan of a plan.
fn add_files(plan: &dyn ExecutionPlan, files: &mut Vec<String>) {
    if let Some(scan) = plan.downcast_ref::<DataSourceExec>()
        && let Some(config) = scan.data_source().downcast_ref::<FileScanConfig>()
    {
        let groups = config.file_groups.iter();
        let paths = groups.flat_map(|group| group.files()).map(|file| file.path().to_string());
        files.extend(paths.map(|path| format!("file:///{path}")));
    }
    plan.children().into_iter().for_each(|child| add_files(child.as_ref(), files));
}
