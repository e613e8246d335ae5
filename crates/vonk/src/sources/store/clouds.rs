//! Clients of S3, Google's and Azure's storage, and of HTTP servers, with Hadoop's names for their
//! settings.

#![cfg_attr(
    not(all(feature = "s3", feature = "http")),
    allow(dead_code, reason = "each store needs some of what they share")
)]

use std::sync::Arc;

#[cfg(feature = "s3")]
use object_store::aws::AmazonS3ConfigKey as S3Key;
use object_store::client::HttpConnector;
use object_store::{ClientOptions, ObjectStore, RetryConfig};
use url::{Position, Url};

use super::remote::Connector;
use super::settings::{Patience, Settings};
use crate::policy::Policy;

type Made = object_store::Result<Arc<dyn ObjectStore>>;

/// Requests are never cut off while bytes come: silence is measured by the store around the client.
fn client_options(patience: Patience) -> ClientOptions {
    ClientOptions::new().with_timeout_disabled().with_connect_timeout(patience.connect)
}

fn retries(patience: Patience) -> RetryConfig {
    RetryConfig {
        max_retries: patience.retries,
        retry_timeout: patience.answer * (patience.retries as u32 + 1),
        ..RetryConfig::default()
    }
}

fn guarded(policy: &Policy, patience: Patience) -> Option<impl HttpConnector + use<>> {
    policy.is_restricted().then(|| Connector { policy: policy.clone(), connect: patience.connect })
}

/// The address without what Hadoop has other names for.
#[cfg(any(feature = "s3", feature = "gcs", feature = "azure"))]
fn canonical(url: &Url) -> String {
    const SAME: &[(&str, &str)] =
        &[("s3n", "s3"), ("gcs", "gs"), ("wasb", "abfs"), ("wasbs", "abfss")];
    let scheme = url.scheme();
    let known = SAME.iter().find(|(other, _)| *other == scheme).map_or(scheme, |(_, known)| *known);
    format!("{known}{}", &url[Position::AfterScheme..Position::BeforePath])
}

#[cfg(feature = "s3")]
pub(super) fn s3(url: &Url, settings: &Settings, policy: &Policy) -> Made {
    let patience = settings.patience;
    let bucket = url.host_str().unwrap_or_default();
    let mut builder = object_store::aws::AmazonS3Builder::new()
        .with_url(canonical(url))
        .with_client_options(client_options(patience))
        .with_retry(retries(patience));
    if let Some(connector) = guarded(policy, patience) {
        builder = builder.with_http_connector(connector);
    }
    let mut endpoint = None;
    for (key, value) in said_of_s3(settings, bucket, policy) {
        match key {
            S3Key::Endpoint | S3Key::S3Endpoint => endpoint = Some(value),
            _ => builder = builder.with_config(key, value),
        }
    }
    let providers = settings.s3a(bucket, "aws.credentials.provider").unwrap_or_default();
    if providers.contains("Anonymous") {
        builder = builder.with_skip_signature(true);
    }
    if let Some(endpoint) = endpoint {
        let is_hosted = settings.s3a(bucket, "path.style.access") == Some("false");
        builder = builder.with_allow_http(endpoint.starts_with("http:"));
        builder = match (is_hosted, endpoint.split_once("://")) {
            // The client wants the bucket's own host.
            (true, Some((scheme, host))) => builder
                .with_virtual_hosted_style_request(true)
                .with_endpoint(format!("{scheme}://{bucket}.{host}")),
            _ => builder.with_endpoint(endpoint),
        };
    }
    Ok(Arc::new(builder.build()?))
}

/// What is said of a bucket: by the environment, the files of Amazon's tools, Hadoop's names, and the
/// client's own, of which a later one counts.
#[cfg(feature = "s3")]
fn said_of_s3(settings: &Settings, bucket: &str, policy: &Policy) -> Vec<(S3Key, String)> {
    let mut said = Vec::new();
    if settings.variable("AWS_ACCESS_KEY_ID").is_none() && !policy.is_restricted() {
        said.extend(super::profile::credentials(settings));
    }
    said.extend(settings.of_environment("aws_"));
    for (name, key) in [
        ("access.key", S3Key::AccessKeyId),
        ("secret.key", S3Key::SecretAccessKey),
        ("session.token", S3Key::Token),
        ("endpoint.region", S3Key::Region),
    ] {
        said.extend(settings.s3a(bucket, name).map(|value| (key, value.to_owned())));
    }
    if let Some(named) = settings.s3a(bucket, "endpoint") {
        // Hadoop's endpoints need no scheme.
        let is_secure = settings.s3a(bucket, "connection.ssl.enabled") != Some("false");
        let scheme = if is_secure { "https" } else { "http" };
        let endpoint = match named.contains("://") {
            true => named.to_owned(),
            false => format!("{scheme}://{named}"),
        };
        said.push((S3Key::Endpoint, endpoint));
    }
    said.extend(settings.of_options());
    said
}

#[cfg(feature = "gcs")]
pub(super) fn gcs(url: &Url, settings: &Settings, policy: &Policy) -> Made {
    use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey as Key};
    let patience = settings.patience;
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_url(canonical(url))
        .with_client_options(client_options(patience))
        .with_retry(retries(patience));
    if let Some(connector) = guarded(policy, patience) {
        builder = builder.with_http_connector(connector);
    }
    for (key, value) in settings.of_environment::<Key>("google_") {
        builder = builder.with_config(key, value);
    }
    for (name, key) in [
        ("google.cloud.auth.service.account.json.keyfile", Key::ServiceAccount),
        ("fs.gs.auth.service.account.json.keyfile", Key::ServiceAccount),
        ("fs.gs.storage.root.url", Key::BaseUrl),
    ] {
        if let Some(value) = settings.hadoop(name) {
            builder = builder.with_config(key, value);
        }
    }
    if settings.hadoop("fs.gs.auth.type").is_some_and(|kind| kind == "UNAUTHENTICATED") {
        builder = builder.with_config(Key::SkipSignature, "true");
    }
    for (key, value) in settings.of_options::<Key>() {
        builder = builder.with_config(key, value);
    }
    Ok(Arc::new(builder.build()?))
}

#[cfg(feature = "azure")]
pub(super) fn azure(url: &Url, settings: &Settings, policy: &Policy) -> Made {
    use object_store::azure::{AzureConfigKey as Key, MicrosoftAzureBuilder};
    let patience = settings.patience;
    let mut builder = MicrosoftAzureBuilder::new()
        .with_url(canonical(url))
        .with_client_options(client_options(patience))
        .with_retry(retries(patience));
    if let Some(connector) = guarded(policy, patience) {
        builder = builder.with_http_connector(connector);
    }
    for (key, value) in settings.of_environment::<Key>("azure_") {
        builder = builder.with_config(key, value);
    }
    // `fs.azure.account.key.ACCOUNT.dfs.core.windows.net`, or for every account without its name.
    let of_account = |name: &str| {
        let host = url.host_str().unwrap_or_default();
        settings.hadoop(&format!("{name}.{host}")).or_else(|| settings.hadoop(name))
    };
    for (name, key) in [
        ("fs.azure.account.key", Key::AccessKey),
        ("fs.azure.sas.fixed.token", Key::SasKey),
        ("fs.azure.account.oauth2.client.id", Key::ClientId),
        ("fs.azure.account.oauth2.client.secret", Key::ClientSecret),
        ("fs.azure.account.oauth2.msi.tenant", Key::AuthorityId),
    ] {
        if let Some(value) = of_account(name) {
            builder = builder.with_config(key, value);
        }
    }
    for (key, value) in settings.of_options::<Key>() {
        builder = builder.with_config(key, value);
    }
    Ok(Arc::new(builder.build()?))
}

#[cfg(feature = "http")]
pub(super) fn http(url: &Url, settings: &Settings, policy: &Policy) -> Made {
    let patience = settings.patience;
    let options = client_options(patience).with_allow_http(url.scheme() == "http");
    let mut builder = object_store::http::HttpBuilder::new()
        .with_url(&url[..Position::BeforePath])
        .with_client_options(options)
        .with_retry(retries(patience));
    if let Some(connector) = guarded(policy, patience) {
        builder = builder.with_http_connector(connector);
    }
    Ok(Arc::new(builder.build()?))
}
