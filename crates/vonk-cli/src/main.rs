//! The `vonk` command: SQL over files from the terminal.

fn main() {}
