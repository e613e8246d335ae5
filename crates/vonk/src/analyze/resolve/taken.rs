//! Which names of relations and columns are taken where a relation gets one.

use std::collections::HashSet;

use datafusion::common::TableReference;

use super::scope::{Env, From};
use crate::display::DUPLICATE_MARK;

/// The columns that a FROM clause has so far and that the queries around it have, by the names that the planner
/// knows them by: a condition that leaves its subquery must not meet another column of its name.
pub(super) struct Taken {
    names: HashSet<String>,
    /// Whether there is one relation only, whose columns nothing else can be meant by.
    is_alone: bool,
}

impl Taken {
    /// What the queries around a FROM clause have taken; `is_alone` says that it has one relation.
    pub(super) fn within(around: Option<&Env<'_>>, is_alone: bool) -> Self {
        let mut taken = Self { names: HashSet::new(), is_alone };
        let mut around = around;
        while let Some(env) = around {
            for (table, field) in &env.from.fields {
                taken.names.insert(Self::column(table.as_ref(), field.name()));
                taken.names.extend(table.as_ref().map(TableReference::to_string));
            }
            around = env.parent;
        }
        taken
    }

    fn column(table: Option<&TableReference>, name: &str) -> String {
        match table {
            Some(table) => format!("{table}\u{0}{name}"),
            None => name.to_owned(),
        }
    }

    /// Reserves the columns of a relation under a table's name, if none is taken.
    pub(super) fn take(&mut self, table: &TableReference, from: &From) -> bool {
        let names = from.fields.iter().map(|(_, field)| Self::column(Some(table), field.name()));
        let names: Vec<String> = names.collect();
        let is_free = !self.names.contains(&table.to_string())
            && !names.iter().any(|name| self.names.contains(name));
        if is_free {
            self.names.extend(names);
            self.names.insert(table.to_string());
        }
        is_free
    }

    /// Reserves the columns of a relation under the names that its plan has for them; beside other
    /// relations each of them has to have a table's.
    pub(super) fn take_all(&mut self, from: &From) -> bool {
        if !self.is_alone && from.fields.iter().any(|(table, _)| table.is_none()) {
            return false;
        }
        let names = from.fields.iter();
        let names = names.map(|(table, field)| Self::column(table.as_ref(), field.name()));
        let names: Vec<String> = names.collect();
        let is_free = !names.iter().any(|name| self.names.contains(name));
        if is_free {
            self.names.extend(names);
        }
        is_free
    }

    /// A name like `wanted` under which no other relation stands.
    pub(super) fn free(&mut self, wanted: &str, from: &From) -> TableReference {
        let mut table = TableReference::bare(wanted.to_owned());
        let mut number = 2;
        while !self.take(&table, from) {
            table = TableReference::bare(format!("{wanted}{DUPLICATE_MARK}{number}"));
            number += 1;
        }
        table
    }
}
