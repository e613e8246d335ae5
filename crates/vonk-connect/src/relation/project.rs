//! Relations that choose, compute and name columns.

use std::sync::Arc;

use spark_connect_proto::expression::{self as proto, ExprType};
use spark_connect_proto::{
    Drop, Expression, Project, SubqueryAlias, ToDf, ToSchema, WithColumns, WithColumnsRenamed,
};
use vonk::dataframe::{Column, DataFrame, col};
use vonk::error::Condition;
use vonk::sql::NamePattern;
use vonk::{Error, Result};

use super::{Query, Scope, input};
use crate::errors::required;
use crate::expression::{self, quoted};
use crate::session::ConnectSession;
use crate::types;

pub(super) async fn project(session: &Arc<ConnectSession>, project: &Project) -> Result<Query> {
    let input = match &project.input {
        Some(_) => input(session, &project.input).await?,
        None => Query::new(session.engine.sql("SELECT 1 AS one")).await?,
    };
    let scope = input.scope(session);
    let mut items = Vec::new();
    for expression in &project.expressions {
        items.extend(item(&scope, expression)?);
    }
    let frame = scope.only(&input.frame).select(items);
    let aliases = project.expressions.iter().filter_map(|one| match &one.expr_type {
        Some(ExprType::Alias(alias)) => Some(alias.as_ref()),
        _ => None,
    });
    let mut query = Query::new(with_metadata(frame, aliases)).await?;
    inherit(&mut query, &input, &project.expressions);
    Ok(query)
}

/// The query with the metadata that aliases give their columns.
fn with_metadata<'a>(
    frame: DataFrame,
    aliases: impl IntoIterator<Item = &'a proto::Alias>,
) -> DataFrame {
    let given = aliases.into_iter().filter_map(|alias| {
        let metadata = alias.metadata.as_ref().filter(|json| !json.is_empty())?;
        Some((alias.name.first()?.clone(), metadata.clone()))
    });
    let given: Vec<(String, String)> = given.collect();
    match given.is_empty() {
        true => frame,
        false => frame.with_metadata(types::METADATA_KEY, given),
    }
}

/// The columns of one item of a SELECT list: a pattern or a star of one relation may give several.
fn item(scope: &Scope<'_>, expression: &Expression) -> Result<Vec<Column>> {
    match &expression.expr_type {
        Some(ExprType::UnresolvedStar(star)) => {
            let of = star.plan_id.map(|plan_id| scope.star_of(plan_id)).unwrap_or_default();
            match of.is_empty() || star.unparsed_target.is_some() {
                true => Ok(vec![expression::column(scope, expression)?]),
                false => Ok(of),
            }
        }
        Some(ExprType::UnresolvedRegex(pattern)) => matching(scope, &pattern.col_name),
        _ => Ok(vec![expression::item(scope, expression)?]),
    }
}

/// The columns whose names match a pattern in backquotes; without them it is a name.
fn matching(scope: &Scope<'_>, pattern: &str) -> Result<Vec<Column>> {
    let Some(pattern) = pattern.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')) else {
        return Ok(vec![col(pattern)]);
    };
    let pattern = NamePattern::new(pattern, true)?;
    let mut columns = Vec::new();
    for name in scope.names() {
        if pattern.fits(name)? {
            columns.push(col(&quoted(name)));
        }
    }
    Ok(columns)
}

/// Tells of which relations the columns are that a projection only passes on.
fn inherit(query: &mut Query, input: &Query, expressions: &[Expression]) {
    let has_star =
        expressions.iter().any(|one| matches!(one.expr_type, Some(ExprType::UnresolvedStar(_))));
    for (at, output) in query.outputs.iter_mut().enumerate() {
        let expression = expressions.get(at).filter(|_| !has_star);
        let attribute = expression.and_then(|one| match &one.expr_type {
            Some(ExprType::UnresolvedAttribute(attribute)) => Some(attribute),
            _ => None,
        });
        let same = input.outputs.iter().filter(|one| {
            one.name == output.name
                && attribute.is_none_or(|attribute| {
                    attribute.plan_id.is_none_or(|plan_id| one.origins.contains(&plan_id))
                })
        });
        if has_star || attribute.is_some() {
            let same: Vec<_> = same.collect();
            if let [same] = same.as_slice() {
                output.origins.clone_from(&same.origins);
            }
        }
    }
}

pub(super) async fn alias(session: &Arc<ConnectSession>, alias: &SubqueryAlias) -> Result<Query> {
    let input = input(session, &alias.input).await?;
    Ok(input.with(input.frame.alias(&alias.alias)))
}

pub(super) async fn to_df(session: &Arc<ConnectSession>, to_df: &ToDf) -> Result<Query> {
    let input = input(session, &to_df.input).await?;
    Query::new(input.frame.to_df(to_df.column_names.iter().cloned())).await
}

/// Columns by name, in the order and with the types of a schema.
pub(super) async fn to_schema(session: &Arc<ConnectSession>, to: &ToSchema) -> Result<Query> {
    let input = input(session, &to.input).await?;
    let schema = types::to_schema(&session.engine, required(to.schema.as_ref(), "schema")?)?;
    let items = schema.fields().iter().map(|field| {
        let name = field.name();
        col(&quoted(name)).cast(&vonk::display::field_type_name(field)).alias(name)
    });
    Query::new(input.frame.select(items.collect::<Vec<_>>())).await
}

pub(super) async fn drop(session: &Arc<ConnectSession>, drop: &Drop) -> Result<Query> {
    let input = input(session, &drop.input).await?;
    let scope = input.scope(session);
    let minds_case = session.engine.config().is_on(vonk::config::CASE_SENSITIVE);
    for name in drop.columns.iter().filter_map(name_of) {
        let is_it = |one: &&str| match minds_case {
            true => *one == name,
            false => one.eq_ignore_ascii_case(name),
        };
        if scope.names().filter(is_it).count() > 1 {
            return Err(Error::new(
                Condition::AMBIGUOUS_REFERENCE,
                format!("column `{name}` is there more than once"),
            )
            .hint("name the relation too, or give the name as a text to drop all of them"));
        }
    }
    let mut dropped = expression::columns(&scope, &drop.columns)?;
    dropped.extend(drop.column_names.iter().map(|name| col(&quoted(name))));
    let frame = scope.only(&input.frame).drop(dropped);
    input.keeping(frame).await
}

/// The name that a column has without its relation, where it is one.
fn name_of(column: &Expression) -> Option<&str> {
    match &column.expr_type {
        Some(ExprType::UnresolvedAttribute(attribute)) if attribute.plan_id.is_none() => {
            Some(attribute.unparsed_identifier.trim_matches('`'))
        }
        _ => None,
    }
}

pub(super) async fn with_columns(
    session: &Arc<ConnectSession>,
    with: &WithColumns,
) -> Result<Query> {
    let input = input(session, &with.input).await?;
    let scope = input.scope(session);
    let mut values = Vec::new();
    for alias in &with.aliases {
        let name = required(alias.name.first(), "name of a column")?;
        let value = required(alias.expr.as_deref(), "value of a column")?;
        values.push((name.clone(), expression::column(&scope, value)?));
    }
    let frame = scope.only(&input.frame).with_columns(values.clone());
    let frame = with_metadata(frame, &with.aliases);
    let mut query = input.keeping(frame).await?;
    let is_new = |name: &str| values.iter().any(|(new, _)| new.eq_ignore_ascii_case(name));
    query.outputs.iter_mut().filter(|one| is_new(&one.name)).for_each(|one| one.origins.clear());
    Ok(query)
}

pub(super) async fn renamed(
    session: &Arc<ConnectSession>,
    renamed: &WithColumnsRenamed,
) -> Result<Query> {
    let input = input(session, &renamed.input).await?;
    let renames = renamed.renames.iter();
    let mut renames: Vec<(String, String)> =
        renames.map(|one| (one.col_name.clone(), one.new_col_name.clone())).collect();
    // Clients before 4.0 give the names here.
    renames.extend(renamed.rename_columns_map.iter().map(|(old, new)| (old.clone(), new.clone())));
    input.keeping(input.frame.with_columns_renamed(renames)).await
}
