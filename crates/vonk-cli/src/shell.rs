//! The shell: reads a statement or a command, runs it, and reads the next.

use std::borrow::Cow;
#[cfg(unix)]
use std::fs;
#[cfg(unix)]
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use reedline::{
    Color as TermColor, ColumnarMenu, DefaultHinter, EditCommand, Emacs, FileBackedHistory,
    InputMode, KeyCode, KeyModifiers, MenuBuilder, Prompt, PromptEditMode, PromptHistorySearch,
    PromptHistorySearchStatus, Reedline, ReedlineEvent, ReedlineMenu, Signal, ValidationResult,
    Validator, default_emacs_keybindings,
};
use tokio::runtime::Runtime;

use crate::exit::Exit;
use crate::look::{BOLD, DIM};
use crate::report;
use crate::run::{Runner, Script};
use command::Next;

mod catalog;
mod command;
mod complete;
mod highlight;
mod lex;

/// How many statements the history remembers.
const HISTORY_MAX: usize = 10_000;

/// The name of the completion menu, by which keys open it.
const MENU: &str = "completion";

/// The shell with everything that its commands can change.
pub(crate) struct Shell<'a> {
    runner: Runner,
    runtime: &'a Runtime,
    editor: Reedline,
}

/// Runs the shell until the user leaves.
pub(crate) fn run(runner: Runner, runtime: &Runtime) -> Result<(), Exit> {
    let editor = editor(&runner);
    let mut shell = Shell { runner, runtime, editor };
    shell.greet();
    loop {
        match shell.editor.read_line(&StatementPrompt) {
            Ok(Signal::Success(text)) => {
                let next = shell.enter(&text);
                // What was typed is remembered even if the process is killed; a full disk costs
                // the memory of it and no more.
                let _unsaved = shell.editor.sync_history();
                if next == Next::Quit {
                    return Ok(());
                }
            }
            Ok(Signal::CtrlD) => return Ok(()),
            Ok(_) => {}
            Err(error) => {
                report::tell(&format!("the terminal cannot be read: {error}\n"));
                return Err(Exit::Io);
            }
        }
    }
}

impl Shell<'_> {
    /// Runs what was typed: a command, or statements.
    fn enter(&mut self, text: &str) -> Next {
        if command::is_command(text) {
            return command::run(self, text.trim());
        }
        self.script(Script { name: None, text, line: 0 });
        Next::Prompt
    }

    /// Runs statements; their errors have been told, and the shell lives on.
    fn script(&mut self, script: Script<'_>) {
        let _told = self.runtime.block_on(self.runner.script(script));
    }

    fn greet(&self) {
        if self.runner.settings.is_quiet {
            return;
        }
        let look = self.runner.settings.stderr;
        let name = look.paint(BOLD, concat!("vonk ", env!("CARGO_PKG_VERSION")));
        let text = "end a statement with `;`, .help lists the commands, Ctrl-D leaves";
        report::tell(&format!("{name} · {}\n", look.paint(DIM, text)));
    }
}

fn editor(runner: &Runner) -> Reedline {
    let catalog = catalog::SessionCatalog::new(runner.session.clone(), runner.workers.clone());
    let menu = ColumnarMenu::default()
        .with_name(MENU)
        // FROM stands behind the cursor more often than not, and tells the columns.
        .with_input_mode(InputMode::FullBuffer)
        .with_columns(1)
        .with_description_text_style(TermColor::DarkGray.normal())
        .with_selected_text_style(TermColor::Default.reverse());
    let hinter = DefaultHinter::default().with_style(TermColor::DarkGray.normal());
    let editor = Reedline::create()
        .with_ansi_colors(runner.settings.stderr.is_colored)
        .with_validator(Box::new(StatementValidator))
        .with_highlighter(Box::new(highlight::Sql))
        .with_hinter(Box::new(hinter))
        .with_completer(Box::new(catalog::Completions(catalog)))
        .with_menu(ReedlineMenu::EngineCompleter(Box::new(menu)))
        .with_edit_mode(Box::new(Emacs::new(keys())))
        .with_quick_completions(true)
        .with_partial_completions(true)
        .use_bracketed_paste(true)
        .with_history_exclusion_prefix(Some(" ".to_owned()));
    // A history is a file too: nothing is written, and nothing of before is shown.
    let is_kept = !runner.session.policy().is_restricted();
    let history = history_path().filter(|_| is_kept).map(|path| {
        let history = FileBackedHistory::with_file(HISTORY_MAX, path.clone());
        #[cfg(unix)]
        let _open_to_others = fs::set_permissions(&path, fs::Permissions::from_mode(0o600));
        history.map_err(|error| (path, error))
    });
    match history {
        Some(Ok(history)) => editor.with_history(Box::new(history)),
        Some(Err((path, error))) => {
            let path = path.display();
            report::tell(&format!("note: no history, since `{path}` cannot be opened: {error}\n"));
            editor
        }
        None => editor,
    }
}

fn keys() -> reedline::Keybindings {
    let mut keys = default_emacs_keybindings();
    let open = ReedlineEvent::Menu(MENU.to_owned());
    let next = ReedlineEvent::UntilFound(vec![open, ReedlineEvent::MenuNext]);
    keys.add_binding(KeyModifiers::NONE, KeyCode::Tab, next);
    keys.add_binding(KeyModifiers::SHIFT, KeyCode::BackTab, ReedlineEvent::MenuPrevious);
    let newline = ReedlineEvent::Edit(vec![EditCommand::InsertNewline]);
    keys.add_binding(KeyModifiers::ALT, KeyCode::Enter, newline);
    keys
}

/// The file of the history in the user's state directory, as the XDG base directories have it.
fn history_path() -> Option<PathBuf> {
    let absolute = |name: &str| {
        let path = std::env::var_os(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(Path::new(".local/state"))))?;
    Some(state.join("vonk").join("history"))
}

/// Enter runs a whole statement or a command, and else begins a new line.
struct StatementValidator;

impl Validator for StatementValidator {
    fn validate(&self, text: &str) -> ValidationResult {
        let is_whole =
            text.trim().is_empty() || command::is_command(text) || vonk::sql::is_complete(text);
        if is_whole { ValidationResult::Complete } else { ValidationResult::Incomplete }
    }
}

/// `vonk> `, and dots below it.
struct StatementPrompt;

impl Prompt for StatementPrompt {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        Cow::Borrowed("vonk")
    }

    fn render_prompt_right(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn render_prompt_indicator(&self, _mode: PromptEditMode) -> Cow<'_, str> {
        Cow::Borrowed("> ")
    }

    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        Cow::Borrowed("  ..> ")
    }

    fn render_prompt_history_search_indicator(&self, search: PromptHistorySearch) -> Cow<'_, str> {
        let failing = match search.status {
            PromptHistorySearchStatus::Passing => "",
            PromptHistorySearchStatus::Failing => "nothing like ",
        };
        Cow::Owned(format!(" ({failing}`{}`) ", search.term))
    }

    fn get_prompt_color(&self) -> TermColor {
        TermColor::LightMagenta
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enter_runs_whole_statements_and_commands_only() {
        let is_whole =
            |text: &str| matches!(StatementValidator.validate(text), ValidationResult::Complete);
        assert!(is_whole("SELECT 1;"));
        assert!(is_whole(".tables"));
        assert!(is_whole("\\dt"));
        assert!(is_whole(""));
        assert!(!is_whole("SELECT 1"));
        assert!(!is_whole("SELECT ';"));
        assert!(!is_whole("SELECT\n.5"));
    }
}
