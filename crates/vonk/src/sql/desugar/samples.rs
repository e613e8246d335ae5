//! TABLESAMPLE as a LIMIT or a condition on chance; SORT BY and CLUSTER BY as ORDER BY.
//!
//! A query runs in one place here, so that DISTRIBUTE BY has nothing to do, and each of the parts that
//! SORT BY sorts is the whole.

use sqlparser::ast::{self, Expr, SetExpr, TableFactor};

use super::{derived, select_all};
use crate::error::Result;
use crate::sql::parse;

/// Puts the order of its parts in the place of a query's own, if that has none.
pub(super) fn order_parts(query: &mut ast::Query) {
    let SetExpr::Select(select) = query.body.as_mut() else { return };
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
    match (&sample.quantity, &sample.bucket) {
        (Some(quantity), _) if quantity.unit == Some(ast::TableSampleUnit::Rows) => {
            let limit = Some(quantity.value.clone());
            query.limit_clause =
                Some(ast::LimitClause::LimitOffset { limit, offset: None, limit_by: Vec::new() });
        }
        (Some(quantity), _) => {
            select.selection = Some(chance(&format!("{} / 100.0", quantity.value))?);
        }
        (None, Some(bucket)) => {
            let share = format!("{} / {}", bucket.bucket.value, bucket.total.value);
            select.selection = Some(chance(&share)?);
        }
        (None, None) => {}
    }
    *query.body = SetExpr::Select(select);
    *factor = derived(query, alias);
    Ok(())
}

fn chance(share: &str) -> Result<Expr> {
    parse::expression(parse::tokens(&format!("rand() < {share}"))?)
}
