//! User-defined functions: plain closures as functions of SQL.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use datafusion::catalog::TableFunctionImpl;
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::execution::{FunctionRegistry, SessionState};
use datafusion::logical_expr::{
    AggregateUDF, ColumnarValue, ScalarUDF, Volatility, create_udaf, create_udf,
};
use parking_lot::RwLock;

use crate::error::{Condition, Error, Result, panic_text};
pub use crate::operators::map_batches::{TableCode, TravellingCode};
use crate::session::Session;

mod aggregate;
mod offered;
mod outside;
mod scalar;
mod value;

pub use aggregate::{Aggregate, AggregateState};
pub use offered::{OfferedUdf, offer_udf};
pub use outside::{Code, OutsideFunction, ReadCode, ReadTableCode, offer_code, offer_table_code};
pub(crate) use outside::{is_outside, read_table, write_table};
pub(crate) use outside::{read as read_outside, write as write_outside};
pub use scalar::ScalarClosure;
pub use value::{Argument, Output, SqlValue};

/// The functions that a program has given to its session.
#[derive(Debug, Default)]
pub(crate) struct UserFunctions {
    functions: RwLock<Vec<UserFunction>>,
}

#[derive(Debug, Clone)]
enum UserFunction {
    Scalar(Arc<ScalarUDF>),
    Aggregate(Arc<AggregateUDF>),
    Table(String, Arc<dyn TableFunctionImpl>),
}

impl UserFunctions {
    /// Has the functions of another session too.
    pub(crate) fn take_from(&self, other: &Self) {
        self.functions.write().extend(other.functions.read().iter().cloned());
    }

    /// Puts the functions into a state that was assembled anew.
    pub(crate) fn add_to(&self, state: &mut SessionState) -> Result<()> {
        for function in self.functions.read().iter() {
            function.add_to(state)?;
        }
        Ok(())
    }
}

impl UserFunction {
    fn add_to(&self, state: &mut SessionState) -> Result<()> {
        match self {
            Self::Scalar(function) => state.register_udf(Arc::clone(function)).map(drop)?,
            Self::Table(name, function) => state.register_udtf(name, Arc::clone(function)),
            Self::Aggregate(function) => state.register_udaf(Arc::clone(function)).map(drop)?,
        }
        Ok(())
    }
}

impl Session {
    /// Makes a closure a function of SQL and of [`crate::functions::call`].
    ///
    /// Its arguments and its result are numbers, booleans, `String` or `Vec<u8>`. An `Option` takes
    /// or gives NULL; where an argument is no `Option`, NULL gives NULL without a call.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let session = Session::new();
    /// session.udf("discount", |price: f64, share: Option<f64>| price * (1.0 - share.unwrap_or(0.0)))?;
    /// let rows = session.sql("SELECT discount(8.0, 0.25), discount(8.0, NULL)");
    /// assert_eq!(rows.rows::<(f64, f64)>().await?, [(6.0, 8.0)]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// If the session refuses the function.
    pub fn udf<Args, F: ScalarClosure<Args>>(&self, name: &str, function: F) -> Result<()> {
        let run = move |args: &[ArrayRef]| function.run(args);
        self.udf_vectorized(name, F::argument_types(), F::return_type(), run)
    }

    /// Makes a closure over whole Arrow columns a function of SQL; constants arrive as one value.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// use vonk::arrow::{compute::kernels::numeric, datatypes::DataType::Int64};
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let session = Session::new();
    /// session.udf_vectorized("twice", vec![Int64], Int64, |args| Ok(numeric::add(&args[0], &args[0])?))?;
    /// let twice = session.range(1, 3).select([expr("twice(id)")]);
    /// assert_eq!(twice.rows::<(i64,)>().await?, [(2,), (4,)]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// If the session refuses the function.
    pub fn udf_vectorized(
        &self,
        name: &str,
        argument_types: Vec<DataType>,
        return_type: DataType,
        function: impl Fn(&[ArrayRef]) -> Result<ArrayRef> + Send + Sync + 'static,
    ) -> Result<()> {
        let name = name.to_lowercase();
        let called = name.clone();
        let run = move |args: &[ColumnarValue]| -> DfResult<ColumnarValue> {
            let is_constant = args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
            let arrays = ColumnarValue::values_to_arrays(args)?;
            let result = guarded(&called, || function(&arrays))?;
            match is_constant {
                true => Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?)),
                false => Ok(ColumnarValue::Array(result)),
            }
        };
        let volatility = Volatility::Immutable;
        let udf = create_udf(&name, argument_types, return_type, volatility, Arc::new(run));
        self.add_function(UserFunction::Scalar(Arc::new(udf)))
    }

    /// Makes an [`Aggregate`] a function of SQL.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// use vonk::udf::Aggregate;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let session = Session::new();
    /// let product = Aggregate {
    ///     init: || 1i64,
    ///     update: |state: &mut i64, value: i64| *state *= value,
    ///     merge: |state: &mut i64, other: i64| *state *= other,
    ///     finish: |state: i64| Some(state),
    /// };
    /// session.udaf("product", product)?;
    /// let product = session.range(1, 6).agg([expr("product(id)")]);
    /// assert_eq!(product.rows::<(i64,)>().await?, [(120,)]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// If the session refuses the function.
    pub fn udaf<State, Value, Out, I, U, M, F>(
        &self,
        name: &str,
        aggregate: Aggregate<I, U, M, F>,
    ) -> Result<()>
    where
        State: AggregateState,
        Value: Argument + 'static,
        Out: Output + 'static,
        I: Fn() -> State + Send + Sync + 'static,
        U: Fn(&mut State, Value) + Send + Sync + 'static,
        M: Fn(&mut State, State) + Send + Sync + 'static,
        F: Fn(State) -> Out + Send + Sync + 'static,
    {
        let name = name.to_lowercase();
        let factory = aggregate::factory(name.clone(), aggregate);
        let udaf = create_udaf(
            &name,
            vec![Value::Value::TYPE],
            Arc::new(Out::Value::TYPE),
            Volatility::Immutable,
            factory,
            Arc::new(State::types()),
        );
        self.add_function(UserFunction::Aggregate(Arc::new(udaf)))
    }

    fn add_function(&self, function: UserFunction) -> Result<()> {
        self.user_functions().functions.write().push(function);
        self.refresh()
    }
}

/// Runs a user's code; its panic is an error that names the function.
fn guarded<T>(name: &str, code: impl FnOnce() -> Result<T>) -> DfResult<T> {
    match catch_unwind(AssertUnwindSafe(code)) {
        Ok(result) => Ok(result?),
        Err(panic) => {
            let why = panic_text(panic.as_ref()).unwrap_or("it panicked");
            Err(Error::new(
                Condition::USER_CODE_FAILED,
                format!("the user-defined function `{name}` failed: {why}"),
            )
            .into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn null_arguments_give_null_unless_they_are_options() {
        let session = Session::new();
        session.udf("next", |n: i64| n + 1).unwrap();
        session.udf("is_absent", |text: Option<String>| text.is_none()).unwrap();
        session.set("vonk.execution.batch.size", "3").unwrap();
        let rows = session.sql("SELECT next(NULL), NEXT(41), is_absent(NULL), is_absent('a')");
        let rows: Vec<(Option<i64>, i64, bool, bool)> = rows.rows().await.unwrap();
        assert_eq!(rows, [(None, 42, true, false)]);
    }

    #[tokio::test]
    async fn a_panic_of_user_code_is_an_error() {
        let session = Session::new();
        session.udf("inverse", |n: i64| 1 / n).unwrap();
        let failed = session.range(0, 1).select_expr(["inverse(id)"]).collect().await;
        let error = failed.unwrap_err();
        assert_eq!(error.condition(), Condition::USER_CODE_FAILED);
        assert!(error.message().contains("`inverse`"), "{error}");
    }

    #[tokio::test]
    async fn an_aggregate_merges_partial_states() {
        let session = Session::new();
        let mean = Aggregate {
            init: || (0.0, 0i64),
            update: |state: &mut (f64, i64), value: f64| {
                state.0 += value;
                state.1 += 1;
            },
            merge: |state: &mut (f64, i64), other: (f64, i64)| {
                state.0 += other.0;
                state.1 += other.1;
            },
            finish: |(sum, count): (f64, i64)| (count > 0).then(|| sum / count as f64),
        };
        session.udaf("my_mean", mean).unwrap();
        let data = session.range(0, 101).repartition(4).select_expr(["id % 2 AS odd", "id"]);
        let means = data.group_by(["odd"]).agg([crate::functions::call("my_mean", ["id"])]);
        let means: Vec<(i64, f64)> = means.order_by(["odd"]).rows().await.unwrap();
        assert_eq!(means, [(0, 50.0), (1, 50.0)]);
    }
}
