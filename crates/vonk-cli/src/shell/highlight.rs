//! Colours of SQL while it is typed.

use reedline::{Color, Highlighter, StyledText};

use super::command;
use super::complete::KEYWORDS;
use super::lex::{Kind, Piece, lex};

/// Colours SQL by its pieces, and a command as a whole.
pub(super) struct Sql;

impl Highlighter for Sql {
    fn highlight(&self, line: &str, _cursor: usize) -> StyledText {
        let mut styled = StyledText::new();
        if command::is_command(line) {
            styled.push((Color::Cyan.normal(), line.to_owned()));
            return styled;
        }
        for piece in lex(line) {
            let style = match color(&piece) {
                Color::Blue => Color::Blue.bold(),
                color => color.normal(),
            };
            styled.push((style, piece.text.to_owned()));
        }
        styled
    }
}

fn color(piece: &Piece<'_>) -> Color {
    match piece.kind {
        _ if piece.is_open && piece.kind != Kind::Comment => Color::Yellow,
        Kind::Word if KEYWORDS.iter().any(|word| piece.is(word)) => Color::Blue,
        Kind::Text => Color::Green,
        Kind::Name => Color::Cyan,
        Kind::Number => Color::Magenta,
        Kind::Comment => Color::DarkGray,
        Kind::Word | Kind::Space | Kind::Symbol => Color::Default,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_have_their_colours() {
        let text = "SELECT a, 'x' FROM `t` -- c";
        let colors: Vec<Color> = lex(text)
            .iter()
            .filter(|piece| !matches!(piece.kind, Kind::Space | Kind::Symbol))
            .map(color)
            .collect();
        let expect =
            [Color::Blue, Color::Default, Color::Green, Color::Blue, Color::Cyan, Color::DarkGray];
        assert_eq!(colors, expect);
        assert_eq!(color(&lex("'open")[0]), Color::Yellow);
    }

    #[test]
    fn the_text_stays_as_it_is() {
        let text = "SELECT 'é' , \"open";
        assert_eq!(Sql.highlight(text, 0).raw_string(), text);
    }
}
