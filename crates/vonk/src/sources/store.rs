//! Where files live: the local disk always, other stores by scheme behind a cargo feature each.
//!
//! Every file is opened by a store that is made here, under the session's policy and with what its
//! settings and the process's environment say of the store.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;

use datafusion::common::{DataFusionError, Result as DfResult};
use datafusion::execution::SessionState;
use datafusion::execution::object_store::{ObjectStoreRegistry, ObjectStoreUrl};
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::prelude::SessionConfig;
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use parking_lot::RwLock;
use url::{Position, Url};

use super::ReadOptions;
use crate::config::Config;
use crate::error::{Condition, Error, Result};
use crate::policy::{Access, Policy};

#[cfg(feature = "remote")]
mod clouds;
mod guarded;
#[cfg(feature = "hdfs")]
mod hdfs;
#[cfg(feature = "s3")]
mod profile;
#[cfg(feature = "remote")]
mod remote;
mod settings;
mod steady;
#[cfg(test)]
mod tests;

use settings::Settings;

/// `Some` of a function in a build that has it.
macro_rules! connector {
    ($feature:literal, $function:path) => {{
        #[cfg(feature = $feature)]
        let connect: Option<Connect> = Some($function);
        #[cfg(not(feature = $feature))]
        let connect: Option<Connect> = None;
        connect
    }};
}
/// One row of the table of stores.
struct Store {
    /// The schemes of its URLs.
    schemes: &'static [&'static str],
    /// The cargo feature that brings it.
    feature: &'static str,
    /// Makes a client for a URL; `None` in a build without the feature.
    connect: Option<Connect>,
}

type Connect = fn(&Url, &Settings, &Policy) -> object_store::Result<Arc<dyn ObjectStore>>;

/// Every store beside the local disk.
const STORES: &[Store] = &[
    Store {
        schemes: &["hdfs", "viewfs"],
        feature: "hdfs",
        connect: connector!("hdfs", hdfs::connect),
    },
    Store { schemes: &["s3", "s3a", "s3n"], feature: "s3", connect: connector!("s3", clouds::s3) },
    Store { schemes: &["gs", "gcs"], feature: "gcs", connect: connector!("gcs", clouds::gcs) },
    Store {
        schemes: &["abfs", "abfss", "az", "azure", "wasb", "wasbs"],
        feature: "azure",
        connect: connector!("azure", clouds::azure),
    },
    Store {
        schemes: &["http", "https"],
        feature: "http",
        connect: connector!("http", clouds::http),
    },
];

/// How the names of the environment's variables begin that say something of stores.
const VARIABLES: &[&str] = &["AWS_", "AZURE_", "GOOGLE_", "HADOOP_", "HOME", "USERPROFILE"];

/// The variables of an environment that say something of stores, as far as they are text.
pub(crate) fn variables_of(
    environment: impl IntoIterator<Item = (impl Into<OsString>, impl Into<OsString>)>,
) -> impl Iterator<Item = (String, String)> {
    let texts = environment.into_iter().filter_map(|(name, value)| {
        Some((name.into().into_string().ok()?, value.into().into_string().ok()?))
    });
    texts.filter(|(name, _)| VARIABLES.iter().any(|begin| name.starts_with(begin)))
}

/// The stores of one session: the local disk, those that the program gave it, and clients that are
/// made when a path first asks for them.
pub(crate) struct Stores {
    policy: Policy,
    /// What the process's environment says of stores; the library does not read it itself.
    variables: BTreeMap<String, String>,
    /// The session's options when it was made.
    config: Config,
    known: RwLock<HashMap<String, Known>>,
}

/// A store, and a digest of the settings that its client was made with; `None` for one that the
/// program gave.
struct Known {
    store: Arc<dyn ObjectStore>,
    made_with: Option<u64>,
}

impl Stores {
    /// The stores that a session begins with: the local disk, as far as its policy allows.
    pub(crate) fn new(
        policy: Policy,
        variables: BTreeMap<String, String>,
        config: &Config,
    ) -> Arc<Self> {
        let local: Arc<dyn ObjectStore> = match policy.is_restricted() {
            true => Arc::new(guarded::GuardedDisk::new(policy.clone())),
            false => Arc::new(LocalFileSystem::new()),
        };
        let stores = Self { policy, variables, config: config.clone(), known: RwLock::default() };
        stores.register_store(ObjectStoreUrl::local_filesystem().as_ref(), local);
        Arc::new(stores)
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(crate) fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    /// The store of a URL: one that is known, or a new client.
    ///
    /// A client is made anew when settings have changed, so that a wrong key can be put right.
    fn find(
        &self,
        url: &Url,
        config: &Config,
        options: &ReadOptions,
    ) -> Result<Arc<dyn ObjectStore>> {
        let key = key_of(url);
        let found =
            self.known.read().get(&key).map(|known| (Arc::clone(&known.store), known.made_with));
        if let Some((store, None)) = found {
            return Ok(store);
        }
        let scheme = url.scheme();
        self.policy.check_store(scheme, url.host_str().unwrap_or_default())?;
        let connect = client_of(scheme)?;
        let settings = match scheme {
            // Which hosts a name service has is said by settings, and no client asks the policy again.
            "hdfs" | "viewfs" if self.policy.is_restricted() => {
                Settings::gather(&self.variables, &self.config, &ReadOptions::default())?
            }
            _ => Settings::gather(&self.variables, config, options)?,
        };
        self.check_files(&settings)?;
        let digest = settings.digest();
        if let Some((store, Some(before))) = found
            && before == digest
        {
            return Ok(store);
        }
        let client =
            connect(url, &settings, &self.policy).map_err(|error| cannot_connect(url, error))?;
        let store: Arc<dyn ObjectStore> =
            Arc::new(steady::Steady::new(client, url, settings.patience));
        let known = Known { store: Arc::clone(&store), made_with: Some(digest) };
        self.known.write().insert(key, known);
        Ok(store)
    }

    /// Refuses settings that name a file with credentials outside of what may be read, unless they
    /// were the session's from its beginning: a store would send what is in it to a host of the
    /// user's choice.
    fn check_files(&self, settings: &Settings) -> Result<()> {
        if !self.policy.is_restricted() {
            return Ok(());
        }
        let given = Settings::gather(&self.variables, &self.config, &ReadOptions::default())?;
        let given: Vec<(&str, &str)> = given.all_own().chain(given.all_hadoop()).collect();
        let all = settings.all_own().chain(settings.all_hadoop());
        let mut files = all.filter(|said| names_file(said.0) && !given.contains(said));
        files.try_for_each(|(_, path)| self.policy.check(Access::Read, path.as_ref()))
    }
}

/// Whether a setting's value is the path of a file with credentials.
fn names_file(name: &str) -> bool {
    let name = name.to_lowercase();
    let name = name.trim_start_matches("google_");
    name.ends_with("file")
        || ["service_account", "service_account_path", "application_credentials"].contains(&name)
}

impl ObjectStoreRegistry for Stores {
    fn register_store(
        &self,
        url: &Url,
        store: Arc<dyn ObjectStore>,
    ) -> Option<Arc<dyn ObjectStore>> {
        let known = Known { store, made_with: None };
        self.known.write().insert(key_of(url), known).map(|before| before.store)
    }

    fn deregister_store(&self, url: &Url) -> DfResult<Arc<dyn ObjectStore>> {
        let removed = self.known.write().remove(&key_of(url)).map(|known| known.store);
        removed.ok_or_else(|| DataFusionError::Plan(format!("no store is known for {url}")))
    }

    /// Plans name stores by URL alone: what their session connected to is known here, and what
    /// another process did is connected to with the settings of this one.
    fn get_store(&self, url: &Url) -> DfResult<Arc<dyn ObjectStore>> {
        if let Some(known) = self.known.read().get(&key_of(url)) {
            return Ok(Arc::clone(&known.store));
        }
        Ok(self.find(url, &self.config, &ReadOptions::default())?)
    }
}

impl fmt::Debug for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither variables nor options: there are passwords among them.
        let known: Vec<String> = self.known.read().keys().cloned().collect();
        f.debug_struct("Stores").field("known", &known).finish_non_exhaustive()
    }
}

/// Scheme, account, host and port: containers of one Azure account are told apart by the account.
fn key_of(url: &Url) -> String {
    url[..Position::BeforePath].to_owned()
}

/// The store of a URL, for a statement of the session that a state belongs to.
///
/// # Errors
/// `UNSUPPORTED_FEATURE` for an unknown scheme or one whose cargo feature is off,
/// `INSUFFICIENT_PERMISSIONS` if the policy forbids it.
pub(crate) fn connect(
    state: &SessionState,
    url: &ObjectStoreUrl,
    options: &ReadOptions,
) -> Result<Arc<dyn ObjectStore>> {
    open(state.config(), state.runtime_env(), url, options)
}

/// As [`connect`], for a task: the settings and the extension [`Stores`] are those of its options.
///
/// # Errors
/// Those of [`connect`].
pub(super) fn open(
    session: &SessionConfig,
    runtime: &RuntimeEnv,
    url: &ObjectStoreUrl,
    options: &ReadOptions,
) -> Result<Arc<dyn ObjectStore>> {
    let Some(stores) = session.get_extension::<Stores>() else {
        return Ok(runtime.object_store(url)?);
    };
    let config = session.get_extension::<Config>().unwrap_or_default();
    stores.find(url.as_ref(), &config, options)
}

/// Whether the servers of a scheme can say which files they have.
pub(crate) fn lists(url: &ObjectStoreUrl) -> bool {
    !url.as_str().starts_with("http")
}

fn client_of(scheme: &str) -> Result<Connect> {
    let Some(row) = STORES.iter().find(|row| row.schemes.contains(&scheme)) else {
        let known: Vec<String> = (STORES.iter().flat_map(|row| row.schemes))
            .map(|scheme| format!("`{scheme}`"))
            .collect();
        return Err(Error::unsupported(format!("paths with the scheme `{scheme}` are not known"))
            .hint(format!("use a local path, `file` or one of {}", known.join(", "))));
    };
    row.connect.ok_or_else(|| {
        Error::unsupported(format!("this build of vonk does not read `{scheme}` paths"))
            .hint(format!("build it with the cargo feature `{}`", row.feature))
    })
}

fn cannot_connect(url: &Url, error: object_store::Error) -> Error {
    match Error::from(error) {
        ours if ours.condition() == Condition::INSUFFICIENT_PERMISSIONS => ours,
        other => {
            let message = format!("cannot connect to `{}`: {}", key_of(url), other.message());
            let error = Error::new(Condition::INVALID_PARAMETER, message);
            error.hint(other.hint_text().unwrap_or("check the address and the store's options"))
        }
    }
}
