//! Errors for the person at the terminal: condition, message, place with a caret, and a hint.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;
use vonk::Condition;
use vonk::error::Place;

use crate::exit::Failure;
use crate::look::{BOLD, DIM, ERROR, HINT, Look};

/// The width to which the SQLSTATE is set on something that is no terminal.
const WIDTH_WITHOUT_TERMINAL: usize = 100;

/// Most lines into which the first line of a message is cut.
const WRAPPED_LINES_MAX: usize = 4;

/// How far further lines of a message are moved to the right.
const INDENT: usize = 2;

/// Most lines of a message that are shown; what follows is detail for a log.
const MESSAGE_LINES_MAX: usize = 3;

/// A statement and where it was found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    /// The file of the script, if it is one.
    pub(crate) name: Option<&'a str>,
    /// The text of the statement.
    pub(crate) statement: &'a str,
    /// Where the statement starts in its script: lines before it, and characters before it in its
    /// first line.
    pub(crate) offset: (u64, u64),
}

/// Writes to standard error; nothing can be done if that fails.
pub(crate) fn tell(text: &str) {
    let _unheard = io::stderr().write_all(text.as_bytes());
}

/// The text that tells of a failure, at most eight lines, each ended.
pub(crate) fn render(failure: &Failure, source: &Source<'_>, look: &Look) -> String {
    match failure {
        Failure::Engine(error) => render_engine(error, source, look),
        Failure::Output(error) => {
            let message = format!("the result could not be written: {error}");
            headline("WRITE_FAILED", &message, "58030", look)
        }
        Failure::Format(message) => headline("OUTPUT_FORMAT", message, "0A000", look),
        Failure::Interrupted => format!("{}\n", look.paint(DIM, "interrupted")),
    }
}

/// An error that has no statement.
pub(crate) fn render_alone(error: &vonk::Error, look: &Look) -> String {
    render_engine(error, &Source { name: None, statement: "", offset: (0, 0) }, look)
}

fn render_engine(error: &vonk::Error, source: &Source<'_>, look: &Look) -> String {
    let (end, message) = at_end(error, source.statement);
    let mut text = headline(error.condition().name, &message, error.sql_state(), look);
    if let Some(file) = error.file_path() {
        text += &format!(" {} {}\n", look.paint(DIM, "-->"), file.display());
    }
    let hint = error.hint_text();
    let place = error.place().or(end);
    let marked = place.and_then(|place| snippet(place, hint, source, look));
    match &marked {
        Some(snippet) => text += snippet,
        None => {
            text += &place_of_statement(source, look).unwrap_or_default();
            if let Some(hint) = hint {
                text += &format!("  {} {}\n", look.paint(DIM, "="), look.paint(HINT, hint));
            }
        }
    }
    text
}

/// Where in its file a statement begins, for errors that tell no place in it.
fn place_of_statement(source: &Source<'_>, look: &Look) -> Option<String> {
    let (name, line) = (source.name?, source.offset.0 + 1);
    let arrow = look.paint(DIM, "-->");
    (!source.statement.is_empty()).then(|| format!(" {arrow} {name}:{line}\n"))
}

/// The place behind a statement that ended too early, of which the parser tells no place, and the
/// message without the parser's word for it.
fn at_end(error: &vonk::Error, statement: &str) -> (Option<Place>, String) {
    let message = error.message();
    if error.condition() != Condition::PARSE_SYNTAX_ERROR || !message.ends_with("found: EOF") {
        return (None, message.to_owned());
    }
    let (line, text) = statement.trim_end().lines().enumerate().last().unwrap_or_default();
    let column = text.chars().count() as u64 + 1;
    let message = message.replace("found: EOF", "found the end of the statement");
    (Some(Place { line: line as u64 + 1, column, length: 1 }), message)
}

/// `error[CONDITION] message ... SQLSTATE`, the state at the right border where there is room.
fn headline(condition: &str, message: &str, state: &str, look: &Look) -> String {
    let mut lines = message.lines().filter(|line| !line.trim().is_empty());
    let label = format!("error[{condition}]");
    let room = look.width.unwrap_or(usize::MAX);
    let wrapped = wrap(lines.next().unwrap_or_default(), room, label.width() + 1);
    let mut text = look.paint(ERROR, &label);
    let mut used = label.width() + 1;
    for (index, line) in wrapped.iter().enumerate() {
        let (before, start) = if index == 0 { (" ", used) } else { ("\n  ", INDENT) };
        text += &format!("{before}{}", look.paint(BOLD, line));
        used = start + line.width();
    }
    let state = format!("SQLSTATE {state}");
    let width = look.width.unwrap_or(WIDTH_WITHOUT_TERMINAL);
    if wrapped.len() > 1 && used + INDENT + state.width() > width {
        text.push('\n');
        used = 0;
    }
    let gap = width.saturating_sub(used + state.width()).max(INDENT);
    text += &format!("{:gap$}{}\n", "", look.paint(DIM, &state));
    for line in lines.take(MESSAGE_LINES_MAX - 1) {
        text += &format!("  {line}\n");
    }
    text
}

/// Cuts a text into lines between words; `used` places of the first are taken.
fn wrap(text: &str, room: usize, used: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut at = used;
    for word in text.split(' ') {
        let last = lines.len() - 1;
        if !lines[last].is_empty() && at + 1 + word.width() > room {
            lines.push(word.to_owned());
            at = INDENT + word.width();
            continue;
        }
        if !lines[last].is_empty() {
            lines[last].push(' ');
            at += 1;
        }
        lines[last] += word;
        at += word.width();
    }
    if lines.len() > WRAPPED_LINES_MAX {
        lines.truncate(WRAPPED_LINES_MAX);
        lines[WRAPPED_LINES_MAX - 1] += " …";
    }
    lines
}

/// The place, the line of the statement, and carets below what is wrong.
fn snippet(place: Place, hint: Option<&str>, source: &Source<'_>, look: &Look) -> Option<String> {
    let line = source.statement.lines().nth(usize::try_from(place.line).ok()?.checked_sub(1)?)?;
    let column = usize::try_from(place.column).ok()?.checked_sub(1)?;
    let before: String = line.chars().take(column).collect();
    let rest: String = line.chars().skip(column).collect();
    // The parser tells where a word starts and not how long it is.
    let word = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').count();
    let length = usize::try_from(place.length).ok()?.max(word).max(1);
    let marked: String = rest.chars().take(length).collect();

    let number = (place.line + source.offset.0).to_string();
    let at = place.column + if place.line == 1 { source.offset.1 } else { 0 };
    let name = source.name.map(|name| format!("{name}:")).unwrap_or_default();
    let margin = " ".repeat(number.len());
    let room = look.width.unwrap_or(WIDTH_WITHOUT_TERMINAL).saturating_sub(number.len() + 3);
    let window = Window::around(&before, &marked, line, room);

    let bar = look.paint(DIM, "|");
    let carets = look.paint(ERROR, &"^".repeat(window.carets));
    let (beside, below) = match hint {
        Some(hint) if window.indent + window.carets + 1 + hint.width() <= room => {
            (format!(" {}", look.paint(HINT, hint)), None)
        }
        other => (String::new(), other),
    };
    let mut text = format!("{margin}{} {name}{number}:{at}\n", look.paint(DIM, "-->"));
    text += &format!("{} {bar} {}\n", look.paint(DIM, &number), window.line);
    text += &format!("{margin} {bar} {:indent$}{carets}{beside}\n", "", indent = window.indent);
    if let Some(hint) = below {
        text += &format!("{margin} {} {}\n", look.paint(DIM, "="), look.paint(HINT, hint));
    }
    Some(text)
}

/// The part of a line that fits, and where the carets go below it.
struct Window {
    line: String,
    indent: usize,
    carets: usize,
}

impl Window {
    fn around(before: &str, marked: &str, line: &str, room: usize) -> Self {
        let clean = |text: &str| text.replace(|c: char| c.is_control(), " ");
        let (before, line) = (clean(before), clean(line));
        let carets = marked.width().max(1);
        if line.width() <= room || room < 20 {
            return Self { line, indent: before.width(), carets };
        }
        // Keep what stands before the mark in at most half of the room.
        let mut skipped = 0;
        let mut indent = before.width();
        while indent > room / 2 {
            let Some(width) = line.chars().nth(skipped).map(|c| c.to_string().width()) else {
                break;
            };
            skipped += 1;
            indent -= width;
        }
        let mut shown = String::new();
        for character in line.chars().skip(skipped) {
            if shown.width() + 2 > room {
                shown.push('…');
                break;
            }
            shown.push(character);
        }
        Self { line: shown, indent, carets: carets.min(room.saturating_sub(indent)) }
    }
}

#[cfg(test)]
mod tests {
    use vonk::Error;

    use super::*;

    const PLAIN: Look = Look { is_terminal: false, is_colored: false, width: Some(80) };

    fn check(error: Error, source: Source<'_>, expect: &str) {
        let text = render(&Failure::Engine(error), &source, &PLAIN);
        assert_eq!(text, expect.trim_start_matches('\n'), "\n{text}");
    }

    fn unresolved() -> Error {
        Error::new(Condition::UNRESOLVED_COLUMN, "column `cuntry` not found")
            .hint("did you mean `country`?")
    }

    #[test]
    fn a_caret_marks_the_place_and_the_hint_stands_beside() {
        check(
            unresolved().at(Place { line: 1, column: 8, length: 6 }),
            Source { name: None, statement: "select cuntry from ord", offset: (0, 0) },
            "
error[UNRESOLVED_COLUMN.WITH_SUGGESTION] column `cuntry` not found SQLSTATE 42703
 --> 1:8
1 | select cuntry from ord
  |        ^^^^^^ did you mean `country`?
"
            .replace("found SQLSTATE", "found  SQLSTATE")
            .as_str(),
        );
    }

    #[test]
    fn an_early_end_is_marked_behind_the_last_word() {
        check(
            Error::new(Condition::PARSE_SYNTAX_ERROR, "expected: ), found: EOF"),
            Source { name: None, statement: "select\n(1 + 2 ", offset: (0, 0) },
            "
error[PARSE_SYNTAX_ERROR] expected: ), found the end of the statement  SQLSTATE 42601
 --> 2:7
2 | (1 + 2 
  |       ^
",
        );
    }

    #[test]
    fn long_messages_are_wrapped_on_a_terminal() {
        let look = Look { width: Some(50), is_terminal: true, ..PLAIN };
        let error = Error::new(Condition::PATH_NOT_FOUND, "one two three four five six seven");
        let text = render(
            &Failure::Engine(error),
            &Source { name: None, statement: "", offset: (0, 0) },
            &look,
        );
        assert_eq!(
            text,
            "error[PATH_NOT_FOUND] one two three four five six\n  seven                             SQLSTATE 42K03\n"
        );
    }

    #[test]
    fn lines_and_columns_count_from_the_start_of_the_file() {
        check(
            unresolved().at(Place { line: 2, column: 3, length: 6 }),
            Source { name: Some("a.sql"), statement: "select\n  cuntry", offset: (9, 4) },
            "
error[UNRESOLVED_COLUMN.WITH_SUGGESTION] column `cuntry` not found  SQLSTATE 42703
  --> a.sql:11:3
11 |   cuntry
   |   ^^^^^^ did you mean `country`?
",
        );
    }

    #[test]
    fn wide_characters_move_the_caret_by_their_width() {
        let text = render(
            &Failure::Engine(unresolved().at(Place { line: 1, column: 14, length: 2 })),
            &Source { name: None, statement: "select '日本', 語a", offset: (0, 0) },
            &PLAIN,
        );
        // Fifteen columns stand before the mark: 7 of `select `, 6 of `'日本'`, and 2 of `, `.
        assert!(text.contains("\n  |                ^"), "{text}");
    }

    #[test]
    fn a_long_line_is_cut_around_the_mark() {
        let statement = format!("select {}cuntry{}", "a, ".repeat(100), ", b".repeat(100));
        let text = render(
            &Failure::Engine(unresolved().at(Place { line: 1, column: 308, length: 6 })),
            &Source { name: None, statement: &statement, offset: (0, 0) },
            &PLAIN,
        );
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.iter().all(|line| line.width() <= 82), "{text}");
        let caret = lines[3].find('^').unwrap();
        assert_eq!(&lines[2][caret..caret + 6], "cuntry", "{text}");
    }

    #[test]
    fn without_a_place_the_line_of_the_statement_is_told() {
        check(
            Error::new(Condition::DIVIDE_BY_ZERO, "division by zero"),
            Source { name: Some("a.sql"), statement: "select 1 / 0", offset: (9, 0) },
            "
error[DIVIDE_BY_ZERO] division by zero                            SQLSTATE 22012
 --> a.sql:10
",
        );
    }

    #[test]
    fn without_a_place_the_file_and_the_hint_follow() {
        check(
            Error::new(Condition::PATH_NOT_FOUND, "the file does not exist")
                .file("data/x.csv")
                .hint("check the path"),
            Source { name: None, statement: "select 1", offset: (0, 0) },
            "
error[PATH_NOT_FOUND] the file does not exist                     SQLSTATE 42K03
 --> data/x.csv
  = check the path
",
        );
    }
}
