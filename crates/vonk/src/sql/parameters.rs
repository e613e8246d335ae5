//! Values in the place of a statement's parameters, `?` or `:name`.

use datafusion::common::ScalarValue;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::analyze::Variables;
use crate::error::{Condition, Error, Result};

/// The value of a parameter, and its name if it has one.
pub(crate) struct Argument {
    pub(crate) name: Option<String>,
    pub(crate) value: ScalarValue,
}

/// A parameter as it stands in the tokens.
enum Parameter {
    Position,
    Name(String),
}

/// Puts each argument in the place of its parameter.
///
/// # Errors
/// `UNBOUND_SQL_PARAMETER` for a parameter without an argument, and conditions of their own for
/// statements that mix both forms and arguments that have no name where parameters have.
pub(super) fn bind(
    tokens: Vec<TokenWithSpan>,
    arguments: &[Argument],
    variables: &Variables,
) -> Result<Vec<TokenWithSpan>> {
    let tokens: Vec<TokenWithSpan> =
        tokens.into_iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).collect();
    let mut bound = Vec::with_capacity(tokens.len());
    let (mut positions, mut has_names) = (0, false);
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let Some((parameter, length)) = parameter(&tokens, at) else {
            bound.push(token.clone());
            at += 1;
            continue;
        };
        let index = match &parameter {
            Parameter::Position => {
                positions += 1;
                Some(positions - 1).filter(|index| *index < arguments.len())
            }
            Parameter::Name(name) => {
                has_names = true;
                check_names(arguments)?;
                arguments.iter().position(|argument| {
                    argument.name.as_ref().is_some_and(|given| given.eq_ignore_ascii_case(name))
                })
            }
        };
        if positions > 0 && has_names {
            return Err(Error::new(
                Condition::MIXED_QUERY_PARAMETERS,
                "a statement has either named or positional parameters",
            ));
        }
        let index = index.ok_or_else(|| unbound(token))?;
        push_value(&mut bound, token, (index, &arguments[index].value), variables);
        at += length;
    }
    Ok(bound)
}

fn check_names(arguments: &[Argument]) -> Result<()> {
    if arguments.iter().all(|argument| argument.name.is_some()) {
        return Ok(());
    }
    Err(Error::new(
        Condition::ALL_PARAMETERS_MUST_BE_NAMED,
        "a named parameter needs a named value",
    )
    .hint("write `USING value AS name`"))
}

fn unbound(token: &TokenWithSpan) -> Error {
    let error = Error::new(Condition::UNBOUND_SQL_PARAMETER, "a parameter has no value");
    error.at_span(token.span)
}

/// The parameter that begins at `at`, and how many tokens it has.
fn parameter(tokens: &[TokenWithSpan], at: usize) -> Option<(Parameter, usize)> {
    match &tokens[at].token {
        Token::Placeholder(text) if text == "?" => Some((Parameter::Position, 1)),
        Token::Placeholder(text) => {
            text.strip_prefix(':').map(|name| (Parameter::Name(name.to_owned()), 1))
        }
        Token::Question => Some((Parameter::Position, 1)),
        Token::Colon if !follows_value(tokens, at) => match &tokens.get(at + 1)?.token {
            Token::Word(word) => Some((Parameter::Name(word.value.clone()), 2)),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a colon stands behind a value, whose field it takes.
fn follows_value(tokens: &[TokenWithSpan], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| tokens.get(before));
    before.is_some_and(|before| match &before.token {
        Token::Word(word) => word.quote_style.is_some() || word.keyword == Keyword::NoKeyword,
        Token::RParen | Token::RBracket => true,
        _ => false,
    })
}

fn push_value(
    bound: &mut Vec<TokenWithSpan>,
    place: &TokenWithSpan,
    (index, value): (usize, &ScalarValue),
    variables: &Variables,
) {
    let mut push = |token: Token| bound.push(TokenWithSpan::new(token, place.span));
    match value {
        ScalarValue::Utf8(Some(text))
        | ScalarValue::LargeUtf8(Some(text))
        | ScalarValue::Utf8View(Some(text)) => push(Token::SingleQuotedString(text.clone())),
        ScalarValue::Int32(Some(number)) if *number >= 0 => {
            push(Token::Number(number.to_string(), false));
        }
        value => push(Token::make_word(&variables.bind(index, value.clone()), None)),
    }
}
