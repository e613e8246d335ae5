//! The library from the outside: one binary, one module per subject.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod breaches;
mod cancel;
mod cluster;
mod connect;
mod dataframe;
mod faults;
mod guide;
mod hostile;
mod limits;
mod plans;
mod policy;
mod rdd;
mod reference;
mod repairs;
mod session;
mod stores;
mod tpch;
mod word_count;
mod writes;
