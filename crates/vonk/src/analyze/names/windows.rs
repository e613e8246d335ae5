//! Windows as Spark words them: every order with its direction, every frame written out.

use sqlparser::ast::{self, WindowFrameBound, WindowFrameUnits};

use super::Namer;

/// Functions that look at all rows before the current one, whatever the frame.
const RANKS: &[&str] = &["row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile"];

/// `(PARTITION BY a ORDER BY b ASC NULLS FIRST ROWS BETWEEN … AND …)`.
pub(super) fn window_name(
    namer: &Namer<'_>,
    function: &str,
    arguments: &[String],
    spec: &ast::WindowSpec,
) -> String {
    let mut parts = Vec::new();
    if !spec.partition_by.is_empty() {
        parts.push(format!("PARTITION BY {}", namer.names(&spec.partition_by)));
    }
    if !spec.order_by.is_empty() {
        let orders = spec.order_by.iter().map(|order| order_name(namer, order));
        parts.push(format!("ORDER BY {}", orders.collect::<Vec<_>>().join(", ")));
    }
    parts.push(frame_name(namer, function, arguments, spec));
    format!("({})", parts.join(" "))
}

/// `b ASC NULLS FIRST`.
pub(super) fn order_name(namer: &Namer<'_>, order: &ast::OrderByExpr) -> String {
    let ascending = order.options.asc.unwrap_or(true);
    let nulls_first = order.options.nulls_first.unwrap_or(ascending);
    let direction = if ascending { "ASC" } else { "DESC" };
    let nulls = if nulls_first { "FIRST" } else { "LAST" };
    format!("{} {direction} NULLS {nulls}", namer.name(&order.expr))
}

fn frame_name(
    namer: &Namer<'_>,
    function: &str,
    arguments: &[String],
    spec: &ast::WindowSpec,
) -> String {
    if matches!(function, "lead" | "lag") {
        let offset = arguments.get(1).map_or("1", String::as_str);
        let bound = match (function, offset.strip_prefix('-')) {
            ("lead", _) => offset.to_owned(),
            (_, Some(positive)) => positive.to_owned(),
            (_, None) => format!("-{offset}"),
        };
        return format!("ROWS BETWEEN {bound} FOLLOWING AND {bound} FOLLOWING");
    }
    if function == "cume_dist" {
        return "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW".to_owned();
    }
    if RANKS.contains(&function) {
        return "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW".to_owned();
    }
    let Some(frame) = &spec.window_frame else {
        return match spec.order_by.is_empty() {
            true => "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING".to_owned(),
            false => "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW".to_owned(),
        };
    };
    let units = match frame.units {
        WindowFrameUnits::Rows => "ROWS",
        _ => "RANGE",
    };
    let start = bound_name(namer, &frame.start_bound);
    let end =
        frame.end_bound.as_ref().map_or("CURRENT ROW".to_owned(), |end| bound_name(namer, end));
    format!("{units} BETWEEN {start} AND {end}")
}

fn bound_name(namer: &Namer<'_>, bound: &WindowFrameBound) -> String {
    let limit = |limit: &Option<Box<ast::Expr>>| {
        limit.as_ref().map_or("UNBOUNDED".to_owned(), |limit| namer.name(limit))
    };
    match bound {
        WindowFrameBound::CurrentRow => "CURRENT ROW".to_owned(),
        WindowFrameBound::Preceding(size) => format!("{} PRECEDING", limit(size)),
        WindowFrameBound::Following(size) => format!("{} FOLLOWING", limit(size)),
    }
}
