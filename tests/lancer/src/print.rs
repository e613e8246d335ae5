//! Trees as SQL, in the words of either engine.

use std::fmt::{self, Display, Formatter};

use crate::ast::{
    Aggregate, Body, Direction, Expr, From, Join, Limit, Operator, Query, Select, Window,
};

/// Whose SQL it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Spark's, which is ours.
    Vonk,
    /// DuckDB's.
    DuckDb,
}

/// A part of a query as a dialect writes it.
pub struct Sql<'a, T>(pub &'a T, pub Dialect);

/// The text of a query.
#[must_use]
pub fn query(query: &Query, dialect: Dialect) -> String {
    Sql(query, dialect).to_string()
}

/// Stands in the text where the dialect has nothing that means the same.
pub(crate) const MISSING: &str = "{?}";

impl Display for Sql<'_, Query> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(query, dialect) = *self;
        match &query.body {
            Body::Select(select) => write!(f, "{}", Sql(select.as_ref(), dialect))?,
            Body::Set { operator, left, right } => {
                write_operand(f, left, dialect)?;
                write!(f, " {operator} ")?;
                write_operand(f, right, dialect)?;
            }
        }
        if let Some(limit) = &query.limit {
            write_limit(f, limit, query.kinds().len())?;
        }
        Ok(())
    }
}

/// An operand of UNION and its kin; the parentheses of a plain select would only be noise.
fn write_operand(f: &mut Formatter<'_>, query: &Query, dialect: Dialect) -> fmt::Result {
    match (&query.body, &query.limit) {
        (Body::Select(_), None) => write!(f, "{}", Sql(query, dialect)),
        _ => write!(f, "({})", Sql(query, dialect)),
    }
}

fn write_limit(f: &mut Formatter<'_>, limit: &Limit, columns: usize) -> fmt::Result {
    let directions = limit.directions.iter().cycle();
    for (index, direction) in (0..columns).zip(directions) {
        let separator = if index == 0 { " ORDER BY" } else { "," };
        write!(f, "{separator} c{index} {direction}")?;
    }
    write!(f, " LIMIT {}", limit.count)?;
    if limit.offset > 0 {
        write!(f, " OFFSET {}", limit.offset)?;
    }
    Ok(())
}

impl Display for Direction {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(if self.descending { "DESC NULLS " } else { "ASC NULLS " })?;
        f.write_str(if self.nulls_first { "FIRST" } else { "LAST" })
    }
}

impl Display for Sql<'_, Select> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(select, dialect) = *self;
        f.write_str(if select.distinct { "SELECT DISTINCT " } else { "SELECT " })?;
        for (index, item) in select.items.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{} AS c{index}", Sql(item, dialect))?;
        }
        write!(f, " FROM {}", Sql(&select.from, dialect))?;
        if let Some(filter) = &select.filter {
            write!(f, " WHERE {}", Sql(filter, dialect))?;
        }
        if let Some(group) = &select.group {
            let keys = List(&group.keys, dialect);
            match group.rollup {
                true => write!(f, " GROUP BY ROLLUP ({keys})")?,
                false => write!(f, " GROUP BY {keys}")?,
            }
        }
        // Of no rows, DuckDB makes a total and Spark none.
        let needs_rows =
            dialect == Dialect::DuckDb && select.group.as_ref().is_some_and(|group| group.rollup);
        match &select.having {
            Some(having) if needs_rows => {
                write!(f, " HAVING {} AND count(*) > 0", Sql(having, dialect))
            }
            Some(having) => write!(f, " HAVING {}", Sql(having, dialect)),
            None if needs_rows => f.write_str(" HAVING count(*) > 0"),
            None => Ok(()),
        }
    }
}

impl Display for Sql<'_, From> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(from, dialect) = *self;
        match from {
            From::Table { name, alias, .. } => write!(f, "{name} AS {alias}"),
            From::Query(query, alias) => write!(f, "({}) AS {alias}", Sql(query.as_ref(), dialect)),
            From::Join { join, left, right, on } => {
                let words = match (join, dialect) {
                    (Join::Inner, _) => "JOIN",
                    (Join::Left, _) => "LEFT JOIN",
                    (Join::Right, _) => "RIGHT JOIN",
                    (Join::Full, _) => "FULL JOIN",
                    (Join::Semi, Dialect::Vonk) => "LEFT SEMI JOIN",
                    (Join::Semi, Dialect::DuckDb) => "SEMI JOIN",
                    (Join::Anti, Dialect::Vonk) => "LEFT ANTI JOIN",
                    (Join::Anti, Dialect::DuckDb) => "ANTI JOIN",
                    (Join::Cross, _) => "CROSS JOIN",
                };
                let (left, right) = (Sql(left.as_ref(), dialect), Sql(right.as_ref(), dialect));
                write!(f, "{left} {words} {right}")?;
                on.iter().try_for_each(|on| write!(f, " ON {}", Sql(on, dialect)))
            }
        }
    }
}

impl<'a> Display for Sql<'a, Expr> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(expr, dialect) = *self;
        let sql = |expr: &'a Expr| Sql(expr, dialect);
        match expr {
            Expr::Literal(kind, value) => f.write_str(&value.sql(*kind, dialect)),
            Expr::Column { relation, name, .. } => write!(f, "{relation}.{name}"),
            Expr::Binary(operator, left, right) => {
                write!(f, "({} {} {})", sql(left), operator_sql(*operator, dialect), sql(right))
            }
            Expr::Not(inner) => write!(f, "(NOT {})", sql(inner)),
            Expr::IsNull(inner) => write!(f, "({} IS NULL)", sql(inner)),
            Expr::Between { negated, operands } => {
                let [value, low, high] = operands.as_ref();
                let not = not(*negated);
                write!(f, "({} {not}BETWEEN {} AND {})", sql(value), sql(low), sql(high))
            }
            Expr::InList { negated, value, list } => {
                write!(f, "({} {}IN ({}))", sql(value), not(*negated), List(list, dialect))
            }
            Expr::Like(inner, pattern) => write!(f, "({} LIKE '{pattern}')", sql(inner)),
            Expr::Case { branches, otherwise } => {
                f.write_str("CASE")?;
                for (when, then) in branches {
                    write!(f, " WHEN {} THEN {}", sql(when), sql(then))?;
                }
                write!(f, " ELSE {} END", sql(otherwise))
            }
            Expr::Call(function, arguments) => {
                let template = match dialect {
                    Dialect::Vonk => function.vonk,
                    Dialect::DuckDb => function.duckdb.unwrap_or(MISSING),
                };
                write_template(f, template, arguments, dialect)
            }
            Expr::Generic(name, arguments) => write!(f, "{name}({})", List(arguments, dialect)),
            Expr::Aggregate(aggregate) => write!(f, "{}", Sql(aggregate, dialect)),
            Expr::Window(window) => write!(f, "{}", Sql(window.as_ref(), dialect)),
            Expr::Scalar(_, query) => write!(f, "({})", Sql(query.as_ref(), dialect)),
            Expr::Exists(negated, query) => {
                write!(f, "({}EXISTS ({}))", not(*negated), Sql(query.as_ref(), dialect))
            }
            Expr::InQuery(negated, value, query) => {
                let query = Sql(query.as_ref(), dialect);
                write!(f, "({} {}IN ({query}))", sql(value), not(*negated))
            }
        }
    }
}

fn not(negated: bool) -> &'static str {
    if negated { "NOT " } else { "" }
}

fn operator_sql(operator: Operator, dialect: Dialect) -> &'static str {
    match (operator, dialect) {
        (Operator::And, _) => "AND",
        (Operator::Or, _) => "OR",
        (Operator::Equal, _) => "=",
        (Operator::NotEqual, _) => "<>",
        (Operator::Less, _) => "<",
        (Operator::LessOrEqual, _) => "<=",
        (Operator::Greater, _) => ">",
        (Operator::GreaterOrEqual, _) => ">=",
        (Operator::Same, Dialect::Vonk) => "<=>",
        (Operator::Same, Dialect::DuckDb) => "IS NOT DISTINCT FROM",
        (Operator::Add, _) => "+",
        (Operator::Subtract, _) => "-",
    }
}

/// Puts the arguments where `{0}` and `{1}` stand.
fn write_template(
    f: &mut Formatter<'_>,
    template: &str,
    arguments: &[Expr],
    dialect: Dialect,
) -> fmt::Result {
    let mut text = template.to_owned();
    for (index, argument) in arguments.iter().enumerate() {
        text = text.replace(&format!("{{{index}}}"), &Sql(argument, dialect).to_string());
    }
    f.write_str(&text)
}

impl Display for Sql<'_, Aggregate> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(aggregate, dialect) = *self;
        let distinct = if aggregate.distinct { "DISTINCT " } else { "" };
        match &aggregate.argument {
            Some(argument) => {
                write!(f, "{}({distinct}{})", aggregate.name, Sql(argument.as_ref(), dialect))?;
            }
            None => write!(f, "{}(*)", aggregate.name)?,
        }
        match &aggregate.filter {
            Some(filter) => write!(f, " FILTER (WHERE {})", Sql(filter.as_ref(), dialect)),
            None => Ok(()),
        }
    }
}

impl Display for Sql<'_, Window> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(window, dialect) = *self;
        write!(f, "{}({}) OVER (", window.name, List(&window.arguments, dialect))?;
        if !window.partition.is_empty() {
            write!(f, "PARTITION BY {} ", List(&window.partition, dialect))?;
        }
        for (index, (key, direction)) in window.order.iter().enumerate() {
            let separator = if index == 0 { "ORDER BY " } else { ", " };
            write!(f, "{separator}{} {direction}", Sql(key, dialect))?;
        }
        window.frame.iter().try_for_each(|frame| write!(f, " {frame}"))?;
        f.write_str(")")
    }
}

/// Expressions with commas between them.
struct List<'a>(&'a [Expr], Dialect);

impl Display for List<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, expr) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{}", Sql(expr, self.1))?;
        }
        Ok(())
    }
}
