//! Statements that come one by one on standard input.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};

/// A running `vonk` that is asked and answers line by line.
struct Asked {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    errors: ChildStderr,
}

impl Asked {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_vonk"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, errors) = (child.stdin.take().unwrap(), child.stderr.take().unwrap());
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, input, output, errors }
    }

    fn send(&mut self, text: &str) {
        self.input.write_all(text.as_bytes()).unwrap();
    }

    /// The next line of the answer, for which this waits.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line
    }

    /// The exit code and what was told on standard error, when nothing more comes.
    fn end(self) -> (i32, String) {
        let Self { mut child, input, mut errors, .. } = self;
        drop(input);
        let mut told = String::new();
        errors.read_to_string(&mut told).unwrap();
        (child.wait().unwrap().code().unwrap(), told)
    }
}

#[test]
fn a_statement_is_answered_before_the_next_is_asked() {
    let mut asked = Asked::start(&["-o", "csv"]);
    asked.send("SELECT 1 AS a;\n");
    assert_eq!((asked.line(), asked.line()), ("a\n".to_owned(), "1\n".to_owned()));
    // A semicolon in a text or a comment ends nothing.
    asked.send("SELECT ';\n' AS b -- ;\n");
    asked.send(", 2 AS c; -- more\n\n");
    assert_eq!(asked.line(), "b,c\n");
    assert_eq!((asked.line(), asked.line()), ("\";\n".to_owned(), "\",2\n".to_owned()));
    asked.send("SELECT 3 AS d");
    assert_eq!(asked.end(), (0, String::new()));
}

#[test]
fn an_error_names_the_line_of_the_whole_input() {
    let mut asked = Asked::start(&["-o", "csv", "--keep-going"]);
    asked.send("SELECT 1 AS a;\n");
    assert_eq!((asked.line(), asked.line()), ("a\n".to_owned(), "1\n".to_owned()));
    asked.send("SELECT 2 AS a;\n  SELECT nothing;\n");
    assert_eq!((asked.line(), asked.line()), ("a\n".to_owned(), "2\n".to_owned()));
    asked.send("SELECT 4 AS a;\n");
    assert_eq!((asked.line(), asked.line()), ("a\n".to_owned(), "4\n".to_owned()));
    let (code, told) = asked.end();
    assert!(code == 1 && told.contains("--> 3:10"), "{code} {told}");
}
