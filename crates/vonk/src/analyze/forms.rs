//! Forms of SQL that the planner below does not know, in words that it does.

use std::ops::ControlFlow;

use sqlparser::ast::{self, Expr, SelectItem, SetExpr, VisitMut, VisitorMut};
use vonk_functions::arithmetic::{Mode, negative_udf};

use super::rewrites;
use super::syntax::{call, cast};
use super::{type_functions, typed_literals};

/// `FROM t` is `SELECT * FROM t`; `a RLIKE b` is `rlike(a, b)`; `-a` is `negative(a)`.
pub(super) fn spell_out(query: &mut ast::Query, mode: Mode) {
    let negative = negative_udf(mode).name().to_owned();
    let _ = VisitMut::visit(query, &mut Speller { negative, mode });
}

/// Whether an expression is true or false by its form; HAVING reads all else as a truth value.
fn is_predicate(expr: &Expr) -> bool {
    use ast::BinaryOperator as Op;
    match expr {
        Expr::Nested(inner) => is_predicate(inner),
        Expr::BinaryOp { op, .. } => !matches!(
            op,
            Op::Plus
                | Op::Minus
                | Op::Multiply
                | Op::Divide
                | Op::Modulo
                | Op::StringConcat
                | Op::MyIntegerDivide
                | Op::DuckIntegerDivide
                | Op::BitwiseAnd
                | Op::BitwiseOr
                | Op::BitwiseXor
        ),
        Expr::Function(_)
        | Expr::Value(_)
        | Expr::Identifier(_)
        | Expr::CompoundIdentifier(_)
        | Expr::Cast { .. }
        | Expr::Case { .. }
        | Expr::Subquery(_) => false,
        _ => true,
    }
}

struct Speller {
    /// The function behind a minus sign.
    negative: String,
    mode: Mode,
}

impl VisitorMut for Speller {
    type Break = ();

    /// A CAST within VALUES becomes a call, which the planner's own casts there can be told from.
    fn post_visit_query(&mut self, query: &mut ast::Query) -> ControlFlow<()> {
        self.keep_casts(&mut query.body);
        ControlFlow::Continue(())
    }

    /// The columns of VALUES that have no names are `col1`, `col2`, and so on.
    fn post_visit_table_factor(&mut self, factor: &mut ast::TableFactor) -> ControlFlow<()> {
        if let ast::TableFactor::Derived { subquery, alias, .. } = factor
            && let SetExpr::Values(values) = subquery.body.as_ref()
        {
            let count = values.rows.first().map_or(0, |row| row.content.len());
            name_columns(alias, count);
        }
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, select: &mut ast::Select) -> ControlFlow<()> {
        if select.flavor == ast::SelectFlavor::FromFirstNoSelect && select.projection.is_empty() {
            let options = ast::WildcardAdditionalOptions::default();
            select.projection.push(SelectItem::Wildcard(options));
        }
        if let Some(having) = select.having.take() {
            select.having = Some(match is_predicate(&having) {
                true => having,
                false => cast(having, ast::DataType::Boolean),
            });
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        // Columns have their names by now: see `unnamed_cast`.
        if let Expr::Cast { array, .. } = expr {
            *array = false;
        }
        if let Some(spelled) = rewrites::spelled(expr) {
            *expr = spelled;
        }
        if let Expr::UnaryOp { op: ast::UnaryOperator::Minus, expr: operand } = expr
            && !matches!(**operand, Expr::Value(_) | Expr::Interval(_))
        {
            *expr = call(&self.negative, vec![(**operand).clone()]);
        }
        if let Expr::Function(function) = expr
            && let Some((operand, data_type)) = type_functions::cast_of(function)
        {
            *expr = cast(operand.clone(), data_type.clone());
        }
        if let Expr::Function(function) = expr
            && let Some(call) = spelled(function)
        {
            *expr = call;
        }
        if let Expr::Interval(literal) = expr
            && let Some(cast) = typed_literals::interval_cast(literal)
        {
            *expr = cast;
        }
        // To the planner a CAST has the name of its operand, and `sum(a), sum(CAST(a AS DOUBLE))` are one.
        // Types that are named by their metadata are known to no call before it is coerced.
        if let Expr::Cast { expr: operand, format: None, data_type, .. } = expr
            && !is_literal(operand)
            && !matches!(data_type, ast::DataType::Custom(..) | ast::DataType::Interval { .. })
        {
            self.keep_cast(expr);
        }
        if let Expr::RLike { negated, expr: text, pattern, .. } = expr {
            let call = call("rlike", vec![(**text).clone(), (**pattern).clone()]);
            *expr = match negated {
                true => Expr::UnaryOp { op: ast::UnaryOperator::Not, expr: Box::new(call) },
                false => call,
            };
        }
        ControlFlow::Continue(())
    }
}

fn is_literal(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) | Expr::UnaryOp { expr: inner, .. } => is_literal(inner),
        Expr::Value(_) => true,
        _ => false,
    }
}

fn name_columns(alias: &mut Option<ast::TableAlias>, count: usize) {
    let alias = alias.get_or_insert_with(|| ast::TableAlias {
        explicit: true,
        name: ast::Ident::new("inline_table"),
        columns: Vec::new(),
        at: None,
    });
    if alias.columns.is_empty() {
        let names = (1..=count).map(|at| format!("col{at}"));
        alias.columns = names.map(ast::TableAliasColumnDef::from_name).collect();
    }
}

/// Functions that stand for others, whose rules of types are theirs.
fn spelled(function: &ast::Function) -> Option<Expr> {
    let name = function.name.to_string().to_lowercase();
    let ast::FunctionArguments::List(list) = &function.args else { return None };
    let arguments = list.args.iter().map(|argument| match argument {
        ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
        _ => None,
    });
    let arguments = arguments.collect::<Option<Vec<Expr>>>()?;
    match (name.as_str(), arguments.as_slice()) {
        ("ifnull" | "nvl", [_, _]) => Some(call("coalesce", arguments)),
        ("format_string" | "printf", [Expr::Value(format), ..]) => {
            let format = format.value.clone().into_string()?;
            let mut arguments = arguments;
            let mut changed = false;
            for place in format_texts(&format) {
                match arguments.get_mut(place) {
                    Some(Expr::Value(value)) => {
                        if let ast::Value::Number(digits, _) = &value.value {
                            value.value = ast::Value::SingleQuotedString(digits.clone());
                            changed = true;
                        }
                    }
                    Some(argument) => {
                        *argument = cast(argument.clone(), ast::DataType::String(None));
                        changed = true;
                    }
                    None => {}
                }
            }
            changed.then(|| call("format_string", arguments))
        }
        ("nvl2", [value, then, otherwise]) => Some(call(
            "if",
            vec![Expr::IsNotNull(Box::new(value.clone())), then.clone(), otherwise.clone()],
        )),
        _ => None,
    }
}

/// The places of those arguments that a format of Java's takes as texts only: `%s`, `%-5s`, `%2$S`.
fn format_texts(format: &str) -> Vec<usize> {
    let (mut texts, mut others): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
    let mut next = 0;
    let mut rest = format;
    while let Some((_, behind)) = rest.split_once('%') {
        let flags =
            behind.trim_start_matches(|c: char| c.is_ascii_digit() || "-#+ 0,(.$<".contains(c));
        let Some(conversion) = flags.chars().next() else { break };
        let written = &behind[..behind.len() - flags.len()];
        rest = &flags[conversion.len_utf8()..];
        if matches!(conversion, '%' | 'n') {
            continue;
        }
        let place = match written.split_once('$') {
            Some((number, _)) => number.parse().unwrap_or(0),
            None => {
                next += 1;
                next
            }
        };
        match conversion {
            's' | 'S' => texts.push(place),
            _ => others.push(place),
        }
    }
    texts.retain(|place| *place > 0 && !others.contains(place));
    texts
}

impl Speller {
    fn keep_casts(&self, body: &mut SetExpr) {
        match body {
            SetExpr::Values(values) => {
                let items = values.rows.iter_mut().flat_map(|row| row.content.iter_mut());
                items.for_each(|item| self.keep_cast(item));
            }
            SetExpr::SetOperation { left, right, .. } => {
                self.keep_casts(left);
                self.keep_casts(right);
            }
            _ => {}
        }
    }

    fn keep_cast(&self, item: &mut Expr) {
        let (mode, expr, data_type) = match item {
            Expr::Cast { kind, expr, data_type, .. } => {
                let tries = matches!(kind, ast::CastKind::TryCast | ast::CastKind::SafeCast);
                (
                    if tries { Mode::Try } else { self.mode },
                    expr.as_ref().clone(),
                    data_type.clone(),
                )
            }
            Expr::TypedString(typed) => {
                (self.mode, Expr::Value(typed.value.clone()), typed.data_type.clone())
            }
            _ => return,
        };
        let null = cast(Expr::value(ast::Value::Null), data_type);
        *item = call(vonk_functions::cast::function_name(mode), vec![expr, null]);
    }
}
