//! Expressions of a wanted kind over the leaves in scope.

use super::{Generator, tables};
use crate::ast::{Aggregate, Expr, Operator};
use crate::functions::{self, GENERIC};
use crate::value::{Kind, Value};

impl Generator<'_> {
    /// An expression of a kind over leaves, at most `depth` deep.
    pub(super) fn expr(&mut self, leaves: &[Expr], kind: Kind, depth: usize) -> Expr {
        if depth == 0 || kind.is_nested() || self.dice.chance(30) {
            return self.leaf(leaves, kind);
        }
        match self.dice.below(10) {
            0 => self.case(leaves, kind, depth),
            1 => self.generic(leaves, kind, depth),
            2 if kind.is_number() => self.sum(leaves, kind, depth),
            _ if kind == Kind::Boolean => self.condition(leaves, depth),
            3..=6 => self.call(leaves, kind, depth),
            _ => self.leaf(leaves, kind),
        }
    }

    /// A leaf of the kind if there is one, mostly, or a literal.
    pub(super) fn leaf(&mut self, leaves: &[Expr], kind: Kind) -> Expr {
        let fits = |leaf: &&Expr| {
            leaf.kind() == kind || (kind == Kind::Ratio && leaf.kind() == Kind::Double)
        };
        let fitting: Vec<&Expr> = leaves.iter().filter(fits).collect();
        if fitting.is_empty() || self.dice.chance(20) {
            return self.literal(kind);
        }
        (*self.dice.choose(&fitting)).clone()
    }

    pub(super) fn literal(&mut self, kind: Kind) -> Expr {
        let null = self.dice.chance(10);
        Expr::Literal(kind, if null { Value::Null } else { tables::value(self.dice, kind) })
    }

    fn case(&mut self, leaves: &[Expr], kind: Kind, depth: usize) -> Expr {
        let count = 1 + self.dice.below(2);
        let branches = (0..count)
            .map(|_| (self.condition(leaves, depth - 1), self.expr(leaves, kind, depth - 1)));
        let branches = branches.collect();
        Expr::Case { branches, otherwise: Box::new(self.expr(leaves, kind, depth - 1)) }
    }

    fn generic(&mut self, leaves: &[Expr], kind: Kind, depth: usize) -> Expr {
        let name = *self.dice.choose(&GENERIC);
        let arguments = (0..2).map(|_| self.expr(leaves, kind, depth - 1)).collect();
        Expr::Generic(name, arguments)
    }

    fn sum(&mut self, leaves: &[Expr], kind: Kind, depth: usize) -> Expr {
        let operator = *self.dice.choose(&[Operator::Add, Operator::Subtract]);
        let left = self.expr(leaves, kind, depth - 1);
        let right = self.expr(leaves, kind, depth - 1);
        // The kind of a sum is that of its first operand.
        match left.kind() == kind {
            true => Expr::Binary(operator, Box::new(left), Box::new(right)),
            false => left,
        }
    }

    fn call(&mut self, leaves: &[Expr], kind: Kind, depth: usize) -> Expr {
        let functions = functions::giving(kind);
        if functions.is_empty() {
            return self.leaf(leaves, kind);
        }
        let function = *self.dice.choose(&functions);
        let kinds = function.arguments;
        let arguments: Vec<Expr> =
            kinds.iter().map(|kind| self.expr(leaves, *kind, depth - 1)).collect();
        // A field is taken from a column only: not every dialect takes it from an expression.
        let of_struct = kinds == [Kind::Struct];
        if of_struct && !matches!(arguments[..], [Expr::Column { .. }]) {
            return self.leaf(leaves, kind);
        }
        Expr::Call(function, arguments)
    }

    /// An aggregate that gives a kind, if any does.
    pub(super) fn aggregate(&mut self, leaves: &[Expr], kind: Kind) -> Option<Expr> {
        let (name, argument) = match kind {
            Kind::Boolean => (*self.dice.choose(&["bool_and", "bool_or", "min", "max"]), kind),
            Kind::Integer if self.dice.chance(50) => ("count", self.some_kind(leaves)),
            Kind::Integer | Kind::Double | Kind::Decimal => {
                (*self.dice.choose(&["sum", "sum", "min", "max"]), kind)
            }
            Kind::Ratio if self.dice.chance(50) => ("avg", Kind::Integer),
            Kind::Ratio => ("avg", Kind::Double),
            Kind::Text | Kind::Date | Kind::Timestamp => (*self.dice.choose(&["min", "max"]), kind),
            Kind::List | Kind::Struct => return None,
        };
        let all = name == "count" && self.dice.chance(40);
        let distinct = !all && ["count", "sum"].contains(&name) && self.dice.chance(25);
        let argument = (!all).then(|| Box::new(self.expr(leaves, argument, 1)));
        let filter = self.dice.chance(12).then(|| Box::new(self.condition(leaves, 1)));
        Some(Expr::Aggregate(Aggregate { name, distinct, argument, filter }))
    }

    /// The kind of one of the leaves, or any without parts.
    pub(super) fn some_kind(&mut self, leaves: &[Expr]) -> Kind {
        if leaves.is_empty() || self.dice.chance(10) {
            return Kind::COLUMNS[self.dice.below(7)];
        }
        self.dice.choose(leaves).kind()
    }
}
