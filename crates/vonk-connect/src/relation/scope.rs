//! What names mean over the inputs of a relation: `df.name` is the column that came from `df`.

use crate::errors;
use arrow::datatypes::{DataType, Field};
use parking_lot::Mutex;
use spark_connect_proto::Expression;
use spark_connect_proto::expression::{ExprType, UnresolvedAttribute};
use vonk::dataframe::{Column, DataFrame, Reference, col};
use vonk::{Result, Session};

use crate::expression::{literal_text, quoted};
use crate::session::ConnectSession;

/// A column of a query, and the relations of the plan that it is a column of.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    pub(crate) name: String,
    pub(crate) data_type: DataType,
    pub(crate) origins: Vec<i64>,
}

impl Output {
    pub(crate) fn new(field: &Field) -> Self {
        let (name, data_type) = (field.name().clone(), field.data_type().clone());
        Self { name, data_type, origins: Vec::new() }
    }

    pub(crate) fn add(&mut self, plan_id: i64) {
        if !self.origins.contains(&plan_id) {
            self.origins.push(plan_id);
        }
    }
}

/// The columns that expressions may name.
pub(crate) struct Scope<'a> {
    session: &'a ConnectSession,
    outputs: Vec<&'a Output>,
    /// The columns that have to be put under a table of their own to be named.
    told_apart: Mutex<Vec<usize>>,
}

impl<'a> Scope<'a> {
    pub(crate) fn new(session: &'a ConnectSession, outputs: Vec<&'a Output>) -> Self {
        Self { session, outputs, told_apart: Mutex::default() }
    }

    /// A scope without columns.
    pub(crate) fn empty(session: &'a ConnectSession) -> Self {
        Self::new(session, Vec::new())
    }

    /// The session of the client.
    pub(crate) fn connection(&self) -> &ConnectSession {
        self.session
    }

    pub(crate) fn session(&self) -> &Session {
        &self.session.engine
    }

    /// The column that an attribute names.
    pub(crate) fn attribute(&self, attribute: &UnresolvedAttribute) -> Result<Column> {
        let name = attribute.unparsed_identifier.as_str();
        let meant = attribute.plan_id.and_then(|plan_id| self.of_relation(plan_id, name));
        let Some(at) = meant else { return Ok(col(name)) };
        Ok(col(&format!("{}.{name}", quoted(&self.tell_apart(at)))))
    }

    /// The query that stands beside the plan as this relation.
    ///
    /// # Errors
    /// `INVALID_PLAN_INPUT` if there is none.
    pub(crate) fn reference(&self, plan_id: i64) -> Result<Reference> {
        let reference = self.session.references.lock().get(&plan_id).cloned();
        reference.ok_or_else(|| errors::missing("query that an expression refers to"))
    }

    /// The columns of one relation, for `df["*"]`.
    pub(crate) fn star_of(&self, plan_id: i64) -> Vec<Column> {
        let of = self.outputs.iter().enumerate().filter(|(_, one)| one.origins.contains(&plan_id));
        of.map(|(at, output)| match self.is_unique(&output.name) {
            true => col(&quoted(&output.name)),
            false => col(&format!("{}.{}", quoted(&self.tell_apart(at)), quoted(&output.name))),
        })
        .collect()
    }

    /// The names of all columns.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.outputs.iter().map(|output| output.name.as_str())
    }

    /// The type of a column, or of a field or item of one; none of what has to be computed.
    pub(crate) fn type_of(&self, expression: &Expression) -> Option<DataType> {
        match expression.expr_type.as_ref()? {
            ExprType::UnresolvedAttribute(attribute) => {
                let name = attribute.unparsed_identifier.as_str();
                let mut parts = name.split('.').map(|part| part.trim_matches('`'));
                let first = parts.next()?;
                let of = self.outputs.iter().filter(|one| one.name.eq_ignore_ascii_case(first));
                let mut of = of.filter(|one| {
                    attribute.plan_id.is_none_or(|plan_id| one.origins.contains(&plan_id))
                });
                let column = of.next()?.data_type.clone();
                parts.try_fold(column, |outer, part| field_type(&outer, part))
            }
            ExprType::UnresolvedExtractValue(extract) => {
                let outer = self.type_of(extract.child.as_deref()?)?;
                match &outer {
                    DataType::List(item) => Some(item.data_type().clone()),
                    DataType::Map(entries, _) => match entries.data_type() {
                        DataType::Struct(pair) => Some(pair.get(1)?.data_type().clone()),
                        _ => None,
                    },
                    _ => field_type(&outer, literal_text(extract.extraction.as_deref()?)?),
                }
            }
            _ => None,
        }
    }

    /// The place of the column of a relation, if its name alone does not tell it.
    fn of_relation(&self, plan_id: i64, name: &str) -> Option<usize> {
        let first = first_part(name);
        if self.is_unique(&first) {
            return None;
        }
        let mut found = self.outputs.iter().enumerate().filter(|(_, output)| {
            output.origins.contains(&plan_id) && output.name.eq_ignore_ascii_case(&first)
        });
        match (found.next(), found.next()) {
            (Some((at, _)), None) => Some(at),
            _ => None,
        }
    }

    fn is_unique(&self, name: &str) -> bool {
        self.outputs.iter().filter(|output| output.name.eq_ignore_ascii_case(name)).count() < 2
    }

    /// The place of the first column of a name from another place on.
    pub(super) fn place(&self, name: &str, from: usize) -> Option<usize> {
        let of = self.outputs.iter().enumerate().skip(from);
        let mut of = of.filter(|(_, output)| output.name.eq_ignore_ascii_case(name));
        of.next().map(|(at, _)| at)
    }

    pub(super) fn tell_apart(&self, at: usize) -> String {
        let mut told_apart = self.told_apart.lock();
        if !told_apart.contains(&at) {
            told_apart.push(at);
        }
        table_of(at)
    }

    /// The input whose columns begin at `first`, with the tables by which expressions name them.
    pub(crate) fn apply(&self, frame: &DataFrame, first: usize, count: usize) -> DataFrame {
        let told_apart = self.told_apart.lock();
        let is_concerned = told_apart.iter().any(|at| (first..first + count).contains(at));
        if !is_concerned {
            return frame.clone();
        }
        let tables: Vec<Option<String>> = (first..first + count)
            .map(|at| told_apart.contains(&at).then(|| table_of(at)))
            .collect();
        frame.qualified(tables.iter().map(Option::as_deref))
    }

    /// As [`Scope::apply`], for the only input.
    pub(crate) fn only(&self, frame: &DataFrame) -> DataFrame {
        self.apply(frame, 0, self.outputs.len())
    }
}

fn field_type(outer: &DataType, name: &str) -> Option<DataType> {
    let DataType::Struct(fields) = outer else { return None };
    let field = fields.iter().find(|field| field.name().eq_ignore_ascii_case(name))?;
    Some(field.data_type().clone())
}

fn table_of(at: usize) -> String {
    format!("__column{at}")
}

/// The part of a name before its first dot outside of backquotes.
fn first_part(name: &str) -> String {
    match name.strip_prefix('`').and_then(|rest| rest.split_once('`')) {
        Some((quoted, _)) => quoted.to_owned(),
        None => name.split('.').next().unwrap_or(name).to_owned(),
    }
}
