//! Where files live: the local disk always, other stores by scheme behind a cargo feature each.

use std::sync::Arc;

use datafusion::execution::SessionState;
use datafusion::execution::object_store::ObjectStoreUrl;
use object_store::ObjectStore;

use super::ReadOptions;
use crate::error::{Condition, Error, Result};

/// One row of the table of stores.
struct Store {
    /// The schemes of its URLs.
    schemes: &'static [&'static str],
    /// The cargo feature that brings it.
    feature: &'static str,
    /// Makes a client for a URL; `None` in a build without the feature.
    connect: Option<Connect>,
}

type Connect = fn(&str, &ReadOptions) -> object_store::Result<Arc<dyn ObjectStore>>;

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
/// `UNSUPPORTED_FEATURE` for an unknown scheme or one whose cargo feature is off.
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
    let store = connect(&canonical(url.as_str()), options).map_err(|error| {
        Error::new(Condition::INVALID_PARAMETER, format!("cannot connect to `{url}`: {error}"))
    })?;
    runtime.register_object_store(url.as_ref(), Arc::clone(&store));
    Ok(store)
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
            Some(|url, options| {
                use object_store::$module::{$builder, $key};
                let mut builder = $builder::new().with_url(url);
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
    Some(|url, _| {
        let plain = object_store::ClientOptions::new().with_allow_http(url.starts_with("http:"));
        let builder = object_store::http::HttpBuilder::new().with_client_options(plain);
        Ok(Arc::new(builder.with_url(url).build()?))
    })
}

#[cfg(not(feature = "http"))]
const fn http() -> Option<Connect> {
    None
}
