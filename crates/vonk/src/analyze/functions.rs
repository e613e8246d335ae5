//! Functions by name: a program's own first, then the library's, with their limits.

use std::sync::Arc;

use datafusion::execution::SessionState;
use datafusion::logical_expr::{AggregateUDF, HigherOrderUDF, ScalarUDF, WindowUDF};
use vonk_functions::Library;

use super::config_of;
use super::outside::{GROUPS, MARK};
use crate::limits;

/// The functions that a session's statements may call; names are case-insensitive.
pub(crate) struct Functions<'a> {
    state: &'a SessionState,
    library: Arc<Library>,
}

impl<'a> Functions<'a> {
    /// The functions of a state.
    pub(crate) fn of(state: &'a SessionState) -> Self {
        let library = state.config().get_extension::<Library>();
        let library =
            library.unwrap_or_else(|| Arc::new(Library::new(config_of(state).arithmetic())));
        Self { state, library }
    }

    pub(crate) fn scalar(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        let name = name.to_lowercase();
        if let Some(function) = self.state.scalar_functions().get(&name) {
            return Some(Arc::clone(function));
        }
        self.library.scalar(&name).map(|function| limits::bounded(function, self.state))
    }

    /// The name that the program gave to a function of its own, with its capitals.
    pub(crate) fn own_name(&self, name: &str) -> Option<String> {
        let own = self.state.scalar_functions();
        let name = name.to_lowercase();
        let function = own.get(&name).or_else(|| own.get(&format!("{name}{MARK}{GROUPS}")))?;
        function.name().split(MARK).next().map(str::to_owned)
    }

    pub(crate) fn aggregate(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        let name = name.to_lowercase();
        let ours = || self.library.aggregate(&name);
        ours().or_else(|| self.state.aggregate_functions().get(&name).cloned())
    }

    pub(crate) fn window(&self, name: &str) -> Option<Arc<WindowUDF>> {
        self.library.window(&name.to_lowercase())
    }

    pub(crate) fn higher_order(&self, name: &str) -> Option<Arc<HigherOrderUDF>> {
        self.library.higher_order(&name.to_lowercase())
    }

    /// The names of all functions, of tables too, sorted, each once.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names = self.library.names();
        let own = self.state.scalar_functions().values();
        names.extend(own.map(|function| function.name().to_owned()));
        names.extend(self.state.aggregate_functions().keys().cloned());
        names.extend(self.state.table_functions().keys().cloned());
        // Some are known to their own expressions only.
        names.retain(|name| !name.contains(MARK));
        names.sort_unstable();
        names.dedup();
        names
    }
}
