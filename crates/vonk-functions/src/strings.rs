//! Functions of text.

use datafusion::logical_expr::ScalarUDF;

mod rlike;
mod split;

/// Every function of text that is ours.
pub(crate) const FUNCTIONS: &[fn() -> ScalarUDF] = &[rlike::udf, split::udf];
