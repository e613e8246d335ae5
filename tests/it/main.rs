//! The library from the outside: one binary, one module per subject.

mod faults;
mod session;
mod tpch;
mod word_count;
