//! What a star leaves out, replaces and renames: `* EXCEPT (a, b.c)`, `* REPLACE (x AS a)`.

use datafusion::arrow::datatypes::DataType;
use sqlparser::ast::{
    ExcludeSelectItem, Expr, Ident, RenameSelectItem, Value, WildcardAdditionalOptions,
};
use vonk_functions::NamePattern;

use super::super::COLUMN_AT;
use super::super::syntax::call;
use super::exprs::Names;
use super::scope::Env;
use super::select::idents_of;
use super::{Resolver, errors};
use crate::config;
use crate::error::{Condition, Error, Result};

/// Applies the options of a star to the columns that it stands for.
pub(super) fn apply(
    resolver: &mut Resolver<'_>,
    mut columns: Vec<(String, Expr)>,
    options: &WildcardAdditionalOptions,
    env: &Env<'_>,
) -> Result<Vec<(String, Expr)>> {
    let paths = excluded(options);
    if !paths.is_empty() {
        columns = without(resolver, columns, &paths, env)?;
    }
    for item in options.opt_replace.iter().flat_map(|replace| &replace.items) {
        let mut value = item.expr.clone();
        resolver.expr(&mut value, env, Names::default())?;
        let same = resolver.same;
        let replaced: Vec<&mut (String, Expr)> =
            columns.iter_mut().filter(|(name, _)| same.is(name, &item.column_name.value)).collect();
        if replaced.is_empty() {
            return Err(errors::unresolved(std::slice::from_ref(&item.column_name), env));
        }
        for (_, expr) in replaced {
            *expr = value.clone();
        }
    }
    let renames = match &options.opt_rename {
        Some(RenameSelectItem::Single(rename)) => std::slice::from_ref(rename),
        Some(RenameSelectItem::Multiple(renames)) => renames.as_slice(),
        None => &[],
    };
    for rename in renames {
        for (name, _) in &mut columns {
            if resolver.same.is(name, &rename.ident.value) {
                name.clone_from(&rename.alias.value);
            }
        }
    }
    Ok(columns)
}

/// The column that `column_at(number)` stands for, with its name.
///
/// # Errors
/// `GROUP_BY_POS_OUT_OF_RANGE` if FROM has fewer columns.
pub(super) fn numbered(
    resolver: &mut Resolver<'_>,
    expr: &Expr,
    env: &Env<'_>,
) -> Result<Option<(String, Expr)>> {
    let Expr::Function(function) = expr else { return Ok(None) };
    if function.name.to_string() != COLUMN_AT {
        return Ok(None);
    }
    let number = super::select::arguments_of(&function.args).into_iter().next();
    let index = number.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut columns = resolver.star(None, &WildcardAdditionalOptions::default(), env)?;
    match index.parse::<usize>() {
        Ok(at) if (1..=columns.len()).contains(&at) => Ok(Some(columns.swap_remove(at - 1))),
        _ => {
            let size = columns.len();
            let message = format!("position {index} is none of the {size} columns");
            let error = Error::new(Condition::GROUP_BY_POS_OUT_OF_RANGE, message)
                .parameter("index", index)
                .parameter("size", size.to_string());
            Err(match number {
                Some(number) => errors::at_expr(error, &number),
                None => error,
            })
        }
    }
}

/// The columns that a name in backquotes stands for as a regular expression, where an option says
/// so and no column has the name itself.
pub(super) fn matching(
    resolver: &mut Resolver<'_>,
    expr: &Expr,
    env: &Env<'_>,
) -> Result<Option<Vec<(String, Expr)>>> {
    if !resolver.config.is_on(config::NAME_PATTERNS) {
        return Ok(None);
    }
    let path = match expr {
        Expr::Identifier(ident) => std::slice::from_ref(ident),
        Expr::CompoundIdentifier(path) => path.as_slice(),
        _ => return Ok(None),
    };
    let Some((pattern, table)) = path.split_last() else { return Ok(None) };
    if pattern.quote_style != Some('`') || !env.from.find(path, resolver.same).0.is_empty() {
        return Ok(None);
    }
    let table = (!table.is_empty()).then_some(table);
    let ignores_case = !resolver.config.is_on(config::CASE_SENSITIVE);
    let pattern = NamePattern::new(&pattern.value, ignores_case)?;
    let mut columns = Vec::new();
    for (name, column) in resolver.star(table, &WildcardAdditionalOptions::default(), env)? {
        if pattern.fits(&name)? {
            columns.push((name, column));
        }
    }
    Ok(Some(columns))
}

/// The names that a star leaves out, as they are written.
pub(super) fn excluded(options: &WildcardAdditionalOptions) -> Vec<Vec<Ident>> {
    let mut paths: Vec<Vec<Ident>> = Vec::new();
    match &options.opt_exclude {
        Some(ExcludeSelectItem::Single(name)) => paths.push(idents_of(name)),
        Some(ExcludeSelectItem::Multiple(names)) => paths.extend(names.iter().map(idents_of)),
        None => {}
    }
    if let Some(except) = &options.opt_except {
        paths.push(vec![except.first_element.clone()]);
        paths.extend(except.additional_elements.iter().map(|ident| vec![ident.clone()]));
    }
    paths
}

/// Leaves columns out, and fields of structs.
fn without(
    resolver: &mut Resolver<'_>,
    columns: Vec<(String, Expr)>,
    paths: &[Vec<Ident>],
    env: &Env<'_>,
) -> Result<Vec<(String, Expr)>> {
    let mut excluded: Vec<(Expr, Vec<Ident>)> = Vec::new();
    for path in paths {
        let (found, used) = env.from.find(path, resolver.same);
        match found.as_slice() {
            [column] => excluded.push((column.reference.clone(), path[used..].to_vec())),
            [] => {
                // The star may stand for the fields of a struct.
                let is_it = |(name, _): &&(String, Expr)| {
                    path.first().is_some_and(|first| resolver.same.is(name, &first.value))
                };
                match columns.iter().find(is_it) {
                    Some((_, field)) => excluded.push((field.clone(), path[1..].to_vec())),
                    None => return Err(errors::unresolved(path, env)),
                }
            }
            found => return Err(errors::ambiguous(path, found)),
        }
    }
    check_overlap(resolver, &excluded)?;
    let mut kept = Vec::with_capacity(columns.len());
    for (name, expr) in columns {
        let paths: Vec<&[Ident]> = excluded
            .iter()
            .filter(|(reference, _)| *reference == expr)
            .map(|(_, fields)| fields.as_slice())
            .collect();
        if paths.is_empty() {
            kept.push((name, expr));
        } else if !paths.iter().any(|fields| fields.is_empty()) {
            let data_type = resolver.type_of(&expr, env);
            kept.push((name, rebuilt(resolver, expr, &data_type, &paths)?));
        }
    }
    Ok(kept)
}

fn check_overlap(resolver: &Resolver<'_>, excluded: &[(Expr, Vec<Ident>)]) -> Result<()> {
    for (at, (reference, fields)) in excluded.iter().enumerate() {
        let overlaps = excluded[..at].iter().any(|(other, theirs)| {
            other == reference
                && fields.iter().zip(theirs).all(|(a, b)| resolver.same.is(&a.value, &b.value))
        });
        if overlaps {
            let name = fields.last().map_or_else(|| reference.to_string(), ToString::to_string);
            let message = format!("`{name}` is left out twice");
            return Err(Error::new(Condition::EXCEPT_OVERLAPPING_COLUMNS, message));
        }
    }
    Ok(())
}

/// A struct without some of its fields.
fn rebuilt(
    resolver: &mut Resolver<'_>,
    value: Expr,
    data_type: &DataType,
    paths: &[&[Ident]],
) -> Result<Expr> {
    let DataType::Struct(fields) = data_type else {
        let field = paths.first().and_then(|path| path.first());
        let field = field.cloned().unwrap_or_else(|| Ident::new(""));
        return Err(Error::new(
            Condition::EXCEPT_NESTED_COLUMN_INVALID_TYPE,
            format!("`{field}` cannot be left out of a value that is no struct"),
        ));
    };
    for path in paths {
        if let Some(first) = path.first() {
            let known = fields.iter().any(|field| resolver.same.is(field.name(), &first.value));
            if !known {
                return Err(unknown_field(first, fields.iter().map(|field| field.name().as_str())));
            }
        }
    }
    let mut arguments = Vec::new();
    for field in fields {
        let path = [Ident::with_quote('`', field.name().as_str())];
        let rests: Vec<&[Ident]> = paths
            .iter()
            .filter(|path| {
                path.first().is_some_and(|first| resolver.same.is(field.name(), &first.value))
            })
            .map(|path| &path[1..])
            .collect();
        if rests.iter().any(|rest| rest.is_empty()) {
            continue;
        }
        let inner = resolver.fields(value.clone(), data_type, &path)?;
        let inner = match rests.is_empty() {
            true => inner,
            false => rebuilt(resolver, inner, field.data_type(), &rests)?,
        };
        arguments.push(Expr::value(Value::SingleQuotedString(field.name().clone())));
        arguments.push(inner);
    }
    Ok(call("named_struct", arguments))
}

fn unknown_field<'a>(field: &Ident, known: impl Iterator<Item = &'a str>) -> Error {
    let known: Vec<&str> = known.collect();
    let error =
        Error::new(Condition::UNRESOLVED_COLUMN, format!("column `{}` not found", field.value))
            .did_you_mean(&field.value, known);
    errors::at(error, std::slice::from_ref(field))
}
