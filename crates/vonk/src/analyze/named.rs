//! Arguments by name: `f(x, limit => 3)`, put where their parameters stand.

use sqlparser::ast::{Expr, FunctionArg, FunctionArgExpr};

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
