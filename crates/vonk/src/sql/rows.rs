//! Names of values in the rows of VALUES, `VALUES (1 AS a, 2 AS b)`: Spark reads and forgets them.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

/// Leaves the names out.
pub(super) fn without_names(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    if !tokens.iter().any(|token| keyword(token) == Keyword::VALUES) {
        return tokens;
    }
    let mut kept: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    // How deep the parentheses are that a VALUES is in, and those behind it.
    let (mut rows, mut depth): (Option<usize>, usize) = (None, 0);
    let mut rest = tokens.into_iter().peekable();
    while let Some(token) = rest.next() {
        match &token.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            Token::Whitespace(_) | Token::Comma => {}
            _ if keyword(&token) == Keyword::VALUES => rows = Some(depth),
            _ if rows.is_some_and(|outside| depth <= outside) => rows = None,
            _ => {}
        }
        let is_row = rows.is_some_and(|outside| depth == outside + 1);
        if !(is_row && keyword(&token) == Keyword::AS) {
            kept.push(token);
            continue;
        }
        let mut name = vec![token];
        while let Some(next) =
            rest.next_if(|next| matches!(next.token, Token::Whitespace(_) | Token::Word(_)))
        {
            name.push(next);
        }
        let is_over =
            rest.peek().is_some_and(|next| matches!(next.token, Token::Comma | Token::RParen));
        if !is_over {
            kept.extend(name);
        }
    }
    kept
}

fn keyword(token: &TokenWithSpan) -> Keyword {
    match &token.token {
        Token::Word(word) => word.keyword,
        _ => Keyword::NoKeyword,
    }
}
