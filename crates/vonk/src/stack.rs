//! Room on the stack: planning walks deep trees by recursion, on whatever thread it runs.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The stack that planning gets, in bytes: a tree of the greatest depth allowed needs a part of it,
/// and pages that are never touched cost nothing.
const ROOM: usize = 64 << 20;

/// Runs a future on a stack of 64 MB, unless about as much is left on the thread's own.
pub fn with_room<F: Future>(future: F) -> WithRoom<F> {
    WithRoom { future: Box::pin(future) }
}

/// The future of [`with_room`].
pub struct WithRoom<F> {
    future: Pin<Box<F>>,
}

impl<F> fmt::Debug for WithRoom<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WithRoom")
    }
}

impl<F: Future> Future for WithRoom<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        stacker::maybe_grow(ROOM / 2, ROOM, || self.future.as_mut().poll(context))
    }
}
