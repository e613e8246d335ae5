//! Clusters of vonk: workers that run parts of plans, and the sessions that send these to them.
//!
//! The plan is cut into stages by the crate `datafusion-distributed`, which also streams their rows
//! between the workers. What is here is around it: who the workers are and whether they live, what of
//! vonk travels and how, and a query that is run again when a worker is lost. Its rows are given when
//! all of them are there, so that a lost worker costs time and never a row.
//!
//! ```no_run
//! # #[tokio::main] async fn main() -> vonk::Result<()> {
//! vonk_cluster::install();
//! let session = vonk::Session::builder().master("vonk://n1:7077,n2:7077").get_or_create()?;
//! println!("{}", session.sql("SELECT count(*) FROM '/shared/*.parquet'").count().await?);
//! # Ok(()) }
//! ```

mod attempts;
mod channels;
mod codec;
mod coordinator;
mod held;
mod io;
mod lost;
mod master;
mod members;
mod program;
mod report;
mod secret;
mod shipped;
mod stages;
mod verify;
mod worker;

pub use coordinator::status;
pub use members::{State, Status};
pub use program::{terminated, worker_main};
pub use secret::Secret;
pub use worker::{Tls, WorkerOptions, serve};

/// The version that coordinators and workers must agree on.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Lets sessions of this process have a cluster as their master.
///
/// It may be called several times.
pub fn install() {
    vonk::cluster::offer(coordinator::connect);
}
