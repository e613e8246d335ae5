//! Types without an order: where rows are sorted, compared or grouped by values of them.

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, IntervalUnit};
use datafusion::common::Result as DfResult;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};
use vonk_functions::{Failure, types};

/// Refuses a node that needs an order of values that have none.
pub(super) fn check(plan: &LogicalPlan) -> DfResult<()> {
    match plan {
        LogicalPlan::Sort(sort) => {
            let schema = sort.input.schema();
            sort.expr.iter().try_for_each(|sort| sorted(&sort.expr.to_field(schema)?.1))
        }
        LogicalPlan::Window(window) => {
            let schema = window.input.schema();
            window.window_expr.iter().try_for_each(|expr| {
                let Expr::WindowFunction(call) = expr.clone().unalias() else { return Ok(()) };
                for sort in &call.params.order_by {
                    sorted(&sort.expr.to_field(schema)?.1)?;
                }
                call.params.partition_by.iter().try_for_each(|expr| {
                    parted(&expr.to_field(schema)?.1, "EXPRESSION_TYPE_IS_NOT_ORDERABLE", true)
                })
            })
        }
        LogicalPlan::Aggregate(aggregate) => {
            let schema = aggregate.input.schema();
            let condition = "GROUP_EXPRESSION_TYPE_IS_NOT_ORDERABLE";
            let keys =
                aggregate.group_expr.iter().filter(|key| !matches!(key, Expr::GroupingSet(_)));
            keys.into_iter().try_for_each(|key| parted(&key.to_field(schema)?.1, condition, false))
        }
        LogicalPlan::Distinct(_) => {
            plan.schema().fields().iter().try_for_each(|field| made_distinct(field))
        }
        _ => Ok(()),
    }
}

/// Functions that compare the values of an argument, by its place, or the items of an array there.
const COMPARERS: &[(&str, usize)] = &[
    ("array_contains", 0),
    ("array_distinct", 0),
    ("array_except", 0),
    ("array_intersect", 0),
    ("array_max", 0),
    ("array_min", 0),
    ("array_position", 0),
    ("array_remove", 0),
    ("array_sort", 0),
    ("array_union", 0),
    ("arrays_overlap", 0),
    ("collect_set", 0),
    ("greatest", 0),
    ("least", 0),
    ("max", 0),
    ("max_by", 1),
    ("min", 0),
    ("min_by", 1),
    ("nullif", 0),
    ("sort_array", 0),
];

/// Refuses a call that compares values without an order.
pub(super) fn check_call(name: &str, arguments: &[FieldRef]) -> DfResult<()> {
    let comparer = COMPARERS.iter().find(|(comparer, _)| *comparer == name);
    match comparer.and_then(|(_, place)| arguments.get(*place)) {
        Some(field) => compared(name, field),
        None => Ok(()),
    }
}

/// Refuses to compare values that have no order.
pub(super) fn compared(by: &str, field: &Field) -> DfResult<()> {
    if !is_unordered(field) {
        return Ok(());
    }
    let message = format!("`{by}` does not compare values of {}", types::sql_name(field));
    Err(Failure::new("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", message)
        .hint("compare parts of them, such as `map_entries`")
        .into())
}

fn sorted(field: &Field) -> DfResult<()> {
    if is_unordered(field) {
        let message = format!("rows are not sorted by values of {}", types::sql_name(field));
        return Err(Failure::new("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", message)
            .hint("sort by a part of them")
            .into());
    }
    Ok(())
}

/// Groups may be made by maps, which Spark puts in order for it; partitions of windows may not.
fn parted(field: &Field, condition: &'static str, with_maps: bool) -> DfResult<()> {
    if holds(field, &types::is_variant) || (with_maps && holds(field, &is_map)) {
        let message = format!("rows are not grouped by values of {}", types::sql_name(field));
        return Err(Failure::new(condition, message).hint("group by a part of them").into());
    }
    Ok(())
}

fn made_distinct(field: &Field) -> DfResult<()> {
    let condition = match (holds(field, &is_map), holds(field, &types::is_variant)) {
        (true, _) => "UNSUPPORTED_FEATURE.SET_OPERATION_ON_MAP_TYPE",
        (_, true) => "UNSUPPORTED_FEATURE.SET_OPERATION_ON_VARIANT_TYPE",
        _ => return Ok(()),
    };
    let message =
        format!("values of {} are not compared to find equal rows", types::sql_name(field));
    Err(Failure::new(condition, message).hint("leave the column out, or use `map_entries`").into())
}

fn is_unordered(field: &Field) -> bool {
    let is_it = |field: &Field| {
        let is_calendar = matches!(
            field.data_type(),
            DataType::Interval(IntervalUnit::MonthDayNano | IntervalUnit::DayTime)
        );
        is_map(field) || is_calendar || types::is_variant(field)
    };
    holds(field, &is_it)
}

fn is_map(field: &Field) -> bool {
    matches!(field.data_type(), DataType::Map(..))
}

/// Whether a field or a part of it is such.
fn holds(field: &Field, is_it: &dyn Fn(&Field) -> bool) -> bool {
    is_it(field)
        || match field.data_type() {
            DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                holds(item, is_it)
            }
            DataType::Struct(parts) => parts.iter().any(|part| holds(part, is_it)),
            DataType::Map(entries, _) => holds(entries, is_it),
            _ => false,
        }
}
