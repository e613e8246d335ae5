//! Queries: set operations, ORDER BY with LIMIT, and the relations of FROM.

use super::Generator;
use crate::ast::{Body, Direction, From, Join, Limit, Query};
use crate::value::Kind;

const SET_OPERATORS: [&str; 6] =
    ["UNION", "UNION ALL", "INTERSECT", "INTERSECT ALL", "EXCEPT", "EXCEPT ALL"];
const JOINS: [Join; 9] = [
    Join::Inner,
    Join::Inner,
    Join::Left,
    Join::Left,
    Join::Right,
    Join::Full,
    Join::Semi,
    Join::Anti,
    Join::Cross,
];

impl Generator<'_> {
    /// A query with relations at most `depth` deep in each other.
    pub(super) fn query(&mut self, depth: usize) -> Query {
        let count = 1 + self.dice.below(3);
        let kinds: Vec<Kind> = (0..count).map(|_| self.output_kind()).collect();
        self.query_of(&kinds, depth)
    }

    fn output_kind(&mut self) -> Kind {
        match self.dice.below(20) {
            0 => Kind::Ratio,
            1 => *self.dice.choose(&Kind::COLUMNS),
            _ => Kind::COLUMNS[self.dice.below(7)],
        }
    }

    fn query_of(&mut self, kinds: &[Kind], depth: usize) -> Query {
        let plain = !kinds.iter().any(|kind| kind.is_nested());
        let body = if depth > 0 && plain && self.dice.chance(15) {
            let operator = *self.dice.choose(&SET_OPERATORS);
            let left = Box::new(self.query_of(kinds, depth - 1));
            let right = Box::new(self.query_of(kinds, depth - 1));
            Body::Set { operator, left, right }
        } else {
            Body::Select(Box::new(self.select(kinds, depth)))
        };
        let limit = (plain && self.dice.chance(20)).then(|| self.limit(kinds.len()));
        Query { body, limit }
    }

    fn limit(&mut self, columns: usize) -> Limit {
        let directions = (0..columns).map(|_| self.direction()).collect();
        let offset = if self.dice.chance(25) { self.dice.below(3) } else { 0 };
        Limit { directions, count: self.dice.below(6), offset }
    }

    pub(super) fn direction(&mut self) -> Direction {
        Direction { descending: self.dice.chance(50), nulls_first: self.dice.chance(50) }
    }

    /// One to three relations, joined.
    pub(super) fn from(&mut self, depth: usize) -> From {
        let mut from = self.relation(depth);
        let count = [0, 0, 0, 1, 1, 1, 1, 2][self.dice.below(8)];
        for _ in 0..count {
            let right = self.relation(depth);
            let join = *self.dice.choose(&JOINS);
            let on = (join != Join::Cross)
                .then(|| self.join_condition(&from.columns(), &right.columns()));
            from = From::Join { join, left: Box::new(from), right: Box::new(right), on };
        }
        from
    }

    fn relation(&mut self, depth: usize) -> From {
        if depth > 0 && self.dice.chance(25) {
            if !self.queries.is_empty() && self.dice.chance(40) {
                let queries = std::mem::take(&mut self.queries);
                let query = Box::new(self.dice.choose(&queries).clone());
                self.queries = queries;
                return From::Query(query, self.alias());
            }
            let query = self.query(depth - 1);
            self.queries.push(query.clone());
            return From::Query(Box::new(query), self.alias());
        }
        let alias = self.alias();
        self.table(alias)
    }
}
