//! Queries that are SQL text, and relations that others refer to.

use std::sync::Arc;

use spark_connect_proto::relation::RelType;
use spark_connect_proto::{Expression, Relation, Sql, WithRelations};
use vonk::Result;
use vonk::dataframe::{Column, DataFrame};

use super::around::referred;
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

/// A relation that refers to others: by their aliases in SQL text, by their numbers in expressions.
pub(super) async fn with_relations(
    session: &Arc<ConnectSession>,
    with: &WithRelations,
) -> Result<Query> {
    let root: &Relation = required(with.root.as_deref(), "root")?;
    let mut views = Vec::new();
    let mut numbers = Vec::new();
    for reference in &with.references {
        let frame = referred(session, root, reference).await?;
        if let Some(RelType::SubqueryAlias(alias)) = &reference.rel_type {
            frame.create_or_replace_temp_view(&alias.alias).await?;
            views.push(alias.alias.clone());
        }
        if let Some(plan_id) = reference.common.as_ref().and_then(|common| common.plan_id) {
            let reference = frame.reference().await?;
            session.references.lock().insert(plan_id, reference);
            numbers.push(plan_id);
        }
    }
    // The root is planned here, so that nothing asks for the others later.
    let query = match query(session, root).await {
        Ok(query) => query.frame.check().await.map(|()| query),
        Err(error) => Err(error),
    };
    for name in views {
        session.engine.drop_temp_view(&name);
    }
    let mut references = session.references.lock();
    numbers.iter().for_each(|plan_id| drop(references.remove(plan_id)));
    query
}
