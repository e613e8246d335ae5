//! Plans that expressions of a session refer to: queries within expressions of the DataFrame API.

use std::collections::HashMap;

use datafusion::logical_expr::LogicalPlan;
use parking_lot::RwLock;

/// The reserved beginning of the names of such plans.
const REFERENCE_PREFIX: &str = "__reference";

/// Plans by number, for as long as somebody holds them.
#[derive(Debug, Default)]
pub(crate) struct References {
    plans: RwLock<Numbered>,
}

#[derive(Debug, Default)]
struct Numbered {
    by_number: HashMap<u64, LogicalPlan>,
    next: u64,
}

/// The name by which syntax refers to the plan of a number.
pub(crate) fn reference_name(number: u64) -> String {
    format!("{REFERENCE_PREFIX}{number}")
}

impl References {
    /// Adds a plan; gives its number.
    pub(crate) fn add(&self, plan: LogicalPlan) -> u64 {
        let mut plans = self.plans.write();
        let number = plans.next;
        plans.next += 1;
        plans.by_number.insert(number, plan);
        number
    }

    /// Lets go of a plan.
    pub(crate) fn remove(&self, number: u64) {
        self.plans.write().by_number.remove(&number);
    }

    /// The plan that a name refers to.
    pub(super) fn get(&self, name: &str) -> Option<LogicalPlan> {
        let number = name.strip_prefix(REFERENCE_PREFIX)?.parse().ok()?;
        self.plans.read().by_number.get(&number).cloned()
    }
}
