//! `INSERT INTO` and `INSERT OVERWRITE`: a query's rows into a table of the catalog.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, LogicalPlan, lit};
use futures::future::BoxFuture;
use sqlparser::ast;
use sqlparser::parser::{IsOptional, Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::{Changes, Command, Source, columns, no_answer, table_name};
use crate::catalog::TableMeta;
use crate::error::{Condition, Error, Result};
use crate::sql::forms::is_word;
use crate::sql::{Environment, plan_query};
use crate::write::{InsertSpec, insert_into};

struct Insert {
    /// The table and how it is written; the defaults come when it is known.
    spec: InsertSpec,
    query: Box<ast::Query>,
}

/// `FROM … INSERT … SELECT … INSERT … SELECT …`.
pub(in crate::sql) struct Inserts(pub(in crate::sql) Vec<Box<dyn Command>>);

pub(super) fn parse_into(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    parse_rest(source, false)
}

pub(super) fn parse_overwrite(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let _ = source.take(&["INTO"]);
    parse_rest(source, true)
}

fn parse_rest(source: &mut Source<'_>, overwrite: bool) -> Result<Box<dyn Command>> {
    let _ = source.take(&["TABLE"]);
    let mut spec = InsertSpec::new(table_name(&source.relation()?)?);
    spec.overwrite = overwrite;
    if source.take(&["PARTITION"]) {
        let values = source.parse(|parser| {
            parser.parse_parenthesized(|parser| parser.parse_comma_separated(parse_partition))
        })?;
        spec.partition = values.into_iter().flatten().collect();
    }
    spec.by_name = source.take(&["BY", "NAME"]);
    let columns = source.parse(|parser| {
        parser.maybe_parse(|parser| {
            parser.parse_parenthesized_column_list(IsOptional::Mandatory, false)
        })
    })?;
    spec.columns = columns.into_iter().flatten().map(|column| column.value).collect();
    Ok(Box::new(Insert { spec, query: source.query()? }))
}

/// `day = '2026-01-01'`; a name alone takes its values from the query.
pub(super) fn parse_partition(
    parser: &mut Parser<'_>,
) -> Result<Option<(String, Expr)>, ParserError> {
    let name = parser.parse_identifier()?.value;
    if !parser.consume_token(&Token::Eq) {
        return Ok(None);
    }
    // `DATE '2026-01-01'` is the text of the directory as well.
    let is_typed = matches!(&parser.peek_token_ref().token, Token::Word(word)
        if ["DATE", "TIMESTAMP"].iter().any(|name| word.value.eq_ignore_ascii_case(name)));
    if is_typed {
        parser.advance_token();
    }
    let value = match parser.parse_value()?.value {
        ast::Value::SingleQuotedString(text) | ast::Value::DoubleQuotedString(text) => lit(text),
        ast::Value::Number(digits, _) => match digits.parse::<i64>() {
            Ok(number) => lit(number),
            Err(_) => lit(digits),
        },
        ast::Value::Boolean(value) => lit(value),
        ast::Value::Null => lit(ScalarValue::Null),
        other => {
            return Err(ParserError::ParserError(format!("`{other}` cannot name a partition")));
        }
    };
    Ok(Some((name, value)))
}

/// The statements of `FROM … INSERT … SELECT … INSERT …`, each with the FROM of its own; `None` for
/// every other statement.
pub(in crate::sql) fn split(tokens: &[TokenWithSpan]) -> Option<Vec<Vec<TokenWithSpan>>> {
    let mut tokens = tokens
        .iter()
        .filter(|token| !matches!(token.token, Token::Whitespace(_) | Token::SemiColon))
        .peekable();
    if !tokens.peek().is_some_and(|first| is_word(first, "FROM")) {
        return None;
    }
    let tokens: Vec<&TokenWithSpan> = tokens.collect();
    let mut depth = 0_usize;
    let mut outside = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ if depth == 0 => outside.push(at),
            _ => {}
        }
    }
    let mut begins: Vec<usize> =
        outside.iter().copied().filter(|&at| is_word(tokens[at], "INSERT")).collect();
    let from = &tokens[..*begins.first()?];
    begins.push(tokens.len());
    let statements = begins.windows(2).map(|part| {
        let select = outside
            .iter()
            .copied()
            .find(|&at| part[0] < at && at < part[1] && is_word(tokens[at], "SELECT"))?;
        let pieces = [&tokens[part[0]..select], from, &tokens[select..part[1]]];
        Some(pieces.concat().into_iter().cloned().collect())
    });
    statements.collect()
}

impl Command for Inserts {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            for insert in &self.0 {
                insert.run(session).await?;
            }
            no_answer()
        })
    }

    fn changes(&self) -> Changes<'_> {
        Changes::Everything
    }
}

impl Insert {
    /// Puts the declared values where `DEFAULT` stands for a value.
    fn with_defaults(&self, meta: &TableMeta) -> Result<ast::Query> {
        let mut query = (*self.query).clone();
        let names: Vec<&str> = match self.spec.columns.as_slice() {
            [] => {
                let is_fixed = |name: &str| {
                    let mut fixed = self.spec.partition.iter();
                    fixed.any(|(fixed, _)| fixed.eq_ignore_ascii_case(name))
                };
                let names = meta.columns.iter().map(|column| column.name.as_str());
                names.filter(|name| !is_fixed(name)).collect()
            }
            names => names.iter().map(String::as_str).collect(),
        };
        let default = |at: usize| -> Result<ast::Expr> {
            let column = names.get(at).map(|name| columns::position(meta, name)).transpose()?;
            let text = column.and_then(|at| meta.columns[at].default.as_deref()).unwrap_or("NULL");
            match crate::sql::parse_select_item(text)? {
                ast::SelectItem::UnnamedExpr(expr) => Ok(expr),
                _ => Err(Error::internal("a default was read as something else")),
            }
        };
        match query.body.as_mut() {
            ast::SetExpr::Values(values) => {
                for row in &mut values.rows {
                    let values = row.iter_mut().enumerate().filter(|(_, value)| is_default(value));
                    for (at, value) in values {
                        *value = default(at)?;
                    }
                }
            }
            ast::SetExpr::Select(select) => {
                for (at, item) in select.projection.iter_mut().enumerate() {
                    if let ast::SelectItem::UnnamedExpr(value) = item
                        && is_default(value)
                    {
                        *value = default(at)?;
                    }
                }
            }
            _ => {}
        }
        Ok(query)
    }
}

fn is_default(value: &ast::Expr) -> bool {
    matches!(value, ast::Expr::Identifier(name)
        if name.quote_style.is_none() && name.value.eq_ignore_ascii_case("DEFAULT"))
}

impl Command for Insert {
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>> {
        Box::pin(async move {
            let catalog = session.catalog()?;
            let Some(meta) = catalog.table(&self.spec.table)? else {
                return Err(missing(session, &self.spec));
            };
            let plan = plan_query(session, self.with_defaults(&meta)?).await?;
            let mut spec = self.spec.clone();
            // Without names every column is given a value.
            if spec.by_name || !spec.columns.is_empty() {
                let defaults = columns::defaults(session, &meta).await?;
                spec.defaults =
                    defaults.into_iter().map(|(name, value)| (name, lit(value))).collect();
            }
            insert_into(&catalog, &session.state(), &spec, &plan).await?;
            no_answer()
        })
    }

    fn changes(&self) -> Changes<'_> {
        Changes::Table(&self.spec.table)
    }

    fn query(&self) -> Option<&ast::Query> {
        Some(&self.query)
    }
}

/// The error of a name that no table has: a view of the session cannot be inserted into.
fn missing(session: &dyn Environment, spec: &InsertSpec) -> Error {
    if spec.table.database.is_none() && session.views().contains(&spec.table.table) {
        let message = format!("`{}` is a view, which cannot be inserted into", spec.table);
        return Error::new(Condition::WRONG_COMMAND_FOR_OBJECT_TYPE, message)
            .hint("insert into the table below it");
    }
    match session.catalog().and_then(|catalog| catalog.existing_table(&spec.table)) {
        Err(error) => error,
        Ok(_) => Error::internal("a table appeared while it was missed"),
    }
}
