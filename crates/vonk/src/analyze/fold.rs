//! Names without regard to case: spells every name in a query as its definition spells it.
//!
//! Spark ignores case in names but keeps it in results, and DataFusion's planner compares names
//! to the letter. Before planning, each name that is known in just one spelling gets that spelling.

use std::collections::HashMap;
use std::ops::ControlFlow;

use datafusion::arrow::datatypes::{DataType, Fields};
use sqlparser::ast::{self, Expr, Ident, ObjectName, ObjectNamePart, SelectItem, TableFactor};
use sqlparser::ast::{Visit, VisitMut, Visitor, VisitorMut};

/// The spellings of every name that a query may use.
#[derive(Debug, Default)]
pub(super) struct Names {
    columns: Spellings,
    qualifiers: Spellings,
}

impl Names {
    /// Learns the columns of a relation, and the fields of its structs.
    pub(super) fn add_fields(&mut self, fields: &Fields) {
        for field in fields {
            self.columns.add(field.name());
            match field.data_type() {
                DataType::Struct(inner) => self.add_fields(inner),
                DataType::List(item) | DataType::LargeList(item) => {
                    self.add_fields(&Fields::from(vec![item.as_ref().clone()]));
                }
                _ => {}
            }
        }
    }

    /// Learns a table that columns may be named with.
    pub(super) fn add_table(&mut self, name: &str) {
        self.qualifiers.add(name);
    }

    /// Whether a name stands for a table, or an alias of one, somewhere in the query.
    pub(super) fn is_qualifier(&self, name: &str) -> bool {
        self.qualifiers.of(name).is_some()
    }

    /// Whether a name stands for a column somewhere in the query.
    pub(super) fn is_column(&self, name: &str) -> bool {
        self.columns.of(name).is_some()
    }

    /// Learns the aliases and tables of a query, then spells its names as they were defined.
    pub(super) fn fold(&mut self, query: &mut ast::Query) {
        let _ = Visit::visit(query, &mut Learner { names: self });
        let _ = VisitMut::visit(query, &mut Folder { names: self });
    }
}

/// Spellings by lower-case name.
#[derive(Debug, Default)]
struct Spellings(HashMap<String, Vec<String>>);

impl Spellings {
    fn add(&mut self, name: &str) {
        let spellings = self.0.entry(name.to_lowercase()).or_default();
        if !spellings.iter().any(|known| known == name) {
            spellings.push(name.to_owned());
        }
    }

    fn of(&self, name: &str) -> Option<&[String]> {
        self.0.get(&name.to_lowercase()).map(Vec::as_slice)
    }

    /// Puts the only known spelling in place of another; what is known as it is written stays.
    fn fold(&self, ident: &mut Ident) {
        let Some(spellings) = self.of(&ident.value) else { return };
        if let [only] = spellings
            && *only != ident.value
        {
            ident.value.clone_from(only);
        }
    }
}

/// Collects the names that a query defines itself.
struct Learner<'a> {
    names: &'a mut Names,
}

impl Learner<'_> {
    fn alias(&mut self, alias: &ast::TableAlias) {
        self.names.qualifiers.add(&alias.name.value);
        for column in &alias.columns {
            self.names.columns.add(&column.name.value);
        }
    }
}

impl Visitor for Learner<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &ast::Query) -> ControlFlow<()> {
        for table in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.alias(&table.alias);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &ast::Select) -> ControlFlow<()> {
        for item in &select.projection {
            if let SelectItem::ExprWithAlias { alias, .. } = item {
                self.names.columns.add(&alias.value);
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table { name, alias, .. } => {
                if let Some(ObjectNamePart::Identifier(last)) = name.0.last()
                    && self.names.qualifiers.of(&last.value).is_none()
                {
                    self.names.qualifiers.add(&last.value);
                }
                if let Some(alias) = alias {
                    self.alias(alias);
                }
            }
            TableFactor::Derived { alias: Some(alias), .. }
            | TableFactor::UNNEST { alias: Some(alias), .. }
            | TableFactor::NestedJoin { alias: Some(alias), .. } => self.alias(alias),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

macro_rules! constraint {
    ($operator:expr) => {{
        use ast::JoinOperator as Op;
        match $operator {
            Op::Join(constraint)
            | Op::Inner(constraint)
            | Op::Left(constraint)
            | Op::LeftOuter(constraint)
            | Op::Right(constraint)
            | Op::RightOuter(constraint)
            | Op::FullOuter(constraint)
            | Op::Semi(constraint)
            | Op::LeftSemi(constraint)
            | Op::RightSemi(constraint)
            | Op::Anti(constraint)
            | Op::LeftAnti(constraint)
            | Op::RightAnti(constraint) => Some(constraint),
            _ => None,
        }
    }};
}

/// What a join holds its rows together by.
pub(super) fn constraint_of(operator: &ast::JoinOperator) -> Option<&ast::JoinConstraint> {
    constraint!(operator)
}

fn constraint_of_mut(operator: &mut ast::JoinOperator) -> Option<&mut ast::JoinConstraint> {
    constraint!(operator)
}

/// Spells names as they are known.
struct Folder<'a> {
    names: &'a Names,
}

impl Folder<'_> {
    /// `table.column`, `column.field` or `table.column.field`.
    fn path(&self, parts: &mut [Ident]) {
        let Some((first, rest)) = parts.split_first_mut() else { return };
        if !rest.is_empty() && self.names.is_qualifier(&first.value) {
            self.names.qualifiers.fold(first);
        } else {
            self.names.columns.fold(first);
        }
        for part in rest {
            self.names.columns.fold(part);
        }
    }

    fn qualifier(&self, name: &mut ObjectName) {
        if let Some(ObjectNamePart::Identifier(ident)) = name.0.last_mut() {
            self.names.qualifiers.fold(ident);
        }
    }

    fn wildcard(&self, options: &mut ast::WildcardAdditionalOptions) {
        let columns = &self.names.columns;
        if let Some(except) = &mut options.opt_except {
            columns.fold(&mut except.first_element);
            except.additional_elements.iter_mut().for_each(|ident| columns.fold(ident));
        }
        if let Some(replace) = &mut options.opt_replace {
            replace.items.iter_mut().for_each(|item| columns.fold(&mut item.column_name));
        }
    }

    fn using(&self, join: &mut ast::Join) {
        let Some(constraint) = constraint_of_mut(&mut join.join_operator) else { return };
        let ast::JoinConstraint::Using(names) = constraint else { return };
        for part in names.iter_mut().flat_map(|name| &mut name.0) {
            if let ObjectNamePart::Identifier(ident) = part {
                self.names.columns.fold(ident);
            }
        }
    }
}

impl VisitorMut for Folder<'_> {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut ast::Select) -> ControlFlow<()> {
        for item in &mut select.projection {
            match item {
                SelectItem::Wildcard(options) => self.wildcard(options),
                SelectItem::QualifiedWildcard(kind, options) => {
                    if let ast::SelectItemQualifiedWildcardKind::ObjectName(name) = kind {
                        self.qualifier(name);
                    }
                    self.wildcard(options);
                }
                _ => {}
            }
        }
        for join in select.from.iter_mut().flat_map(|from| &mut from.joins) {
            self.using(join);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, args: None, .. } = factor
            && name.0.len() == 1
        {
            self.qualifier(name);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            Expr::Identifier(ident) => self.names.columns.fold(ident),
            Expr::CompoundIdentifier(parts) => self.path(parts),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}
