//! A terminal of 72 by 24 around the command: what a person types, and what they see.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rexpect::process::{PtyProcess, WaitStatus};

/// How long to wait for something to be seen; builds without optimisation are slow.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long nothing must happen before the shell is taken to wait.
const QUIET: Duration = Duration::from_millis(100);

/// Keys that are no letters.
pub(crate) const UP: &str = "\x1b[A";
pub(crate) const LEFT: &str = "\x1b[D";
pub(crate) const TAB: &str = "\t";
pub(crate) const ENTER: &str = "\r";
pub(crate) const CTRL_C: &str = "\x03";
pub(crate) const CTRL_D: &str = "\x04";
pub(crate) const CTRL_R: &str = "\x12";

/// The command in a terminal.
pub(crate) struct Terminal {
    process: PtyProcess,
    keys: File,
    seen: Arc<Mutex<Vec<u8>>>,
    /// Where in the text that was seen the next one is looked for.
    at: usize,
}

impl Terminal {
    /// Opens the shell in a directory, which holds its history too.
    pub(crate) fn open(directory: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new("sh");
        command
            .args(["-c", "stty cols 72 rows 24 && exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_vonk")])
            .args(arguments)
            .current_dir(directory)
            .env("XDG_STATE_HOME", directory)
            .env("TERM", "xterm-256color")
            .env_remove("NO_COLOR");
        let process = PtyProcess::new(command).unwrap();
        let keys = process.get_file_handle().unwrap();
        let seen = Arc::<Mutex<Vec<u8>>>::default();
        let (mut screen, mut answers) = (keys.try_clone().unwrap(), keys.try_clone().unwrap());
        let record = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = screen.read(&mut bytes) {
                let bytes = &bytes[..count];
                // A terminal tells where its cursor is when it is asked.
                for _ in 0..bytes.windows(4).filter(|window| window == b"\x1b[6n").count() {
                    let _closed = answers.write_all(b"\x1b[1;1R");
                }
                record.lock().unwrap().extend_from_slice(bytes);
            }
        });
        Self { process, keys, seen, at: 0 }
    }

    /// The shell after its first prompt.
    pub(crate) fn shell(directory: &Path) -> Self {
        let mut terminal = Self::open(directory, &[]);
        terminal.prompt();
        terminal
    }

    /// Presses keys.
    pub(crate) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Types a line, and gives what is seen from then until the next prompt.
    pub(crate) fn enter(&mut self, line: &str) -> String {
        self.press(line);
        self.expect(line);
        self.press(ENTER);
        self.prompt()
    }

    /// Waits until the shell asks for the next statement, and gives what was seen before.
    pub(crate) fn prompt(&mut self) -> String {
        let start = Instant::now();
        loop {
            let text = self.text();
            // Each key paints the prompt anew; the one that nothing follows is the last.
            std::thread::sleep(QUIET);
            let seen = text.get(self.at..).unwrap_or_default();
            if text == self.text() && seen.ends_with("\nvonk> ") {
                let seen = seen.to_owned();
                self.at = text.len();
                return seen;
            }
            assert!(start.elapsed() < PATIENCE, "no prompt in:\n{text}");
        }
    }

    /// Waits until a text is seen, and gives what was seen before it.
    pub(crate) fn expect(&mut self, wanted: &str) -> String {
        let start = Instant::now();
        loop {
            let text = self.text();
            let rest = text.get(self.at..).unwrap_or_default();
            if let Some(found) = rest.find(wanted) {
                let before = rest[..found].to_owned();
                self.at += found + wanted.len();
                return before;
            }
            assert!(start.elapsed() < PATIENCE, "`{wanted}` is not seen in:\n{rest}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Everything that was seen, without colours and moves of the cursor.
    fn text(&self) -> String {
        plain(&self.seen.lock().unwrap())
    }

    /// Waits for the end of the command, and gives its exit code.
    pub(crate) fn exit_code(self) -> i32 {
        let start = Instant::now();
        loop {
            if let Some(WaitStatus::Exited(_, code)) = self.process.status() {
                return code;
            }
            assert!(start.elapsed() < PATIENCE, "still running:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Text without the sequences that steer a terminal.
fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut characters = text.chars();
    let mut plain = String::new();
    while let Some(character) = characters.next() {
        match character {
            '\x1b' => match characters.next() {
                Some('[') => {
                    let _parameters = characters.by_ref().find(|c| ('@'..='~').contains(c));
                }
                Some(']') => {
                    let _title = characters.by_ref().find(|c| matches!(c, '\x07' | '\\'));
                }
                _ => {}
            },
            '\r' => {}
            other => plain.push(other),
        }
    }
    plain
}
