//! The library from the outside: one binary, one module per subject.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod child;
mod dataframe;
mod failed_writes;
mod faults;
mod hostile;
mod kills;
mod limits;
mod rdd;
mod reference;
mod session;
mod tpch;
mod word_count;
mod writes;
