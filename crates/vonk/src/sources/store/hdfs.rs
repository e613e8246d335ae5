//! The client of Hadoop's file system: name nodes and their stand-ins by Hadoop's configuration.

use std::net::ToSocketAddrs;
use std::path::PathBuf;
use std::sync::Arc;

use hdfs_native::{ClientBuilder, HdfsError};
use hdfs_native_object_store::HdfsObjectStore;
use object_store::ObjectStore;
use url::{Position, Url};

use super::settings::Settings;
use crate::error::{Condition, Error};
use crate::policy::Policy;

/// Where name nodes listen unless an address says otherwise.
const PORT: u16 = 8020;

/// The directory of a configuration where there is none: the client would ask the environment.
const NOWHERE: &str = "/nonexistent/hadoop-configuration";

/// Makes a client for `hdfs://host:port`, `hdfs://name-service` or, by `fs.defaultFS`, `hdfs://`.
///
/// The user is the one that `HADOOP_USER_NAME` names, or who runs the process.
pub(super) fn connect(
    url: &Url,
    settings: &Settings,
    policy: &Policy,
) -> object_store::Result<Arc<dyn ObjectStore>> {
    check_addresses(url, policy).map_err(generic)?;
    let build = |address: &str| {
        let options: Vec<(String, String)> = settings
            .all_hadoop()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        ClientBuilder::new()
            .with_url(address)
            .with_config(options)
            .with_config_dir(configuration(settings))
            .build()
    };
    let address = &url[..Position::BeforePath];
    let client = match build(address) {
        // A host that is no name service listens where Hadoop's do.
        Err(HdfsError::InvalidArgument(_)) if url.host_str().is_some() && url.port().is_none() => {
            build(&format!("{address}:{PORT}"))
        }
        other => other,
    };
    match client {
        Ok(client) => Ok(Arc::new(HdfsObjectStore::new(client))),
        Err(error) => Err(generic(wrong_settings(&error))),
    }
}

/// The directory with `core-site.xml` and `hdfs-site.xml`.
fn configuration(settings: &Settings) -> String {
    let of_home = || {
        let home = settings.variable("HADOOP_HOME")?;
        Some(PathBuf::from(home).join("etc").join("hadoop").display().to_string())
    };
    let directory = settings.variable("HADOOP_CONF_DIR").map(str::to_owned).or_else(of_home);
    directory.unwrap_or_else(|| NOWHERE.to_owned())
}

/// Refuses a name that leads to an address inside, where the policy allows only the name.
fn check_addresses(url: &Url, policy: &Policy) -> Result<(), Error> {
    let Some(host) = url.host_str().filter(|_| policy.is_restricted()) else { return Ok(()) };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host.parse::<std::net::IpAddr>().is_ok() {
        return Ok(());
    }
    // A name service is no name of a host, and its hosts are its maker's.
    let Ok(found) = (host, url.port().unwrap_or(PORT)).to_socket_addrs() else { return Ok(()) };
    found.into_iter().try_for_each(|address| policy.check_address(host, address.ip()))
}

fn wrong_settings(error: &HdfsError) -> Error {
    Error::new(Condition::INVALID_PARAMETER, error.to_string()).hint(
        "write `hdfs://host:port/path`, or name the directory of `core-site.xml` and \
         `hdfs-site.xml` in `HADOOP_CONF_DIR`",
    )
}

fn generic(error: Error) -> object_store::Error {
    object_store::Error::Generic { store: "hdfs", source: Box::new(error) }
}
