//! The temporary views of a session: names over logical plans, without regard to case.

use std::collections::BTreeMap;

use datafusion::logical_expr::LogicalPlan;
use parking_lot::RwLock;

/// Named plans that live as long as the session.
#[derive(Debug, Default)]
pub(crate) struct Views {
    plans: RwLock<BTreeMap<String, LogicalPlan>>,
}

impl Views {
    /// The plan of a view.
    pub(crate) fn get(&self, name: &str) -> Option<LogicalPlan> {
        self.plans.read().get(&name.to_lowercase()).cloned()
    }

    /// Whether there is a view of that name.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.plans.read().contains_key(&name.to_lowercase())
    }

    /// Makes or replaces a view.
    pub(crate) fn insert(&self, name: &str, plan: LogicalPlan) {
        self.plans.write().insert(name.to_lowercase(), plan);
    }

    /// Drops a view; false if there is none of that name.
    pub(crate) fn remove(&self, name: &str) -> bool {
        self.plans.write().remove(&name.to_lowercase()).is_some()
    }

    /// The names, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        self.plans.read().keys().cloned().collect()
    }

    pub(crate) fn clear(&self) {
        self.plans.write().clear();
    }
}
