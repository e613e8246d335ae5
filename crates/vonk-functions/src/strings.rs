//! Functions of text.

use datafusion::logical_expr::ScalarUDF;

mod split;

/// Every function of text that is ours.
pub(crate) const FUNCTIONS: &[fn() -> ScalarUDF] = &[split::udf];
