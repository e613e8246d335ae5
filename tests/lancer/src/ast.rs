//! Queries as trees: what the generator makes, the printer spells and the shrinker takes apart.

use crate::functions::Function;
use crate::value::{Kind, Value};

/// An expression; each knows its kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// A value of a kind, NULL among them.
    Literal(Kind, Value),
    /// A column of a relation in scope.
    Column {
        /// The alias of the relation.
        relation: String,
        /// The name within the relation.
        name: String,
        /// What it holds.
        kind: Kind,
    },
    /// Two operands of one kind.
    Binary(Operator, Box<Expr>, Box<Expr>),
    /// NOT.
    Not(Box<Expr>),
    /// IS NULL.
    IsNull(Box<Expr>),
    /// BETWEEN, or NOT BETWEEN.
    Between {
        /// Whether NOT stands before it.
        negated: bool,
        /// The value and its bounds.
        operands: Box<[Expr; 3]>,
    },
    /// IN a list of expressions, or NOT IN.
    InList {
        /// Whether NOT stands before it.
        negated: bool,
        /// What is looked for.
        value: Box<Expr>,
        /// Where it is looked for.
        list: Vec<Expr>,
    },
    /// LIKE with a constant pattern.
    Like(Box<Expr>, String),
    /// CASE WHEN … THEN … ELSE … END.
    Case {
        /// Conditions and what they give.
        branches: Vec<(Expr, Expr)>,
        /// What it gives if no condition holds.
        otherwise: Box<Expr>,
    },
    /// A row of [`crate::functions::FUNCTIONS`] over its arguments.
    Call(&'static Function, Vec<Expr>),
    /// A function that gives what its arguments are, such as `coalesce`.
    Generic(&'static str, Vec<Expr>),
    /// An aggregate of a group.
    Aggregate(Aggregate),
    /// A function over a window.
    Window(Box<Window>),
    /// A subquery of one row and column.
    Scalar(Kind, Box<Query>),
    /// EXISTS, or NOT EXISTS.
    Exists(bool, Box<Query>),
    /// IN a subquery, or NOT IN.
    InQuery(bool, Box<Expr>, Box<Query>),
}

impl Expr {
    /// What the expression gives.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Expr::Literal(kind, _) | Expr::Column { kind, .. } | Expr::Scalar(kind, _) => *kind,
            Expr::Binary(operator, left, right) => match operator {
                Operator::Add | Operator::Subtract => common([left.as_ref(), right.as_ref()]),
                _ => Kind::Boolean,
            },
            Expr::Case { branches, otherwise } => {
                common(branches.iter().map(|(_, then)| then).chain([otherwise.as_ref()]))
            }
            Expr::Call(function, _) => function.result,
            Expr::Generic(_, arguments) => common(arguments),
            Expr::Aggregate(aggregate) => aggregate.kind(),
            Expr::Window(window) => window.kind,
            Expr::Not(_)
            | Expr::IsNull(_)
            | Expr::Between { .. }
            | Expr::InList { .. }
            | Expr::Like(..)
            | Expr::Exists(..)
            | Expr::InQuery(..) => Kind::Boolean,
        }
    }

    /// Whether IN or EXISTS over a subquery is in it.
    #[must_use]
    pub fn has_subquery(&self) -> bool {
        matches!(self, Expr::Exists(..) | Expr::InQuery(..))
            || self.parts().into_iter().any(Expr::has_subquery)
    }

    /// Whether it is the value TRUE.
    #[must_use]
    pub fn is_true(&self) -> bool {
        matches!(self, Expr::Literal(_, Value::Boolean(true)))
    }

    /// The conjunction with another condition.
    #[must_use]
    pub fn and(self, other: Expr) -> Expr {
        Expr::Binary(Operator::And, Box::new(self), Box::new(other))
    }
}

/// What expressions of one kind give; a ratio among exact doubles makes ratios of all.
fn common<'a>(exprs: impl IntoIterator<Item = &'a Expr>) -> Kind {
    let kinds = exprs.into_iter().map(Expr::kind);
    let common = kinds.reduce(|a, b| if b == Kind::Ratio { b } else { a });
    common.unwrap_or(Kind::Boolean)
}

/// An operator between two operands of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Operator {
    And,
    Or,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// Equal, where NULL is a value like any other.
    Same,
    Add,
    Subtract,
}

/// An aggregate function over a group of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// Its name, the same in every dialect.
    pub name: &'static str,
    /// Whether equal arguments count once.
    pub distinct: bool,
    /// Its argument; none is `count(*)`.
    pub argument: Option<Box<Expr>>,
    /// The rows that count.
    pub filter: Option<Box<Expr>>,
}

impl Aggregate {
    fn kind(&self) -> Kind {
        match (self.name, &self.argument) {
            ("count", _) | (_, None) => Kind::Integer,
            ("avg", _) => Kind::Ratio,
            (_, Some(argument)) => argument.kind(),
        }
    }
}

/// A function over a window whose order leaves no two different rows equal.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Its name, the same in every dialect.
    pub name: &'static str,
    /// What it gives.
    pub kind: Kind,
    /// Its arguments.
    pub arguments: Vec<Expr>,
    /// PARTITION BY.
    pub partition: Vec<Expr>,
    /// ORDER BY.
    pub order: Vec<(Expr, Direction)>,
    /// The frame as it is written, if any.
    pub frame: Option<&'static str>,
}

/// A direction of an ordering, always written out with the place of NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Direction {
    /// The greatest first.
    pub descending: bool,
    /// NULL before all values.
    pub nulls_first: bool,
}

/// A query; its columns are named `c0`, `c1`, ….
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// What gives the rows.
    pub body: Body,
    /// ORDER BY every column, with LIMIT and OFFSET: the same rows whatever the plan.
    pub limit: Option<Limit>,
}

/// ORDER BY all columns, the `i`th in direction `i` (again from the first), and a LIMIT.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// At least one direction.
    pub directions: Vec<Direction>,
    /// How many rows are given.
    pub count: usize,
    /// How many rows are left out before them.
    pub offset: usize,
}

/// What gives the rows of a query.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// SELECT.
    Select(Box<Select>),
    /// Two queries with columns of the same kinds.
    Set {
        /// `UNION`, `INTERSECT`, `EXCEPT`, each also with `ALL`.
        operator: &'static str,
        /// The first.
        left: Box<Query>,
        /// The second.
        right: Box<Query>,
    },
}

/// SELECT … FROM … WHERE … GROUP BY … HAVING ….
#[derive(Debug, Clone, PartialEq)]
pub struct Select {
    /// Whether equal rows are given once.
    pub distinct: bool,
    /// The columns.
    pub items: Vec<Expr>,
    /// The relations.
    pub from: From,
    /// WHERE.
    pub filter: Option<Expr>,
    /// GROUP BY; a select of aggregates without it has one group.
    pub group: Option<Group>,
    /// HAVING.
    pub having: Option<Expr>,
}

/// The keys of groups.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// At least one, no literals.
    pub keys: Vec<Expr>,
    /// Whether the keys are rolled up.
    pub rollup: bool,
}

/// A relation in FROM.
#[derive(Debug, Clone, PartialEq)]
pub enum From {
    /// A table under an alias.
    Table {
        /// Its name.
        name: String,
        /// Its alias.
        alias: String,
        /// Its columns, as they are named in the query.
        columns: Vec<Expr>,
    },
    /// A query under an alias.
    Query(Box<Query>, String),
    /// Two relations joined.
    Join {
        /// How.
        join: Join,
        /// The first.
        left: Box<From>,
        /// The second; always one table or query.
        right: Box<From>,
        /// ON; a cross join has none.
        on: Option<Expr>,
    },
}

/// The kinds of joins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Join {
    Inner,
    Left,
    Right,
    Full,
    Semi,
    Anti,
    Cross,
}

impl Join {
    /// Whether the columns of the second relation are out of scope after the join.
    #[must_use]
    pub fn hides_right(self) -> bool {
        matches!(self, Join::Semi | Join::Anti)
    }
}

impl From {
    /// The columns that the relations bring into scope.
    #[must_use]
    pub fn columns(&self) -> Vec<Expr> {
        match self {
            From::Table { columns, .. } => columns.clone(),
            From::Query(query, alias) => outputs(alias, &query.kinds()),
            From::Join { join, left, right, .. } => {
                let mut columns = left.columns();
                if !join.hides_right() {
                    columns.extend(right.columns());
                }
                columns
            }
        }
    }
}

/// The columns of a query as those of a relation.
#[must_use]
pub fn outputs(relation: &str, kinds: &[Kind]) -> Vec<Expr> {
    let column = |(index, kind): (usize, &Kind)| Expr::Column {
        relation: relation.to_owned(),
        name: format!("c{index}"),
        kind: *kind,
    };
    kinds.iter().enumerate().map(column).collect()
}

impl Query {
    /// A query that is a SELECT and no more.
    #[must_use]
    pub fn of(select: Select) -> Self {
        Self { body: Body::Select(Box::new(select)), limit: None }
    }

    /// The kinds of its columns.
    #[must_use]
    pub fn kinds(&self) -> Vec<Kind> {
        match &self.body {
            Body::Select(select) => select.items.iter().map(Expr::kind).collect(),
            Body::Set { left, right, .. } => {
                // A sum of ratios and exact doubles is a ratio.
                let kinds = left.kinds().into_iter().zip(right.kinds());
                kinds.map(|(a, b)| if b == Kind::Ratio { b } else { a }).collect()
            }
        }
    }
}

impl Select {
    /// Whether it has groups, one or more.
    #[must_use]
    pub fn is_grouped(&self) -> bool {
        self.group.is_some() || self.items.iter().any(has_aggregate)
    }

    /// Whether a column is a function over a window.
    #[must_use]
    pub fn has_window(&self) -> bool {
        self.items.iter().any(|item| matches!(item, Expr::Window(_)))
    }
}

fn has_aggregate(expr: &Expr) -> bool {
    matches!(expr, Expr::Aggregate(_)) || expr.parts().into_iter().any(has_aggregate)
}

impl Expr {
    /// The expressions right below, those of subqueries and windows not among them.
    #[must_use]
    pub fn parts(&self) -> Vec<&Expr> {
        match self {
            Expr::Literal(..) | Expr::Column { .. } | Expr::Scalar(..) | Expr::Exists(..) => vec![],
            Expr::Binary(_, left, right) => vec![left, right],
            Expr::Not(inner)
            | Expr::IsNull(inner)
            | Expr::Like(inner, _)
            | Expr::InQuery(_, inner, _) => vec![inner],
            Expr::Between { operands, .. } => operands.iter().collect(),
            Expr::InList { value, list, .. } => {
                std::iter::once(value.as_ref()).chain(list).collect()
            }
            Expr::Case { branches, otherwise } => branches
                .iter()
                .flat_map(|(when, then)| [when, then])
                .chain([otherwise.as_ref()])
                .collect(),
            Expr::Call(_, arguments) | Expr::Generic(_, arguments) => arguments.iter().collect(),
            Expr::Aggregate(aggregate) => {
                aggregate.argument.iter().chain(&aggregate.filter).map(AsRef::as_ref).collect()
            }
            Expr::Window(window) => window.arguments.iter().collect(),
        }
    }

    /// The same expression over other parts, given in the order of [`Expr::parts`].
    #[must_use]
    pub fn with_parts(&self, parts: Vec<Expr>) -> Expr {
        let mut expr = self.clone();
        for (slot, part) in expr.parts_mut().into_iter().zip(parts) {
            *slot = part;
        }
        expr
    }

    fn parts_mut(&mut self) -> Vec<&mut Expr> {
        match self {
            Expr::Literal(..) | Expr::Column { .. } | Expr::Scalar(..) | Expr::Exists(..) => vec![],
            Expr::Binary(_, left, right) => vec![left, right],
            Expr::Not(inner)
            | Expr::IsNull(inner)
            | Expr::Like(inner, _)
            | Expr::InQuery(_, inner, _) => vec![inner],
            Expr::Between { operands, .. } => operands.iter_mut().collect(),
            Expr::InList { value, list, .. } => {
                std::iter::once(value.as_mut()).chain(list).collect()
            }
            Expr::Case { branches, otherwise } => branches
                .iter_mut()
                .flat_map(|(when, then)| [when, then])
                .chain([otherwise.as_mut()])
                .collect(),
            Expr::Call(_, arguments) | Expr::Generic(_, arguments) => {
                arguments.iter_mut().collect()
            }
            Expr::Aggregate(aggregate) => {
                let filter = aggregate.filter.iter_mut();
                aggregate.argument.iter_mut().chain(filter).map(AsMut::as_mut).collect()
            }
            Expr::Window(window) => window.arguments.iter_mut().collect(),
        }
    }
}
