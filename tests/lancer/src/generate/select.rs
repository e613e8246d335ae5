//! SELECT with columns of wanted kinds: plain, over windows, or of groups.

use super::Generator;
use crate::ast::{Expr, Group, Select, Window};
use crate::value::Kind;

const FRAMES: [&str; 5] = [
    "ROWS BETWEEN 1 PRECEDING AND CURRENT ROW",
    "ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING",
    "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
    "ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
    "RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
];

impl Generator<'_> {
    pub(super) fn select(&mut self, kinds: &[Kind], depth: usize) -> Select {
        let from = self.from(depth);
        let columns = from.columns();
        let filter = self.dice.chance(45).then(|| self.filter(&columns));
        let mut select =
            Select { distinct: false, items: Vec::new(), from, filter, group: None, having: None };
        let plain = !columns.iter().any(|column| column.kind().is_nested());
        match self.dice.below(20) {
            0..=5 => self.group(&mut select, &columns, kinds),
            6 | 7 => select.items = self.aggregates(&columns, kinds),
            8..=10 if plain => {
                let items = kinds.iter().enumerate();
                let items = items.map(|(item, kind)| self.window(&columns, *kind, item == 0));
                select.items = items.collect();
            }
            _ => {
                let items = kinds.iter().map(|kind| self.expr(&columns, *kind, 2));
                select.items = items.collect();
                select.distinct = self.dice.chance(15);
            }
        }
        select
    }

    fn group(&mut self, select: &mut Select, columns: &[Expr], kinds: &[Kind]) {
        let count = 1 + self.dice.below(2);
        let keys = (0..count).map(|_| self.key(columns)).collect::<Vec<_>>();
        let mut leaves = keys.clone();
        for kind in kinds {
            leaves.extend(self.aggregate(columns, *kind));
        }
        select.items = kinds.iter().map(|kind| self.expr(&leaves, *kind, 1)).collect();
        select.having = self.dice.chance(30).then(|| self.condition(&leaves, 2));
        select.group = Some(Group { keys, rollup: self.dice.chance(15) });
    }

    /// A key: a column, or an expression with one in it, as a bare number means a position.
    fn key(&mut self, columns: &[Expr]) -> Expr {
        let column = self.dice.choose(columns).clone();
        if column.kind().is_nested() || !self.dice.chance(25) {
            return column;
        }
        let other = self.literal(column.kind());
        Expr::Generic("coalesce", vec![column, other])
    }

    /// Aggregates of one group.
    fn aggregates(&mut self, columns: &[Expr], kinds: &[Kind]) -> Vec<Expr> {
        let mut leaves = Vec::new();
        for kind in kinds {
            leaves.extend(self.aggregate(columns, *kind));
        }
        let mut items: Vec<Expr> = kinds.iter().map(|kind| self.expr(&leaves, *kind, 1)).collect();
        // Without an aggregate among them it would be a plain select.
        if let (Some(first), Some(aggregate)) = (items.first_mut(), leaves.first())
            && first.kind() == aggregate.kind()
        {
            *first = aggregate.clone();
        }
        items
    }

    /// A function over a window, or now and then a plain expression.
    ///
    /// Which of two equal rows comes first is open, and each window may see it otherwise: only one of a
    /// SELECT may tell them apart.
    fn window(&mut self, columns: &[Expr], kind: Kind, tells_apart: bool) -> Expr {
        if self.dice.chance(25) {
            return self.expr(columns, kind, 1);
        }
        let (name, arguments) = self.window_function(columns, kind, tells_apart);
        let frames = ["count", "sum", "avg", "min", "max", "first_value", "last_value"];
        let frame = frames.contains(&name) && self.dice.chance(60);
        let frame = frame.then(|| *self.dice.choose(&FRAMES));
        let frame = frame.filter(|frame| tells_apart || frame.starts_with("RANGE"));
        let partition =
            if self.dice.chance(60) { vec![self.dice.choose(columns).clone()] } else { vec![] };
        // All columns order, so that rows which stay equal are the same row.
        let start = self.dice.below(columns.len());
        let keys = columns[start..].iter().chain(&columns[..start]);
        let order = keys.map(|key| (key.clone(), self.direction())).collect();
        Expr::Window(Box::new(Window { name, kind, arguments, partition, order, frame }))
    }

    fn window_function(
        &mut self,
        columns: &[Expr],
        kind: Kind,
        tells_apart: bool,
    ) -> (&'static str, Vec<Expr>) {
        if kind == Kind::Integer && self.dice.chance(40) {
            let names = ["rank", "dense_rank", "count", "row_number"];
            let name = *self.dice.choose(if tells_apart { &names } else { &names[..3] });
            let counted = self.some_kind(columns);
            let arguments = match name {
                "count" => vec![self.leaf(columns, counted)],
                _ => vec![],
            };
            return (name, arguments);
        }
        let names: &[&str] = match kind {
            Kind::Integer | Kind::Double | Kind::Decimal => {
                &["sum", "sum", "min", "max", "first_value", "last_value", "lag", "lead"]
            }
            Kind::Ratio => &["avg"],
            Kind::Boolean | Kind::List | Kind::Struct => {
                &["first_value", "last_value", "lag", "lead"]
            }
            _ => &["min", "max", "first_value", "last_value", "lag", "lead"],
        };
        let mut name = *self.dice.choose(names);
        while !tells_apart && matches!(name, "lag" | "lead") {
            name = *self.dice.choose(names);
        }
        let of = match kind {
            Kind::Ratio if self.dice.chance(50) => Kind::Integer,
            Kind::Ratio => Kind::Double,
            kind => kind,
        };
        (name, vec![self.expr(columns, of, 1)])
    }
}
