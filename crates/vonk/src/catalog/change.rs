//! Changes of a table that is there: what the catalog knows of it, and the directories of partitions.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Catalog, DATABASE_FILE, TABLE_FILE, TableMeta, is_absent, name, unwritable};
use crate::error::{Condition, Error, Result};
use crate::policy::Access;
use crate::write::{lock_directory, rename_new, write_durable, write_error};

impl Catalog {
    /// Puts other metadata in the place of a table's or view's; its rows stay.
    ///
    /// # Errors
    /// If the metadata has changed since it was read as `old`, or cannot be written.
    pub(crate) fn update_table(&self, old: &TableMeta, new: &TableMeta) -> Result<()> {
        let directory = self.table_directory(&old.name.to_name())?;
        let path = directory.join(TABLE_FILE);
        self.policy.check(Access::Write, &path)?;
        if self.policy.is_restricted() {
            self.data_address(new)?;
        }
        let (before, after) = (old.to_json()?, new.to_json()?);
        let write = || -> io::Result<()> {
            // Writers of rows look at the metadata under the lock of the directory above.
            let _lock = lock_directory(directory.parent().unwrap_or(&directory))?;
            if fs::read(&path)? != before {
                return Err(io::Error::other("the table was changed in the meantime"));
            }
            replace_file(&path, &after)
        };
        write().map_err(|error| write_error(&directory, "change", error))
    }

    /// The properties of a database; its comment is the one named `comment`.
    ///
    /// # Errors
    /// `SCHEMA_NOT_FOUND`, and if they cannot be read.
    pub(crate) fn database_properties(&self, name: &str) -> Result<BTreeMap<String, String>> {
        let path = self.database_directory(&name::checked(name)?)?.join(DATABASE_FILE);
        self.policy.check(Access::Read, &path)?;
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                let message = format!("the properties of `{name}` cannot be read: {error}");
                Error::new(Condition::CORRUPTED_CATALOG, message).file(path)
            }),
            // The database `default` has no file.
            Err(error) if is_absent(&error) => Ok(BTreeMap::new()),
            Err(error) => Err(Error::from(error).file(path)),
        }
    }

    /// Gives a database other properties.
    ///
    /// # Errors
    /// `SCHEMA_NOT_FOUND`, and if they cannot be written.
    pub(crate) fn set_database_properties(
        &self,
        name: &str,
        properties: &BTreeMap<String, String>,
    ) -> Result<()> {
        let directory = self.database_directory(&name::checked(name)?)?;
        if directory == self.warehouse {
            return Err(Error::unsupported("the database `default` has no properties"));
        }
        let path = directory.join(DATABASE_FILE);
        self.policy.check(Access::Write, &path)?;
        let bytes = serde_json::to_vec_pretty(properties).map_err(unwritable)?;
        replace_file(&path, &bytes).map_err(|error| write_error(&path, "change", error))
    }

    /// The directories of a table's partitions, relative to its own, sorted: `day=1/shop=a`.
    ///
    /// # Errors
    /// If a directory cannot be read.
    pub(crate) fn partitions(&self, meta: &TableMeta) -> Result<Vec<PathBuf>> {
        let root = self.data_location(meta)?;
        let mut found = vec![PathBuf::new()];
        for column in &meta.partition_columns {
            let mut deeper = Vec::new();
            for parent in &found {
                for directory in self.directories(&root.join(parent))? {
                    let Some(name) = directory.file_name().and_then(|name| name.to_str()) else {
                        continue;
                    };
                    let of = name.split_once('=').map(|(column, _)| column);
                    if of.is_some_and(|of| of.eq_ignore_ascii_case(column)) {
                        deeper.push(parent.join(name));
                    }
                }
            }
            found = deeper;
        }
        found.sort();
        Ok(found)
    }

    /// Makes the directory of a partition.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(crate) fn add_partition(&self, meta: &TableMeta, partition: &Path) -> Result<()> {
        let path = self.data_location(meta)?.join(partition);
        self.policy.check(Access::Write, &path)?;
        fs::create_dir_all(&path).map_err(|error| write_error(&path, "make the partition", error))
    }

    /// Gives a partition another directory.
    ///
    /// # Errors
    /// `PARTITIONS_ALREADY_EXIST` if that is there.
    pub(crate) fn rename_partition(&self, meta: &TableMeta, from: &Path, to: &Path) -> Result<()> {
        let root = self.data_location(meta)?;
        let (source, target) = (root.join(from), root.join(to));
        self.policy.check(Access::Write, &source)?;
        self.policy.check(Access::Write, &target)?;
        let rename = || -> io::Result<()> {
            fs::create_dir_all(target.parent().unwrap_or(&root))?;
            rename_new(&source, &target)
        };
        rename().map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                let message = format!("partition `{}` already exists", to.display());
                Error::new(Condition::PARTITIONS_ALREADY_EXIST, message)
            }
            _ => write_error(&source, "rename", error),
        })
    }

    /// Drops a partition with its files.
    ///
    /// # Errors
    /// If they cannot be removed.
    pub(crate) fn drop_partition(&self, meta: &TableMeta, partition: &Path) -> Result<()> {
        let root = self.data_location(meta)?;
        let path = root.join(partition);
        self.policy.check(Access::Write, &path)?;
        // Under a hidden name first, so that no query reads a part of it.
        let hidden = root.join(format!(".vonk-dropped-{:016x}", rand::random::<u64>()));
        let drop = || -> io::Result<()> {
            fs::rename(&path, &hidden)?;
            fs::remove_dir_all(&hidden)
        };
        drop().map_err(|error| write_error(&path, "drop the partition", error))
    }
}

/// Puts other bytes into a small file, at once to every reader.
fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(format!(".{:016x}", rand::random::<u64>()));
    let written = write_durable(Path::new(&fresh), bytes).and_then(|()| fs::rename(&fresh, path));
    if written.is_err() {
        drop(fs::remove_file(&fresh));
    }
    written
}
