//! Spark's SQL functions for vonk: which of the foundation's are used, and our own where it differs.

use std::sync::Arc;

use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::ScalarUDF;
use datafusion_spark::SessionStateBuilderSpark;

pub mod generators;
mod java_regex;
mod strings;

/// Adds Spark's functions to a state under assembly, over DataFusion's functions of the same name.
///
/// ```
/// use datafusion::execution::session_state::SessionStateBuilder;
/// let state = vonk_functions::register(SessionStateBuilder::new().with_default_features()).build();
/// assert!(state.scalar_functions().contains_key("split"));
/// ```
pub fn register(builder: SessionStateBuilder) -> SessionStateBuilder {
    let mut builder = builder.with_spark_features();
    builder.scalar_functions().get_or_insert_default().extend(own());
    builder
}

/// The functions that are ours; each category has a table of its own.
fn own() -> impl Iterator<Item = Arc<ScalarUDF>> {
    strings::FUNCTIONS.iter().map(|make| Arc::new(make()))
}
