//! Functions and forms of SQL that are other words for expressions, put into these words.

use std::ops::ControlFlow;

use sqlparser::ast::{
    self, BinaryOperator, CeilFloorKind, Expr, FunctionArg, FunctionArgExpr, FunctionArguments,
    TrimWhereField, Value, VisitMut, VisitorMut,
};

use super::syntax::{call, case_of, cast};

/// The shift that fills up with zeros, which the tokenizer reads as `>>` and `>`.
pub(crate) const UNSIGNED_SHIFT: &str = ">>>";

/// What a call becomes, from its arguments; `None` where it stays.
type Rewrite = fn(&[Expr]) -> Option<Expr>;

/// The functions that are other words.
const CALLS: &[(&str, Rewrite)] = &[
    ("assert_true", |args| match args {
        [condition] => {
            let message = format!("'{condition}' is not true!");
            Some(call("assert_true", vec![condition.clone(), text(&message)]))
        }
        _ => None,
    }),
    ("decode", decoded),
    ("equal_null", |args| match args {
        [left, right] => Some(binary(left, BinaryOperator::Spaceship, right)),
        _ => None,
    }),
    ("from_csv", |args| with_schema("from_csv", args)),
    ("from_json", |args| with_schema("from_json", args)),
    ("from_xml", |args| with_schema("from_xml", args)),
    ("if", |args| match args {
        [condition, one, other] => {
            Some(case(vec![(condition.clone(), one.clone())], Some(other.clone())))
        }
        _ => None,
    }),
    ("ifnull", first_of_two),
    ("isnotnull", |args| match args {
        [value] => Some(Expr::IsNotNull(Box::new(value.clone()))),
        _ => None,
    }),
    ("isnull", |args| match args {
        [value] => Some(Expr::IsNull(Box::new(value.clone()))),
        _ => None,
    }),
    // The other value is computed only where it is needed.
    ("nanvl", |args| match args {
        [value, other] => {
            let is_nan = call("isnan", vec![value.clone()]);
            Some(case(vec![(is_nan, double(other))], Some(double(value))))
        }
        _ => None,
    }),
    ("nullif", |args| match args {
        [value, other] => {
            let equal = binary(value, BinaryOperator::Eq, other);
            Some(case(vec![(equal, null())], Some(value.clone())))
        }
        _ => None,
    }),
    ("nullifzero", |args| match args {
        [value] => {
            let is_zero = binary(value, BinaryOperator::Eq, &number("0"));
            Some(case(vec![(is_zero, null())], Some(value.clone())))
        }
        _ => None,
    }),
    ("nvl", first_of_two),
    ("nvl2", |args| match args {
        [value, one, other] => {
            let is_there = Expr::IsNotNull(Box::new(value.clone()));
            Some(case(vec![(is_there, one.clone())], Some(other.clone())))
        }
        _ => None,
    }),
    ("zeroifnull", |args| match args {
        [value] => Some(call("coalesce", vec![value.clone(), number("0")])),
        _ => None,
    }),
];

/// Forms that have to be spelled out before columns get their names: generators, whose columns have
/// names of their own.
pub(super) fn spell_calls(query: &mut ast::Query) {
    let _ = VisitMut::visit(query, &mut Calls);
}

struct Calls;

impl VisitorMut for Calls {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        // A struct per text, as a table of one row.
        if let Expr::Function(function) = &*expr
            && function.name.to_string().eq_ignore_ascii_case("json_tuple")
        {
            let rows = call("array", vec![expr.clone()]);
            *expr = call("inline", vec![rows]);
        }
        ControlFlow::Continue(())
    }
}

/// What the form or the call stands for, if it stands for another.
pub(super) fn spelled(expr: &Expr) -> Option<Expr> {
    match expr {
        Expr::Function(function) => {
            let name = function.name.to_string().to_lowercase();
            let (_, rewrite) = CALLS.iter().find(|(known, _)| *known == name)?;
            rewrite(&arguments(function)?)
        }
        Expr::Trim { expr, trim_where, trim_what, trim_characters } => {
            let listed = trim_characters.as_ref().and_then(|characters| characters.first());
            let characters = trim_what.as_deref().or(listed);
            Some(trimmed(expr, *trim_where, characters))
        }
        _ => form(expr),
    }
}

fn form(expr: &Expr) -> Option<Expr> {
    Some(match expr {
        Expr::Substring { expr, substring_from, substring_for, .. } => {
            let mut args = vec![(**expr).clone()];
            args.extend(substring_from.as_deref().cloned());
            args.extend(substring_for.as_deref().cloned());
            call("substring", args)
        }
        Expr::Overlay { expr, overlay_what, overlay_from, overlay_for } => {
            let mut args =
                vec![(**expr).clone(), (**overlay_what).clone(), (**overlay_from).clone()];
            args.extend(overlay_for.as_deref().cloned());
            call("overlay", args)
        }
        Expr::Position { expr, r#in } => call("locate", vec![(**expr).clone(), (**r#in).clone()]),
        Expr::Ceil { expr, field } => rounded("ceil", expr, field),
        Expr::Floor { expr, field } => rounded("floor", expr, field),
        Expr::UnaryOp { op: ast::UnaryOperator::Plus, expr } => {
            call("positive", vec![(**expr).clone()])
        }
        Expr::UnaryOp { op: ast::UnaryOperator::BitwiseNot, expr } => {
            call("bitwise_not", vec![(**expr).clone()])
        }
        Expr::UnaryOp { op: ast::UnaryOperator::BangNot, expr } => {
            Expr::UnaryOp { op: ast::UnaryOperator::Not, expr: Box::new((**expr).clone()) }
        }
        Expr::BinaryOp { left, op, right } => {
            let name = match op {
                BinaryOperator::StringConcat => "concat",
                BinaryOperator::PGBitwiseShiftLeft => "shiftleft",
                BinaryOperator::PGBitwiseShiftRight => "shiftright",
                BinaryOperator::Custom(sign) if sign.as_str() == UNSIGNED_SHIFT => {
                    "shiftrightunsigned"
                }
                _ => return None,
            };
            call(name, vec![(**left).clone(), (**right).clone()])
        }
        Expr::Like { negated, any, expr, pattern, escape_char } => {
            let like = Like { name: "like", negated: *negated, value: expr };
            return like.spelled(*any, pattern, escape_char.as_ref());
        }
        Expr::ILike { negated, any, expr, pattern, escape_char } => {
            let like = Like { name: "ilike", negated: *negated, value: expr };
            return like.spelled(*any, pattern, escape_char.as_ref());
        }
        _ => return None,
    })
}

/// The arguments of a plain call.
fn arguments(function: &ast::Function) -> Option<Vec<Expr>> {
    let FunctionArguments::List(list) = &function.args else { return None };
    if function.over.is_some() || list.duplicate_treatment.is_some() {
        return None;
    }
    let plain = list.args.iter().map(|arg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
        _ => None,
    });
    plain.collect()
}

/// `trim(BOTH x FROM y)` is `btrim(y, x)`; the others have the characters first.
fn trimmed(text: &Expr, ends: Option<TrimWhereField>, characters: Option<&Expr>) -> Expr {
    let name = match ends {
        None | Some(TrimWhereField::Both) => "btrim",
        Some(TrimWhereField::Leading) => "ltrim",
        Some(TrimWhereField::Trailing) => "rtrim",
    };
    let args = match characters {
        None => vec![text.clone()],
        Some(characters) if name == "btrim" => vec![text.clone(), characters.clone()],
        Some(characters) => vec![characters.clone(), text.clone()],
    };
    call(name, args)
}

fn rounded(name: &str, value: &Expr, field: &CeilFloorKind) -> Expr {
    let mut args = vec![value.clone()];
    if let CeilFloorKind::Scale(digits) = field {
        args.push(Expr::Value(digits.clone()));
    }
    call(name, args)
}

/// `value [NOT] LIKE …` or `value [NOT] ILIKE …`.
struct Like<'a> {
    name: &'static str,
    negated: bool,
    value: &'a Expr,
}

impl Like<'_> {
    /// LIKE stays where the plan can use it: with a pattern that is written out and escapes
    /// nothing. ANY and ALL of a list are OR and AND.
    fn spelled(
        &self,
        any: bool,
        pattern: &Expr,
        escape: Option<&ast::ValueWithSpan>,
    ) -> Option<Expr> {
        if let Some((join, patterns)) = listed(any, pattern) {
            let likes = patterns.iter().map(|pattern| self.call(pattern, escape));
            return likes.reduce(|left, right| binary(&left, join.clone(), &right));
        }
        let is_plain = match pattern {
            Expr::Value(pattern) => match &pattern.value {
                Value::SingleQuotedString(pattern) | Value::DoubleQuotedString(pattern) => {
                    !pattern.contains('\\')
                }
                _ => false,
            },
            _ => false,
        };
        (!is_plain || escape.is_some()).then(|| self.call(pattern, escape))
    }

    fn call(&self, pattern: &Expr, escape: Option<&ast::ValueWithSpan>) -> Expr {
        let mut args = vec![self.value.clone(), pattern.clone()];
        args.extend(escape.cloned().map(Expr::Value));
        let call = call(self.name, args);
        match self.negated {
            true => Expr::UnaryOp { op: ast::UnaryOperator::Not, expr: Box::new(call) },
            false => call,
        }
    }
}

/// The patterns of `ANY (…)`, `SOME (…)` or `ALL (…)`, and what joins their answers.
fn listed(any: bool, pattern: &Expr) -> Option<(BinaryOperator, Vec<Expr>)> {
    match pattern {
        Expr::Tuple(patterns) if any => Some((BinaryOperator::Or, patterns.clone())),
        Expr::Nested(pattern) if any => Some((BinaryOperator::Or, vec![(**pattern).clone()])),
        Expr::Function(function) => {
            let join = match function.name.to_string().to_lowercase().as_str() {
                "all" => BinaryOperator::And,
                "any" | "some" => BinaryOperator::Or,
                _ => return None,
            };
            let patterns = arguments(function).filter(|patterns| !patterns.is_empty())?;
            Some((join, patterns))
        }
        _ => None,
    }
}

/// The schema of a document that is written out is known before the query runs.
fn with_schema(name: &str, args: &[Expr]) -> Option<Expr> {
    let [document, Expr::Function(schema), options @ ..] = args else { return None };
    let schema_args = arguments(schema)?;
    let [Expr::Value(example)] = schema_args.as_slice() else { return None };
    let example = example.value.clone().into_string()?;
    let ddl = vonk_functions::schema_of(&schema.name.to_string().to_lowercase(), &example)?;
    let mut args = vec![document.clone(), text(&ddl)];
    args.extend_from_slice(options);
    Some(call(name, args))
}

fn first_of_two(args: &[Expr]) -> Option<Expr> {
    (args.len() == 2).then(|| call("coalesce", args.to_vec()))
}

/// `decode(value, search, result, …[, default])` of three and more arguments is a CASE where NULL
/// is equal to NULL; with two it is the function of character sets.
fn decoded(args: &[Expr]) -> Option<Expr> {
    let [value, pairs @ ..] = args else { return None };
    if pairs.len() < 2 {
        return None;
    }
    let (pairs, default) = pairs.as_chunks::<2>();
    let cases = pairs
        .iter()
        .map(|[search, result]| (binary(value, BinaryOperator::Spaceship, search), result.clone()));
    Some(case(cases.collect(), default.first().cloned()))
}

fn case(cases: Vec<(Expr, Expr)>, otherwise: Option<Expr>) -> Expr {
    let mut args: Vec<Expr> = cases.into_iter().flat_map(<[Expr; 2]>::from).collect();
    args.extend(otherwise);
    case_of(args)
}

fn binary(left: &Expr, op: BinaryOperator, right: &Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left.clone()), op, right: Box::new(right.clone()) }
}

fn null() -> Expr {
    Expr::Value(Value::Null.into())
}

fn double(value: &Expr) -> Expr {
    cast(value.clone(), ast::DataType::Double(ast::ExactNumberInfo::None))
}

fn number(digits: &str) -> Expr {
    Expr::Value(Value::Number(digits.to_owned(), false).into())
}

fn text(text: &str) -> Expr {
    Expr::Value(Value::SingleQuotedString(text.to_owned()).into())
}
