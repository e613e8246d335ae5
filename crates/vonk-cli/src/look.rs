//! What the terminal is like: width, height, colours, and the styles that the command paints with.

use std::io::{self, IsTerminal};

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;

/// Dim text: types, NULL, footers.
pub(crate) const DIM: Style = Style::new().dimmed();
/// Headings and names.
pub(crate) const BOLD: Style = Style::new().bold();
/// Errors and their carets.
pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
/// What the user can do.
pub(crate) const HINT: Style = AnsiColor::Cyan.on_default();

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Also into files and pipes
    Always,
    /// Nowhere
    Never,
}

/// What a stream of output can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    /// Whether a person looks at it.
    pub(crate) is_terminal: bool,
    /// Whether it takes colours.
    pub(crate) is_colored: bool,
    /// Its columns; `None` for a file or pipe.
    pub(crate) width: Option<usize>,
}

impl Look {
    /// What standard output can show.
    pub(crate) fn of_stdout(color: Color) -> Self {
        let stdout = io::stdout();
        let size = terminal_size::terminal_size_of(&stdout);
        Self::new(stdout.is_terminal(), size.map(|(width, _)| usize::from(width.0)), color)
    }

    /// What standard error can show.
    pub(crate) fn of_stderr(color: Color) -> Self {
        let stderr = io::stderr();
        let size = terminal_size::terminal_size_of(&stderr);
        Self::new(stderr.is_terminal(), size.map(|(width, _)| usize::from(width.0)), color)
    }

    fn new(is_terminal: bool, width: Option<usize>, color: Color) -> Self {
        let is_colored = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => is_terminal && wants_color(),
        };
        Self { is_terminal, is_colored, width: width.filter(|_| is_terminal) }
    }

    /// Text in a style, or as it is where colours are off.
    pub(crate) fn paint(&self, style: Style, text: &str) -> String {
        if self.is_colored && !text.is_empty() {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
}

/// How many rows of a table standard output has room for, beside its head, its foot and the prompt.
pub(crate) fn rows_that_fit() -> usize {
    const ROWS: std::ops::RangeInclusive<usize> = 10..=40;
    const BESIDE: usize = 8;
    let size = terminal_size::terminal_size_of(io::stdout());
    let height = size.map(|(_, height)| usize::from(height.0)).filter(|height| *height > 0);
    height.map_or(*ROWS.end(), |height| {
        height.saturating_sub(BESIDE).clamp(*ROWS.start(), *ROWS.end())
    })
}

/// NO_COLOR with any content switches colours off, as no-color.org asks.
fn wants_color() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}
