//! `(a, b) IN (SELECT …)`: rows of several values among those of a query.
//!
//! The planner below compares one value. A row is there if a row of the query is equal to it; it is
//! not there only if it differs from all of them, which NULL leaves open.

use std::ops::ControlFlow;

use sqlparser::ast::{
    self, BinaryOperator, Expr, Ident, SelectItem, TableAlias, TableAliasColumnDef, TableFactor,
    TableWithJoins, Value, VisitMut, VisitorMut,
};

use super::resolve::empty_select;
use super::syntax::query_of;

/// What the query is called whose rows are compared, and how its columns begin.
const MEMBERS: &str = "__members";

/// Spells such tests by EXISTS.
pub(super) fn spell(query: &mut ast::Query) {
    struct Speller;
    impl VisitorMut for Speller {
        type Break = ();

        fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
            if let Expr::InSubquery { expr: row, subquery, negated } = &*expr
                && let Expr::Tuple(values) = row.as_ref()
                && values.len() > 1
            {
                *expr = exists(values, subquery, *negated);
            }
            ControlFlow::Continue(())
        }
    }
    let _ = VisitMut::visit(query, &mut Speller);
}

fn exists(values: &[Expr], query: &ast::Query, negated: bool) -> Expr {
    let name = |at: usize| Ident::with_quote('`', format!("{MEMBERS}{at}"));
    let column = |at: usize| TableAliasColumnDef { name: name(at), data_type: None };
    let alias = TableAlias {
        explicit: true,
        name: Ident::new(MEMBERS),
        columns: (0..values.len()).map(column).collect(),
        at: None,
    };
    let relation = TableFactor::Derived {
        lateral: false,
        subquery: Box::new(query.clone()),
        alias: Some(alias),
        sample: None,
    };
    let equal = values.iter().enumerate().map(|(at, value)| {
        let member = Expr::CompoundIdentifier(vec![Ident::new(MEMBERS), name(at)]);
        binary(Expr::Nested(Box::new(value.clone())), BinaryOperator::Eq, member)
    });
    let equal = equal.reduce(|all, next| binary(all, BinaryOperator::And, next));
    let mut select = empty_select();
    select.projection =
        vec![SelectItem::UnnamedExpr(Expr::value(Value::Number("1".to_owned(), false)))];
    select.from = vec![TableWithJoins { relation, joins: Vec::new() }];
    select.selection = equal.map(|equal| match negated {
        true => Expr::IsNotFalse(Box::new(Expr::Nested(Box::new(equal)))),
        false => equal,
    });
    Expr::Exists { subquery: Box::new(query_of(select)), negated }
}

fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) }
}
