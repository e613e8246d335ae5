//! Operators under the names that Spark's plans give them: `+`, `and`, `isNull`, `in`, `when`.

use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};

use crate::analyze::case_of;
use crate::dataframe::{nested, operation};

/// Operators between two operands.
const BINARY: &[(&str, BinaryOperator)] = &[
    ("+", BinaryOperator::Plus),
    ("-", BinaryOperator::Minus),
    ("*", BinaryOperator::Multiply),
    ("/", BinaryOperator::Divide),
    ("%", BinaryOperator::Modulo),
    ("div", BinaryOperator::MyIntegerDivide),
    ("=", BinaryOperator::Eq),
    ("==", BinaryOperator::Eq),
    ("!=", BinaryOperator::NotEq),
    ("<>", BinaryOperator::NotEq),
    ("<", BinaryOperator::Lt),
    ("<=", BinaryOperator::LtEq),
    (">", BinaryOperator::Gt),
    (">=", BinaryOperator::GtEq),
    ("<=>", BinaryOperator::Spaceship),
    ("and", BinaryOperator::And),
    ("or", BinaryOperator::Or),
    ("&", BinaryOperator::BitwiseAnd),
    ("|", BinaryOperator::BitwiseOr),
    ("^", BinaryOperator::BitwiseXor),
];

/// Operators before one operand.
const UNARY: &[(&str, UnaryOperator)] = &[
    ("not", UnaryOperator::Not),
    ("!", UnaryOperator::Not),
    ("-", UnaryOperator::Minus),
    ("negative", UnaryOperator::Minus),
    ("+", UnaryOperator::Plus),
    ("~", UnaryOperator::BitwiseNot),
];

/// The syntax of an operator over its operands; they come back if the name is no operator's.
pub(super) fn apply(name: &str, mut args: Vec<Expr>) -> Result<Expr, Vec<Expr>> {
    let is = |known: &str| known.eq_ignore_ascii_case(name);
    if let [left, right] = args.as_slice()
        && let Some((_, op)) = BINARY.iter().find(|(known, _)| is(known))
    {
        return Ok(operation(left.clone(), op.clone(), right.clone()));
    }
    if let [operand] = args.as_slice()
        && let Some((_, op)) = UNARY.iter().find(|(known, _)| is(known))
    {
        return Ok(Expr::UnaryOp { op: *op, expr: Box::new(nested(operand.clone())) });
    }
    match name.to_lowercase().as_str() {
        "isnull" if args.len() == 1 => Ok(Expr::IsNull(Box::new(nested(args.remove(0))))),
        "isnotnull" if args.len() == 1 => Ok(Expr::IsNotNull(Box::new(nested(args.remove(0))))),
        "in" if args.len() > 1 => {
            let expr = Box::new(nested(args.remove(0)));
            Ok(Expr::InList { expr, list: args, negated: false })
        }
        "when" if args.len() > 1 => Ok(case_of(args)),
        "like" | "ilike" | "rlike" if args.len() == 2 => Ok(matching(name, args)),
        _ => Err(args),
    }
}

fn matching(name: &str, mut args: Vec<Expr>) -> Expr {
    let (pattern, expr) = (Box::new(args.remove(1)), Box::new(nested(args.remove(0))));
    let (negated, any, escape_char) = (false, false, None);
    match name.to_lowercase().as_str() {
        "like" => Expr::Like { negated, any, expr, pattern, escape_char },
        "ilike" => Expr::ILike { negated, any, expr, pattern, escape_char },
        _ => Expr::RLike { negated, expr, pattern, regexp: false },
    }
}
