//! Functions that are called in FROM without arguments.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::Result;
use datafusion::datasource::MemTable;

use crate::failure::Failure;

mod collations;
mod keywords;
mod worker_logs;

/// A function whose rows are always the same.
#[derive(Clone, Copy)]
pub struct TableFunction {
    /// Its name in lower case.
    pub name: &'static str,
    /// How it is called.
    pub usage: &'static str,
    /// One sentence in the third person.
    pub doc: &'static str,
    rows: fn() -> Result<RecordBatch>,
}

/// Every function of this kind.
///
/// ```
/// let names = vonk_functions::tables::FUNCTIONS.iter().map(|function| function.name);
/// assert!(names.into_iter().any(|name| name == "sql_keywords"));
/// ```
pub const FUNCTIONS: &[TableFunction] = &[
    TableFunction {
        name: "collations",
        usage: "collations()",
        doc: "Gives a row for each way in which texts may compare.",
        rows: collations::rows,
    },
    TableFunction {
        name: "python_worker_logs",
        usage: "python_worker_logs()",
        doc: "Is refused: what workers of Python log is not kept.",
        rows: worker_logs::rows,
    },
    TableFunction {
        name: "sql_keywords",
        usage: "sql_keywords()",
        doc: "Gives the words of Spark's SQL, and whether they are reserved.",
        rows: keywords::rows,
    },
];

impl fmt::Debug for TableFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.usage)
    }
}

impl TableFunctionImpl for TableFunction {
    fn call_with_args(&self, args: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        if !args.exprs().is_empty() {
            let message = format!("`{}` takes no arguments, not {}", self.name, args.exprs().len());
            return Err(Failure::new("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", message).into());
        }
        let rows = (self.rows)()?;
        Ok(Arc::new(MemTable::try_new(rows.schema(), vec![vec![rows]])?))
    }
}
