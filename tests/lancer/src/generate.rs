//! Makes questions from a seed: tables, a query over them, and conditions to cut its rows by.

use vonk_tests::random::SplitMix;

use crate::ast::{Body, Expr, Query, Select, outputs};
use crate::table::Table;

mod condition;
mod expr;
mod query;
mod select;
mod tables;

pub use tables::tables;

/// What the oracles ask: each makes statements from it that have to agree.
#[derive(Debug, Clone)]
pub struct Question {
    /// The query.
    pub query: Query,
    /// A condition over the relations of [`Question::select`].
    pub inner: Expr,
    /// A condition over the columns of the query, as those of a relation [`OUTER`].
    pub outer: Expr,
}

/// The alias under which the query itself is a relation.
pub const OUTER: &str = "q";

impl Question {
    /// Makes a question over tables.
    pub fn new(dice: &mut SplitMix, tables: &[Table]) -> Self {
        let mut generator = Generator { dice, tables, aliases: 0, queries: Vec::new() };
        let query = generator.query(2);
        let inner = generator.filter(&select_of(&query).from.columns());
        let outer = generator.filter(&outputs(OUTER, &query.kinds()));
        Self { query, inner, outer }
    }

    /// The first SELECT of the query.
    #[must_use]
    pub fn select(&self) -> &Select {
        select_of(&self.query)
    }
}

fn select_of(query: &Query) -> &Select {
    match &query.body {
        Body::Select(select) => select,
        Body::Set { left, .. } => select_of(left),
    }
}

/// A typed generator of expressions and queries.
pub(crate) struct Generator<'a> {
    dice: &'a mut SplitMix,
    tables: &'a [Table],
    /// How many aliases are taken; each is used once.
    aliases: usize,
    /// The queries that were relations so far, some of which come again.
    queries: Vec<Query>,
}

impl Generator<'_> {
    fn alias(&mut self) -> String {
        self.aliases += 1;
        format!("r{}", self.aliases)
    }
}
