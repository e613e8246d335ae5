//! Queries that are SQL text, and relations that others refer to.

use std::sync::Arc;

use spark_connect_proto::relation::RelType;
use spark_connect_proto::{Expression, Relation, Sql, WithRelations};
use vonk::Result;
use vonk::dataframe::{Column, DataFrame};

use super::{Query, Scope, query};
use crate::errors::required;
use crate::session::ConnectSession;
use crate::{expression, literal};

pub(super) async fn sql(session: &Arc<ConnectSession>, sql: &Sql) -> Result<Query> {
    Query::new(statement(session, sql)?).await
}

/// The statement with the values of its parameters.
///
/// # Errors
/// Those of the values.
pub(crate) fn statement(session: &Arc<ConnectSession>, sql: &Sql) -> Result<DataFrame> {
    let scope = Scope::empty(session);
    let mut arguments: Vec<(Option<&str>, Column)> = Vec::new();
    let value = |expression: &Expression| expression::column(&scope, expression);
    for (name, argument) in &sql.named_arguments {
        arguments.push((Some(name), value(argument)?));
    }
    for argument in &sql.pos_arguments {
        arguments.push((None, value(argument)?));
    }
    #[expect(deprecated, reason = "clients before 4.0 give the values here")]
    let (named, by_position) = (&sql.args, &sql.pos_args);
    for (name, argument) in named {
        arguments.push((Some(name), literal::column(&session.engine, argument)?));
    }
    for argument in by_position {
        arguments.push((None, literal::column(&session.engine, argument)?));
    }
    Ok(match arguments.is_empty() {
        true => session.engine.sql(&sql.query),
        false => session.engine.sql_with(&sql.query, arguments),
    })
}

/// A relation that refers to others by their aliases, as views that only it sees.
pub(super) async fn with_relations(
    session: &Arc<ConnectSession>,
    with: &WithRelations,
) -> Result<Query> {
    let mut names = Vec::new();
    for reference in &with.references {
        if let Some(RelType::SubqueryAlias(alias)) = &reference.rel_type {
            let frame = query(session, reference).await?.frame;
            frame.create_or_replace_temp_view(&alias.alias).await?;
            names.push(alias.alias.clone());
        }
    }
    let root: &Relation = required(with.root.as_deref(), "root")?;
    let query = query(session, root).await;
    for name in names {
        session.engine.drop_temp_view(&name);
    }
    query
}
