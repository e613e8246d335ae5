//! `typeof(value)`: the name of a type, as DDL writes it.

use std::sync::Arc;

use arrow::array::StringArray;
use datafusion::logical_expr::ScalarUDF;

use crate::function::Kernel;
use crate::parameters::{Kind, Parameters};
use crate::rows;
use crate::types;

/// Spark's `typeof`.
pub(super) fn udf() -> ScalarUDF {
    Kernel::new("typeof", Parameters::exact(&[Kind::Any]), rows::text, |call| {
        let name = types::field_name(call.field(0));
        Ok(Arc::new(StringArray::from_iter_values(std::iter::repeat_n(name, call.rows))))
    })
    .udf()
}
