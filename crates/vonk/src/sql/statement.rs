//! The statements that are not queries: one table of how they begin, one file for each.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use futures::future::BoxFuture;
use sqlparser::ast;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::Environment;
use super::parse::{Offsets, located, syntax_error_at, whole_query};
use crate::catalog::TableName;
use crate::error::{Error, Result};

mod alter_table;
mod columns;
mod comment;
mod copy;
mod create_table;
mod create_view;
mod database;
mod describe;
mod describe_function;
mod describe_json;
mod drop_view;
mod execute;
mod explain;
mod function;
mod insert;
mod partitions;
mod row_changes;
mod set;
mod show;
mod show_extended;
mod summarize;
mod table;
mod truncate;
mod upkeep;
mod variable;

pub(in crate::sql) use insert::{Inserts, split as split_inserts};
pub(in crate::sql) use variable::values_of;

/// A statement that is done when it is planned; its plan holds its answer.
///
/// The future is boxed by hand: within `async_trait`, whose methods have bounds of their own, the
/// compiler proves for every command anew that plans and syntax trees may cross threads, and takes
/// ten times as long for the whole crate.
pub(crate) trait Command: Send + Sync {
    /// Does it.
    fn run<'a>(&'a self, session: &'a dyn Environment) -> BoxFuture<'a, Result<LogicalPlan>>;

    /// What queries may give other rows of after it than before.
    fn changes(&self) -> Changes<'_> {
        Changes::Nothing
    }

    /// The query whose rows it writes, for EXPLAIN.
    fn query(&self) -> Option<&ast::Query> {
        None
    }
}

/// What a statement changes the rows of.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Changes<'a> {
    Nothing,
    Table(&'a TableName),
    /// Files, which any table may be over.
    Everything,
}

/// How a statement begins and reads, and what it is for.
#[derive(Clone, Copy)]
pub struct StatementRow {
    /// The words it begins with, in capitals.
    pub words: &'static [&'static str],
    /// Its form, for help.
    pub form: &'static str,
    /// One sentence for help.
    pub doc: &'static str,
    parse: fn(&mut Source<'_>) -> Result<Box<dyn Command>>,
}

impl std::fmt::Debug for StatementRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.form)
    }
}

macro_rules! statements {
    ($([$($word:literal)+] $form:literal $doc:literal $parse:path;)*) => {
        /// Every statement that is not a query; of two that fit, the one that stands first is meant.
        pub const STATEMENTS: &[StatementRow] = &[$(StatementRow {
            words: &[$($word),+], form: $form, doc: $doc, parse: $parse,
        }),*];
    };
}

statements! {
    ["CREATE" "OR" "REPLACE" "FUNCTION"] "CREATE OR REPLACE FUNCTION name(parameters) [RETURNS type] RETURN …"
        "Makes a function of an expression or a query for this session, or puts it in another's place."
        function::parse_create_or_replace;
    ["CREATE" "FUNCTION"] "CREATE FUNCTION [IF NOT EXISTS] name(parameters) [RETURNS type | TABLE] RETURN …"
        "Makes a function of an expression or a query for this session."
        function::parse_create;
    ["CREATE" "OR" "REPLACE" "TEMPORARY" "FUNCTION"] "CREATE OR REPLACE TEMPORARY FUNCTION name(parameters) RETURN …"
        "Makes a function that lives as long as the session, or puts it in another's place."
        function::parse_temporary_or_replace;
    ["CREATE" "TEMPORARY" "FUNCTION"] "CREATE TEMPORARY FUNCTION name(parameters) RETURN …"
        "Makes a function that lives as long as the session."
        function::parse_temporary;
    ["DROP" "TEMPORARY" "FUNCTION"] "DROP TEMPORARY FUNCTION [IF EXISTS] name"
        "Drops a function of the session."
        function::parse_drop_temporary;
    ["DROP" "FUNCTION"] "DROP FUNCTION [IF EXISTS] name"
        "Drops a function."
        function::parse_drop;
    ["CREATE" "OR" "REPLACE" "TEMP"] "CREATE OR REPLACE TEMP VIEW name AS query"
        "Makes a view that lives as long as the session, or puts it in another's place."
        create_view::parse_or_replace;
    ["CREATE" "OR" "REPLACE" "TEMPORARY"] "CREATE OR REPLACE TEMPORARY VIEW name USING format OPTIONS (…)"
        "Makes a view over files, or puts it in another's place."
        create_view::parse_or_replace;
    ["CREATE" "OR" "REPLACE" "GLOBAL"] "CREATE OR REPLACE GLOBAL TEMPORARY VIEW name AS query"
        "Makes a view in the database `global_temp`, or puts it in another's place."
        create_view::parse_global_or_replace;
    ["CREATE" "GLOBAL"] "CREATE GLOBAL TEMPORARY VIEW name AS query"
        "Makes a view in the database `global_temp`."
        create_view::parse_global;
    ["CREATE" "TEMP"] "CREATE TEMP VIEW [IF NOT EXISTS] name AS query"
        "Makes a view that lives as long as the session."
        create_view::parse;
    ["CREATE" "TEMPORARY"] "CREATE TEMPORARY VIEW [IF NOT EXISTS] name USING format OPTIONS (…)"
        "Makes a view over files."
        create_view::parse;
    ["CREATE" "OR" "REPLACE" "VIEW"] "CREATE OR REPLACE VIEW name AS query"
        "Makes a view that lasts, or puts it in another's place."
        table::parse_replace_view;
    ["CREATE" "VIEW"] "CREATE VIEW [IF NOT EXISTS] name AS query"
        "Makes a view that lasts."
        table::parse_create_view;
    ["CREATE" "OR" "REPLACE" "TABLE"] "CREATE OR REPLACE TABLE name … AS query"
        "Makes a table with a query's rows, or puts it in another's place."
        create_table::parse_or_replace;
    ["CREATE" "TABLE"] "CREATE TABLE [IF NOT EXISTS] name [(columns)] [USING format] [PARTITIONED BY (…)] [LOCATION 'path'] [AS query]"
        "Makes a table that lasts: empty, over files, or with a query's rows."
        create_table::parse;
    ["CREATE" "DATABASE"] "CREATE DATABASE [IF NOT EXISTS] name [COMMENT 'text'] [WITH DBPROPERTIES (…)]"
        "Makes a database."
        database::parse_create;
    ["CREATE" "SCHEMA"] "CREATE SCHEMA [IF NOT EXISTS] name [COMMENT 'text'] [WITH DBPROPERTIES (…)]"
        "Makes a database."
        database::parse_create;
    ["ALTER" "DATABASE"] "ALTER DATABASE name SET | UNSET DBPROPERTIES (…)"
        "Changes the properties of a database."
        database::parse_alter;
    ["ALTER" "SCHEMA"] "ALTER SCHEMA name SET | UNSET DBPROPERTIES (…)"
        "Changes the properties of a database."
        database::parse_alter;
    ["DROP" "TABLE"] "DROP TABLE [IF EXISTS] name"
        "Drops a table, with its files unless they are elsewhere."
        table::parse_drop;
    ["DROP" "DATABASE"] "DROP DATABASE [IF EXISTS] name [CASCADE]"
        "Drops a database."
        database::parse_drop;
    ["DROP" "SCHEMA"] "DROP SCHEMA [IF EXISTS] name [CASCADE]"
        "Drops a database."
        database::parse_drop;
    ["ALTER" "VIEW"] "ALTER VIEW name AS query | RENAME TO name | SET TBLPROPERTIES (…)"
        "Changes a view that lasts."
        table::parse_alter_view;
    ["ALTER" "TABLE"] "ALTER TABLE name RENAME TO name | ADD COLUMNS (…) | ALTER COLUMN name … | SET TBLPROPERTIES (…) | ADD PARTITION (…) | …"
        "Changes what the catalog knows of a table: name, columns, properties, place, partitions."
        alter_table::parse;
    ["TRUNCATE" "TABLE"] "TRUNCATE TABLE name [PARTITION (…)]"
        "Drops the rows of a table or of some of its partitions."
        truncate::parse;
    ["COMMENT" "ON"] "COMMENT ON DATABASE | TABLE | COLUMN name IS 'text' | NULL"
        "Says what a database, table or column is for."
        comment::parse;
    ["MSCK" "REPAIR" "TABLE"] "MSCK REPAIR TABLE name"
        "Does nothing: partitions are listed anew by every query."
        partitions::parse_repair;
    ["REPAIR" "TABLE"] "REPAIR TABLE name"
        "Does nothing: partitions are listed anew by every query."
        partitions::parse_repair;
    ["SHOW" "PARTITIONS"] "SHOW PARTITIONS name [PARTITION (…)]"
        "Lists the partitions of a table."
        partitions::parse_show;
    ["DELETE" "FROM"] "DELETE FROM name"
        "Is refused: tables of files are not changed row by row."
        row_changes::parse_delete;
    ["UPDATE"] "UPDATE name SET …"
        "Is refused: tables of files are not changed row by row."
        row_changes::parse_update;
    ["MERGE" "INTO"] "MERGE INTO name USING …"
        "Is refused: tables of files are not changed row by row."
        row_changes::parse_merge;
    ["INSERT" "INTO"] "INSERT INTO name [(columns)] query"
        "Adds a query's rows to a table, all or none."
        insert::parse_into;
    ["INSERT" "OVERWRITE"] "INSERT OVERWRITE name [PARTITION (…)] query"
        "Puts a query's rows in the place of a table's, all or none."
        insert::parse_overwrite;
    ["COPY"] "COPY query | name TO 'path' [(FORMAT format, option value, …)]"
        "Writes a query's rows to a file or directory, all or none."
        copy::parse;
    ["USE"] "USE name"
        "Makes a database the current one."
        database::parse_use;
    ["SHOW" "DATABASES"] "SHOW DATABASES [LIKE 'pattern']"
        "Lists databases."
        database::parse_show;
    ["SHOW" "SCHEMAS"] "SHOW SCHEMAS [LIKE 'pattern']"
        "Lists databases."
        database::parse_show;
    ["DROP" "VIEW"] "DROP VIEW [IF EXISTS] name"
        "Drops a view."
        drop_view::parse;
    ["DESCRIBE"] "DESCRIBE [TABLE] [EXTENDED] name [column | PARTITION (…)] [AS JSON] | query | FUNCTION [EXTENDED] name | DATABASE name"
        "Lists the columns and types of a table, file or query."
        describe::parse;
    ["DESC"] "DESC [TABLE] [EXTENDED] name [column | PARTITION (…)] [AS JSON] | query | FUNCTION [EXTENDED] name | DATABASE name"
        "Lists the columns and types of a table, file or query."
        describe::parse;
    ["EXPLAIN"] "EXPLAIN [EXTENDED | ANALYZE] query | statement"
        "Shows how a query is run; ANALYZE runs it and shows where the time goes."
        explain::parse;
    ["DECLARE"] "DECLARE [OR REPLACE] [VARIABLE] name [type] [DEFAULT value]"
        "Makes a variable of the session."
        variable::parse_declare;
    ["SET" "VARIABLE"] "SET VARIABLE name = value | (names) = (query)"
        "Gives variables other values."
        variable::parse_set;
    ["SET" "VAR"] "SET VAR name = value | (names) = (query)"
        "Gives variables other values."
        variable::parse_set;
    ["DROP" "TEMPORARY" "VARIABLE"] "DROP TEMPORARY VARIABLE [IF EXISTS] name"
        "Drops a variable."
        variable::parse_drop;
    ["DROP" "TEMPORARY" "VAR"] "DROP TEMPORARY VAR [IF EXISTS] name"
        "Drops a variable."
        variable::parse_drop;
    ["EXECUTE" "IMMEDIATE"] "EXECUTE IMMEDIATE text [INTO variables] [USING values]"
        "Runs a statement that is itself a value."
        execute::parse;
    ["SET"] "SET [name [= value]]"
        "Sets an option, or shows one or all."
        set::parse_set;
    ["RESET"] "RESET [name]"
        "Puts an option, or all, back to the default."
        set::parse_reset;
    ["SHOW" "TABLE" "EXTENDED"] "SHOW TABLE EXTENDED [IN database] LIKE 'pattern' [PARTITION (…)]"
        "Shows what is known of tables and views, or of one partition of a table."
        show_extended::parse;
    ["SHOW" "TABLES"] "SHOW TABLES [IN database] [LIKE 'pattern']"
        "Lists tables and views."
        show::parse_tables;
    ["SHOW" "VIEWS"] "SHOW VIEWS [IN database] [LIKE 'pattern']"
        "Lists views."
        show::parse_views;
    ["SHOW" "CATALOGS"] "SHOW CATALOGS [LIKE 'pattern']"
        "Lists the one catalog."
        show::parse_catalogs;
    ["SHOW" "CURRENT" "NAMESPACE"] "SHOW CURRENT NAMESPACE"
        "Tells the current database."
        show::parse_current;
    ["SHOW" "CURRENT" "DATABASE"] "SHOW CURRENT DATABASE"
        "Tells the current database."
        show::parse_current;
    ["SHOW" "TBLPROPERTIES"] "SHOW TBLPROPERTIES name [(key)]"
        "Lists the properties of a table or view."
        show::parse_properties;
    ["SHOW" "CREATE" "TABLE"] "SHOW CREATE TABLE name"
        "Shows the statement that makes a table or view."
        show::parse_create_table;
    ["SHOW" "USER" "FUNCTIONS"] "SHOW USER FUNCTIONS [LIKE 'pattern']"
        "Lists the functions that statements and programs have made."
        show::parse_user_functions;
    ["SHOW" "SYSTEM" "FUNCTIONS"] "SHOW SYSTEM FUNCTIONS [LIKE 'pattern']"
        "Lists the functions and operators that are always there."
        show::parse_system_functions;
    ["SHOW" "ALL" "FUNCTIONS"] "SHOW ALL FUNCTIONS [LIKE 'pattern']"
        "Lists functions."
        show::parse_functions;
    ["SHOW" "COLUMNS"] "SHOW COLUMNS IN name [IN database]"
        "Lists the names of a table's columns."
        show::parse_columns;
    ["SHOW" "FUNCTIONS"] "SHOW FUNCTIONS [LIKE 'pattern']"
        "Lists functions."
        show::parse_functions;
    ["REFRESH"] "REFRESH [TABLE] name | 'path'"
        "Drops the rows that are cached, to be read anew; files are listed anew by every query."
        upkeep::parse_refresh;
    ["CLEAR" "CACHE"] "CLEAR CACHE"
        "Drops every table that is cached."
        upkeep::parse_clear;
    ["CACHE"] "CACHE [LAZY] TABLE name [OPTIONS ('storageLevel' 'level')] [[AS] query]"
        "Keeps the rows of a table or view; of a query, under the name of a view."
        upkeep::parse_cache;
    ["UNCACHE" "TABLE"] "UNCACHE TABLE [IF EXISTS] name"
        "Keeps the rows of a table no longer."
        upkeep::parse_uncache;
    ["ANALYZE" "TABLE"] "ANALYZE TABLE name COMPUTE STATISTICS"
        "Does nothing: statistics come from the files."
        upkeep::parse_check;
    ["SUMMARIZE"] "SUMMARIZE name | query"
        "Shows minimum, maximum, mean, quartiles, distinct and missing values of every column."
        summarize::parse;
}

/// A statement's tokens, with the text they came from.
pub(super) struct Source<'a> {
    pub(super) parser: &'a mut Parser<'static>,
    pub(super) text: &'a str,
}

/// Parses a command if the statement is one; the parser stays where it is if not.
pub(super) fn parse_command(
    parser: &mut Parser<'static>,
    text: &str,
) -> Result<Option<Box<dyn Command>>> {
    Ok(parse_row(&mut Source { parser, text })?.map(|(_, command)| command))
}

/// A command that comes next, with its row of the table.
fn parse_row(source: &mut Source<'_>) -> Result<Option<(&'static StatementRow, Box<dyn Command>)>> {
    for row in STATEMENTS {
        if source.take(row.words) {
            return Ok(Some((row, (row.parse)(source)?)));
        }
    }
    Ok(None)
}

/// The first words of everything that can be said, for did-you-mean.
pub(super) fn beginnings() -> Vec<&'static str> {
    let queries = ["SELECT", "WITH", "FROM", "VALUES"];
    queries.into_iter().chain(STATEMENTS.iter().map(|row| row.words[0])).collect()
}

impl Source<'_> {
    /// Takes these words if they come next, without regard to case.
    pub(super) fn take(&mut self, words: &[&str]) -> bool {
        let fits = words.iter().enumerate().all(|(n, word)| {
            matches!(&self.parser.peek_nth_token_ref(n).token, Token::Word(next)
                if next.quote_style.is_none() && next.value.eq_ignore_ascii_case(word))
        });
        if fits {
            for _ in words {
                self.parser.advance_token();
            }
        }
        fits
    }

    /// Takes these words, or says what stands in their place.
    pub(super) fn expect(&mut self, words: &[&str]) -> Result<()> {
        if self.take(words) {
            return Ok(());
        }
        let error = syntax_error_at(self.parser.peek_token_ref());
        Err(error.hint(format!("`{}` is expected here", words.join(" "))))
    }

    /// The next token.
    pub(super) fn next(&self) -> &Token {
        &self.parser.peek_token_ref().token
    }

    /// Whether the statement ends here.
    pub(super) fn at_end(&self) -> bool {
        matches!(self.parser.peek_token_ref().token, Token::EOF | Token::SemiColon)
    }

    /// Parses with one of the parser's own methods.
    pub(super) fn parse<T>(
        &mut self,
        parse: impl FnOnce(&mut Parser<'static>) -> Result<T, sqlparser::parser::ParserError>,
    ) -> Result<T> {
        parse(self.parser).map_err(|error| located(error, self.parser))
    }

    /// A table's name, as it may stand in FROM.
    pub(super) fn relation(&mut self) -> Result<ast::ObjectName> {
        self.parse(|parser| parser.parse_object_name(true))
    }

    /// A text in quotes.
    pub(super) fn string(&mut self) -> Result<String> {
        self.parse(Parser::parse_literal_string)
    }

    /// A query.
    pub(super) fn query(&mut self) -> Result<Box<ast::Query>> {
        self.parse(whole_query)
    }

    /// Whether a query comes next.
    pub(super) fn begins_query(&self) -> bool {
        match self.next() {
            Token::LParen => true,
            Token::Word(word) => ["SELECT", "WITH", "FROM", "VALUES"]
                .iter()
                .any(|begin| word.quote_style.is_none() && word.value.eq_ignore_ascii_case(begin)),
            _ => false,
        }
    }

    /// What a method parses, with its text as it is written.
    pub(super) fn written<T>(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<(String, T)> {
        let mut offsets = Offsets::new(self.text);
        let from = offsets.offset(self.parser.peek_token_ref().span.start);
        let parsed = parse(self)?;
        let to = match self.at_end() && *self.next() == Token::EOF {
            true => self.text.len(),
            false => offsets.offset(self.parser.peek_token_ref().span.start),
        };
        let text = self.text.get(from..to).unwrap_or_default();
        Ok((text.trim().trim_end_matches(';').trim().to_owned(), parsed))
    }

    /// The words before `end`, which are taken.
    pub(super) fn rest_until(&mut self, end: &str) -> String {
        let mut words = Vec::new();
        while !self.at_end() {
            match self.next() {
                Token::Word(word) if word.value.eq_ignore_ascii_case(end) => break,
                token => words.push(token.to_string()),
            }
            self.parser.advance_token();
        }
        words.join(" ")
    }

    /// `(name, 'name', …)`.
    pub(super) fn names_in_parentheses(&mut self) -> Result<Vec<String>> {
        self.parse(|parser| {
            parser
                .parse_parenthesized(|parser| parser.parse_comma_separated(|p| Ok(p.next_token())))
        })
        .map(|tokens| {
            let name = |token: TokenWithSpan| match token.token {
                Token::SingleQuotedString(text) | Token::DoubleQuotedString(text) => text,
                Token::Word(word) => word.value,
                other => other.to_string(),
            };
            tokens.into_iter().map(name).collect()
        })
    }

    /// A query, or a relation's name as a query over all of it.
    pub(super) fn query_or_relation(&mut self) -> Result<ast::Query> {
        if self.begins_query() {
            return Ok(*self.query()?);
        }
        let name = self.relation()?;
        super::parse_query(&format!("SELECT * FROM {name}"))
    }

    /// The rest of the statement as it is written; it is taken.
    pub(super) fn rest(&mut self) -> String {
        let begin = self.parser.peek_token_ref().span.start;
        let mut end = None;
        while !self.at_end() {
            end = Some(self.parser.peek_token_ref().span.end);
            self.parser.advance_token();
        }
        let Some(end) = end else { return String::new() };
        let mut offsets = Offsets::new(self.text);
        let from = offsets.offset(begin);
        self.text[from..offsets.offset(end)].to_owned()
    }

    /// `(name value, name = value, …)`, names possibly dotted or quoted.
    pub(super) fn options(&mut self) -> Result<Vec<(String, String)>> {
        self.parse(|parser| {
            parser.parse_parenthesized(|parser| parser.parse_comma_separated(parse_option))
        })
    }
}

fn parse_option(
    parser: &mut Parser<'_>,
) -> Result<(String, String), sqlparser::parser::ParserError> {
    let name = match parser.peek_token_ref().token {
        Token::SingleQuotedString(_) | Token::DoubleQuotedString(_) => {
            parser.parse_literal_string()?
        }
        _ => {
            let parts = parser.parse_object_name(false)?.0;
            let parts = parts.iter().filter_map(ast::ObjectNamePart::as_ident);
            parts.map(|ident| ident.value.as_str()).collect::<Vec<_>>().join(".")
        }
    };
    let _ = parser.consume_token(&Token::Eq);
    let value = match parser.next_token().token {
        Token::SingleQuotedString(text) | Token::DoubleQuotedString(text) => text,
        Token::Word(word) => word.value,
        Token::Number(digits, _) => digits,
        Token::Minus => format!("-{}", parser.next_token().token),
        other => other.to_string(),
    };
    Ok((name, value))
}

/// The plan of a statement that answers nothing.
pub(super) fn no_answer() -> Result<LogicalPlan> {
    Ok(LogicalPlanBuilder::empty(false).build()?)
}

/// The plan of a statement that answers rows of text.
pub(super) fn answer<const N: usize>(
    names: [&str; N],
    rows: &[[Option<String>; N]],
) -> Result<LogicalPlan> {
    let fields: Vec<Field> =
        names.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect();
    let columns = (0..N)
        .map(|column| {
            let values = rows.iter().map(|row| row[column].as_deref());
            Arc::new(values.collect::<StringArray>()) as ArrayRef
        })
        .collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?;
    rows_of(batch)
}

/// The plan that gives a batch that is already there.
pub(super) fn rows_of(batch: RecordBatch) -> Result<LogicalPlan> {
    let table = MemTable::try_new(batch.schema(), vec![vec![batch]])?;
    let source = provider_as_source(Arc::new(table));
    Ok(LogicalPlanBuilder::scan("answer", source, None)?.build()?)
}

/// The name of a table of the catalog.
pub(super) fn table_name(name: &ast::ObjectName) -> Result<TableName> {
    TableName::parse(&name.to_string())
}

/// The last part of a name, which views and functions go by.
pub(super) fn last_part(name: &ast::ObjectName) -> Result<&str> {
    let last = name.0.last().and_then(ast::ObjectNamePart::as_ident);
    last.map(|ident| ident.value.as_str())
        .ok_or_else(|| Error::internal(format!("`{name}` has no parts")))
}

/// Whether `text` fits a pattern of SHOW, without regard to case: a regular expression in which `*`
/// stands for anything; one that cannot be read fits nothing. Everything fits no pattern.
///
/// ```
/// assert!(vonk::sql::fits(Some("ord*"), "Orders"));
/// assert!(!vonk::sql::fits(Some("ord"), "Orders"));
/// ```
pub fn fits(pattern: Option<&str>, text: &str) -> bool {
    let Some(pattern) = pattern else { return true };
    pattern.trim().split('|').any(|one| {
        let one = format!("(?i)^(?:{})$", one.replace('*', ".*"));
        regex::Regex::new(&one).is_ok_and(|one| one.is_match(text))
    })
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn patterns_match_as_in_spark() {
        assert!(fits(None, "orders"));
        assert!(fits(Some("ord*"), "Orders"));
        assert!(fits(Some("x|*der*"), "orders"));
        assert!(!fits(Some("ord"), "orders"));
        assert!(fits(Some("ord.rs"), "orders"));
        assert!(!fits(Some("ord%"), "orders"));
        assert!(!fits(Some("a*a"), "a"));
        assert!(!fits(Some("("), "("));
    }
}
