//! Arguments by name: `f(x, limit => 3)`, put where their parameters stand.

use std::ops::ControlFlow;

use sqlparser::ast::{
    self, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Spanned, Value, VisitMut,
    VisitorMut,
};

use crate::error::{Condition, Error, Result};

/// The argument of each parameter, if it is given; places come first, then names in any order.
///
/// # Errors
/// `UNEXPECTED_POSITIONAL_ARGUMENT`, `UNRECOGNIZED_PARAMETER_NAME`, `WRONG_NUM_ARGS`, and
/// `DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT` for a parameter that is given twice.
pub(super) fn place<'a>(
    function: &str,
    parameters: &[&str],
    args: &'a [FunctionArg],
) -> Result<Vec<Option<&'a Expr>>> {
    let mut placed: Vec<Option<&Expr>> = vec![None; parameters.len()];
    let mut positional = 0;
    for (at, arg) in args.iter().enumerate() {
        match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) if positional == at => {
                let slot = placed.get_mut(at).ok_or_else(|| {
                    let (takes, given) = (parameters.len(), args.len());
                    let message = format!("`{function}` takes {takes} arguments, not {given}");
                    Error::new(Condition::WRONG_NUM_ARGS, message)
                })?;
                *slot = Some(expr);
                positional += 1;
            }
            FunctionArg::Unnamed(_) => {
                let message =
                    format!("`{function}` has an argument without a name behind named ones");
                return Err(Error::new(Condition::UNEXPECTED_POSITIONAL_ARGUMENT, message)
                    .hint("put it before those with names"));
            }
            FunctionArg::Named { name, arg: FunctionArgExpr::Expr(expr), .. } => {
                let at =
                    parameters.iter().position(|known| known.eq_ignore_ascii_case(&name.value));
                let Some(at) = at else {
                    let message = format!("`{function}` has no parameter `{}`", name.value);
                    return Err(Error::new(Condition::UNRECOGNIZED_PARAMETER_NAME, message)
                        .did_you_mean(&name.value, parameters.iter().copied()));
                };
                if placed[at].replace(expr).is_some() {
                    let message = format!("`{}` of `{function}` is given twice", parameters[at]);
                    let condition = match at < positional {
                        true => Condition::BOTH_POSITIONAL_AND_NAMED,
                        false => Condition::DOUBLE_NAMED_ARGUMENT,
                    };
                    return Err(Error::new(condition, message));
                }
            }
            other => return Err(Error::unsupported(format!("`{other}` as an argument"))),
        }
    }
    Ok(placed)
}

/// A function whose arguments may have names.
struct Signature {
    name: &'static str,
    /// The parameters, and the text of each that is left out; `None` has to be given.
    parameters: &'static [(&'static str, Option<&'static str>)],
}

const SIGNATURES: &[Signature] = &[
    Signature {
        name: "count_min_sketch",
        parameters: &[("column", None), ("epsilon", None), ("confidence", None), ("seed", None)],
    },
    Signature {
        name: "mask",
        parameters: &[
            ("str", None),
            ("upperChar", Some("X")),
            ("lowerChar", Some("x")),
            ("digitChar", Some("n")),
            ("otherChar", Some("")),
        ],
    },
];

/// Puts the named arguments of the library's functions in their places.
///
/// # Errors
/// Those of [`place`], and `REQUIRED_PARAMETER_NOT_FOUND`.
pub(super) fn spell(query: &mut ast::Query) -> Result<()> {
    match VisitMut::visit(query, &mut Speller) {
        ControlFlow::Break(error) => Err(*error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Speller;

impl VisitorMut for Speller {
    type Break = Box<Error>;

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Box<Error>> {
        let Expr::Function(function) = expr else { return ControlFlow::Continue(()) };
        match in_order(function) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(Box::new(error.or_at_span(function.name.span()))),
        }
    }
}

fn in_order(function: &mut ast::Function) -> Result<()> {
    let FunctionArguments::List(list) = &mut function.args else { return Ok(()) };
    if !list.args.iter().any(|arg| matches!(arg, FunctionArg::Named { .. })) {
        return Ok(());
    }
    let name = function.name.to_string();
    let known = SIGNATURES.iter().find(|known| known.name.eq_ignore_ascii_case(&name));
    let Some(Signature { name, parameters }) = known else { return Ok(()) };
    let names: Vec<&str> = parameters.iter().map(|(name, _)| *name).collect();
    let placed = place(name, &names, &list.args)?;
    let last = placed.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
    let arguments = placed.into_iter().zip(*parameters).take(last);
    let arguments = arguments.map(|(given, (parameter, default))| match (given, default) {
        (Some(given), _) => Ok(given.clone()),
        (None, Some(default)) => Ok(Expr::value(Value::SingleQuotedString((*default).to_owned()))),
        (None, None) => {
            let message = format!("`{name}` is not given `{parameter}`");
            Err(Error::new(Condition::REQUIRED_PARAMETER_NOT_FOUND, message))
        }
    });
    let arguments = arguments.collect::<Result<Vec<_>>>()?;
    let unnamed = |expr| FunctionArg::Unnamed(FunctionArgExpr::Expr(expr));
    list.args = arguments.into_iter().map(unnamed).collect();
    Ok(())
}
