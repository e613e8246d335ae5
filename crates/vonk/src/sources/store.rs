//! Where files live: the local disk always, other stores by scheme behind a cargo feature each.
//!
//! Every file that is read is opened by a store that is made here, under the session's policy.

use std::sync::Arc;

use datafusion::execution::SessionState;
use datafusion::execution::object_store::{
    DefaultObjectStoreRegistry, ObjectStoreRegistry, ObjectStoreUrl,
};
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;

use super::ReadOptions;
use crate::error::{Condition, Error, Result};
use crate::policy::{Access, Policy};

mod guarded;
#[cfg(feature = "remote")]
mod remote;

/// One row of the table of stores.
struct Store {
    /// The schemes of its URLs.
    schemes: &'static [&'static str],
    /// The cargo feature that brings it.
    feature: &'static str,
    /// Makes a client for a URL; `None` in a build without the feature.
    connect: Option<Connect>,
}

type Connect = fn(&str, &ReadOptions, &Policy) -> object_store::Result<Arc<dyn ObjectStore>>;

/// The stores that a session begins with: the local disk, as far as its policy allows.
pub(crate) fn registry(policy: &Policy) -> Arc<dyn ObjectStoreRegistry> {
    let registry = DefaultObjectStoreRegistry::new();
    let local: Arc<dyn ObjectStore> = match policy.is_restricted() {
        true => Arc::new(guarded::GuardedDisk::new(policy.clone())),
        false => Arc::new(LocalFileSystem::new()),
    };
    registry.register_store(ObjectStoreUrl::local_filesystem().as_ref(), local);
    Arc::new(registry)
}

/// Every store beside the local disk.
const STORES: &[Store] = &[
    Store { schemes: &["http", "https"], feature: "http", connect: http() },
    Store { schemes: &["s3", "s3a", "s3n"], feature: "s3", connect: s3() },
    Store { schemes: &["gs", "gcs"], feature: "gcs", connect: gcs() },
    Store {
        schemes: &["abfs", "abfss", "az", "azure", "wasb", "wasbs"],
        feature: "azure",
        connect: azure(),
    },
];

/// The store of a URL: one that is registered already, or a new client, which is then registered.
///
/// # Errors
/// `UNSUPPORTED_FEATURE` for an unknown scheme or one whose cargo feature is off,
/// `INSUFFICIENT_PERMISSIONS` if the policy forbids it.
pub(super) fn connect(
    state: &SessionState,
    url: &ObjectStoreUrl,
    options: &ReadOptions,
) -> Result<Arc<dyn ObjectStore>> {
    let runtime = state.runtime_env();
    if let Ok(store) = runtime.object_store(url) {
        return Ok(store);
    }
    let scheme = url.as_str().split(':').next().unwrap_or_default();
    let policy = Policy::of(state);
    let address: &url::Url = url.as_ref();
    policy.check_store(scheme, address.host_str().unwrap_or_default())?;
    check_files(&policy, options)?;
    let Some(row) = STORES.iter().find(|row| row.schemes.contains(&scheme)) else {
        let known: Vec<String> = (STORES.iter().flat_map(|row| row.schemes))
            .map(|scheme| format!("`{scheme}`"))
            .collect();
        return Err(Error::unsupported(format!("paths with the scheme `{scheme}` are not known"))
            .hint(format!("use a local path, `file` or one of {}", known.join(", "))));
    };
    let Some(connect) = row.connect else {
        return Err(Error::unsupported(format!(
            "this build of vonk does not read `{scheme}` paths"
        ))
        .hint(format!("build it with the cargo feature `{}`", row.feature)));
    };
    let store = connect(&canonical(url.as_str()), options, &policy).map_err(|error| {
        Error::new(Condition::INVALID_PARAMETER, format!("cannot connect to `{url}`: {error}"))
    })?;
    runtime.register_object_store(url.as_ref(), Arc::clone(&store));
    Ok(store)
}

/// Refuses options that name a file with credentials outside of what may be read: a store would
/// send what is in it to a host of the user's choice.
fn check_files(policy: &Policy, options: &ReadOptions) -> Result<()> {
    let names_file = |name: &str| {
        let name = name.trim_start_matches("google_");
        name.ends_with("_file")
            || ["service_account", "service_account_path", "application_credentials"]
                .contains(&name)
    };
    let mut files = options.iter().filter(|(name, _)| names_file(name));
    files.try_for_each(|(_, path)| policy.check(Access::Read, path.as_ref()))
}

/// The URL under the scheme by which the clients know it, where Hadoop has several.
fn canonical(url: &str) -> String {
    const SAME: &[(&str, &str)] =
        &[("s3n", "s3"), ("gcs", "gs"), ("wasb", "abfs"), ("wasbs", "abfss")];
    let Some((scheme, rest)) = url.split_once(':') else { return url.to_owned() };
    let known = SAME.iter().find(|(other, _)| *other == scheme).map_or(scheme, |(_, known)| *known);
    format!("{known}:{rest}")
}

macro_rules! connector {
    ($name:ident, $feature:literal, $builder:ident, $module:ident, $key:ident) => {
        #[cfg(feature = $feature)]
        const fn $name() -> Option<Connect> {
            Some(|url, options, policy| {
                use object_store::$module::{$builder, $key};
                let mut builder = $builder::new().with_url(url);
                if policy.is_restricted() {
                    builder = builder.with_http_connector(remote::Connector(policy.clone()));
                }
                for (name, value) in options.iter() {
                    if let Ok(key) = name.parse::<$key>() {
                        builder = builder.with_config(key, value);
                    }
                }
                Ok(Arc::new(builder.build()?))
            })
        }

        #[cfg(not(feature = $feature))]
        const fn $name() -> Option<Connect> {
            None
        }
    };
}

connector!(s3, "s3", AmazonS3Builder, aws, AmazonS3ConfigKey);
connector!(gcs, "gcs", GoogleCloudStorageBuilder, gcp, GoogleConfigKey);
connector!(azure, "azure", MicrosoftAzureBuilder, azure, AzureConfigKey);

#[cfg(feature = "http")]
const fn http() -> Option<Connect> {
    Some(|url, _, policy| {
        let plain = object_store::ClientOptions::new().with_allow_http(url.starts_with("http:"));
        let mut builder = object_store::http::HttpBuilder::new().with_client_options(plain);
        if policy.is_restricted() {
            builder = builder.with_http_connector(remote::Connector(policy.clone()));
        }
        Ok(Arc::new(builder.with_url(url).build()?))
    })
}

#[cfg(not(feature = "http"))]
const fn http() -> Option<Connect> {
    None
}
