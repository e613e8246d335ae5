//! Syntax made by hand: a call, a query without clauses around its SELECT.

use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    self, CaseWhen, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgOperator,
    FunctionArgumentList, FunctionArguments, Ident, ObjectName,
};

/// The name of the function by which [`call`] knows an argument that has a name.
const NAMED: &str = "__named";

/// `name => value`, for [`call`]: the parser has no expression of this kind outside of a call.
pub(crate) fn named_argument(name: &str, value: Expr) -> Expr {
    let name = Expr::Identifier(Ident::with_quote('`', name));
    call(NAMED, vec![name, value])
}

/// The name and the value of a [`named_argument`].
fn named_parts(expr: &Expr) -> Option<(Ident, Expr)> {
    if let Expr::Function(function) = expr
        && let [ast::ObjectNamePart::Identifier(called)] = function.name.0.as_slice()
        && called.value == NAMED
        && let FunctionArguments::List(list) = &function.args
        && let [
            FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Identifier(name))),
            FunctionArg::Unnamed(FunctionArgExpr::Expr(value)),
        ] = list.args.as_slice()
    {
        return Some((name.clone(), value.clone()));
    }
    None
}

/// A call of a function by name; a lone `*` among the arguments is `count`'s.
pub(crate) fn call(name: &str, args: Vec<Expr>) -> Expr {
    let args = args
        .into_iter()
        .map(|arg| match arg {
            Expr::Wildcard(_) => FunctionArg::Unnamed(FunctionArgExpr::Wildcard),
            other => match named_parts(&other) {
                Some((name, arg)) => FunctionArg::Named {
                    name,
                    arg: FunctionArgExpr::Expr(arg),
                    operator: FunctionArgOperator::RightArrow,
                },
                None => FunctionArg::Unnamed(FunctionArgExpr::Expr(other)),
            },
        })
        .collect();
    let list = FunctionArgumentList { duplicate_treatment: None, args, clauses: Vec::new() };
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(list),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

/// `CAST(expr AS data_type)`.
pub(crate) fn cast(expr: Expr, data_type: ast::DataType) -> Expr {
    let kind = ast::CastKind::Cast;
    Expr::Cast { kind, expr: Box::new(expr), data_type, array: false, format: None }
}

/// A cast that names do not tell of. Nothing else makes an `ARRAY` of MySQL's indexes, so that it
/// can say so.
pub(crate) fn unnamed_cast(expr: Expr) -> Expr {
    match expr {
        Expr::Cast { kind, expr, data_type, format, .. } => {
            Expr::Cast { kind, expr, data_type, array: true, format }
        }
        other => other,
    }
}

/// A query that is a SELECT and no more.
pub(crate) fn query_of(select: ast::Select) -> ast::Query {
    query_with(ast::SetExpr::Select(Box::new(select)))
}

/// A query without rows, which stands where another is taken out.
pub(crate) fn empty_query() -> ast::Query {
    let (explicit_row, value_keyword) = (false, false);
    query_with(ast::SetExpr::Values(ast::Values { explicit_row, value_keyword, rows: Vec::new() }))
}

fn query_with(body: ast::SetExpr) -> ast::Query {
    ast::Query {
        with: None,
        body: Box::new(body),
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks: Vec::new(),
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: Vec::new(),
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

/// The same, to be changed.
pub(super) fn constraint_of_mut(
    operator: &mut ast::JoinOperator,
) -> Option<&mut ast::JoinConstraint> {
    constraint!(operator)
}

/// `CASE WHEN a THEN b WHEN c THEN d ELSE e END` of `a, b, c, d, e`.
pub(crate) fn case_of(args: Vec<Expr>) -> Expr {
    let mut conditions = Vec::new();
    let mut else_result = None;
    let mut rest = args.into_iter();
    while let Some(condition) = rest.next() {
        match rest.next() {
            Some(result) => conditions.push(CaseWhen { condition, result }),
            None => else_result = Some(Box::new(condition)),
        }
    }
    Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions,
        else_result,
    }
}
