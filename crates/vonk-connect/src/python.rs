//! Functions of Python programs: sent as PySpark's client pickles them, run by worker processes.
//!
//! A worker is a process of the Python that the session names, with one end of a socket pair. It runs
//! one function at a time, and asks for its input batch by batch; a session keeps idle workers.

mod call;
mod function;
pub(crate) mod groups;
mod pool;
mod run;
mod travel;
mod worker;

pub(crate) use call::{
    Analysis, Ordered, analysis, argument, column, declared_columns, over, python, register,
    register_table, row, table,
};
pub(crate) use function::{Function, Shape, Source};
pub(crate) use pool::{Interpreter, Pool};
pub(crate) use run::{OverPartitions, in_groups, in_order};
pub use travel::run_functions;
