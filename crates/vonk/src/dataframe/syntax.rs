//! Small pieces of SQL syntax from which transformations are built.

use datafusion::common::{DFSchema, TableReference};
use datafusion::logical_expr::LogicalPlan;
use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    self, BinaryOperator, DataType, Expr, GroupByExpr, Ident, ObjectName, OrderBy, OrderByKind,
    SelectItem, SelectItemQualifiedWildcardKind, SetExpr, Value, WildcardAdditionalOptions,
};

use super::column::Column;
use crate::analyze::{self, query_of};
pub(crate) use crate::analyze::{call, named_argument, unnamed_cast};
use crate::error::{Error, Result};
use crate::session::Session;
use crate::sql;

/// A name that stands for itself, whatever characters it has.
pub(crate) fn ident(name: &str) -> Ident {
    Ident::with_quote('`', name)
}

/// The reference that a name in a DataFrame's method means: dots separate, backquotes protect.
pub(crate) fn column(name: &str) -> Expr {
    let mut parts = name_parts(name);
    if parts.last().is_some_and(|part| part == "*") {
        parts.pop();
        let token = AttachedToken::empty();
        if parts.is_empty() {
            return Expr::Wildcard(token);
        }
        let idents: Vec<Ident> = parts.iter().map(|part| ident(part)).collect();
        return Expr::QualifiedWildcard(ObjectName::from(idents), token);
    }
    match parts.as_slice() {
        [only] => Expr::Identifier(ident(only)),
        _ => Expr::CompoundIdentifier(parts.iter().map(|part| ident(part)).collect()),
    }
}

/// Splits a name at its dots outside backquotes; a doubled backquote is one backquote.
fn name_parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    let mut letters = name.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '`' if quoted && letters.peek() == Some(&'`') => {
                letters.next();
                push(&mut parts, '`');
            }
            '`' => quoted = !quoted,
            '.' if !quoted => parts.push(String::new()),
            other => push(&mut parts, other),
        }
    }
    parts
}

fn push(parts: &mut [String], letter: char) {
    if let Some(last) = parts.last_mut() {
        last.push(letter);
    }
}

/// A reference to exactly this column of a plan.
pub(crate) fn field(qualifier: Option<&TableReference>, name: &str) -> Expr {
    let mut idents = match qualifier {
        None => return Expr::Identifier(ident(name)),
        Some(table) => table.to_vec().iter().map(|part| ident(part)).collect::<Vec<_>>(),
    };
    idents.push(ident(name));
    Expr::CompoundIdentifier(idents)
}

/// All columns of a plan, as a SELECT list.
///
/// A wildcard would not do: over a join with USING it leaves out what the plan still has.
pub(crate) fn all_items(schema: &DFSchema) -> Vec<SelectItem> {
    schema.iter().map(|(table, column)| item(field(table, column.name()))).collect()
}

pub(crate) fn item(expr: Expr) -> SelectItem {
    SelectItem::UnnamedExpr(expr)
}

pub(crate) fn item_as(expr: Expr, name: &str) -> SelectItem {
    SelectItem::ExprWithAlias { expr, alias: ident(name) }
}

pub(crate) fn text(value: &str) -> Expr {
    Expr::value(Value::SingleQuotedString(value.to_owned()))
}

pub(crate) fn number(value: impl ToString) -> Expr {
    Expr::value(Value::Number(value.to_string(), false))
}

pub(crate) fn null() -> Expr {
    Expr::value(Value::Null)
}

pub(crate) fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(nested(left)), op, right: Box::new(nested(right)) }
}

pub(crate) fn equal(left: Expr, right: Expr) -> Expr {
    binary(left, BinaryOperator::Eq, right)
}

/// All of these conditions; `None` if there are none.
pub(crate) fn all_of(conditions: impl IntoIterator<Item = Expr>) -> Option<Expr> {
    conditions.into_iter().reduce(|all, next| binary(all, BinaryOperator::And, next))
}

/// The expression in parentheses where its text would read differently beside an operator.
pub(crate) fn nested(expr: Expr) -> Expr {
    match expr {
        Expr::Identifier(_)
        | Expr::CompoundIdentifier(_)
        | Expr::Value(_)
        | Expr::Function(_)
        | Expr::Cast { .. }
        | Expr::Case { .. }
        | Expr::Nested(_) => expr,
        other => Expr::Nested(Box::new(other)),
    }
}

pub(crate) fn cast(expr: Expr, data_type: DataType) -> Expr {
    analyze::cast(expr, data_type)
}

/// The type that a name such as `int`, `decimal(10,2)` or `array<string>` means.
pub(crate) fn data_type(name: &str) -> Result<DataType> {
    match sql::parse_select_item(&format!("CAST(NULL AS {name})"))? {
        SelectItem::UnnamedExpr(Expr::Cast { data_type, .. }) => Ok(data_type),
        _ => Err(Error::new(
            crate::Condition::PARSE_SYNTAX_ERROR,
            format!("`{name}` is not the name of a type"),
        )
        .hint("use a name of SQL such as `int`, `double`, `string` or `decimal(10,2)`")),
    }
}

/// A SELECT under construction, over one or more plans that are already there.
pub(crate) struct Select<'a> {
    inputs: &'a [LogicalPlan],
    select: ast::Select,
    order_by: Vec<ast::OrderByExpr>,
}

impl<'a> Select<'a> {
    /// `SELECT items FROM` the first input.
    pub(crate) fn over(inputs: &'a [LogicalPlan], items: Vec<SelectItem>) -> Result<Self> {
        let query = sql::parse_query(&format!("SELECT * FROM {}", analyze::input_name(0)))?;
        let SetExpr::Select(select) = *query.body else {
            return Err(Error::internal("a SELECT did not parse as a select"));
        };
        let select = ast::Select { projection: items, ..*select };
        Ok(Self { inputs, select, order_by: Vec::new() })
    }

    pub(crate) fn filter(mut self, condition: Expr) -> Self {
        self.select.selection = Some(condition);
        self
    }

    pub(crate) fn group_by(mut self, keys: Vec<Expr>) -> Self {
        self.select.group_by = GroupByExpr::Expressions(keys, Vec::new());
        self
    }

    pub(crate) fn order_by(mut self, keys: Vec<ast::OrderByExpr>) -> Self {
        self.order_by = keys;
        self
    }

    pub(crate) fn distinct_on(mut self, keys: Vec<Expr>) -> Self {
        self.select.distinct = Some(ast::Distinct::On(keys));
        self
    }

    pub(crate) fn join(mut self, operator: ast::JoinOperator) -> Result<Self> {
        let query = sql::parse_query(&format!("SELECT * FROM {}", analyze::input_name(1)))?;
        if let SetExpr::Select(other) = *query.body
            && let Some(right) = other.from.into_iter().next()
            && let Some(left) = self.select.from.first_mut()
        {
            left.joins.push(ast::Join {
                relation: right.relation,
                global: false,
                join_operator: operator,
            });
        }
        Ok(self)
    }

    /// Resolves the SELECT to a plan.
    pub(crate) fn plan(self, session: &Session) -> Result<LogicalPlan> {
        let order_by = match self.order_by.is_empty() {
            true => None,
            false => {
                Some(OrderBy { kind: OrderByKind::Expressions(self.order_by), interpolate: None })
            }
        };
        let query = ast::Query { order_by, ..query_of(self.select) };
        analyze::plan_query(&session.state(), self.inputs, query)
    }
}

/// The SELECT list that columns mean over a plan: wildcards are its columns.
pub(crate) fn items(columns: &[Column], schema: &DFSchema) -> Result<Vec<SelectItem>> {
    let mut items = Vec::new();
    for column in columns {
        match &column.node()?.expr {
            Expr::Wildcard(_) => items.extend(all_items(schema)),
            Expr::QualifiedWildcard(name, _) => {
                let table: Vec<String> = name.0.iter().map(part_name).collect();
                let found = schema.iter().filter(|(qualifier, _)| {
                    qualifier.is_some_and(|qualifier| ends_with(&qualifier.to_vec(), &table))
                });
                let before = items.len();
                items.extend(found.map(|(table, column)| item(field(table, column.name()))));
                if items.len() == before {
                    // It may be a struct, whose fields the resolver finds.
                    let of = SelectItemQualifiedWildcardKind::ObjectName(name.clone());
                    let options = WildcardAdditionalOptions::default();
                    items.push(SelectItem::QualifiedWildcard(of, options));
                }
            }
            _ => items.push(column.item()?),
        }
    }
    Ok(items)
}

fn part_name(part: &ast::ObjectNamePart) -> String {
    match part.as_ident() {
        Some(ident) => ident.value.clone(),
        None => part.to_string(),
    }
}

fn ends_with(whole: &[String], end: &[String]) -> bool {
    whole.len() >= end.len()
        && whole[whole.len() - end.len()..].iter().zip(end).all(|(a, b)| a.eq_ignore_ascii_case(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_split_at_dots_outside_backquotes() {
        assert_eq!(name_parts("a.b"), ["a", "b"]);
        assert_eq!(name_parts("`a.b`.c d"), ["a.b", "c d"]);
        assert_eq!(name_parts("`a``b`"), ["a`b"]);
    }
}
