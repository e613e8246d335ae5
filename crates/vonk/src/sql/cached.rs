//! Tables that statements have cached: `CACHE TABLE`, until UNCACHE, CLEAR CACHE or the session's end.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use datafusion::common::TableReference;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::LogicalPlan;
use parking_lot::RwLock;

/// The rows of a relation, kept from the first query that reads them.
pub(crate) trait KeptRows: fmt::Debug + Send + Sync {
    /// Drops the rows and keeps none any more.
    fn release(&self);
}

/// A relation whose rows are kept, as a plan that reads them.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) plan: LogicalPlan,
    pub(crate) rows: Arc<dyn KeptRows>,
}

/// What is known of a cached relation.
#[derive(Debug)]
struct Entry {
    /// Where the rows may lie, if the statement said so.
    level: Option<String>,
    /// Nothing until a query reads the relation.
    kept: Option<Kept>,
    /// The tables that the rows were read from, by the names that they would be cached by.
    sources: Vec<String>,
}

/// The cached relations of a session, by name without regard to case.
#[derive(Debug, Default)]
pub(crate) struct Cached {
    entries: RwLock<HashMap<String, Entry>>,
}

impl Cached {
    /// Has the rows of a relation kept from the next query on.
    pub(crate) fn add(&self, name: &str, level: Option<String>) {
        let mut entries = self.entries.write();
        entries.entry(name.to_owned()).or_insert(Entry { level, kept: None, sources: Vec::new() });
    }

    /// Whether no relation is cached.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.read().is_empty()
    }

    /// Whether a relation is cached.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.entries.read().contains_key(name)
    }

    /// The plan over the rows of a cached relation, which `make` gives for the first query with the
    /// tables that they are read from.
    pub(crate) fn plan<E>(
        &self,
        name: &str,
        make: impl FnOnce(Option<&str>) -> Result<(Kept, Vec<String>), E>,
    ) -> Result<Option<LogicalPlan>, E> {
        let mut entries = self.entries.write();
        let Some(entry) = entries.get_mut(name) else { return Ok(None) };
        let kept = match entry.kept.take() {
            Some(kept) => kept,
            None => {
                let (kept, sources) = make(entry.level.as_deref())?;
                entry.sources = sources;
                kept
            }
        };
        let plan = kept.plan.clone();
        entry.kept = Some(kept);
        Ok(Some(plan))
    }

    /// Keeps a relation no more; false if it was not cached.
    pub(crate) fn remove(&self, name: &str) -> bool {
        let entry = self.entries.write().remove(name);
        if let Some(kept) = entry.as_ref().and_then(|entry| entry.kept.as_ref()) {
            kept.rows.release();
        }
        entry.is_some()
    }

    /// Keeps nothing any more.
    pub(crate) fn clear(&self) {
        for (_, entry) in self.entries.write().drain() {
            if let Some(kept) = entry.kept {
                kept.rows.release();
            }
        }
    }

    /// Drops the rows that were read from a table that has changed, or all of them.
    pub(crate) fn forget(&self, table: Option<&str>) {
        for (name, entry) in self.entries.write().iter_mut() {
            let is_meant = table.is_none_or(|table| {
                name == table || entry.sources.iter().any(|source| source == table)
            });
            if is_meant && let Some(kept) = entry.kept.take() {
                kept.rows.release();
            }
        }
    }
}

/// The name by which a relation is cached.
pub(crate) fn cache_key(name: &TableReference, database: &str, is_view: bool) -> String {
    match (name.schema(), is_view) {
        (None, true) => name.table().to_lowercase(),
        (schema, _) => format!("{}.{}", schema.unwrap_or(database), name.table()).to_lowercase(),
    }
}

/// The tables that a plan reads, by the names that they would be cached by.
pub(crate) fn sources_of(plan: &LogicalPlan, database: &str) -> Vec<String> {
    let mut sources = Vec::new();
    let visited = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            sources.push(cache_key(&scan.table_name, database, false));
        }
        Ok(TreeNodeRecursion::Continue)
    });
    debug_assert!(visited.is_ok(), "nothing above fails");
    sources
}
