//! Functions whose result can be far larger than their arguments are refused before they allocate.
//!
//! A result of an expression is not in the memory pool's books: `repeat('x', 1000000000)` takes a
//! gigabyte at once, whatever the limit of memory is. So such a function is wrapped, and asks first.

use std::any::Any;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::compute::concat;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result as DfResult;
use datafusion::config::ConfigOptions;
use datafusion::execution::SessionState;
use datafusion::execution::memory_pool::{MemoryLimit, MemoryPool};
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature,
};

use super::estimate::{Call, Estimate, GROWING, bytes_of};
use crate::config::{self, Config};
use crate::error::{Condition, Error};

/// Arrow's texts have offsets of 31 bits, and fail in less pleasant ways beyond.
const BYTES_MAX: u64 = i32::MAX as u64;

/// One expression over one batch may take this part of the memory limit.
const MEMORY_PART: u64 = 4;

/// The function with a limit, if its result can be far larger than its arguments.
pub(crate) fn bounded(function: Arc<ScalarUDF>, state: &SessionState) -> Arc<ScalarUDF> {
    let set = state.config().get_extension::<Config>();
    // What is set was checked when it was set.
    let set = set.and_then(|config| config.bytes(config::EXPRESSION_BYTES_MAX).ok().flatten());
    let limit = set.unwrap_or_else(|| default_limit(state.runtime_env().memory_pool.as_ref()));
    bounded_at(function, limit)
}

/// The function with this limit.
pub(crate) fn bounded_at(function: Arc<ScalarUDF>, limit: u64) -> Arc<ScalarUDF> {
    let growing = GROWING.iter().find(|(name, _)| *name == function.name());
    let Some((_, estimate)) = growing else { return function };
    Arc::new(ScalarUDF::new_from_impl(Bounded { inner: function, estimate: *estimate, limit }))
}

/// The function within one with a limit, and the limit.
pub(crate) fn unbounded(function: &ScalarUDF) -> Option<(&Arc<ScalarUDF>, u64)> {
    let bounded = (function.inner().as_ref() as &dyn Any).downcast_ref::<Bounded>()?;
    Some((&bounded.inner, bounded.limit))
}

fn default_limit(pool: &dyn MemoryPool) -> u64 {
    match pool.memory_limit() {
        MemoryLimit::Finite(bytes) => (bytes as u64 / MEMORY_PART).min(BYTES_MAX),
        MemoryLimit::Infinite | MemoryLimit::Unknown => BYTES_MAX,
    }
}

/// A function that is asked for the size of its result before it is called.
#[derive(Debug)]
struct Bounded {
    inner: Arc<ScalarUDF>,
    estimate: Estimate,
    limit: u64,
}

impl PartialEq for Bounded {
    fn eq(&self, other: &Self) -> bool {
        self.inner == other.inner && self.limit == other.limit
    }
}

impl Eq for Bounded {}

impl Hash for Bounded {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
        self.limit.hash(state);
    }
}

impl Bounded {
    /// Calls the function on all rows or, where these may be too much together, on parts of them.
    fn call(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let is_constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if is_constant { 1 } else { args.number_rows as u64 };
        let bytes = (self.estimate)(&Call { args: &args.args, rows });
        if bytes <= self.limit {
            return self.inner.invoke_with_args(args);
        }
        if rows <= 1 {
            return Err(self.refusal(bytes).into());
        }
        let mut parts: Vec<ArrayRef> = Vec::new();
        let (mut total, middle) = (0, args.number_rows / 2);
        for (start, rows) in [(0, middle), (middle, args.number_rows - middle)] {
            let part = self.call(slice(&args, start, rows))?.into_array(rows)?;
            total += bytes_of(&part);
            if total > self.limit {
                return Err(self.refusal(total).into());
            }
            parts.push(part);
        }
        let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
        Ok(ColumnarValue::Array(concat(&parts)?))
    }

    fn refusal(&self, bytes: u64) -> Error {
        let name = self.inner.name();
        let option = config::EXPRESSION_BYTES_MAX;
        let message = format!(
            "`{name}` would make {bytes} bytes at once, the limit `{option}` is {}",
            self.limit
        );
        Error::new(Condition::EXPRESSION_TOO_LARGE, message)
            .hint("ask for less, make `vonk.execution.batch.size` smaller, or raise the limit")
            .parameter("functionName", name)
    }
}

fn slice(args: &ScalarFunctionArgs, start: usize, rows: usize) -> ScalarFunctionArgs {
    let cut = |arg: &ColumnarValue| match arg {
        ColumnarValue::Array(array) => ColumnarValue::Array(array.slice(start, rows)),
        scalar @ ColumnarValue::Scalar(_) => scalar.clone(),
    };
    ScalarFunctionArgs {
        args: args.args.iter().map(cut).collect(),
        arg_fields: args.arg_fields.clone(),
        number_rows: rows,
        return_field: FieldRef::clone(&args.return_field),
        config_options: Arc::clone(&args.config_options),
    }
}

/// All as the function within has it, except that it is not rewritten into others: these would
/// have no limit.
impl ScalarUDFImpl for Bounded {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn schema_name(&self, args: &[Expr]) -> DfResult<String> {
        self.inner.schema_name(args)
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, arg_types: &[DataType]) -> DfResult<DataType> {
        self.inner.return_type(arg_types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> DfResult<FieldRef> {
        self.inner.return_field_from_args(args)
    }

    fn is_strict(&self) -> bool {
        self.inner.is_strict()
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        self.call(args)
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        let inner = self.inner.inner().with_updated_config(config)?;
        let (estimate, limit) = (self.estimate, self.limit);
        Some(Self { inner: Arc::new(inner), estimate, limit }.into())
    }

    fn short_circuits(&self) -> bool {
        self.inner.short_circuits()
    }

    fn evaluate_bounds(&self, input: &[&Interval]) -> DfResult<Interval> {
        self.inner.evaluate_bounds(input)
    }

    fn propagate_constraints(
        &self,
        interval: &Interval,
        inputs: &[&Interval],
    ) -> DfResult<Option<Vec<Interval>>> {
        self.inner.propagate_constraints(interval, inputs)
    }

    fn output_ordering(&self, inputs: &[ExprProperties]) -> DfResult<SortProperties> {
        self.inner.output_ordering(inputs)
    }

    fn preserves_lex_ordering(&self, inputs: &[ExprProperties]) -> DfResult<bool> {
        self.inner.preserves_lex_ordering(inputs)
    }

    fn strictly_order_preserving(&self, inputs: &[ExprProperties]) -> DfResult<bool> {
        self.inner.inner().strictly_order_preserving(inputs)
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> DfResult<Vec<DataType>> {
        self.inner.coerce_types(arg_types)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }
}
