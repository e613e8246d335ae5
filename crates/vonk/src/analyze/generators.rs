//! Spark's generators in the planner's words: `explode(list)` is `unnest(list)`.

use std::ops::ControlFlow;

use sqlparser::ast::{self, Expr, Ident, ObjectName, ObjectNamePart, VisitMut, VisitorMut};

/// Renames the generators of a query; rows of a NULL or empty list vanish in both.
pub(super) fn translate(query: &mut ast::Query) {
    let _ = VisitMut::visit(query, &mut Translator);
}

/// Whether a function gives a row for every element of a list.
pub(super) fn is_generator(name: &ObjectName) -> bool {
    matches!(name.0.as_slice(), [ObjectNamePart::Identifier(ident)]
        if ident.value.eq_ignore_ascii_case("explode"))
}

struct Translator;

impl VisitorMut for Translator {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Function(function) = expr
            && is_generator(&function.name)
        {
            let name = Ident { span: span_of(&function.name), ..Ident::new("unnest") };
            function.name = ObjectName(vec![ObjectNamePart::Identifier(name)]);
        }
        ControlFlow::Continue(())
    }
}

fn span_of(name: &ObjectName) -> sqlparser::tokenizer::Span {
    ast::Spanned::span(name)
}
