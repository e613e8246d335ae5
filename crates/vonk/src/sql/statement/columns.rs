//! Columns as they are declared: type, NOT NULL, DEFAULT and COMMENT, in CREATE and ALTER TABLE.

use arrow::datatypes::{DataType, Field};
use datafusion::common::ScalarValue;
use sqlparser::ast;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;
use vonk_functions::collation;

use super::Source;
use super::variable::{has_query, values_of};
use crate::catalog::{ColumnMeta, TableKind, TableMeta, TableName};
use crate::display::type_name;
use crate::error::{Condition, Error, Result};
use crate::sql::{Environment, parse_query, parse_select_item, plan_query};

/// A column as it is declared.
pub(super) struct Declared {
    pub(super) name: String,
    pub(super) data_type: ast::DataType,
    pub(super) is_nullable: bool,
    /// The default as it is written.
    pub(super) default: Option<String>,
    pub(super) comment: Option<String>,
}

/// `name type [NOT NULL] [DEFAULT expression] [COMMENT 'text']`.
pub(super) fn parse(source: &mut Source<'_>) -> Result<Declared> {
    let name = source.parse(Parser::parse_identifier)?.value;
    let data_type = source.parse(Parser::parse_data_type)?;
    let mut declared =
        Declared { name, data_type, is_nullable: true, default: None, comment: None };
    loop {
        if source.take(&["NOT", "NULL"]) {
            declared.is_nullable = false;
        } else if source.take(&["DEFAULT"]) {
            declared.default = Some(source.written(|source| source.parse(Parser::parse_expr))?.0);
        } else if source.take(&["COMMENT"]) {
            declared.comment = Some(source.string()?);
        } else if source.take(&["COLLATE"]) {
            collation::check(&source.relation()?.to_string())?;
        } else if source.take(&["GENERATED"]) {
            let message = "columns cannot be generated from others";
            return Err(Error::new(Condition::UNSUPPORTED_TABLE_OPERATION, message)
                .hint("compute them in the query that writes"));
        } else {
            return Ok(declared);
        }
    }
}

/// `(name type …, …)`.
pub(super) fn parse_list(source: &mut Source<'_>) -> Result<Vec<Declared>> {
    source.parse(|parser| parser.expect_token(&Token::LParen))?;
    let mut declared = vec![parse(source)?];
    while source.parser.consume_token(&Token::Comma) {
        declared.push(parse(source)?);
    }
    source.parse(|parser| parser.expect_token(&Token::RParen))?;
    Ok(declared)
}

impl Declared {
    /// What the catalog keeps of it, as the column that `field` is in a plan.
    async fn meta(&self, session: &dyn Environment, field: &Field) -> Result<ColumnMeta> {
        let field = field.clone().with_name(&self.name);
        let field = crate::catalog::stored_schema(&arrow::datatypes::Schema::new(vec![field]));
        let mut meta = ColumnMeta::new(field.field(0));
        meta.nullable = self.is_nullable;
        meta.comment.clone_from(&self.comment);
        meta.type_name = bounded_name(&self.data_type).or(meta.type_name);
        if let Some(text) = &self.default {
            check_default(session, field.field(0), text).await?;
            meta.default = Some(text.clone());
        }
        Ok(meta)
    }
}

/// What the catalog keeps of columns that are declared.
pub(super) async fn metas(
    session: &dyn Environment,
    declared: &[Declared],
) -> Result<Vec<ColumnMeta>> {
    if declared.is_empty() {
        return Ok(Vec::new());
    }
    let nothing = declared
        .iter()
        .enumerate()
        .map(|(at, column)| format!("CAST(NULL AS {}) AS column{at}", column.data_type));
    let text = format!("SELECT {}", nothing.collect::<Vec<_>>().join(", "));
    let plan = plan_query(session, parse_query(&text)?).await?;
    let mut metas = Vec::with_capacity(declared.len());
    for (field, column) in plan.schema().fields().iter().zip(declared) {
        metas.push(column.meta(session, field).await?);
    }
    Ok(metas)
}

/// `char(5)` of `CHARACTER(5)`: what queries see as a text, and tables bound the length of.
fn bounded_name(data_type: &ast::DataType) -> Option<String> {
    use ast::DataType::{Char, CharVarying, Character, CharacterVarying, Varchar};
    let (kind, length) = match data_type {
        Char(length) | Character(length) => ("char", length.as_ref()?),
        Varchar(length) | CharVarying(length) | CharacterVarying(length) => {
            ("varchar", length.as_ref()?)
        }
        _ => return None,
    };
    match length {
        ast::CharacterLength::IntegerLength { length, .. } => Some(format!("{kind}({length})")),
        ast::CharacterLength::Max => None,
    }
}

/// The table that a statement changes.
///
/// # Errors
/// `EXPECT_TABLE_NOT_VIEW` for a view, temporary ones included.
pub(super) fn table(
    session: &dyn Environment,
    name: &TableName,
    statement: &str,
) -> Result<TableMeta> {
    let is_temporary = name.database.is_none() && session.views().contains(&name.table);
    let meta = match is_temporary {
        true => None,
        false => Some(session.catalog()?.existing_table(name)?),
    };
    match meta {
        Some(meta) if meta.kind == TableKind::Table => Ok(meta),
        _ => {
            let message = format!("{statement} expects a table, but `{name}` is a view");
            Err(Error::new(Condition::EXPECT_TABLE_NOT_VIEW, message))
        }
    }
}

/// Where a column stands among those of a table.
pub(super) fn position(meta: &TableMeta, name: &str) -> Result<usize> {
    let found = meta.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name));
    found.ok_or_else(|| {
        let message = format!("column `{name}` is not among the table's columns");
        let names = meta.columns.iter().map(|column| column.name.as_str());
        Error::new(Condition::UNRESOLVED_COLUMN, message).did_you_mean(name, names)
    })
}

/// Puts columns behind those of the files, before those of the partitions.
pub(super) async fn add(
    session: &dyn Environment,
    meta: &mut TableMeta,
    added: &[Declared],
) -> Result<()> {
    for column in metas(session, added).await? {
        if position(meta, &column.name).is_ok() {
            let message = format!("column `{}` is there already", column.name);
            return Err(
                Error::new(Condition::COLUMN_ALREADY_EXISTS, message).hint("choose another name")
            );
        }
        let at = meta.columns.len() - meta.partition_columns.len();
        meta.columns.insert(at, column);
    }
    Ok(())
}

/// Gives a column a type that holds every value of the one that it has.
pub(super) async fn widen(
    session: &dyn Environment,
    meta: &mut TableMeta,
    at: usize,
    data_type: &ast::DataType,
) -> Result<()> {
    let old = &meta.columns[at];
    let text = format!("SELECT CAST(NULL AS {data_type}) AS widened");
    let plan = plan_query(session, parse_query(&text)?).await?;
    let schema = crate::catalog::stored_schema(plan.schema().as_arrow());
    let mut new = ColumnMeta::new(schema.field(0));
    new.type_name = bounded_name(data_type).or(new.type_name);
    let (from, to) = (old.to_field()?, new.to_field()?);
    let is_same_text = old.type_name == new.type_name || new.type_name.is_none();
    let holds = match from.data_type() == to.data_type() {
        true => is_same_text,
        false => holds_all(from.data_type(), to.data_type()),
    };
    if !holds || meta.partition_columns.contains(&old.name) {
        let (from, to) = (old.declared_type()?, new.declared_type()?);
        let message = format!("column `{}` of type {from} cannot become {to}", old.name);
        return Err(Error::new(Condition::NOT_SUPPORTED_CHANGE_COLUMN, message)
            .hint("only wider types of numbers keep what the files hold"));
    }
    let column = &mut meta.columns[at];
    (column.data_type, column.type_name) = (new.data_type, new.type_name);
    Ok(())
}

/// Whether files with values of one type are read as another without loss.
fn holds_all(from: &DataType, to: &DataType) -> bool {
    use DataType::{Decimal128, Float32, Float64, Int8, Int16, Int32, Int64};
    match (from, to) {
        (Int8, Int16 | Int32 | Int64) | (Int16, Int32 | Int64) | (Int32, Int64) => true,
        (Float32, Float64) | (Int8 | Int16 | Int32, Float64) => true,
        (Decimal128(digits, scale), Decimal128(wider, finer)) => {
            finer >= scale
                && i16::from(*wider) - i16::from(*finer) >= i16::from(*digits) - i16::from(*scale)
        }
        _ => false,
    }
}

/// The value of a default, as the type of its column.
async fn value_of(session: &dyn Environment, column: &Field, text: &str) -> Result<ScalarValue> {
    let invalid = |condition, error: Error| {
        let message = format!("the default `{text}` of column `{}` does not fit it", column.name());
        Error::new(condition, message).caused_by(error)
    };
    let expr = match parse_select_item(text)? {
        ast::SelectItem::UnnamedExpr(expr) => expr,
        other => return Err(Error::internal(format!("the default `{other}` is no value"))),
    };
    if has_query(&expr) {
        let message = format!("the default of column `{}` has a query in it", column.name());
        return Err(Error::new(Condition::DEFAULT_WITH_QUERY, message));
    }
    let found = values_of(session, vec![expr]).await;
    let values =
        found.map_err(|error| invalid(Condition::INVALID_DEFAULT_VALUE_UNRESOLVED, error))?;
    let value = values.into_iter().next().unwrap_or(ScalarValue::Null);
    if !crate::write::is_assignable(&value.data_type(), column.data_type()) {
        let found = type_name(&value.data_type());
        let message = format!(
            "the default of column `{}` is of type {found}, not {}",
            column.name(),
            type_name(column.data_type())
        );
        return Err(Error::new(Condition::INVALID_DEFAULT_VALUE_TYPE, message));
    }
    Ok(value)
}

/// Sees that a default can be computed and stored.
pub(super) async fn check_default(
    session: &dyn Environment,
    column: &Field,
    text: &str,
) -> Result<()> {
    value_of(session, column, text).await.map(drop)
}

/// The defaults of a table's columns as they are now: one value for all rows of a statement.
pub(super) async fn defaults(
    session: &dyn Environment,
    meta: &TableMeta,
) -> Result<Vec<(String, ScalarValue)>> {
    let mut defaults = Vec::new();
    for column in &meta.columns {
        if let Some(text) = &column.default {
            let value = value_of(session, &column.to_field()?, text).await?;
            defaults.push((column.name.clone(), value));
        }
    }
    Ok(defaults)
}
