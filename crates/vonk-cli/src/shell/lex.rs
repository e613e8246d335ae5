//! SQL text to coloured pieces: the engine's tokenizer, made tolerant of text that is being typed.

use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer, Whitespace};
use vonk::sql::dialect::VonkDialect;

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or a keyword.
    Word,
    /// A name in backticks.
    Name,
    /// A text in quotes.
    Text,
    /// A number.
    Number,
    /// A comment.
    Comment,
    /// Blanks and line ends.
    Space,
    /// An operator, a bracket, or something that is no SQL.
    Symbol,
}

/// A piece of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece<'a> {
    pub(crate) kind: Kind,
    /// Offset of its first byte.
    pub(crate) start: usize,
    pub(crate) text: &'a str,
    /// Whether it is a text, name or comment whose end was not typed yet.
    pub(crate) is_open: bool,
}

impl Piece<'_> {
    pub(crate) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    pub(crate) fn is(&self, word: &str) -> bool {
        self.text.eq_ignore_ascii_case(word)
    }
}

/// Cuts any text into pieces that together are the text.
pub(crate) fn lex(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut start = 0;
    while start < text.len() {
        start = lex_from(text, start, &mut pieces);
    }
    pieces
}

/// Cuts as far as the tokenizer understands and one piece further; gives where that ends.
fn lex_from<'a>(text: &'a str, start: usize, pieces: &mut Vec<Piece<'a>>) -> usize {
    let rest = &text[start..];
    let mut tokens: Vec<TokenWithSpan> = Vec::new();
    let is_whole = Tokenizer::new(&VonkDialect, rest)
        .with_unescape(false)
        .tokenize_with_location_into_buf(&mut tokens)
        .is_ok();
    let mut offsets = Offsets { text: rest, at: 0, line: 1, column: 1 };
    for token in &tokens {
        let from = offsets.find(token.span.start);
        let to = offsets.find(token.span.end);
        if to > from {
            let kind = kind_of(&token.token);
            pieces.push(Piece { kind, start: start + from, text: &rest[from..to], is_open: false });
        }
    }
    if is_whole {
        return text.len();
    }
    let from = start + offsets.at;
    let tail = &text[from..];
    let open = |kind| Piece { kind, start: from, text: tail, is_open: true };
    let piece = match tail.chars().next() {
        Some('\'' | '"') => open(Kind::Text),
        Some('`') => open(Kind::Name),
        _ if tail.starts_with("/*") => open(Kind::Comment),
        Some(first) => {
            let text = &tail[..first.len_utf8()];
            Piece { kind: Kind::Symbol, start: from, text, is_open: false }
        }
        None => return text.len(),
    };
    pieces.push(piece);
    piece.end()
}

fn kind_of(token: &Token) -> Kind {
    match token {
        Token::Word(word) if word.quote_style.is_some() => Kind::Name,
        Token::Word(_) => Kind::Word,
        Token::Number(..) => Kind::Number,
        Token::Whitespace(
            Whitespace::SingleLineComment { .. } | Whitespace::MultiLineComment(_),
        ) => Kind::Comment,
        Token::Whitespace(_) => Kind::Space,
        Token::SingleQuotedString(_)
        | Token::DoubleQuotedString(_)
        | Token::TripleSingleQuotedString(_)
        | Token::TripleDoubleQuotedString(_)
        | Token::NationalStringLiteral(_)
        | Token::EscapedStringLiteral(_)
        | Token::HexStringLiteral(_) => Kind::Text,
        _ => Kind::Symbol,
    }
}

/// Lines and columns to offsets, going forward only.
struct Offsets<'a> {
    text: &'a str,
    at: usize,
    line: u64,
    column: u64,
}

impl Offsets<'_> {
    fn find(&mut self, place: Location) -> usize {
        while (self.line, self.column) < (place.line, place.column) {
            let Some(character) = self.text[self.at..].chars().next() else { break };
            self.at += character.len_utf8();
            if character == '\n' {
                self.line += 1;
                self.column = 1;
            } else {
                self.column += 1;
            }
        }
        self.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(Kind, &str)> {
        let pieces = lex(text);
        let joined: String = pieces.iter().map(|piece| piece.text).collect();
        assert_eq!(joined, text);
        pieces
            .iter()
            .filter(|piece| piece.kind != Kind::Space)
            .map(|piece| (piece.kind, piece.text))
            .collect()
    }

    #[test]
    fn pieces_are_what_they_look_like() {
        assert_eq!(
            kinds("SELECT 'é\\'' , 1.5\n-- end\nFROM `a b`"),
            [
                (Kind::Word, "SELECT"),
                (Kind::Text, "'é\\''"),
                (Kind::Symbol, ","),
                (Kind::Number, "1.5"),
                (Kind::Comment, "-- end\n"),
                (Kind::Word, "FROM"),
                (Kind::Name, "`a b`"),
            ]
        );
    }

    #[test]
    fn what_is_not_closed_yet_reaches_to_the_end() {
        for (text, kind) in [("'ab c", Kind::Text), ("`ab c", Kind::Name), ("/* c", Kind::Comment)]
        {
            let typed = format!("SELECT {text}");
            assert_eq!(kinds(&typed), [(Kind::Word, "SELECT"), (kind, text)]);
            assert!(lex(&typed).last().unwrap().is_open);
        }
    }
}
