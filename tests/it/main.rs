//! The library from the outside: one binary, one module per subject.

mod session;
mod tpch;
