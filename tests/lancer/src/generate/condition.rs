//! Conditions: comparisons, lists, ranges and patterns, and subqueries.

use super::Generator;
use crate::ast::{Expr, From, Operator, Query, Select};
use crate::value::Kind;

const COMPARISONS: [Operator; 7] = [
    Operator::Equal,
    Operator::NotEqual,
    Operator::Less,
    Operator::LessOrEqual,
    Operator::Greater,
    Operator::GreaterOrEqual,
    Operator::Same,
];
const PATTERNS: [&str; 6] = ["a%", "%é%", "_", "", "%b", "%a_"];

impl Generator<'_> {
    /// A condition for WHERE, which may hold a subquery.
    pub(super) fn filter(&mut self, leaves: &[Expr]) -> Expr {
        if !self.dice.chance(25) {
            return self.condition(leaves, 3);
        }
        let subquery = self.with_subquery(leaves);
        match self.dice.below(4) {
            0 => subquery,
            1 => Expr::Not(Box::new(subquery)),
            2 => subquery.and(self.condition(leaves, 2)),
            _ => {
                let other = self.condition(leaves, 2);
                Expr::Binary(Operator::Or, Box::new(subquery), Box::new(other))
            }
        }
    }

    /// A condition without subqueries.
    pub(super) fn condition(&mut self, leaves: &[Expr], depth: usize) -> Expr {
        let below = depth.saturating_sub(1);
        let kind = self.some_kind(leaves);
        if depth == 0 {
            return self.comparison(leaves, kind, 0);
        }
        match self.dice.below(14) {
            0..=2 => self.both(leaves, below),
            3 => Expr::Not(Box::new(self.condition(leaves, below))),
            4 => Expr::IsNull(Box::new(self.expr(leaves, kind, below))),
            5 if !kind.is_nested() => {
                let operands = std::array::from_fn(|_| self.expr(leaves, kind, below));
                Expr::Between { negated: self.dice.chance(30), operands: Box::new(operands) }
            }
            6 | 7 if !kind.is_nested() => {
                let value = self.expr(leaves, kind, below);
                self.in_list(leaves, value)
            }
            8 => {
                let pattern = (*self.dice.choose(&PATTERNS)).to_owned();
                Expr::Like(Box::new(self.expr(leaves, Kind::Text, below)), pattern)
            }
            9 => match self.expr(leaves, Kind::Boolean, below) {
                Expr::Literal(..) => self.comparison(leaves, kind, below),
                other => other,
            },
            _ => self.comparison(leaves, kind, below),
        }
    }

    /// Two conditions joined; now and then about the same value, which is where rules meet.
    fn both(&mut self, leaves: &[Expr], depth: usize) -> Expr {
        let operator = *self.dice.choose(&[Operator::And, Operator::Or]);
        let (left, right) = if self.dice.chance(25) {
            let kind = self.plain_kind(leaves);
            let value = self.leaf(leaves, kind);
            (self.about(leaves, &value), self.about(leaves, &value))
        } else {
            (self.condition(leaves, depth), self.condition(leaves, depth))
        };
        Expr::Binary(operator, Box::new(left), Box::new(right))
    }

    /// A condition about a value.
    fn about(&mut self, leaves: &[Expr], value: &Expr) -> Expr {
        if self.dice.chance(60) {
            return self.in_list(leaves, value.clone());
        }
        let operator = *self.dice.choose(&COMPARISONS);
        let other = self.expr(leaves, value.kind(), 1);
        Expr::Binary(operator, Box::new(value.clone()), Box::new(other))
    }

    fn in_list(&mut self, leaves: &[Expr], value: Expr) -> Expr {
        let count = 1 + self.dice.below(4);
        let kind = value.kind();
        let item = |generator: &mut Self| match generator.dice.below(10) {
            0..=5 => generator.literal(kind),
            6 => value.clone(),
            _ => generator.expr(leaves, kind, 1),
        };
        let list = (0..count).map(|_| item(self)).collect();
        Expr::InList { negated: self.dice.chance(40), value: Box::new(value), list }
    }

    fn comparison(&mut self, leaves: &[Expr], kind: Kind, depth: usize) -> Expr {
        let operator = match kind.is_nested() {
            true => *self.dice.choose(&[Operator::Equal, Operator::NotEqual, Operator::Same]),
            false => *self.dice.choose(&COMPARISONS),
        };
        let left = self.expr(leaves, kind, depth);
        Expr::Binary(operator, Box::new(left), Box::new(self.expr(leaves, kind, depth)))
    }

    fn plain_kind(&mut self, leaves: &[Expr]) -> Kind {
        let kind = self.some_kind(leaves);
        if kind.is_nested() { Kind::Integer } else { kind }
    }

    /// The ON of a join: mostly equal columns.
    pub(super) fn join_condition(&mut self, left: &[Expr], right: &[Expr]) -> Expr {
        let pairs = equal_kinds(left, right);
        let both: Vec<Expr> = left.iter().chain(right).cloned().collect();
        if pairs.is_empty() || self.dice.chance(25) {
            return self.condition(&both, 2);
        }
        let (a, b) = self.dice.choose(&pairs).clone();
        let operator = if self.dice.chance(10) { Operator::Same } else { Operator::Equal };
        let equal = Expr::Binary(operator, Box::new(a), Box::new(b));
        match self.dice.below(10) {
            0..=5 => equal,
            6 | 7 => {
                let (a, b) = self.dice.choose(&pairs).clone();
                equal.and(Expr::Binary(Operator::Equal, Box::new(a), Box::new(b)))
            }
            _ => equal.and(self.condition(&both, 2)),
        }
    }

    /// A condition with a subquery in it, which may look at the outer row.
    fn with_subquery(&mut self, leaves: &[Expr]) -> Expr {
        let alias = self.alias_within(leaves);
        let from = self.table(alias.clone());
        let columns = from.columns();
        let is_seen =
            |column: &&Expr| !matches!(column, Expr::Column { relation, .. } if *relation == alias);
        let outer: Vec<Expr> = leaves.iter().filter(is_seen).cloned().collect();
        let filter = self.correlation(&outer, &columns);
        let select =
            |items| Select { distinct: false, items, from, filter, group: None, having: None };
        let kind = self.plain_kind(leaves);
        match self.dice.below(3) {
            0 => {
                let item = self.leaf(&columns, Kind::Integer);
                Expr::Exists(self.dice.chance(50), Box::new(Query::of(select(vec![item]))))
            }
            1 => {
                let item = self.expr(&columns, kind, 1);
                let value = self.expr(leaves, kind, 1);
                let query = Query::of(select(vec![item]));
                Expr::InQuery(self.dice.chance(50), Box::new(value), Box::new(query))
            }
            _ => {
                let (kind, item) = match self.aggregate(&columns, kind) {
                    Some(aggregate) => (kind, aggregate),
                    None => return Expr::IsNull(Box::new(self.leaf(leaves, kind))),
                };
                let scalar = Expr::Scalar(kind, Box::new(Query::of(select(vec![item]))));
                let operator = *self.dice.choose(&COMPARISONS);
                let other = self.expr(leaves, kind, 1);
                Expr::Binary(operator, Box::new(other), Box::new(scalar))
            }
        }
    }

    fn correlation(&mut self, outer: &[Expr], inner: &[Expr]) -> Option<Expr> {
        let pairs = equal_kinds(inner, outer);
        let own = self.dice.chance(50).then(|| self.condition(inner, 2));
        if pairs.is_empty() || self.dice.chance(35) {
            return own;
        }
        let (a, b) = self.dice.choose(&pairs).clone();
        let equal = Expr::Binary(Operator::Equal, Box::new(a), Box::new(b));
        Some(match own {
            Some(own) => equal.and(own),
            None => equal,
        })
    }

    /// An alias for the relation of a subquery, now and then one that hides a relation around it.
    fn alias_within(&mut self, leaves: &[Expr]) -> String {
        let relations = leaves.iter().filter_map(|leaf| match leaf {
            Expr::Column { relation, .. } => Some(relation.clone()),
            _ => None,
        });
        let relations: Vec<String> = relations.collect();
        if relations.is_empty() || self.dice.chance(60) {
            return self.alias();
        }
        self.dice.choose(&relations).clone()
    }

    /// A table of the database under an alias.
    pub(super) fn table(&mut self, alias: String) -> From {
        let tables = self.tables;
        let table = self.dice.choose(tables);
        let columns = table.columns.iter().map(|(name, kind)| Expr::Column {
            relation: alias.clone(),
            name: name.clone(),
            kind: *kind,
        });
        From::Table { name: table.name.clone(), columns: columns.collect(), alias }
    }
}

/// Every pair of columns of one kind that can be compared.
fn equal_kinds(left: &[Expr], right: &[Expr]) -> Vec<(Expr, Expr)> {
    let mut pairs = Vec::new();
    for a in left.iter().filter(|column| !column.kind().is_nested()) {
        let equal = right.iter().filter(|b| b.kind() == a.kind());
        pairs.extend(equal.map(|b| (a.clone(), b.clone())));
    }
    pairs
}
