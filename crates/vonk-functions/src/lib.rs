//! Spark's SQL functions for vonk: which of the foundation's are used, and our own where it differs.

use datafusion::execution::session_state::SessionStateBuilder;
use datafusion_spark::SessionStateBuilderSpark;

/// Adds Spark's functions to a state under assembly, over DataFusion's functions of the same name.
///
/// ```
/// use datafusion::execution::session_state::SessionStateBuilder;
/// let state = vonk_functions::register(SessionStateBuilder::new().with_default_features()).build();
/// assert!(state.scalar_functions().contains_key("upper"));
/// ```
pub fn register(builder: SessionStateBuilder) -> SessionStateBuilder {
    builder.with_spark_features()
}
