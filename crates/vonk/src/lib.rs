//! vonk: a columnar SQL, DataFrame and RDD query engine, Spark's way of working without the JVM.
//!
//! A [`Session`] reads files where they are, in SQL, with a [`DataFrame`] or as an RDD. Building a
//! query is lazy and synchronous, running it is one `.await`, and dropping that future cancels it.
//!
//! ```
//! # use vonk::prelude::*;
//! # #[tokio::main] async fn main() -> vonk::Result<()> {
//! let session = Session::new();
//! let rows = session.sql("SELECT 1 + 1 AS two").collect().await?;
//! assert_eq!(rows[0].num_rows(), 1);
//! # Ok(()) }
//! ```

mod analyze;
pub mod blocking;
pub mod catalog;
pub mod cluster;
pub mod config;
pub mod dataframe;
pub mod display;
pub mod error;
pub mod functions;
mod limits;
mod operators;
mod optimize;
mod placement;
mod policy;
pub mod rdd;
mod session;
pub mod sources;
pub mod sql;
mod stack;
pub mod udf;
pub mod write;

pub use arrow;
pub use catalog::Catalog;
pub use dataframe::{
    Column, DataFrame, DataFrameReader, GroupedData, Row, StorageLevel, Window, WindowSpec,
};
/// The DataFusion that vonk is built on, for plans and their metrics.
pub use datafusion;
pub use error::{Condition, Error, Result};
/// The stores of files, for those of a program's own.
pub use object_store;
pub use policy::Policy;
pub use rdd::{Rdd, SparkContext};
pub use session::{Session, SessionBuilder};
pub use stack::{WithRoom, with_room};
pub use write::{DataFrameWriter, SaveMode, WriteReport};

/// Spark's name for [`Session`].
pub type SparkSession = Session;

/// What most programs need, for one `use`.
pub mod prelude {
    pub use crate::functions;

    pub use crate::dataframe::{Column, DataFrame, Row, col, expr, lit};
    pub use crate::rdd::{Rdd, SparkContext};
    pub use crate::session::{Session, SessionBuilder};
    pub use crate::{Error, Result, SparkSession};
}

/// The programs in the README compile.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// The programs in the guide run.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guide.md")]
struct Guide;
