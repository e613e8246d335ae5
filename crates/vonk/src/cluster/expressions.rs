//! Expressions of ours on their way to other processes; all others know how to travel themselves.

use std::sync::Arc;

use datafusion::common::{Result as DfResult, internal_err};
use datafusion::physical_expr::PhysicalExpr;
use serde::{Deserialize, Serialize};

use crate::operators::conjunction::Conjunction;
use crate::operators::guarded::Guarded;

/// An expression of ours without its parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Written {
    /// AND or OR whose second part is only asked where the first leaves it open.
    Guarded {
        /// AND rather than OR.
        is_and: bool,
    },
    /// Conditions that are each asked of the rows that are left.
    Conjunction {
        /// Which of them may fail for rows that those before it exclude.
        can_fail: Vec<bool>,
    },
}

/// What stands for an expression, if it is one of ours.
pub fn write_expression(expr: &Arc<dyn PhysicalExpr>) -> Option<Written> {
    if let Some(guarded) = expr.downcast_ref::<Guarded>() {
        return Some(Written::Guarded { is_and: guarded.is_and() });
    }
    let conjunction = expr.downcast_ref::<Conjunction>()?;
    Some(Written::Conjunction { can_fail: conjunction.can_fail() })
}

/// The expression over its parts.
///
/// # Errors
/// If the number of parts does not fit.
pub fn rebuild_expression(
    written: &Written,
    parts: Vec<Arc<dyn PhysicalExpr>>,
) -> DfResult<Arc<dyn PhysicalExpr>> {
    match written {
        Written::Guarded { is_and } => match <[_; 2]>::try_from(parts) {
            Ok([left, right]) => Ok(Arc::new(Guarded::new(left, right, *is_and))),
            Err(parts) => internal_err!("a condition of {} parts", parts.len()),
        },
        Written::Conjunction { can_fail } => {
            Ok(Arc::new(Conjunction::with_failures(parts, can_fail)?))
        }
    }
}
