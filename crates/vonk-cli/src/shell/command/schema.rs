//! `.schema`: the columns of a table, view or file.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema};
use vonk::display::type_name;

use super::{Argument, Command, Next, Shell, show};
use crate::exit::Failure;

pub(super) const COMMAND: Command = Command {
    names: &[".schema", "\\d"],
    argument: Argument::Table,
    help: "Shows the columns of a table, a view or a file, or of all tables",
    run,
};

fn run(shell: &mut Shell<'_>, argument: &str) -> Result<Next, Failure> {
    let name = argument.trim_matches(['\'', '"', '`']);
    if name.is_empty() {
        return all(shell);
    }
    let schema = shell.runtime.block_on(shell.runner.schema_of(name))?;
    let column =
        |text: fn(&Field) -> String| schema.fields().iter().map(|field| text(field)).collect();
    show(
        shell,
        vec![
            ("column", column(|field| field.name().clone())),
            ("type", column(|field| type_name(field.data_type()))),
            ("nullable", column(|field| field.is_nullable().to_string())),
        ],
    )
}

fn all(shell: &mut Shell<'_>) -> Result<Next, Failure> {
    let (mut tables, mut columns) = (Vec::new(), Vec::new());
    for name in shell.runner.session.table_names() {
        // A table whose files are gone does not hide the others.
        columns.push(match shell.runtime.block_on(shell.runner.schema_of(&name)) {
            Ok(schema) => listed(&schema),
            Err(Failure::Engine(error)) => error.message().to_owned(),
            Err(other) => return Err(other),
        });
        tables.push(name);
    }
    show(shell, vec![("table", tables), ("columns", columns)])
}

fn listed(schema: &Schema) -> String {
    let column = |field: &Arc<Field>| format!("{} {}", field.name(), type_name(field.data_type()));
    schema.fields().iter().map(column).collect::<Vec<_>>().join(", ")
}
