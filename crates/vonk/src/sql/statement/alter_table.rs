//! `ALTER TABLE`: name, columns, properties, place and partitions of a table of the catalog.

use datafusion::logical_expr::LogicalPlan;
use futures::future::BoxFuture;
use sqlparser::ast;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::columns::{self, Declared};
use super::partitions::{self, Partition};
use super::{Changes, Command, Source, no_answer, table_name};
use crate::catalog::{TableMeta, TableName};
use crate::error::{Condition, Error, Result};
use crate::sql::Environment;

struct AlterTable {
    name: TableName,
    change: Change,
}

enum Change {
    Rename(TableName),
    SetProperties(Vec<(String, String)>),
    UnsetProperties {
        names: Vec<String>,
        if_exists: bool,
    },
    SetLocation(String),
    AddColumns(Vec<Declared>),
    Column {
        name: String,
        change: ColumnChange,
    },
    AddPartitions {
        partitions: Vec<Partition>,
        if_not_exists: bool,
    },
    DropPartitions {
        partitions: Vec<Partition>,
        if_exists: bool,
    },
    RenamePartition {
        from: Partition,
        to: Partition,
    },
    RecoverPartitions,
    /// What tables of files cannot do, in Spark's words.
    Unsupported(&'static str),
}

enum ColumnChange {
    Comment(String),
    Type(ast::DataType),
    SetDefault(String),
    DropDefault,
    DropNotNull,
}

/// Changes that would have to rewrite all files, which Spark refuses as well.
const UNSUPPORTED: &[(&[&str], &str)] = &[
    (&["DROP", "COLUMNS"], "DROP COLUMN"),
    (&["DROP", "COLUMN"], "DROP COLUMN"),
    (&["RENAME", "COLUMN"], "RENAME COLUMN"),
    (&["REPLACE", "COLUMNS"], "REPLACE COLUMNS"),
    (&["SET", "FILEFORMAT"], "SET FILEFORMAT"),
    (&["CLUSTER", "BY"], "CLUSTER BY"),
];

pub(super) fn parse(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let name = table_name(&source.relation()?)?;
    Ok(Box::new(AlterTable { name, change: parse_change(source)? }))
}

fn parse_change(source: &mut Source<'_>) -> Result<Change> {
    for (words, operation) in UNSUPPORTED {
        if source.take(words) {
            let _ = source.rest();
            return Ok(Change::Unsupported(operation));
        }
    }
    if source.take(&["RENAME", "TO"]) {
        return Ok(Change::Rename(table_name(&source.relation()?)?));
    }
    if source.take(&["SET", "TBLPROPERTIES"]) {
        return Ok(Change::SetProperties(source.options()?));
    }
    if source.take(&["UNSET", "TBLPROPERTIES"]) {
        let if_exists = source.take(&["IF", "EXISTS"]);
        return Ok(Change::UnsetProperties { names: source.names_in_parentheses()?, if_exists });
    }
    if source.take(&["SET", "LOCATION"]) {
        return Ok(Change::SetLocation(source.string()?));
    }
    if source.take(&["RECOVER", "PARTITIONS"]) {
        return Ok(Change::RecoverPartitions);
    }
    if source.take(&["ADD", "COLUMNS"]) || source.take(&["ADD", "COLUMN"]) {
        return parse_added(source);
    }
    if source.take(&["PARTITION"]) {
        let from = partitions::parse(source)?;
        source.expect(&["RENAME", "TO", "PARTITION"])?;
        return Ok(Change::RenamePartition { from, to: partitions::parse(source)? });
    }
    if source.take(&["ADD"]) {
        let if_not_exists = source.take(&["IF", "NOT", "EXISTS"]);
        return Ok(Change::AddPartitions { partitions: parse_partitions(source)?, if_not_exists });
    }
    if source.take(&["DROP"]) {
        let if_exists = source.take(&["IF", "EXISTS"]);
        let partitions = parse_partitions(source)?;
        let _ = source.take(&["PURGE"]);
        return Ok(Change::DropPartitions { partitions, if_exists });
    }
    if !source.take(&["ALTER"]) {
        source.expect(&["CHANGE"])?;
    }
    let _ = source.take(&["COLUMN"]);
    parse_column_change(source)
}

/// `PARTITION (…)` many times, with commas or without.
fn parse_partitions(source: &mut Source<'_>) -> Result<Vec<Partition>> {
    let mut partitions = Vec::new();
    loop {
        match partitions.is_empty() {
            true => source.expect(&["PARTITION"])?,
            false if source.take(&["PARTITION"]) => {}
            false => return Ok(partitions),
        }
        partitions.push(partitions::parse(source)?);
        if source.take(&["LOCATION"]) {
            return Err(Error::unsupported("partitions lie below their table, not elsewhere")
                .hint("make a table with this LOCATION"));
        }
        let _ = source.parser.consume_token(&Token::Comma);
    }
}

/// `name type [COMMENT 'text'], …`, in parentheses or not.
fn parse_added(source: &mut Source<'_>) -> Result<Change> {
    let has_parentheses = source.parser.consume_token(&Token::LParen);
    let mut added = Vec::new();
    loop {
        added.push(columns::parse(source)?);
        if source.take(&["FIRST"]) || source.take(&["AFTER"]) {
            let _ = source.rest();
            return Ok(Change::Unsupported("ADD COLUMN … FIRST | AFTER"));
        }
        if !source.parser.consume_token(&Token::Comma) {
            break;
        }
    }
    if has_parentheses {
        source.parse(|parser| parser.expect_token(&Token::RParen))?;
    }
    Ok(Change::AddColumns(added))
}

fn parse_column_change(source: &mut Source<'_>) -> Result<Change> {
    let parts = source.parse(|parser| parser.parse_object_name(false))?;
    if parts.0.len() > 1 {
        let _ = source.rest();
        return Ok(Change::Unsupported("ALTER COLUMN of a field of a struct"));
    }
    let name = super::last_part(&parts)?.to_owned();
    let change = if source.take(&["COMMENT"]) {
        ColumnChange::Comment(source.string()?)
    } else if source.take(&["TYPE"]) {
        ColumnChange::Type(source.parse(Parser::parse_data_type)?)
    } else if source.take(&["SET", "DEFAULT"]) {
        ColumnChange::SetDefault(source.written(|source| source.parse(Parser::parse_expr))?.0)
    } else if source.take(&["DROP", "DEFAULT"]) {
        ColumnChange::DropDefault
    } else if source.take(&["DROP", "NOT", "NULL"]) {
        ColumnChange::DropNotNull
    } else if source.take(&["SET", "NOT", "NULL"]) {
        return Ok(Change::Unsupported("ALTER COLUMN … SET NOT NULL"));
    } else if source.take(&["FIRST"]) || source.take(&["AFTER"]) {
        let _ = source.rest();
        return Ok(Change::Unsupported("ALTER COLUMN … FIRST | AFTER"));
    } else {
        return parse_hive_change(source, name);
    };
    Ok(Change::Column { name, change })
}

/// `CHANGE [COLUMN] name name type [COMMENT 'text']`, of which the comment may differ.
fn parse_hive_change(source: &mut Source<'_>, name: String) -> Result<Change> {
    let column = columns::parse(source)?;
    if !column.name.eq_ignore_ascii_case(&name) {
        return Ok(Change::Unsupported("RENAME COLUMN"));
    }
    let change = match column.comment {
        Some(comment) => ColumnChange::Comment(comment),
        None => ColumnChange::Type(column.data_type),
    };
    Ok(Change::Column { name, change })
}

impl Command for AlterTable {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            let catalog = session.catalog()?;
            let old = columns::table(session, &self.name, "ALTER TABLE")?;
            let mut new = old.clone();
            match &self.change {
                Change::Rename(to) => catalog.rename_table(&self.name, to)?,
                Change::SetProperties(properties) => {
                    new.properties.extend(properties.iter().cloned());
                }
                Change::UnsetProperties { names, if_exists } => {
                    unset(&mut new, names, *if_exists)?;
                }
                Change::SetLocation(location) => new.location = Some(location.clone()),
                Change::AddColumns(added) => columns::add(session, &mut new, added).await?,
                Change::Column { name, change } => {
                    change_column(session, &mut new, name, change).await?;
                }
                Change::AddPartitions { partitions, if_not_exists } => {
                    partitions::add(&catalog, &old, partitions, *if_not_exists)?;
                }
                Change::DropPartitions { partitions, if_exists } => {
                    partitions::drop(&catalog, &old, partitions, *if_exists)?;
                }
                Change::RenamePartition { from, to } => {
                    partitions::rename(&catalog, &old, from, to)?;
                }
                Change::RecoverPartitions => partitions::check_partitioned(&old)?,
                Change::Unsupported(operation) => return Err(unsupported(&self.name, operation)),
            }
            if !matches!(self.change, Change::Rename(_)) {
                catalog.update_table(&old, &new)?;
            }
            no_answer()
        })
    }

    fn changes(&self) -> Changes<'_> {
        Changes::Table(&self.name)
    }
}

/// The error of a change that tables of files cannot have.
pub(super) fn unsupported(table: &TableName, operation: &str) -> Error {
    let message = format!("table `{table}` does not support {operation}");
    Error::new(Condition::UNSUPPORTED_TABLE_OPERATION, message)
        .hint("make the table anew with `CREATE OR REPLACE TABLE … AS SELECT …`")
}

fn unset(meta: &mut TableMeta, names: &[String], if_exists: bool) -> Result<()> {
    for name in names {
        if meta.properties.remove(name).is_none() && !if_exists {
            let message = format!("table `{}` has no property `{name}`", meta.name);
            return Err(Error::new(Condition::UNSET_NONEXISTENT_PROPERTIES, message)
                .hint("use `UNSET TBLPROPERTIES IF EXISTS`"));
        }
    }
    Ok(())
}

async fn change_column(
    session: &dyn Environment,
    meta: &mut TableMeta,
    name: &str,
    change: &ColumnChange,
) -> Result<()> {
    let at = columns::position(meta, name)?;
    match change {
        ColumnChange::Comment(comment) => meta.columns[at].comment = Some(comment.clone()),
        ColumnChange::Type(data_type) => columns::widen(session, meta, at, data_type).await?,
        ColumnChange::SetDefault(text) => {
            let column = meta.columns[at].to_field()?;
            columns::check_default(session, &column, text).await?;
            meta.columns[at].default = Some(text.clone());
        }
        ColumnChange::DropDefault => meta.columns[at].default = None,
        ColumnChange::DropNotNull => meta.columns[at].nullable = true,
    }
    Ok(())
}
