//! Four closures as an aggregate function.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::DataType;
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::logical_expr::{Accumulator, AccumulatorFactoryFunction};

use super::guarded;
use super::value::{Argument, Output, SqlValue, argument, typed};
use crate::error::{Error, Result};

/// An aggregate function of one argument, made of closures.
///
/// The state is a value, or a tuple of up to four values; it travels between threads as columns.
#[derive(Debug, Clone, Copy)]
pub struct Aggregate<Init, Update, Merge, Finish> {
    /// The state before the first row.
    pub init: Init,
    /// Takes a row into the state.
    pub update: Update,
    /// Takes the state of other rows of the group into this one.
    pub merge: Merge,
    /// The result of a state.
    pub finish: Finish,
}

/// A state that can travel as columns: a value, or a tuple of up to four.
pub trait AggregateState: Clone + Send + Sync + 'static {
    /// The types of the columns.
    fn types() -> Vec<DataType>;

    /// The state as one row of the columns.
    fn columns(self) -> Vec<ArrayRef>;

    /// The state of a row.
    ///
    /// # Errors
    /// An internal error if the columns are not of these types.
    fn read(columns: &[ArrayRef], row: usize) -> Result<Self>;
}

impl<T: SqlValue + Clone> AggregateState for T {
    fn types() -> Vec<DataType> {
        vec![T::TYPE]
    }

    fn columns(self) -> Vec<ArrayRef> {
        vec![T::gather(std::iter::once(Some(self)))]
    }

    fn read(columns: &[ArrayRef], row: usize) -> Result<Self> {
        match columns {
            [column] => Ok(T::read(typed::<T>(column)?, row)),
            _ => Err(Error::internal("an aggregate's state has other columns")),
        }
    }
}

macro_rules! tuple_states {
    ($(($($part:ident $column:ident),*);)*) => {
        $(impl<$($part: SqlValue + Clone),*> AggregateState for ($($part,)*) {
            fn types() -> Vec<DataType> {
                vec![$($part::TYPE),*]
            }

            fn columns(self) -> Vec<ArrayRef> {
                let ($($column,)*) = self;
                vec![$($part::gather(std::iter::once(Some($column)))),*]
            }

            fn read(columns: &[ArrayRef], row: usize) -> Result<Self> {
                match columns {
                    [$($column),*] => Ok(($($part::read(typed::<$part>($column)?, row),)*)),
                    _ => Err(Error::internal("an aggregate's state has other columns")),
                }
            }
        })*
    };
}

tuple_states! {
    (A a, B b);
    (A a, B b, C c);
    (A a, B b, C c, D d);
}

/// One group's state while its rows are read.
struct Group<State, Step> {
    name: String,
    state: State,
    step: Arc<Step>,
}

/// What is done with states, without the closures' types.
trait Steps<State>: Send + Sync + 'static {
    fn update(&self, state: &mut State, values: &ArrayRef) -> Result<()>;
    fn merge(&self, state: &mut State, other: State);
    fn finish(&self, state: State) -> ArrayRef;
}

/// The closures with the argument and result types that they were written for.
struct Typed<I, U, M, F, Value, Out> {
    closures: Aggregate<I, U, M, F>,
    types: std::marker::PhantomData<fn(Value) -> Out>,
}

impl<I, U, M, F, State, Value, Out> Steps<State> for Typed<I, U, M, F, Value, Out>
where
    Value: Argument + 'static,
    Out: Output + 'static,
    I: Send + Sync + 'static,
    U: Fn(&mut State, Value) + Send + Sync + 'static,
    M: Fn(&mut State, State) + Send + Sync + 'static,
    F: Fn(State) -> Out + Send + Sync + 'static,
{
    fn update(&self, state: &mut State, values: &ArrayRef) -> Result<()> {
        let values = typed::<Value::Value>(values)?;
        for row in 0..values.len() {
            if let Some(value) = argument::<Value>(values, row) {
                (self.closures.update)(state, value);
            }
        }
        Ok(())
    }

    fn merge(&self, state: &mut State, other: State) {
        (self.closures.merge)(state, other);
    }

    fn finish(&self, state: State) -> ArrayRef {
        let result = (self.closures.finish)(state);
        Out::Value::gather(std::iter::once(result.into_value()))
    }
}

/// Makes the accumulator of a group.
pub(super) fn factory<State, Value, Out, I, U, M, F>(
    name: String,
    aggregate: Aggregate<I, U, M, F>,
) -> AccumulatorFactoryFunction
where
    State: AggregateState,
    Value: Argument + 'static,
    Out: Output + 'static,
    I: Fn() -> State + Send + Sync + 'static,
    U: Fn(&mut State, Value) + Send + Sync + 'static,
    M: Fn(&mut State, State) + Send + Sync + 'static,
    F: Fn(State) -> Out + Send + Sync + 'static,
{
    let types = std::marker::PhantomData;
    let step = Arc::new(Typed::<I, U, M, F, Value, Out> { closures: aggregate, types });
    Arc::new(move |_: AccumulatorArgs<'_>| -> DfResult<Box<dyn Accumulator>> {
        let state = guarded(&name, || Ok((step.closures.init)()))?;
        Ok(Box::new(Group { name: name.clone(), state, step: Arc::clone(&step) }))
    })
}

impl<State, Step> fmt::Debug for Group<State, Step> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Group of `{}`", self.name)
    }
}

impl<State: AggregateState, Step: Steps<State>> Accumulator for Group<State, Step> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> DfResult<()> {
        let Some(values) = values.first() else { return Ok(()) };
        let (state, step) = (&mut self.state, &self.step);
        guarded(&self.name, || step.update(state, values))
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> DfResult<()> {
        let rows = states.first().map_or(0, |column| column.len());
        let (state, step) = (&mut self.state, &self.step);
        guarded(&self.name, || {
            for row in 0..rows {
                step.merge(state, State::read(states, row)?);
            }
            Ok(())
        })
    }

    fn state(&mut self) -> DfResult<Vec<ScalarValue>> {
        let columns = self.state.clone().columns();
        columns.iter().map(|column| ScalarValue::try_from_array(column, 0)).collect()
    }

    fn evaluate(&mut self) -> DfResult<ScalarValue> {
        let state = self.state.clone();
        let result = guarded(&self.name, || Ok(self.step.finish(state)))?;
        ScalarValue::try_from_array(&result, 0)
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}
