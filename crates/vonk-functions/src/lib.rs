//! Spark's SQL functions for vonk: which of the foundation's are used, and our own where it differs.

use std::sync::Arc;

use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::ScalarUDF;
use datafusion_spark::SessionStateBuilderSpark;

mod aggregates;
pub mod arithmetic;
mod failure;
pub mod generators;
pub mod item;
mod java_regex;
mod strings;

use arithmetic::Mode;
pub use failure::Failure;

/// Adds Spark's functions to a state under assembly, over DataFusion's functions of the same name.
///
/// `mode` is what `sum` does when its total does not fit.
///
/// ```
/// use datafusion::execution::session_state::SessionStateBuilder;
/// use vonk_functions::arithmetic::Mode;
/// let builder = SessionStateBuilder::new().with_default_features();
/// let state = vonk_functions::register(builder, Mode::Ansi).build();
/// assert!(state.scalar_functions().contains_key("split"));
/// ```
pub fn register(builder: SessionStateBuilder, mode: Mode) -> SessionStateBuilder {
    let mut builder = builder.with_spark_features();
    builder.scalar_functions().get_or_insert_default().extend(own());
    let aggregates = aggregates::functions(mode).into_iter().map(Arc::new);
    builder.aggregate_functions().get_or_insert_default().extend(aggregates);
    builder
}

/// The scalar functions that are ours; each category has a table of its own.
fn own() -> impl Iterator<Item = Arc<ScalarUDF>> {
    let strings = strings::FUNCTIONS.iter().map(|make| make());
    arithmetic::functions().into_iter().chain(strings).map(Arc::new)
}
