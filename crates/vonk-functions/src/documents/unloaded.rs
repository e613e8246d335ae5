//! Functions of Avro and Protobuf, which Spark refuses as well unless their packages are loaded.

use arrow::array::new_null_array;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::failure::Failure;
use crate::function::Kernel;
use crate::parameters::{Kind, Parameters};

const AVRO: &str = "AVRO_NOT_LOADED_SQL_FUNCTIONS_UNUSABLE";
const PROTOBUF: &str = "PROTOBUF_NOT_LOADED_SQL_FUNCTIONS_UNUSABLE";

/// A function that says what is missing when it is planned.
macro_rules! unloaded {
    ($($(#[$doc:meta])* $function:ident = $name:literal, $condition:ident, $hint:literal;)*) => {$(
        $(#[$doc])*
        pub(super) fn $function() -> ScalarUDF {
            let refused = |_: &[DataType]| -> Result<DataType> {
                let message = concat!("`", $name, "` is not available");
                Err(Failure::new($condition, message).hint($hint).into())
            };
            let parameters = Parameters::with_any_number(&[Kind::Any], Kind::Any);
            Kernel::new($name, parameters, refused, |call| {
                Ok(new_null_array(call.returns, call.rows))
            })
            .udf()
        }
    )*};
}

unloaded! {
    /// Spark's `from_avro`.
    from_avro = "from_avro", AVRO, "read files of Avro: `SELECT * FROM 'events.avro'`";
    /// Spark's `to_avro`.
    to_avro = "to_avro", AVRO, "use `to_json`";
    /// Spark's `schema_of_avro`.
    schema_of_avro = "schema_of_avro", AVRO, "`DESCRIBE 'events.avro'` tells the columns of a file";
    /// Spark's `from_protobuf`.
    from_protobuf = "from_protobuf", PROTOBUF, "write messages as JSON, and use `from_json`";
    /// Spark's `to_protobuf`.
    to_protobuf = "to_protobuf", PROTOBUF, "use `to_json`";
}
