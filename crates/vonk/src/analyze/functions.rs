//! Functions by name: a program's own first, then the library's, with their limits.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::execution::SessionState;
use datafusion::logical_expr::{AggregateUDF, HigherOrderUDF, ScalarUDF, WindowUDF};
use vonk_functions::{Description, Library, tables};

use super::config_of;
use super::outside::{GROUPS, MARK};
use super::written::WRITTEN;
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

    /// What help says of the function of a name.
    pub(crate) fn describe(&self, name: &str) -> Option<Description> {
        let name = name.to_lowercase();
        if let Some(own) = self.own_name(&name) {
            let usage = format!("{own}(…)");
            let doc = "Is a function of the program's.".to_owned();
            return Some(Description { names: vec![own], usage, doc });
        }
        descriptions().into_iter().find(|row| row.names.contains(&name))
    }

    /// The names of the program's own functions.
    pub(crate) fn own_names(&self) -> Vec<String> {
        let own = self.state.scalar_functions().values().map(|function| function.name());
        own.filter(|name| !name.contains(MARK)).map(str::to_owned).collect()
    }

    /// The names of all functions, of tables too, sorted, each once.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names = self.library.names();
        names.extend(self.own_names());
        names.extend(self.state.aggregate_functions().keys().cloned());
        names.extend(self.state.table_functions().keys().cloned());
        let written = WRITTEN.iter().flat_map(|row| row.names);
        names.extend(written.map(|name| (*name).to_owned()));
        // Some are known to their own expressions only.
        names.retain(|name| !name.contains(MARK));
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// What help says of every function: the forms that are written in other words, those of tables, and
/// those of the library, by their first name.
pub(crate) fn descriptions() -> Vec<Description> {
    let owned = |names: &[&str], usage: &str, doc: &str| Description {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        usage: usage.to_owned(),
        doc: doc.to_owned(),
    };
    let written = WRITTEN.iter().map(|row| owned(row.names, row.usage, row.doc));
    let of_tables = tables::FUNCTIONS.iter().map(|row| owned(&[row.name], row.usage, row.doc));
    let mut all: Vec<Description> = written.chain(of_tables).collect();
    let mut known: HashSet<String> = all.iter().flat_map(|row| row.names.clone()).collect();
    for mut row in Library::descriptions() {
        row.names.retain(|name| !known.contains(name));
        if !row.names.is_empty() {
            known.extend(row.names.iter().cloned());
            all.push(row);
        }
    }
    all.sort_by(|one, other| one.names[0].cmp(&other.names[0]));
    all
}
