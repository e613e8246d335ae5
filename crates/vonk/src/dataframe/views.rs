//! Queries by name, and how queries run.

use datafusion::common::Statistics;
use datafusion::common::stats::Precision;
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, StatisticsArgs, StatisticsContext, displayable};
use futures::StreamExt;

use super::{DataFrame, Execution};
use crate::error::{Condition, Error, Result};
use crate::placement::{self, Placed};
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

    /// What the query computes, in words that two queries share whose results differ in the names of
    /// their columns only; two queries with other words may still mean the same.
    ///
    /// # Errors
    /// Those of [`DataFrame::check`].
    pub async fn semantics(&self) -> Result<String> {
        let mut text = String::new();
        describe(self.logical_plan().await?, 0, &mut text);
        Ok(text)
    }

    /// How the query runs: `simple` gives the physical plan, `logical` and `optimized` the plan before and after the rules,
    /// `extended` both and what the rules made of it,
    /// `cost` the second with what is known of its size, `formatted` a drawing, and `analyze` runs the query and gives its figures.
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
        let operators = || async { placement::plan(&state, logical).await?.describe(false).await };
        match mode {
            "simple" => operators().await,
            "formatted" => Ok(displayable(physical().await?.as_ref()).tree_render().to_string()),
            "extended" => Ok(format!(
                "== Logical Plan ==\n{}\n\n== Optimized Logical Plan ==\n{}\n\n== Physical Plan ==\n{}",
                logical.display_indent(),
                state.optimize(logical)?.display_indent(),
                operators().await?,
            )),
            "logical" => Ok(logical.display_indent().to_string()),
            "optimized" => Ok(state.optimize(logical)?.display_indent().to_string()),
            "cost" => {
                let plan = state.optimize(logical)?;
                let physical = physical().await?;
                let context = StatisticsContext::new();
                let statistics = context.compute(physical.as_ref(), &StatisticsArgs::new())?;
                Ok(format!("{}\n{}", plan.display_indent(), cost(&statistics)))
            }
            "analyze" => {
                let mut execution = self.start().await?;
                while let Some(batch) = execution.stream.next().await {
                    batch?;
                }
                let Execution { stream, plan, place } = execution;
                drop(stream);
                Placed { plan, place }.describe(true).await
            }
            other => Err(Error::new(
                Condition::INVALID_PARAMETER,
                format!("there is no explanation of mode `{other}`"),
            )
            .hint("use `simple`, `extended`, `formatted` or `analyze`")),
        }
    }
}

/// What is known of the size of a result before it is computed.
fn cost(statistics: &Statistics) -> String {
    let known = |name: &str, value: &Precision<usize>| {
        value.get_value().map(|value| format!("{name}={value}"))
    };
    let bytes = known("sizeInBytes", &statistics.total_byte_size);
    let parts = [bytes, known("rowCount", &statistics.num_rows)];
    format!("Statistics({})", parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

/// A plan in words that leave out what columns are called.
fn describe(plan: &LogicalPlan, depth: usize, text: &mut String) {
    let step = match plan {
        LogicalPlan::Projection(projection) => {
            let values = projection.expr.iter().map(|expr| expr.clone().unalias_nested().data);
            values.map(|value| value.to_string()).collect::<Vec<_>>().join(", ")
        }
        other => other.display().to_string(),
    };
    text.push_str(&format!("{:depth$}{step}\n", ""));
    plan.inputs().into_iter().for_each(|input| describe(input, depth + 1, text));
}

/// Adds the files of every scan of a plan.
fn add_files(plan: &dyn ExecutionPlan, files: &mut Vec<String>) {
    if let Some(scan) = plan.downcast_ref::<DataSourceExec>()
        && let Some(config) = scan.data_source().downcast_ref::<FileScanConfig>()
    {
        let groups = config.file_groups.iter();
        let paths = groups.flat_map(|group| group.files()).map(|file| file.path().to_string());
        let store = config.object_store_url.as_str();
        files.extend(paths.map(|path| format!("{store}{path}")));
    }
    plan.children().into_iter().for_each(|child| add_files(child.as_ref(), files));
}
