//! The session: the entrance to SQL, files, tables and RDDs.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::Arc;

use datafusion::execution::SessionState;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::logical_expr::LogicalPlan;
use object_store::ObjectStore;
use parking_lot::RwLock;

use crate::analyze::{Around, CurrentDatabase, References, Routines, Variables};
use crate::catalog::{Catalog, DEFAULT_DATABASE, TableName};
use crate::config::{self, Config};
use crate::dataframe::{Caches, Column, DataFrame};
use crate::error::{Condition, Error, Result};
use crate::placement::{self, Cluster};
use crate::policy::Policy;
use crate::sources::store::{self, Stores};
use crate::sql::{self, Cached, Environment, Kept, Views};
use crate::udf::UserFunctions;

mod files;
mod memory;
mod names;
mod spill;
mod state;

pub(crate) use state::{configure, runtime};

/// The entrance to the engine: SQL, files, tables and RDDs, with the options they run under.
///
/// A session is cheap to clone; clones share views, options and memory.
///
/// ```
/// # use vonk::prelude::*;
/// # #[tokio::main] async fn main() -> vonk::Result<()> {
/// let session = Session::builder().app_name("example").master("local[2]").get_or_create()?;
/// assert_eq!(session.sql("SELECT 40 + 2").count().await?, 1);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Session {
    inner: Arc<Inner>,
    /// The columns of the queries around those that are planned by this clone.
    around: Option<Arc<Around>>,
}

#[derive(Debug)]
struct Inner {
    id: String,
    config: RwLock<Config>,
    /// The options that it was made with.
    made_with: Config,
    runtime: Arc<RuntimeEnv>,
    state: RwLock<Arc<SessionState>>,
    views: Views,
    variables: Arc<Variables>,
    routines: Arc<Routines>,
    cached: Cached,
    references: Arc<References>,
    /// The current database of the catalog.
    database: Arc<RwLock<String>>,
    user_functions: UserFunctions,
    caches: Caches,
    /// The stores of its files, and the policy under which they are opened.
    stores: Arc<Stores>,
    cluster: Option<Arc<dyn Cluster>>,
}

/// Collects the options of a [`Session`] before it is made.
#[derive(Debug, Clone, Default)]
pub struct SessionBuilder {
    settings: Vec<(String, String)>,
    policy: Policy,
    variables: BTreeMap<String, String>,
}

impl SessionBuilder {
    /// Names the application.
    #[must_use]
    pub fn app_name(self, name: impl Into<String>) -> Self {
        self.config(crate::config::APP_NAME, name)
    }

    /// Sets where queries run: `local[*]` for all cores, `local[N]` for N threads, `vonk://host:port`
    /// for the workers of a cluster, which the crate `vonk-cluster` reaches.
    #[must_use]
    pub fn master(self, master: impl Into<String>) -> Self {
        self.config(crate::config::MASTER, master)
    }

    /// Sets an option for a session whose builder sets it nowhere else, before or after.
    #[must_use]
    pub fn config_default(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.insert(0, (name.into(), value.into()));
        self
    }

    /// Sets an option by vonk's or Spark's name; it is checked when the session is made.
    #[must_use]
    pub fn config(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.push((name.into(), value.into()));
        self
    }

    /// Sets what the statements of the session may read, write, reach and set.
    ///
    /// The options of the builder are its maker's, so that the policy does not concern them.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Tells the session the variables of the process's environment that say where stores are and
    /// who asks them: those of Amazon, Google, Azure and Hadoop. The others are left aside, and so are
    /// those that are not text.
    ///
    /// A session reads no environment by itself, so that what a program opens is the program's to say.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// let session = Session::builder().environment(std::env::vars_os()).get_or_create()?;
    /// # Ok::<(), vonk::Error>(())
    /// ```
    #[must_use]
    pub fn environment(
        mut self,
        variables: impl IntoIterator<Item = (impl Into<OsString>, impl Into<OsString>)>,
    ) -> Self {
        self.variables.extend(store::variables_of(variables));
        self
    }

    /// Makes the session.
    ///
    /// # Errors
    /// `SQL_CONF_NOT_FOUND` and `INVALID_CONF_VALUE` for an option that is unknown or does not fit.
    pub fn get_or_create(self) -> Result<Session> {
        let mut config = Config::default();
        for (name, value) in &self.settings {
            config.set(name, value)?;
        }
        Session::with_config(config, self.policy, self.variables)
    }
}

impl Session {
    /// A session with default options.
    ///
    /// # Panics
    /// Never with the defaults; options come through [`Session::builder`].
    #[expect(clippy::expect_used, reason = "the defaults are checked by a test")]
    pub fn new() -> Self {
        Self::with_config(Config::default(), Policy::default(), BTreeMap::new())
            .expect("default options are valid")
    }

    /// Starts a session with options.
    pub fn builder() -> SessionBuilder {
        SessionBuilder::default()
    }

    fn with_config(
        config: Config,
        policy: Policy,
        variables: BTreeMap<String, String>,
    ) -> Result<Self> {
        let stores = Stores::new(policy, variables, &config);
        let runtime = state::runtime(&config, &stores)?;
        let cluster = placement::connect(&config)?;
        let id = format!("{:016x}", rand::random::<u64>());
        let mut state = state::assemble(&id, &config, &stores, &runtime, cluster.as_ref())?;
        let variables = Arc::<Variables>::default();
        state.config_mut().set_extension(Arc::clone(&variables));
        let routines = Arc::<Routines>::default();
        state.config_mut().set_extension(Arc::clone(&routines));
        let references = Arc::<References>::default();
        state.config_mut().set_extension(Arc::clone(&references));
        Ok(Self {
            inner: Arc::new(Inner {
                id,
                made_with: config.clone(),
                config: RwLock::new(config),
                runtime,
                state: RwLock::new(Arc::new(state)),
                views: Views::default(),
                variables,
                routines,
                cached: Cached::default(),
                references,
                database: Arc::new(RwLock::new(DEFAULT_DATABASE.to_owned())),
                user_functions: UserFunctions::default(),
                caches: Caches::default(),
                stores,
                cluster,
            }),
            around: None,
        })
    }

    /// A query or statement; it is parsed, planned and run by the action that follows.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let batches = Session::new().sql("SELECT 'hello' AS greeting").collect().await?;
    /// assert_eq!(batches[0].schema().field(0).name(), "greeting");
    /// # Ok(()) }
    /// ```
    pub fn sql(&self, text: impl Into<String>) -> DataFrame {
        let text = text.into();
        DataFrame::deferred(self.clone(), move |session| {
            let text = text.clone();
            Box::pin(async move { sql::plan_text(&session, &text).await })
        })
    }

    /// A query or statement with values in the place of its parameters, `?` or `:name`.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let sum = Session::new().sql_with("SELECT ? + ? AS sum", [(None, lit(1)), (None, lit(2))]);
    /// assert_eq!(sum.rows::<(i32,)>().await?, [(3,)]);
    /// let less = Session::new().sql_with("SELECT :a - 1 AS less", [(Some("a"), lit(3))]);
    /// assert_eq!(less.rows::<(i32,)>().await?, [(2,)]);
    /// # Ok(()) }
    /// ```
    pub fn sql_with<'a>(
        &self,
        text: impl Into<String>,
        arguments: impl IntoIterator<Item = (Option<&'a str>, Column)>,
    ) -> DataFrame {
        let text = text.into();
        let arguments = arguments.into_iter().map(|(name, value)| (name.map(str::to_owned), value));
        let arguments: Vec<(Option<String>, Column)> = arguments.collect();
        DataFrame::deferred(self.clone(), move |session| {
            let (text, arguments) = (text.clone(), arguments.clone());
            Box::pin(async move {
                let value = |(name, value): (_, Column)| Ok((name, value.expr()?));
                let arguments = arguments.into_iter().map(value).collect::<Result<_>>()?;
                sql::plan_text_with(&session, &text, arguments).await
            })
        })
    }

    /// A session of its own with the options, temporary views and functions that this one has now.
    ///
    /// # Errors
    /// If the engine cannot be assembled with the options.
    pub fn fork(&self) -> Result<Self> {
        let stores = &self.inner.stores;
        let fork =
            Self::with_config(self.config(), stores.policy().clone(), stores.variables().clone())?;
        for name in self.inner.views.names() {
            if let Some(plan) = self.inner.views.get(&name) {
                fork.inner.views.insert(&name, plan);
            }
        }
        self.inner.database.read().clone_into(&mut fork.inner.database.write());
        fork.inner.user_functions.take_from(&self.inner.user_functions);
        fork.inner.routines.take_from(&self.inner.routines);
        fork.refresh()?;
        Ok(fork)
    }

    /// Drops a temporary view; false if there is none of that name.
    pub fn drop_temp_view(&self, name: &str) -> bool {
        let is_dropped = self.inner.views.remove(name);
        if is_dropped {
            self.inner.cached.remove(&name.to_lowercase());
        }
        is_dropped
    }

    /// Drops what is kept of a table that has been written to, or of all tables.
    pub(crate) fn forget_rows(&self, table: Option<&str>) {
        let key = |name: &str| {
            Some(self.catalog().ok()?.qualified(&TableName::parse(name).ok()?).to_string())
        };
        self.inner.cached.forget(table.and_then(key).as_deref());
    }

    /// The names of the temporary views, sorted; those of `global_temp` begin with its name.
    pub fn temp_view_names(&self) -> Vec<String> {
        self.inner.views.names()
    }

    /// A table or view by name, or a file by path.
    pub fn table(&self, name: impl Into<String>) -> DataFrame {
        let name = name.into();
        DataFrame::deferred(self.clone(), move |session| {
            let name = name.clone();
            Box::pin(async move { sql::plan_table(&session, &name).await })
        })
    }

    /// Sets an option of the running session.
    ///
    /// # Errors
    /// `SQL_CONF_NOT_FOUND` and `INVALID_CONF_VALUE` for an option that is unknown or does not fit,
    /// `CANNOT_MODIFY_STATIC_CONFIG` for one that the session's policy keeps.
    pub fn set(&self, name: &str, value: &str) -> Result<()> {
        self.policy().check_setting(name)?;
        self.change_config(|config| config.set(name, value))
    }

    /// Puts an option back to what the session was made with, else to its default.
    ///
    /// # Errors
    /// If the engine cannot be assembled with the default, and
    /// `CANNOT_MODIFY_STATIC_CONFIG` for an option that the session's policy keeps.
    pub fn unset(&self, name: &str) -> Result<()> {
        self.policy().check_setting(name)?;
        self.change_config(|config| {
            config.unset(name);
            let given = self.inner.made_with.own(name).map(str::to_owned);
            given.map_or(Ok(()), |given| config.set(name, &given))
        })
    }

    /// The options as they are now.
    pub fn config(&self) -> Config {
        self.inner.config.read().clone()
    }

    /// Ends the session: its views and caches are dropped.
    pub fn stop(&self) {
        self.inner.views.clear();
        self.inner.caches.clear();
    }

    /// The databases, tables and views that outlive the session, in the warehouse directory.
    ///
    /// # Errors
    /// If the option `vonk.sql.warehouse.dir` is no path.
    pub fn catalog(&self) -> Result<Catalog> {
        let config = self.inner.config.read();
        let warehouse = config.get(config::WAREHOUSE).unwrap_or("spark-warehouse");
        Catalog::new(warehouse, &self.inner.database, self.policy())
    }

    /// What the statements of the session may read, write, reach and set.
    pub fn policy(&self) -> &Policy {
        self.inner.stores.policy()
    }

    /// Gives the session a store of files of the program's own: paths that begin with `url` are
    /// read from it and written to it, whatever hosts the session's policy allows.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// use std::sync::Arc;
    /// use vonk::object_store::{ObjectStoreExt, memory::InMemory};
    ///
    /// let store = InMemory::new();
    /// store.put(&"poem.txt".into(), "to be\nor not".into()).await.unwrap();
    /// let session = Session::new();
    /// session.register_object_store("memory://poems", Arc::new(store))?;
    /// let lines = session.context().text_file("memory://poems/poem.txt");
    /// assert_eq!(lines.collect().await?, ["to be", "or not"]);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// `INVALID_PARAMETER` if `url` is not a scheme and a host, such as `memory://poems`.
    pub fn register_object_store(&self, url: &str, store: Arc<dyn ObjectStore>) -> Result<()> {
        let url = ObjectStoreUrl::parse(url).map_err(|error| {
            Error::new(Condition::INVALID_PARAMETER, format!("`{url}` names no store: {error}"))
                .hint("give a scheme and a host, such as `memory://poems`")
        })?;
        self.inner.runtime.register_object_store(url.as_ref(), store);
        Ok(())
    }

    /// The identifier of the session, for messages and files.
    pub fn id(&self) -> &str {
        &self.inner.id
    }

    /// The state for one query: `now()` is the moment at which it is asked for.
    pub(crate) fn state(&self) -> Arc<SessionState> {
        let mut state = SessionState::clone(&self.inner.state.read());
        let options = Arc::clone(state.config_options());
        state.execution_props_mut().mark_start_execution(options);
        let database = CurrentDatabase(self.inner.database.read().clone());
        state.config_mut().set_extension(Arc::new(database));
        if let Some(around) = &self.around {
            state.config_mut().set_extension(Arc::clone(around));
        }
        Arc::new(state)
    }

    /// A clone whose queries are planned within others.
    pub(crate) fn planning_within(&self, around: Arc<Around>) -> Self {
        Self { inner: Arc::clone(&self.inner), around: Some(around) }
    }

    /// The columns of the queries around those of this clone.
    pub(crate) fn around(&self) -> Option<&Around> {
        self.around.as_deref()
    }

    pub(crate) fn runtime(&self) -> &Arc<RuntimeEnv> {
        &self.inner.runtime
    }

    pub(crate) fn views(&self) -> &Views {
        &self.inner.views
    }

    pub(crate) fn caches(&self) -> &Caches {
        &self.inner.caches
    }

    pub(crate) fn references(&self) -> &Arc<References> {
        &self.inner.references
    }

    pub(crate) fn user_functions(&self) -> &UserFunctions {
        &self.inner.user_functions
    }

    /// Assembles the engine anew, after its functions have changed.
    pub(crate) fn refresh(&self) -> Result<()> {
        self.change_config(|_| Ok(()))
    }

    fn change_config(&self, change: impl FnOnce(&mut Config) -> Result<()>) -> Result<()> {
        let mut config = self.inner.config.write();
        let mut changed = config.clone();
        change(&mut changed)?;
        let Inner { id, stores, runtime, cluster, .. } = self.inner.as_ref();
        let mut state = state::assemble(id, &changed, stores, runtime, cluster.as_ref())?;
        state.config_mut().set_extension(Arc::clone(&self.inner.variables));
        state.config_mut().set_extension(Arc::clone(&self.inner.routines));
        state.config_mut().set_extension(Arc::clone(&self.inner.references));
        self.inner.user_functions.add_to(&mut state)?;
        *self.inner.state.write() = Arc::new(state);
        *config = changed;
        Ok(())
    }
}

impl Environment for Session {
    fn state(&self) -> Arc<SessionState> {
        Session::state(self)
    }

    fn views(&self) -> &Views {
        Session::views(self)
    }

    fn variables(&self) -> &Variables {
        &self.inner.variables
    }

    fn routines(&self) -> &Routines {
        &self.inner.routines
    }

    fn cached(&self) -> &Cached {
        &self.inner.cached
    }

    fn keep(&self, plan: LogicalPlan, level: Option<&str>) -> Result<Kept> {
        crate::dataframe::keep_plan(self, plan, level)
    }

    fn catalog(&self) -> Result<Catalog> {
        Session::catalog(self)
    }

    fn config(&self) -> Config {
        Session::config(self)
    }

    fn set(&self, name: &str, value: &str) -> Result<()> {
        Session::set(self, name, value)
    }

    fn unset(&self, name: &str) -> Result<()> {
        Session::unset(self, name)
    }
}

impl Default for Session {
    fn default() -> Self {
        Self::new()
    }
}
