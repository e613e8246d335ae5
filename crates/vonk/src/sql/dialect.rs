//! The SQL dialect: Spark's, with DuckDB's friendly forms where they do not conflict.

use std::any::TypeId;

use sqlparser::ast;
use sqlparser::dialect::{Dialect, Precedence, SparkSqlDialect};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use super::{extract, typed};
use crate::analyze::UNSIGNED_SHIFT;

/// Spark's dialect with FROM-first queries, `EXCLUDE`, trailing commas and backslash escapes.
#[derive(Debug, Default, Clone, Copy)]
pub struct VonkDialect;

/// The dialect that this one extends.
const SPARK: SparkSqlDialect = SparkSqlDialect;

/// Questions that Spark's dialect answers for us.
macro_rules! as_spark {
    ($($question:ident),* $(,)?) => {
        $(fn $question(&self) -> bool { SPARK.$question() })*
    };
}

/// Forms that are allowed here over Spark's.
macro_rules! allowed {
    ($($question:ident),* $(,)?) => {
        $(fn $question(&self) -> bool { true })*
    };
}

impl Dialect for VonkDialect {
    /// The parser asks for the type in a few places; there we are Spark.
    fn dialect(&self) -> TypeId {
        TypeId::of::<SparkSqlDialect>()
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        SPARK.is_delimited_identifier_start(ch)
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        SPARK.is_identifier_start(ch) || (ch.is_alphabetic() && !ch.is_ascii())
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        SPARK.is_identifier_part(ch) || (ch.is_alphanumeric() && !ch.is_ascii())
    }

    as_spark! {
        supports_bang_not_operator,
        supports_create_table_using,
        supports_cte_without_as,
        supports_filter_during_aggregation,
        supports_group_by_expr,
        supports_group_by_with_modifier,
        supports_lambda_functions,
        supports_long_type_as_bigint,
        supports_map_literal_with_angle_brackets,
        supports_nested_comments,
        supports_select_item_multi_column_alias,
        supports_select_wildcard_except,
        supports_struct_literal,
        supports_values_as_table_factor,
    }

    allowed! {
        supports_cross_join_constraint,
        supports_bitwise_shift_operators,
        supports_from_first_select,
        supports_from_trailing_commas,
        supports_interval_options,
        supports_named_fn_args_with_rarrow_operator,
        supports_order_by_all,
        supports_pipe_operator,
        supports_projection_trailing_commas,
        supports_select_wildcard_exclude,
        supports_select_wildcard_rename,
        supports_select_wildcard_replace,
        supports_string_literal_backslash_escape,
        supports_string_literal_concatenation,
        supports_triple_quoted_string,
        supports_window_clause_named_window_reference,
    }

    /// `LIKE 'a\%b'` keeps its backslash: it escapes the pattern, not the text.
    fn ignores_wildcard_escapes(&self) -> bool {
        true
    }

    fn parse_prefix(&self, parser: &mut Parser<'_>) -> Option<Result<ast::Expr, ParserError>> {
        let ours = extract::parse(parser).or_else(|| typed::parse(parser));
        let ours = ours.or_else(|| higher_order_exists(parser));
        ours.or_else(|| SPARK.parse_prefix(parser))
    }

    fn parse_infix(
        &self,
        parser: &mut Parser<'_>,
        expr: &ast::Expr,
        precedence: u8,
    ) -> Option<Result<ast::Expr, ParserError>> {
        if let Some(op) = before_any(parser) {
            parser.advance_token();
            let right = parser.parse_subexpr(precedence);
            let left = Box::new(expr.clone());
            return Some(right.map(|right| ast::Expr::BinaryOp {
                left,
                op,
                right: Box::new(right),
            }));
        }
        if is_unsigned_shift(parser) {
            parser.advance_token();
            parser.advance_token();
            let op = ast::BinaryOperator::Custom(UNSIGNED_SHIFT.to_owned());
            let left = Box::new(expr.clone());
            let right = parser.parse_subexpr(precedence).map(Box::new);
            return Some(right.map(|right| ast::Expr::BinaryOp { left, op, right }));
        }
        // Spark's dialect would take all that follows for the divisor, as in `a div b = 3`.
        parser.parse_keyword(Keyword::DIV).then(|| {
            let right = Box::new(parser.parse_subexpr(precedence)?);
            let left = Box::new(expr.clone());
            Ok(ast::Expr::BinaryOp { left, op: ast::BinaryOperator::MyIntegerDivide, right })
        })
    }

    fn get_next_precedence(&self, parser: &Parser<'_>) -> Option<Result<u8, ParserError>> {
        if begins_path_of_variant(parser) {
            return Some(Ok(self.prec_value(Precedence::DoubleColon)));
        }
        SPARK.get_next_precedence(parser)
    }

    fn is_select_item_alias(&self, explicit: bool, kw: &Keyword, parser: &mut Parser<'_>) -> bool {
        SPARK.is_select_item_alias(explicit, kw, parser)
    }
}

fn is_unsigned_shift(parser: &Parser<'_>) -> bool {
    let (shift, rest) = (parser.peek_nth_token_ref(0), parser.peek_nth_token_ref(1));
    shift.token == Token::ShiftRight && rest.token == Token::Gt && shift.span.end == rest.span.start
}

/// `value:member` and `value:[0]`, which are read as `value` is; elsewhere a colon begins a parameter.
fn begins_path_of_variant(parser: &Parser<'_>) -> bool {
    let (before, colon) = (parser.get_current_token(), parser.peek_token_ref());
    let is_value = match &before.token {
        Token::Word(word) => word.keyword == Keyword::NoKeyword || word.quote_style.is_some(),
        Token::RParen | Token::RBracket => true,
        _ => false,
    };
    let is_close = before.span.end == colon.span.start;
    let next = &parser.peek_nth_token_ref(1).token;
    is_value
        && is_close
        && colon.token == Token::Colon
        && matches!(next, Token::Word(_) | Token::LBracket | Token::DoubleQuotedString(_))
}

/// AND or OR before the aggregate functions `any` and `some`, which quantify no comparison there.
fn before_any(parser: &Parser<'_>) -> Option<ast::BinaryOperator> {
    let keyword = |at: usize| match &parser.peek_nth_token_ref(at).token {
        Token::Word(word) => Some(word.keyword),
        _ => None,
    };
    if !matches!(keyword(1), Some(Keyword::ANY | Keyword::SOME)) {
        return None;
    }
    match keyword(0)? {
        Keyword::AND => Some(ast::BinaryOperator::And),
        Keyword::OR => Some(ast::BinaryOperator::Or),
        _ => None,
    }
}

/// `exists(array, item -> …)`, which is no subquery.
fn higher_order_exists(parser: &mut Parser<'_>) -> Option<Result<ast::Expr, ParserError>> {
    let word = |at: usize| match &parser.peek_nth_token_ref(at).token {
        Token::Word(word) => Some(word.keyword),
        Token::LParen => None,
        _ => Some(Keyword::NoKeyword),
    };
    let is_query = matches!(
        word(2),
        None | Some(
            Keyword::SELECT | Keyword::WITH | Keyword::FROM | Keyword::VALUES | Keyword::TABLE
        )
    );
    if word(0) != Some(Keyword::EXISTS) || word(1).is_some() || is_query {
        return None;
    }
    let name = parser.next_token().to_string();
    Some(parser.parse_function(ast::ObjectName::from(vec![ast::Ident::new(name)])))
}
