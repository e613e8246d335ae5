//! The names that a session knows, for shells and editors that complete them.

use arrow::datatypes::SchemaRef;

use super::Session;
use crate::analyze;
use crate::catalog::TableInfo;
use crate::error::Result;
use crate::{sources, sql};

impl Session {
    /// The names of temporary views, and of the tables and views of the current database, sorted.
    ///
    /// A warehouse that cannot be read has none: whoever completes a name cannot do more about it.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let session = Session::new();
    /// session.sql("CREATE TEMPORARY VIEW one AS SELECT 1 AS a").collect().await?;
    /// assert_eq!(session.table_names(), ["one"]);
    /// # Ok(()) }
    /// ```
    pub fn table_names(&self) -> Vec<String> {
        let mut names = self.views().names();
        let lasting = self.catalog().and_then(|catalog| catalog.list_tables(None));
        names.extend(lasting.into_iter().flatten().map(|meta| meta.name.table));
        names.sort();
        names.dedup();
        names
    }

    /// The tables and views of a database, the current one if `None`, then the temporary views.
    ///
    /// # Errors
    /// `SCHEMA_NOT_FOUND` if there is no such database.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let session = Session::new();
    /// session.sql("CREATE TEMPORARY VIEW one AS SELECT 1 AS a").collect().await?;
    /// assert_eq!(session.tables(None)?[0].kind, "TEMPORARY");
    /// # Ok(()) }
    /// ```
    pub fn tables(&self, database: Option<&str>) -> Result<Vec<TableInfo>> {
        let views = self.views().names().into_iter().map(|name| TableInfo::temporary(&name));
        let is_global = |info: &TableInfo| info.database.is_some();
        if database.is_some_and(|name| name.eq_ignore_ascii_case(sql::GLOBAL_DATABASE)) {
            return Ok(views.filter(is_global).collect());
        }
        let lasting = self.catalog()?.list_tables(database)?;
        let mut tables: Vec<TableInfo> = lasting.iter().map(TableInfo::of).collect();
        tables.extend(views.filter(|info| !is_global(info)));
        Ok(tables)
    }

    /// The names of all functions, sorted, each once.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// assert!(Session::new().function_names().contains(&"sum".to_owned()));
    /// ```
    pub fn function_names(&self) -> Vec<String> {
        analyze::Functions::of(&self.state()).names()
    }

    /// The columns and types of a table or view by name, or of files by path.
    ///
    /// # Errors
    /// `TABLE_OR_VIEW_NOT_FOUND`, `PATH_NOT_FOUND`, and whatever is wrong with the files.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let session = Session::new();
    /// session.sql("CREATE TEMPORARY VIEW one AS SELECT 1 AS a").collect().await?;
    /// assert_eq!(session.schema_of("one").await?.field(0).name(), "a");
    /// # Ok(()) }
    /// ```
    pub async fn schema_of(&self, name: &str) -> Result<SchemaRef> {
        let is_table = self.views().contains(name)
            || self.catalog().is_ok_and(|catalog| catalog.table_exists(name));
        let is_path = sources::looks_like_path(name) && !is_table;
        let quoted = || format!("`{}`", name.replace('`', "``"));
        let name = if is_path || name.contains(' ') { quoted() } else { name.to_owned() };
        self.table(name).schema().await
    }
}
