//! Requests that are handled on other threads than those that look after connections.

use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::BoxFuture;
use http::{Request, Response};
use tokio::runtime::Handle;
use tower::{Layer, Service};

/// The end of the path of the request by which a coordinator asks whether the worker lives.
const PROBE: &str = "/GetWorkerInfo";

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Moves requests to the threads of a runtime.
#[derive(Debug, Clone)]
pub(super) struct Elsewhere {
    handle: Handle,
}

impl Elsewhere {
    pub(super) fn new(handle: Handle) -> Self {
        Self { handle }
    }
}

impl<S> Layer<S> for Elsewhere {
    type Service = Moved<S>;

    fn layer(&self, inner: S) -> Moved<S> {
        Moved { inner, handle: self.handle.clone() }
    }
}

/// A service on the threads of a runtime.
#[derive(Debug, Clone)]
pub(super) struct Moved<S> {
    inner: S,
    handle: Handle,
}

impl<S, B, R> Service<Request<B>> for Moved<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError> + Send + 'static,
    B: Send + 'static,
    R: Send + 'static,
{
    type Response = Response<R>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<R>, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The one that is ready is used, and its copy is kept for the next request.
        let copy = self.inner.clone();
        let mut ready = std::mem::replace(&mut self.inner, copy);
        if request.uri().path().ends_with(PROBE) {
            return async move { ready.call(request).await.map_err(Into::into) }.boxed();
        }
        let handling = Abort(self.handle.spawn(async move { ready.call(request).await }));
        handling.wait().boxed()
    }
}

/// A task that ends when nobody waits for it.
struct Abort<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for Abort<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<R, E: Into<BoxError>> Abort<Result<Response<R>, E>> {
    async fn wait(mut self) -> Result<Response<R>, BoxError> {
        match (&mut self.0).await {
            Ok(answer) => answer.map_err(Into::into),
            Err(error) => Err(error.into()),
        }
    }
}
