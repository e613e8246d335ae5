//! `DROP VIEW [IF EXISTS] name`.

use async_trait::async_trait;
use datafusion::logical_expr::LogicalPlan;

use super::{Command, Source, last_part, no_answer};
use crate::error::{Condition, Error, Result};
use crate::sql::Environment;

struct DropView {
    name: String,
    if_exists: bool,
}

pub(super) fn parse(source: &mut Source<'_>) -> Result<Box<dyn Command>> {
    let if_exists = source.take(&["IF", "EXISTS"]);
    let name = last_part(&source.relation()?)?.to_owned();
    Ok(Box::new(DropView { name, if_exists }))
}

#[async_trait]
impl Command for DropView {
    async fn run(&self, session: &dyn Environment) -> Result<LogicalPlan> {
        if session.views().remove(&self.name) || self.if_exists {
            return no_answer();
        }
        let views = session.views().names();
        Err(Error::new(
            Condition::TABLE_OR_VIEW_NOT_FOUND,
            format!("view `{}` does not exist", self.name),
        )
        .did_you_mean(&self.name, views.iter().map(String::as_str)))
    }
}
