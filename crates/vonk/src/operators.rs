//! Physical operators of our own, and where they stand in a plan.

pub(crate) mod ahead;
pub(crate) mod guarded;
pub(crate) mod in_order;
pub(crate) mod interrupt;
pub(crate) mod once;
pub(crate) mod recursion;
pub(crate) mod spilling_join;
pub(crate) mod token_count;
