//! The one gate before every method: a request without the server's token goes no further.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::Either;
use http::{Request, Response};
use subtle::ConstantTimeEq;
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

/// Puts [`Auth`] before a service.
#[derive(Debug, Clone)]
pub(crate) struct AuthLayer {
    token: Option<Arc<str>>,
}

impl AuthLayer {
    pub(crate) fn new(token: Option<&str>) -> Self {
        Self { token: token.filter(|token| !token.is_empty()).map(Arc::from) }
    }
}

impl<S> Layer<S> for AuthLayer {
    type Service = Auth<S>;

    fn layer(&self, inner: S) -> Auth<S> {
        Auth { inner, token: self.token.clone() }
    }
}

/// Lets requests through that carry the token, as `authorization: Bearer …`.
#[derive(Debug, Clone)]
pub(crate) struct Auth<S> {
    inner: S,
    token: Option<Arc<str>>,
}

impl<S, B> Service<Request<B>> for Auth<S>
where
    S: Service<Request<B>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Either<S::Future, Ready<Result<Response<Body>, S::Error>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match self.admits(&request) {
            true => Either::Left(self.inner.call(request)),
            false => {
                let refusal =
                    Status::unauthenticated("the token of this server is missing or wrong");
                Either::Right(ready(Ok(refusal.into_http())))
            }
        }
    }
}

impl<S> Auth<S> {
    fn admits<B>(&self, request: &Request<B>) -> bool {
        let Some(token) = &self.token else { return true };
        let given = request.headers().get(http::header::AUTHORIZATION);
        let given = given.and_then(|value| value.to_str().ok());
        let given = given.and_then(|value| value.strip_prefix("Bearer "));
        // The time that this takes tells nothing of how much of the token was right.
        given.is_some_and(|given| given.as_bytes().ct_eq(token.as_bytes()).into())
    }
}
