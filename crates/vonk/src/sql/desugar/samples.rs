//! TABLESAMPLE as a LIMIT or a condition on chance; SORT BY and CLUSTER BY as ORDER BY.
//!
//! A query runs in one place here, so that DISTRIBUTE BY has nothing to do, and each of the parts that
//! SORT BY sorts is the whole.

use sqlparser::ast::{self, Expr, SetExpr, Spanned, TableFactor};

use super::{derived, select_all};
use crate::error::{Condition, Error, Result};
use crate::sql::parse;

/// Puts the order of its parts in the place of a query's own, if that has none.
///
/// # Errors
/// `UNSUPPORTED_FEATURE.COMBINATION_QUERY_RESULT_CLAUSES` for two orders.
pub(super) fn order_parts(query: &mut ast::Query) -> Result<()> {
    let SetExpr::Select(select) = query.body.as_mut() else { return Ok(()) };
    let (parts, sorted) = (!select.distribute_by.is_empty(), !select.sort_by.is_empty());
    let clustered = !select.cluster_by.is_empty();
    let ordered = query.order_by.is_some();
    if (clustered && (parts || sorted)) || (ordered && (parts || sorted || clustered)) {
        let message = "a query has one of ORDER BY, CLUSTER BY, and SORT BY with DISTRIBUTE BY";
        return Err(Error::new(Condition::COMBINED_RESULT_CLAUSES, message).hint("keep one"));
    }
    select.distribute_by.clear();
    let clustered = std::mem::take(&mut select.cluster_by).into_iter();
    let clustered = clustered.map(|expr| ast::OrderByExpr {
        expr,
        options: ast::OrderByOptions { asc: None, nulls_first: None },
        with_fill: None,
    });
    let mut exprs: Vec<ast::OrderByExpr> = clustered.collect();
    exprs.append(&mut select.sort_by);
    if query.order_by.is_none() && !exprs.is_empty() {
        let kind = ast::OrderByKind::Expressions(exprs);
        query.order_by = Some(ast::OrderBy { kind, interpolate: None });
    }
    Ok(())
}

/// Makes a query of a relation that is sampled.
pub(super) fn spell_out(factor: &mut TableFactor) -> Result<()> {
    let (sample, alias) = match factor {
        TableFactor::Table { sample, alias, name, .. } => {
            let called =
                alias.clone().or_else(|| Some(super::alias_of(name.0.last()?.as_ident()?.clone())));
            (sample.take(), called)
        }
        TableFactor::Derived { sample, alias, .. } => (sample.take(), alias.clone()),
        _ => return Ok(()),
    };
    let Some(sample) = sample else { return Ok(()) };
    let sample = match sample {
        ast::TableSampleKind::BeforeTableAlias(sample)
        | ast::TableSampleKind::AfterTableAlias(sample) => sample,
    };
    let (mut query, mut select) = select_all(factor.clone())?;
    let seed = sample.seed.as_ref().map_or(String::new(), |seed| seed.value.to_string());
    match (&sample.quantity, &sample.bucket) {
        (Some(quantity), _) if quantity.unit == Some(ast::TableSampleUnit::Rows) => {
            let limit = Some(quantity.value.clone());
            query.limit_clause =
                Some(ast::LimitClause::LimitOffset { limit, offset: None, limit_by: Vec::new() });
        }
        (Some(quantity), _) if quantity.unit == Some(ast::TableSampleUnit::Percent) => {
            select.selection = Some(chance(&quantity.value.to_string(), "100", &seed)?);
        }
        (Some(quantity), _) => return Err(without_unit(&quantity.value)),
        (None, Some(bucket)) if bucket.on.is_some() => {
            let message = "TABLESAMPLE by the buckets of a column is not supported";
            return Err(Error::new(Condition::TABLESAMPLE_UNSUPPORTED, message)
                .hint("leave ON out for a share of the rows"));
        }
        (None, Some(bucket)) => {
            let (part, whole) = (bucket.bucket.to_string(), bucket.total.to_string());
            select.selection = Some(chance(&part, &whole, &seed)?);
        }
        (None, None) => {}
    }
    *query.body = SetExpr::Select(select);
    *factor = derived(query, alias);
    Ok(())
}

/// A sample of neither rows nor a share: of bytes, which files are not cut by.
fn without_unit(value: &Expr) -> Error {
    let is_number =
        matches!(value, Expr::Value(value) if matches!(value.value, ast::Value::Number(..)));
    let error = if is_number {
        let message = format!("`{value}` does not say what it counts in TABLESAMPLE");
        Error::new(Condition::TABLESAMPLE_WITHOUT_UNIT, message)
    } else {
        Error::new(Condition::TABLESAMPLE_UNSUPPORTED, "TABLESAMPLE by bytes is not supported")
    };
    error.hint("write PERCENT or ROWS behind a number").at_span(value.span())
}

/// A condition that `part` of `whole` rows meet, the same ones for the same seed.
fn chance(part: &str, whole: &str, seed: &str) -> Result<Expr> {
    let number = |text: &str| text.parse::<f64>().ok();
    if let (Some(part), Some(whole)) = (number(part), number(whole)) {
        let share = part / whole;
        // As Spark, which gives way to rounding.
        if !(-1e-6..=1.0 + 1e-6).contains(&share) {
            let message = format!("a sample of {share} of the rows is none of 0 to all");
            return Err(Error::new(Condition::INVALID_TABLESAMPLE_FRACTION, message)
                .parameter("fraction", format!("{share:?}")));
        }
    }
    parse::expression(parse::tokens(&format!("rand({seed}) < {part} / {whole}.0"))?)
}
