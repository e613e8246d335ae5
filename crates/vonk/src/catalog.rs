//! The persistent catalog: databases, tables and views as directories of the warehouse.
//!
//! The file system is the catalog: a database is a directory `name.db` (the tables of `default`
//! lie in the warehouse itself), a table a directory with a hidden metadata file and, unless it has
//! a location elsewhere, its data files. Every change is one rename, so that any number of
//! processes may share a warehouse. Nothing is made before something is written.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::datasource::empty::EmptyTable;
use datafusion::execution::SessionState;
use parking_lot::RwLock;

use crate::error::{Condition, Error, Result};
use crate::policy::{Access, Policy};
use crate::sources;
use crate::write::{
    Existing, Guard, Staging, Target, lock_directory, rename_new, write_durable, write_error,
};

mod change;
mod meta;
mod name;

pub(crate) use meta::{ColumnMeta, TableKind, TableMeta, stored_schema};
pub(crate) use name::TableName;

/// The metadata file of a table or view, in its directory.
const TABLE_FILE: &str = ".vonk-table.json";

/// The file that marks the directory of a database.
const DATABASE_FILE: &str = ".vonk-database.json";

/// The database that is always there, and whose tables lie in the warehouse itself.
pub(crate) const DEFAULT_DATABASE: &str = "default";

/// What to do when the name is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CreateMode {
    /// It is an error.
    Create,
    /// What is there stays.
    IfNotExists,
    /// What is there is replaced.
    OrReplace,
}

/// What is known of a table or view without opening it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableInfo {
    /// The name without its database.
    pub name: String,
    /// The database; none for a temporary view.
    pub database: Option<String>,
    /// Spark's word for the kind: `MANAGED`, `EXTERNAL`, `VIEW` or `TEMPORARY`.
    pub kind: &'static str,
    /// Whether it ends with the session.
    pub is_temporary: bool,
    /// The comment that it was made with.
    pub comment: Option<String>,
    /// The columns whose values are directories.
    pub partition_columns: Vec<String>,
}

impl TableInfo {
    /// A temporary view; the name may have `global_temp` before it.
    pub(crate) fn temporary(name: &str) -> Self {
        let (database, name) = match name.split_once('.') {
            Some((database, name)) => (Some(database.to_owned()), name),
            None => (None, name),
        };
        Self {
            name: name.to_owned(),
            database,
            kind: "TEMPORARY",
            is_temporary: true,
            comment: None,
            partition_columns: Vec::new(),
        }
    }

    pub(crate) fn of(meta: &TableMeta) -> Self {
        let kind = match (meta.kind, &meta.location) {
            (TableKind::View, _) => "VIEW",
            (TableKind::Table, Some(_)) => "EXTERNAL",
            (TableKind::Table, None) => "MANAGED",
        };
        Self {
            name: meta.name.table.clone(),
            database: Some(meta.name.database.clone()),
            kind,
            is_temporary: false,
            comment: meta.comment.clone(),
            partition_columns: meta.partition_columns.clone(),
        }
    }
}

/// The tables and databases of a warehouse directory, as one session sees them.
#[derive(Debug, Clone)]
pub struct Catalog {
    warehouse: PathBuf,
    current: Arc<RwLock<String>>,
    policy: Policy,
}

impl Catalog {
    /// The catalog in a warehouse directory; `current` is the session's current database.
    pub(crate) fn new(
        warehouse: &str,
        current: &Arc<RwLock<String>>,
        policy: &Policy,
    ) -> Result<Self> {
        let local = warehouse.strip_prefix("file://").unwrap_or(warehouse);
        let local = local.strip_prefix("file:").unwrap_or(local);
        let warehouse = std::path::absolute(local)?;
        Ok(Self { warehouse, current: Arc::clone(current), policy: policy.clone() })
    }

    /// The database in which names without one are looked up.
    pub fn current_database(&self) -> String {
        self.current.read().clone()
    }

    /// Makes another database the current one, as `USE` does.
    ///
    /// # Errors
    /// `SCHEMA_NOT_FOUND` if there is none of that name.
    pub fn set_current_database(&self, name: &str) -> Result<()> {
        let name = name::checked(name)?;
        self.database_directory(&name)?;
        *self.current.write() = name;
        Ok(())
    }

    /// The names of the databases, sorted.
    ///
    /// # Errors
    /// If the warehouse cannot be read.
    pub fn list_databases(&self) -> Result<Vec<String>> {
        let mut names = vec![DEFAULT_DATABASE.to_owned()];
        for directory in self.directories(&self.warehouse)? {
            if directory.join(DATABASE_FILE).exists()
                && let Some(name) = file_name(&directory).strip_suffix(".db")
            {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// Where the tables of a database lie, if there is one of this name.
    pub fn database_location(&self, name: &str) -> Option<String> {
        let directory = self.database_directory(&name::checked(name).ok()?).ok()?;
        Some(format!("file:{}", directory.display()))
    }

    /// Whether there is a database of this name.
    pub fn database_exists(&self, name: &str) -> bool {
        name::checked(name).is_ok_and(|name| self.database_directory(&name).is_ok())
    }

    /// Makes a database; false if it was there and that is no error.
    pub(crate) fn create_database(
        &self,
        name: &str,
        mode: CreateMode,
        properties: &BTreeMap<String, String>,
    ) -> Result<bool> {
        let name = name::checked(name)?;
        if self.database_directory(&name).is_ok() {
            return match mode {
                CreateMode::IfNotExists => Ok(false),
                CreateMode::Create | CreateMode::OrReplace => {
                    let message = format!("database `{name}` already exists");
                    Err(Error::new(Condition::SCHEMA_ALREADY_EXISTS, message)
                        .hint("use CREATE DATABASE IF NOT EXISTS"))
                }
            };
        }
        let directory = self.warehouse.join(format!("{name}.db"));
        let text = serde_json::to_vec_pretty(properties).map_err(unwritable)?;
        self.publish_with_file(&directory, DATABASE_FILE, &text, Existing::Refuse)?;
        Ok(true)
    }

    /// Drops a database, with its tables only if `cascade`.
    pub(crate) fn drop_database(&self, name: &str, if_exists: bool, cascade: bool) -> Result<bool> {
        let name = name::checked(name)?;
        if name == DEFAULT_DATABASE {
            return Err(Error::unsupported("the database `default` cannot be dropped"));
        }
        let directory = match self.database_directory(&name) {
            Ok(directory) => directory,
            Err(_) if if_exists => return Ok(false),
            Err(error) => return Err(error),
        };
        if !cascade && !self.list_tables(Some(&name))?.is_empty() {
            let message = format!("database `{name}` is not empty");
            return Err(Error::new(Condition::SCHEMA_NOT_EMPTY, message)
                .hint("drop its tables first, or use DROP DATABASE … CASCADE"));
        }
        Staging::begin(&self.policy, &directory)?.remove_target()?;
        let mut current = self.current.write();
        if *current == name {
            *current = DEFAULT_DATABASE.to_owned();
        }
        Ok(true)
    }

    /// The tables and views of a database, the current one if `None`, sorted by name.
    pub(crate) fn list_tables(&self, database: Option<&str>) -> Result<Vec<TableMeta>> {
        let database = match database {
            Some(name) => name::checked(name)?,
            None => self.current_database(),
        };
        let mut tables = Vec::new();
        for directory in self.directories(&self.database_directory(&database)?)? {
            let name = TableName::new(Some(&database), &file_name(&directory));
            if let Ok(name) = name
                && let Some(meta) = self.read_table(&directory, &self.qualified(&name))?
            {
                tables.push(meta);
            }
        }
        tables.sort_by(|a, b| a.name.table.cmp(&b.name.table));
        Ok(tables)
    }

    /// A table or view, if there is one of this name.
    pub(crate) fn table(&self, name: &TableName) -> Result<Option<TableMeta>> {
        let name = self.qualified(name);
        match self.database_directory(&name.database) {
            Ok(directory) => self.read_table(&directory.join(&name.table), &name),
            Err(_) => Ok(None),
        }
    }

    /// A table or view that has to be there.
    ///
    /// # Errors
    /// `TABLE_OR_VIEW_NOT_FOUND`, with the name that looks most like it.
    pub(crate) fn existing_table(&self, name: &TableName) -> Result<TableMeta> {
        if let Some(meta) = self.table(name)? {
            return Ok(meta);
        }
        let tables = self.list_tables(name.database.as_deref()).unwrap_or_default();
        let names = tables.iter().map(|meta| meta.name.table.as_str());
        let message = format!("table or view `{name}` does not exist");
        Err(Error::new(Condition::TABLE_OR_VIEW_NOT_FOUND, message)
            .did_you_mean(&name.table, names))
    }

    /// Whether there is a table or view of this name, such as `sales` or `shop.sales`.
    pub fn table_exists(&self, name: &str) -> bool {
        TableName::parse(name).is_ok_and(|name| matches!(self.table(&name), Ok(Some(_))))
    }

    /// Where a table's metadata lies, and its data if it has no location of its own.
    pub(crate) fn table_directory(&self, name: &TableName) -> Result<PathBuf> {
        let name = self.qualified(name);
        Ok(self.database_directory(&name.database)?.join(&name.table))
    }

    /// Where a table's data lies, as text: a local path or the address of a store.
    pub(crate) fn data_address(&self, meta: &TableMeta) -> Result<String> {
        match &meta.location {
            Some(location) if sources::is_remote(location) => {
                self.policy.check_address_to(Access::Read, location)?;
                Ok(location.clone())
            }
            _ => Ok(self.data_location(meta)?.to_string_lossy().into_owned()),
        }
    }

    /// Where a table's data lies on the local disk.
    ///
    /// # Errors
    /// For a table whose files are in another store.
    pub(crate) fn data_location(&self, meta: &TableMeta) -> Result<PathBuf> {
        match &meta.location {
            Some(location) => Ok(Target::parse(&self.policy, Access::Read, location)?.path),
            None => self.table_directory(&meta.name.to_name()),
        }
    }

    /// Makes an empty table or a view; false if one was there and stays.
    pub(crate) fn create_table(&self, meta: &TableMeta, mode: CreateMode) -> Result<bool> {
        let name = meta.name.to_name();
        if !self.may_create(&name, meta.kind, mode)? {
            return Ok(false);
        }
        if self.policy.is_restricted() {
            self.data_address(meta)?;
        }
        let existing = match mode {
            CreateMode::OrReplace => Existing::Replace,
            CreateMode::Create | CreateMode::IfNotExists => Existing::Refuse,
        };
        let meta = match meta.location {
            None => meta.clone().completed(),
            Some(_) => meta.clone(),
        };
        let directory = self.table_directory(&name)?;
        match self.publish_with_file(&directory, TABLE_FILE, &meta.to_json()?, existing) {
            // Another process was faster, or a directory that is no table is in the way.
            Err(error) if error.condition() == Condition::PATH_ALREADY_EXISTS => {
                self.may_create(&name, meta.kind, mode)?;
                Err(error.hint("a directory that is no table has this name; remove it first"))
            }
            Err(error) => Err(error),
            Ok(()) => Ok(true),
        }
    }

    /// Whether a table may be made under this name: false if one is there and stays.
    ///
    /// # Errors
    /// `TABLE_OR_VIEW_ALREADY_EXISTS`; also when a view would replace a table or the reverse.
    pub(crate) fn may_create(
        &self,
        name: &TableName,
        kind: TableKind,
        mode: CreateMode,
    ) -> Result<bool> {
        self.table_directory(name)?;
        let Some(found) = self.table(name)? else { return Ok(true) };
        match mode {
            CreateMode::IfNotExists => Ok(false),
            CreateMode::OrReplace if found.kind == kind => Ok(true),
            CreateMode::OrReplace => {
                let message = format!("`{name}` is a {} already", found.kind);
                Err(Error::new(Condition::TABLE_ALREADY_EXISTS, message).hint("drop it first"))
            }
            CreateMode::Create => {
                let message = format!("{} `{name}` already exists", found.kind);
                Err(Error::new(Condition::TABLE_ALREADY_EXISTS, message)
                    .hint("choose another name, drop it, or use IF NOT EXISTS or OR REPLACE"))
            }
        }
    }

    /// Drops a table or view of this kind; data at a location of its own stays.
    pub(crate) fn drop_table(
        &self,
        name: &TableName,
        kind: TableKind,
        if_exists: bool,
    ) -> Result<bool> {
        let found = match self.table(name)? {
            Some(found) => found,
            None if if_exists => return Ok(false),
            None => self.existing_table(name)?,
        };
        if found.kind != kind {
            let message = format!("`{name}` is a {}, not a {kind}", found.kind);
            return Err(Error::new(Condition::WRONG_COMMAND_FOR_OBJECT_TYPE, message)
                .hint(format!("use DROP {}", found.kind.to_string().to_uppercase())));
        }
        Staging::begin(&self.policy, &self.table_directory(name)?)?.remove_target()?;
        Ok(true)
    }

    /// Gives a table or view another name.
    pub(crate) fn rename_table(&self, from: &TableName, to: &TableName) -> Result<()> {
        self.existing_table(from)?;
        let (source, target) = (self.table_directory(from)?, self.table_directory(to)?);
        self.policy.check(Access::Write, &source)?;
        self.policy.check(Access::Write, &target)?;
        let parent = target.parent().unwrap_or(&self.warehouse);
        let rename = || -> io::Result<()> {
            let _lock = lock_directory(parent)?;
            rename_new(&source, &target)
        };
        rename().map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                let message = format!("table or view `{to}` already exists");
                Error::new(Condition::TABLE_ALREADY_EXISTS, message).hint("choose another name")
            }
            _ => write_error(&source, "rename", error),
        })
    }

    /// A table to scan, over the files that are there now.
    ///
    /// # Errors
    /// For a view, which is planned from its text, and whatever reading the files gives.
    pub(crate) async fn open(
        &self,
        state: &SessionState,
        meta: &TableMeta,
    ) -> Result<Arc<dyn TableProvider>> {
        if meta.kind == TableKind::View {
            return Err(Error::internal("a view cannot be scanned"));
        }
        let schema = meta.schema()?;
        let address = self.data_address(meta)?;
        let is_local = !sources::is_remote(&address);
        if is_local && !holds_data(address.as_ref()) && !schema.fields().is_empty() {
            return Ok(Arc::new(EmptyTable::new(schema)));
        }
        let told = (!schema.fields().is_empty()).then(|| Arc::clone(&schema));
        let spec = meta.read_spec(&address, told);
        let is_absent = |error: &Error| {
            let names = |(name, value): &(String, String)| name == "path" && *value == address;
            error.condition() == Condition::PATH_NOT_FOUND && error.parameters().iter().any(names)
        };
        match sources::open(state, &spec).await {
            // In a store a directory is there when it holds something.
            Err(error) if !is_local && !schema.fields().is_empty() && is_absent(&error) => {
                Ok(Arc::new(EmptyTable::new(schema)))
            }
            other => other,
        }
    }

    /// The table's metadata, by which a writer sees when it publishes that the table is the same.
    pub(crate) fn guard(&self, meta: &TableMeta) -> Result<Guard> {
        let path = self.table_directory(&meta.name.to_name())?.join(TABLE_FILE);
        Ok(Guard { path, bytes: meta.to_json()? })
    }

    /// The companion file by which a directory that is written becomes a table.
    pub(crate) fn companion(meta: &TableMeta) -> Result<(String, Vec<u8>)> {
        Ok((TABLE_FILE.to_owned(), meta.to_json()?))
    }

    /// The name with its database, the current one if it has none.
    pub(crate) fn qualified(&self, name: &TableName) -> name::QualifiedName {
        let database = name.database.clone().unwrap_or_else(|| self.current_database());
        name::QualifiedName { database, table: name.table.clone() }
    }

    fn database_directory(&self, name: &str) -> Result<PathBuf> {
        if name == DEFAULT_DATABASE {
            return Ok(self.warehouse.clone());
        }
        let directory = self.warehouse.join(format!("{name}.db"));
        if self.policy.may_read(&directory) && directory.join(DATABASE_FILE).exists() {
            return Ok(directory);
        }
        let names = self.list_databases()?;
        let message = format!("database `{name}` does not exist");
        let error = Error::new(Condition::SCHEMA_NOT_FOUND, message);
        Err(error.did_you_mean(name, names.iter().map(String::as_str)))
    }

    /// Makes a directory with one file in it appear at once.
    fn publish_with_file(
        &self,
        path: &Path,
        file: &str,
        bytes: &[u8],
        existing: Existing,
    ) -> Result<()> {
        let staging = Staging::begin(&self.policy, path)?;
        let make = || -> io::Result<()> {
            fs::create_dir(staging.new_path())?;
            write_durable(&staging.new_path().join(file), bytes)
        };
        make().map_err(|error| write_error(path, "write", error))?;
        staging.publish_directory(existing, None)
    }

    fn read_table(
        &self,
        directory: &Path,
        name: &name::QualifiedName,
    ) -> Result<Option<TableMeta>> {
        let path = directory.join(TABLE_FILE);
        // Of a warehouse that may not be read, nothing is known.
        if !self.policy.may_read(&self.warehouse) {
            return Ok(None);
        }
        self.policy.check(Access::Read, &path)?;
        match fs::read(&path) {
            Ok(bytes) => {
                TableMeta::from_json(&bytes, name).map(Some).map_err(|error| error.file(path))
            }
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(Error::from(error).file(path)),
        }
    }

    /// The visible directories in a directory; none if it is not there.
    fn directories(&self, parent: &Path) -> Result<Vec<PathBuf>> {
        if !self.policy.may_read(parent) {
            return Ok(Vec::new());
        }
        let entries = match fs::read_dir(parent) {
            Ok(entries) => entries,
            Err(error) if is_absent(&error) => return Ok(Vec::new()),
            Err(error) => return Err(Error::from(error).file(parent)),
        };
        let paths = entries.flatten().map(|entry| entry.path());
        Ok(paths.filter(|path| path.is_dir() && !file_name(path).starts_with('.')).collect())
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Whether a location is a file or has any that readers see.
fn holds_data(location: &Path) -> bool {
    let Ok(entries) = fs::read_dir(location) else { return location.is_file() };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        let is_hidden = matches!(name.as_encoded_bytes().first(), Some(b'.' | b'_'));
        match entry.path().is_dir() {
            true => holds_data(&entry.path()),
            false => !is_hidden,
        }
    })
}

fn unwritable(error: serde_json::Error) -> Error {
    Error::internal(format!("metadata cannot be written: {error}"))
}

#[cfg(test)]
mod tests;
