//! Arguments that have to be known before the query runs, once names are resolved.

use std::ops::ControlFlow;

use sqlparser::ast::{
    self, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Spanned, Visit, Visitor,
};

use super::variables;
use crate::error::{Condition, Error, Result};

/// Functions, the places of those of their arguments, from 0, and what they are called.
const CONSTANTS: &[(&str, &[(usize, &str)])] = &[
    ("approx_count_distinct", &[(1, "relativeSD")]),
    ("approx_percentile", &[(1, "percentage"), (2, "accuracy")]),
    ("bround", &[(1, "scale")]),
    ("count_min_sketch", &[(1, "eps"), (2, "confidence"), (3, "seed")]),
    ("histogram_numeric", &[(1, "nb")]),
    ("lag", &[(1, "offset")]),
    ("lead", &[(1, "offset")]),
    ("nth_value", &[(1, "offset")]),
    ("ntile", &[(0, "buckets")]),
    ("percentile", &[(1, "percentage")]),
    ("percentile_approx", &[(1, "percentage"), (2, "accuracy")]),
    ("randstr", &[(0, "length")]),
    ("round", &[(1, "scale")]),
    ("schema_of_csv", &[(0, "csv")]),
    ("schema_of_json", &[(0, "json")]),
    ("schema_of_xml", &[(0, "xml")]),
    ("to_number", &[(1, "format")]),
    ("try_to_number", &[(1, "format")]),
    ("uniform", &[(0, "min"), (1, "max")]),
];

/// Refuses calls with a column where a constant is needed.
///
/// # Errors
/// `DATATYPE_MISMATCH.NON_FOLDABLE_INPUT`
pub(super) fn check(query: &ast::Query) -> Result<()> {
    match query.visit(&mut Checker) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Checker;

impl Visitor for Checker {
    type Break = Error;

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Error> {
        let Expr::Function(function) = expr else { return ControlFlow::Continue(()) };
        match check_call(function) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error.at_span(function.name.span())),
        }
    }
}

fn check_call(function: &Function) -> Result<()> {
    let name = function.name.to_string().to_lowercase();
    let Some((_, constants)) = CONSTANTS.iter().find(|(known, _)| *known == name) else {
        return Ok(());
    };
    let FunctionArguments::List(list) = &function.args else { return Ok(()) };
    for (at, parameter) in *constants {
        if let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))) = list.args.get(*at)
            && reads_rows(argument)
        {
            let message = format!("the `{parameter}` of `{name}` has to be a constant");
            return Err(Error::new(Condition::NON_FOLDABLE_INPUT, message)
                .hint("write a literal, or an expression without columns"));
        }
    }
    Ok(())
}

/// Whether an expression has another value for each row.
fn reads_rows(expr: &Expr) -> bool {
    struct Finder;
    impl Visitor for Finder {
        type Break = ();

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            let first = match expr {
                Expr::Identifier(name) => Some(name),
                Expr::CompoundIdentifier(parts) => parts.first(),
                _ => None,
            };
            match first {
                Some(name) if !variables::is_reference(name) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    expr.visit(&mut Finder).is_break()
}
