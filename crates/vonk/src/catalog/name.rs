//! Names of databases and tables: compared without regard to case, and safe as names of directories.

use std::fmt;

use crate::error::{Condition, Error, Result};

/// A table's name as written, with a database or without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableName {
    pub(crate) database: Option<String>,
    pub(crate) table: String,
}

/// A table's name with its database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QualifiedName {
    pub(crate) database: String,
    pub(crate) table: String,
}

impl TableName {
    /// Checks the parts of a name and puts them into lower case.
    pub(crate) fn new(database: Option<&str>, table: &str) -> Result<Self> {
        Ok(Self { database: database.map(checked).transpose()?, table: checked(table)? })
    }

    /// Reads `table`, `database.table` or `spark_catalog.database.table`, with or without backticks.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let parts: Vec<&str> = text.split('.').map(|part| part.trim().trim_matches('`')).collect();
        match parts.as_slice() {
            [table] => Self::new(None, table),
            [database, table] => Self::new(Some(database), table),
            ["spark_catalog", database, table] => Self::new(Some(database), table),
            _ => Err(invalid(text)),
        }
    }
}

impl QualifiedName {
    pub(crate) fn to_name(&self) -> TableName {
        TableName { database: Some(self.database.clone()), table: self.table.clone() }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.database {
            Some(database) => write!(f, "{database}.{}", self.table),
            None => f.write_str(&self.table),
        }
    }
}

impl fmt::Display for QualifiedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.database, self.table)
    }
}

/// A name in lower case, if it has letters, digits and underscores only, as Spark demands.
///
/// # Errors
/// `INVALID_SCHEMA_OR_RELATION_NAME` for any other; so no name leads out of the warehouse.
pub(super) fn checked(name: &str) -> Result<String> {
    const BYTES_MAX: usize = 200;
    let is_good = !name.is_empty()
        && name.len() <= BYTES_MAX
        && name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    if is_good { Ok(name.to_lowercase()) } else { Err(invalid(name)) }
}

fn invalid(name: &str) -> Error {
    let message = format!("`{name}` is no valid name of a table or database");
    Error::new(Condition::INVALID_NAME, message).hint("use letters, digits and underscores")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_and_lowered() {
        assert_eq!(TableName::parse("Shop.`Sales`").unwrap().to_string(), "shop.sales");
        assert_eq!(TableName::parse("sales").unwrap().to_string(), "sales");
        for bad in ["", "a/b", "..", "a.b.c.d", ".hidden", "a b", "a\0", "x.db/../y"] {
            assert!(TableName::parse(bad).is_err(), "{bad}");
        }
    }
}
