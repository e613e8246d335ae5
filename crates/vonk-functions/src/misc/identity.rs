//! Who and where: versions, users, files, partitions and the numbers of rows.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Int32Array, Int64Array, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::function::{Kernel, Partition};
use crate::parameters::{Kind, Parameters};
use crate::rows;

const NOTHING: Parameters = Parameters::exact(&[]);

/// The version of Spark whose meaning the functions have.
const SPARK_VERSION: &str = "4.3.0";

/// A function without arguments that gives one text.
macro_rules! text {
    ($(#[$doc:meta])* $function:ident = $name:literal, $text:expr) => {
        $(#[$doc])*
        pub(super) fn $function() -> ScalarUDF {
            Kernel::new($name, NOTHING, rows::text, |call| {
                Ok(Arc::new(StringArray::from_iter_values(std::iter::repeat_n($text, call.rows))))
            })
            .udf()
        }
    };
}

/// A function without arguments that gives one number.
macro_rules! number {
    ($(#[$doc:meta])* $function:ident = $name:literal, $returns:path, $array:ident, $number:expr) => {
        $(#[$doc])*
        pub(super) fn $function() -> ScalarUDF {
            Kernel::new($name, NOTHING, $returns, |call| {
                Ok(Arc::new($array::from_value($number, call.rows)))
            })
            .udf()
        }
    };
}

text! {
    /// Spark's `version`.
    version = "version", format!("{SPARK_VERSION} vonk-{}", env!("CARGO_PKG_VERSION"))
}

text! {
    /// Spark's `current_user`: sessions have no users of their own yet.
    current_user = "current_user", "vonk"
}

text! {
    /// Spark's `current_catalog`.
    current_catalog = "current_catalog", "spark_catalog"
}

/// Spark's `current_database`.
pub(super) fn current_database() -> ScalarUDF {
    Kernel::new("current_database", NOTHING, rows::text, |call| {
        let names = std::iter::repeat_n(call.database(), call.rows);
        Ok(Arc::new(StringArray::from_iter_values(names)))
    })
    .stable()
    .udf()
}

/// Spark's `current_path`: where functions are looked up.
pub(super) fn current_path() -> ScalarUDF {
    Kernel::new("current_path", NOTHING, rows::text, |call| {
        let path = format!("system.builtin,system.session,spark_catalog.{}", call.database());
        Ok(Arc::new(StringArray::from_iter_values(std::iter::repeat_n(path, call.rows))))
    })
    .stable()
    .udf()
}

/// Spark's `collation`: texts compare by their bytes.
pub(super) fn collation() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::OnlyText]);
    Kernel::new("collation", parameters, rows::text, |call| {
        let names = std::iter::repeat_n("SYSTEM.BUILTIN.UTF8_BINARY", call.rows);
        Ok(Arc::new(StringArray::from_iter_values(names)))
    })
    .udf()
}

text! {
    /// Spark's `input_file_name`, empty where rows are not of files.
    input_file_name = "input_file_name", ""
}

number! {
    /// Spark's `input_file_block_start`, -1 where rows are not of files.
    input_file_block_start = "input_file_block_start", rows::long, Int64Array, -1
}

number! {
    /// Spark's `input_file_block_length`, -1 where rows are not of files.
    input_file_block_length = "input_file_block_length", rows::long, Int64Array, -1
}

/// Spark's `spark_partition_id`.
pub(super) fn partition_id() -> ScalarUDF {
    Kernel::new("spark_partition_id", NOTHING, rows::int, |call| {
        let number = i32::try_from(call.partition()).unwrap_or(i32::MAX);
        Ok(Arc::new(Int32Array::from_value(number, call.rows)))
    })
    .volatile()
    .udf()
}

/// Spark's `monotonically_increasing_id`.
pub(super) fn increasing_id() -> ScalarUDF {
    let signature = Signature::nullary(Volatility::Volatile);
    ScalarUDF::new_from_impl(IncreasingId { signature, next: None })
}

/// The bits of an id that number the rows of a partition; those before them number the partition.
const ROW_BITS: u32 = 33;

/// Numbers the rows of each partition; each call of a query has counters of its own.
#[derive(Debug, Clone)]
struct IncreasingId {
    signature: Signature,
    next: Option<Arc<Mutex<HashMap<usize, i64>>>>,
}

impl IncreasingId {
    fn identity(&self) -> usize {
        self.next.as_ref().map_or(0, |next| Arc::as_ptr(next) as usize)
    }
}

impl PartialEq for IncreasingId {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for IncreasingId {}

impl Hash for IncreasingId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

impl ScalarUDFImpl for IncreasingId {
    fn name(&self) -> &str {
        "monotonically_increasing_id"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn simplify(&self, args: Vec<Expr>, _: &SimplifyContext) -> Result<ExprSimplifyResult> {
        if self.next.is_some() {
            return Ok(ExprSimplifyResult::Original(args));
        }
        let call = ScalarUDF::new_from_impl(Self { next: Some(Arc::default()), ..self.clone() });
        let call = ScalarFunction::new_udf(Arc::new(call), args);
        Ok(ExprSimplifyResult::Simplified(Expr::ScalarFunction(call)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows as i64;
        let partition = Partition::number_of(&args.config_options);
        let start = match &self.next {
            Some(next) => {
                let mut next = next.lock().unwrap_or_else(PoisonError::into_inner);
                let next = next.entry(partition).or_insert((partition as i64) << ROW_BITS);
                std::mem::replace(next, *next + rows)
            }
            None => 0,
        };
        let ids = Int64Array::from_iter_values(start..start + rows);
        Ok(ColumnarValue::Array(Arc::new(ids)))
    }
}
