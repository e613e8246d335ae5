//! The shell as a person uses it: keys in, a screen out.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::LONG_QUERY;
use crate::terminal::{CTRL_C, CTRL_D, CTRL_R, ENTER, LEFT, TAB, Terminal, UP};

fn people(directory: &Path) {
    let rows = "id,name,favourite\n1,Ada,blue\n2,Bob,green\n";
    std::fs::write(directory.join("people.csv"), rows).unwrap();
}

#[test]
fn statements_span_lines_and_the_history_outlives_the_shell() {
    let directory = tempfile::tempdir().unwrap();
    let mut shell = Terminal::shell(directory.path());
    shell.press("SELECT 41 +\r");
    shell.expect("..> ");
    shell.press("1 AS answer;\r");
    shell.expect("42");
    shell.expect("1 row");
    shell.prompt();
    shell.enter("SELECT 'other';");
    shell.press(CTRL_D);
    assert_eq!(shell.exit_code(), 0);
    assert!(directory.path().join("vonk/history").exists());

    let mut shell = Terminal::shell(directory.path());
    shell.press(UP);
    shell.expect("SELECT 'other';");
    shell.press(ENTER);
    shell.expect("1 row");
    shell.prompt();
    shell.press(CTRL_R);
    shell.press("answ");
    shell.expect("1 AS answer;");
    shell.press(ENTER);
    shell.press(ENTER);
    shell.expect("42");
    shell.prompt();
    shell.press(".quit\r");
    assert_eq!(shell.exit_code(), 0);
}

#[test]
fn tab_completes_paths_and_the_columns_of_the_file_in_from() {
    let directory = tempfile::tempdir().unwrap();
    people(directory.path());
    let mut shell = Terminal::shell(directory.path());
    // The only file is taken at once, with the closing quote.
    shell.press("SELECT name FROM 'peo");
    shell.press(TAB);
    shell.expect("'people.csv'");
    shell.press(" p WHERE p.fav");
    shell.press(TAB);
    shell.expect("p.favourite");
    shell.press("= 'green';\r");
    shell.expect("Bob");
    shell.expect("1 row");
    shell.prompt();
    // Several candidates are offered with their types.
    shell.press("FROM 'people.csv' q SELECT q.");
    shell.press(TAB);
    let offered = shell.expect("favourite");
    assert!(offered.contains("id") && offered.contains("bigint"), "{offered}");
    shell.press(CTRL_C);
    shell.prompt();
    shell.enter("CREATE TEMPORARY VIEW guests AS SELECT 1 AS seat;");
    shell.press("SELECT * FROM gue");
    shell.press(TAB);
    shell.expect("guests");
    shell.press(CTRL_C);
    shell.prompt();
    // What stands behind the cursor counts as well.
    shell.press("SELECT g. FROM guests g");
    shell.press(&LEFT.repeat(" FROM guests g".len()));
    shell.press(TAB);
    shell.expect("g.seat");
}

#[test]
fn ctrl_c_ends_the_statement_and_not_the_shell() {
    let directory = tempfile::tempdir().unwrap();
    let mut shell = Terminal::shell(directory.path());
    shell.press("SELECT half,");
    shell.press(CTRL_C);
    shell.prompt();
    assert!(shell.enter("SELECT 6 * 7 AS x;").contains("42"));

    shell.press(&format!("{LONG_QUERY};\r"));
    std::thread::sleep(Duration::from_secs(2));
    let start = Instant::now();
    shell.press(CTRL_C);
    shell.expect("interrupted");
    shell.prompt();
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert!(shell.enter("SELECT 6 * 8 AS x;").contains("48"), "the next statement has threads");
}

#[test]
fn commands_do_what_help_says() {
    let directory = tempfile::tempdir().unwrap();
    people(directory.path());
    std::fs::write(directory.path().join("two.sql"), "SELECT 20 + 2 AS a;\nSELECT b;\n").unwrap();
    let mut shell = Terminal::shell(directory.path());
    let help = shell.enter(".help");
    for word in [".tables", "\\dt", ".timer", ".read", ".mode", "Ctrl-R"] {
        assert!(help.contains(word), "{word} in {help}");
    }
    shell.enter("CREATE TABLE lasting AS SELECT 1 AS id, 'x' AS label;");
    shell.enter("CREATE TEMPORARY VIEW passing AS SELECT 2 AS n;");
    for command in ["\\dt", ".tables"] {
        let tables = shell.enter(command);
        assert!(tables.contains("lasting") && tables.contains("passing"), "{tables}");
    }
    for command in ["\\d lasting", ".schema lasting"] {
        let columns = shell.enter(command);
        assert!(columns.contains("label") && columns.contains("string"), "{columns}");
    }
    assert!(shell.enter(".schema people.csv").contains("favourite"));

    let before = shell.enter("SELECT 1;");
    assert!(before.contains(" s") && before.contains("1 row ·"), "{before}");
    assert!(shell.enter(".timer off").contains("timer is off"));
    assert!(!shell.enter("SELECT 1;").contains("1 row ·"));

    let read = shell.enter(".read two.sql");
    assert!(read.contains("22") && read.contains("two.sql:2:8"), "{read}");
    assert!(shell.enter(".read tow.sql").contains("did you mean `two.sql`?"));

    shell.enter(".mode csv");
    assert!(shell.enter("SELECT 5 AS five, NULL AS n;").contains("five,n\n5,"));
    assert!(shell.enter(".mode markdwn").contains("did you mean `markdown`?"));
    assert!(shell.enter(".tabels").contains("did you mean `.tables`?"));
    shell.press("\\q\r");
    assert_eq!(shell.exit_code(), 0);
}

#[test]
fn a_table_of_yesterday_is_there_today() {
    let directory = tempfile::tempdir().unwrap();
    let mut shell = Terminal::shell(directory.path());
    shell.enter("CREATE TABLE kept AS SELECT 17 AS x;");
    shell.press(CTRL_D);
    assert_eq!(shell.exit_code(), 0);
    let mut shell = Terminal::shell(directory.path());
    shell.press("SELECT x + 1 AS y FROM ke");
    shell.press(TAB);
    shell.expect("kept");
    shell.press(";\r");
    shell.expect("18");
}

#[test]
fn errors_point_and_tables_fit_the_terminal() {
    let directory = tempfile::tempdir().unwrap();
    people(directory.path());
    let mut shell = Terminal::shell(directory.path());
    let error = shell.enter("SELECT nmae FROM 'people.csv';");
    assert!(error.contains("^^^^ did you mean `name`?"), "{error}");
    assert!(error.contains("SQLSTATE 42703"), "{error}");

    // Twenty columns of twelve letters do not fit into 72 places: those at both ends are shown.
    let columns: Vec<String> = (10..30).map(|n| format!("'abcdefghijkl' AS c{n}")).collect();
    shell.press(&format!("SELECT {};\r", columns.join(", ")));
    shell.expect("┌");
    let table = format!("┌{}", shell.expect("1 row"));
    assert!(table.contains("c10") && table.contains("c29") && !table.contains("c20"), "{table}");
    for line in table.lines().filter(|line| line.contains(['│', '─'])) {
        assert!(line.trim().chars().count() <= 72, "{line}");
    }
    shell.prompt();

    // Of 1,000 rows those at both ends are shown that 24 lines have room for.
    let rows: Vec<String> = (1000..2000).map(|n| format!("{n}")).collect();
    std::fs::write(directory.path().join("long.csv"), format!("n\n{}\n", rows.join("\n"))).unwrap();
    let table = shell.enter("SELECT * FROM 'long.csv';");
    for (number, is_shown) in [(1000, true), (1007, true), (1008, false), (1992, true)] {
        assert_eq!(table.contains(&format!("{number}")), is_shown, "{number} in {table}");
    }
    assert!(table.contains("1,000 rows (16 shown)"), "{table}");
}

#[test]
fn binary_formats_refuse_the_terminal() {
    let directory = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::open(directory.path(), &["-o", "parquet", "SELECT 1"]);
    terminal.expect("vonk -o parquet ... > result.parquet");
    assert_eq!(terminal.exit_code(), 2);
}

#[test]
fn long_queries_show_how_far_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("words.txt");
    std::fs::write(&path, "some words of a line that is not short\n".repeat(50_000)).unwrap();
    // Machines differ: the work of each line grows until the query is a long one anywhere.
    let mut repeats = 16;
    let screen = loop {
        let sql = format!(
            "SELECT count(*) AS c FROM 'words.txt' WHERE sha2(repeat(value, {repeats}), 256) = ''"
        );
        let mut terminal = Terminal::open(directory.path(), &[&sql]);
        let bar = terminal.expect("1 row · ");
        let seconds: f64 = terminal.expect(" s").parse().unwrap();
        assert_eq!(terminal.exit_code(), 0);
        if seconds > 2.0 {
            break bar;
        }
        repeats *= 2;
    };
    assert!(screen.contains(" %"), "no share of the work in:\n{screen}");
}
