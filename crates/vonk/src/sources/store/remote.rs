//! The HTTP client of remote stores under a policy: each request, each address that a name leads
//! to, and each redirect is asked for.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect;

use crate::error::Error;
use crate::policy::Policy;

/// How many redirects are followed, each to a host that is allowed.
const REDIRECTS_MAX: usize = 5;

/// Makes the clients of one session's stores.
#[derive(Debug)]
pub(super) struct Connector {
    pub(super) policy: Policy,
    /// How long a connection may take.
    pub(super) connect: Duration,
}

impl HttpConnector for Connector {
    /// The options are left aside, as far as they are about hosts: a proxy would resolve names
    /// itself, and one that the environment names is not used for the same reason.
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        let policy = self.policy.clone();
        let redirects = redirect::Policy::custom(move |attempt| {
            let host = attempt.url().host_str().unwrap_or_default();
            match policy.check_host(host) {
                _ if attempt.previous().len() > REDIRECTS_MAX => {
                    attempt.error("too many redirects")
                }
                Ok(()) => attempt.follow(),
                Err(error) => attempt.error(error),
            }
        });
        let client = reqwest::Client::builder()
            .user_agent(concat!("vonk/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(Arc::new(PublicNames(self.policy.clone())))
            .redirect(redirects)
            .connect_timeout(self.connect)
            .no_proxy()
            .build()
            .map_err(|error| object_store::Error::Generic {
                store: "http",
                source: Box::new(error),
            })?;
        Ok(HttpClient::new(Checked { client, policy: self.policy.clone() }))
    }
}

/// A client that refuses hosts before it sends anything.
struct Checked {
    client: reqwest::Client,
    policy: Policy,
}

impl fmt::Debug for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checked").field("policy", &self.policy).finish_non_exhaustive()
    }
}

#[async_trait::async_trait]
impl HttpService for Checked {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let checked = self.policy.check_host(request.uri().host().unwrap_or_default());
        // Of this kind none is tried again.
        checked.map_err(|error| HttpError::new(HttpErrorKind::Decode, error))?;
        self.client.call(request).await
    }
}

/// Resolves names to public addresses.
struct PublicNames(Policy);

impl Resolve for PublicNames {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.0.clone();
        Box::pin(async move {
            let name = name.as_str();
            let found: Vec<_> = tokio::net::lookup_host((name, 0)).await?.collect();
            for address in &found {
                policy.check_address(name, address.ip()).map_err(Box::<Error>::new)?;
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
