//! What a name may stand for in one SELECT: the columns of its FROM, and of those around it.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{DFSchema, TableReference};
use sqlparser::ast::{Expr, Ident};

use crate::display::shown;

/// A column that a name may stand for.
#[derive(Debug, Clone)]
pub(super) struct Column {
    /// The name that users know.
    pub name: String,
    /// The words that may stand before the name, from the catalog to the table.
    pub qualifier: Vec<String>,
    /// What the planner is given for it.
    pub reference: Expr,
    /// Its type; `Null` if nobody knows yet.
    pub data_type: DataType,
    /// Whether it needs a qualifier, as the other side's key of a USING join does.
    pub hidden: bool,
    /// The name that only a program would write, if columns of the same name are told apart by it.
    pub exact: Option<String>,
}

/// The columns of a FROM clause.
#[derive(Debug, Clone, Default)]
pub(super) struct From {
    pub columns: Vec<Column>,
    /// The columns as the planner has them.
    pub fields: Vec<(Option<TableReference>, FieldRef)>,
}

impl From {
    /// The columns of a planned relation; `qualifier` is what users may put before their names.
    pub(super) fn of_schema(schema: &DFSchema, qualifier: Option<&[String]>) -> Self {
        let fields: Vec<(Option<TableReference>, FieldRef)> =
            schema.iter().map(|(table, field)| (table.cloned(), Arc::clone(field))).collect();
        let columns = fields.iter().map(|(table, field)| Column {
            name: shown(field.name()).to_owned(),
            qualifier: match qualifier {
                Some(qualifier) => qualifier.to_vec(),
                None => table.iter().flat_map(parts_of).collect(),
            },
            reference: reference(table.as_ref(), field.name()),
            data_type: field.data_type().clone(),
            hidden: false,
            exact: qualifier.is_none().then(|| field.name().clone()),
        });
        Self { columns: columns.collect(), fields }
    }

    /// Puts the columns of another relation behind these.
    pub(super) fn append(&mut self, other: From) {
        self.columns.extend(other.columns);
        self.fields.extend(other.fields);
    }

    /// The columns that a path may name, and how many of its parts name them.
    pub(super) fn find(&self, path: &[Ident], same: Same) -> (Vec<&Column>, usize) {
        for qualifiers in (1..path.len().min(4)).rev() {
            let (qualifier, name) = (&path[..qualifiers], &path[qualifiers].value);
            let exactly = self.distinct(|column| {
                column.exact.as_ref() == Some(name) && same.ends(&column.qualifier, qualifier)
            });
            if exactly.len() == 1 {
                return (exactly, qualifiers + 1);
            }
            let found = self.distinct(|column| {
                same.is(&column.name, name) && same.ends(&column.qualifier, qualifier)
            });
            if !found.is_empty() {
                return (found, qualifiers + 1);
            }
        }
        let Some(name) = path.first().map(|ident| &ident.value) else { return (Vec::new(), 0) };
        let exactly = self.distinct(|column| !column.hidden && column.exact.as_ref() == Some(name));
        if exactly.len() == 1 {
            return (exactly, 1);
        }
        (self.distinct(|column| !column.hidden && same.is(&column.name, name)), 1)
    }

    fn distinct(&self, matches: impl Fn(&Column) -> bool) -> Vec<&Column> {
        let mut found: Vec<&Column> = Vec::new();
        for column in self.columns.iter().filter(|column| matches(column)) {
            if !found.iter().any(|known| known.reference == column.reference) {
                found.push(column);
            }
        }
        found
    }

    /// The columns of the table that a path names, the hidden ones first.
    pub(super) fn of_table(&self, path: &[Ident], same: Same) -> Vec<&Column> {
        let of = |hidden: bool| {
            self.columns
                .iter()
                .filter(move |column| column.hidden == hidden)
                .filter(move |column| same.ends(&column.qualifier, path))
        };
        of(true).chain(of(false)).collect()
    }

    /// The columns that `*` stands for.
    pub(super) fn visible(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| !column.hidden)
    }
}

/// How names are compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Same {
    pub case_sensitive: bool,
}

impl Same {
    pub(super) fn is(self, left: &str, right: &str) -> bool {
        left == right || !self.case_sensitive && left.to_lowercase() == right.to_lowercase()
    }

    /// Whether a qualifier ends in the words that were written.
    fn ends(self, qualifier: &[String], written: &[Ident]) -> bool {
        written.len() <= qualifier.len()
            && qualifier.iter().rev().zip(written.iter().rev()).all(|(a, b)| self.is(a, &b.value))
    }
}

/// A SELECT whose columns names may stand for, and those around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Env<'e> {
    pub from: &'e From,
    /// How many queries it is in.
    pub depth: usize,
    pub parent: Option<&'e Env<'e>>,
}

/// `schema.table` as its words.
pub(super) fn parts_of(table: &TableReference) -> Vec<String> {
    let words = [table.catalog(), table.schema(), Some(table.table())];
    words.into_iter().flatten().map(|word| shown(word).to_owned()).collect()
}

/// The syntax for one column of a plan.
pub(in super::super) fn reference(table: Option<&TableReference>, name: &str) -> Expr {
    let ident = |name: &str| Ident::with_quote('`', name);
    let Some(table) = table else { return Expr::Identifier(ident(name)) };
    let words = [table.catalog(), table.schema(), Some(table.table()), Some(name)];
    Expr::CompoundIdentifier(words.into_iter().flatten().map(ident).collect())
}
