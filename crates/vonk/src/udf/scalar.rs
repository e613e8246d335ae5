//! Closures of up to four arguments as functions over columns.

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::DataType;

use super::value::{Argument, Output, SqlValue, argument, typed};
use crate::error::{Error, Result};

/// A closure over Rust values that can run over columns.
pub trait ScalarClosure<Args>: Send + Sync + 'static {
    /// The types of its arguments.
    fn argument_types() -> Vec<DataType>;

    /// The type of its result.
    fn return_type() -> DataType;

    /// Calls it for every row.
    ///
    /// # Errors
    /// An internal error if the columns are not of the argument types.
    fn run(&self, args: &[ArrayRef]) -> Result<ArrayRef>;
}

macro_rules! closures {
    ($(($($argument:ident $column:ident),*);)*) => {
        $(impl<Function, Out, $($argument),*> ScalarClosure<($($argument,)*)> for Function
        where
            Function: Fn($($argument),*) -> Out + Send + Sync + 'static,
            Out: Output,
            $($argument: Argument,)*
        {
            fn argument_types() -> Vec<DataType> {
                vec![$(<$argument::Value as SqlValue>::TYPE),*]
            }

            fn return_type() -> DataType {
                Out::Value::TYPE
            }

            fn run(&self, args: &[ArrayRef]) -> Result<ArrayRef> {
                let [$($column),*] = args else {
                    return Err(Error::internal("a function was called with other arguments"));
                };
                let rows = args.first().map_or(1, |column| column.len());
                $(let $column = typed::<$argument::Value>($column)?;)*
                Ok(Out::Value::gather((0..rows).map(|_row| {
                    self($(argument::<$argument>($column, _row)?),*).into_value()
                })))
            }
        })*
    };
}

closures! {
    ();
    (A a);
    (A a, B b);
    (A a, B b, C c);
    (A a, B b, C c, D d);
}
