//! `EXTRACT(field FROM source)`, whose field is any word and keeps its spelling.

use sqlparser::ast::{Expr, Value};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use crate::analyze::call;

/// The call `extract('field', source)`, if that is what stands there.
pub(super) fn parse(parser: &mut Parser<'_>) -> Option<Result<Expr, ParserError>> {
    let is_call = matches!(
        &parser.peek_nth_token_ref(0).token,
        Token::Word(word) if word.keyword == Keyword::EXTRACT && word.quote_style.is_none()
    ) && parser.peek_nth_token_ref(1).token == Token::LParen;
    is_call.then(|| {
        parser.next_token();
        parser.next_token();
        arguments(parser)
    })
}

fn arguments(parser: &mut Parser<'_>) -> Result<Expr, ParserError> {
    let field = match parser.next_token().token {
        Token::Word(word) => Expr::value(Value::SingleQuotedString(word.value)),
        _ => {
            parser.prev_token();
            parser.parse_expr()?
        }
    };
    if !parser.consume_token(&Token::Comma) {
        parser.expect_keyword(Keyword::FROM)?;
    }
    let source = parser.parse_expr()?;
    parser.expect_token(&Token::RParen)?;
    Ok(call("extract", vec![field, source]))
}
