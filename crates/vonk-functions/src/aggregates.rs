//! Functions of groups.

use datafusion::logical_expr::AggregateUDF;

use crate::arithmetic::Mode;

mod sum;

/// Every function of groups that is ours.
pub(crate) fn functions(mode: Mode) -> Vec<AggregateUDF> {
    vec![sum::udf("sum", mode), sum::udf("try_sum", Mode::Try)]
}
