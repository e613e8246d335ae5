//! Which relations are joined on what, how many rows each set of them has, and the order that makes least work.
//!
//! The rows of a set are those of its relations times each other, divided by the number of distinct values of
//! each group of equal columns, once for every relation but the first that has such a column. Ebergen,
//! "Join Order Optimization with (Almost) No Statistics", 2022.

/// A set of relations: a bit for each.
pub(super) type Set = u64;

/// The most relations of which every order is tried; more are joined by what is least next.
const TRIED_MAX: usize = 10;

/// What rows cost: a row that a hash table is made of, one that is looked up in it, one that comes out.
const BUILD: f64 = 2.0;
const PROBE: f64 = 0.5;
const OUTPUT: f64 = 1.0;

/// The share of rows that a condition lets pass of which nothing is known.
const SELECTIVITY: f64 = 0.3;

/// Columns of several relations that are equal in all rows.
#[derive(Debug, Clone)]
pub(super) struct Class {
    relations: Set,
    distinct: f64,
}

impl Class {
    /// Of the relations with such a column, and how many distinct values that has at most in each.
    pub(super) fn new(members: &[(usize, f64)]) -> Self {
        Self {
            relations: members.iter().fold(0, |set, (relation, _)| set | 1 << relation),
            distinct: members.iter().fold(1.0, |most, (_, distinct)| most.max(*distinct)),
        }
    }
}

/// The relations of a query that are joined with each other.
#[derive(Debug)]
pub(super) struct Graph {
    /// How many rows each relation has.
    rows: Vec<f64>,
    classes: Vec<Class>,
    /// Conditions beyond equal columns, by the relations that each is about.
    conditions: Vec<Set>,
    /// Two relations that are equal in several columns, and what their rows are to be multiplied by for it.
    pairs: Vec<(Set, f64)>,
}

/// An order: a relation, or two orders whose rows are joined. The rows of the first are looked up.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Order {
    Relation(usize),
    Join(Box<Order>, Box<Order>),
}

impl Order {
    pub(super) fn relations(&self) -> Set {
        match self {
            Self::Relation(relation) => 1 << relation,
            Self::Join(left, right) => left.relations() | right.relations(),
        }
    }
}

/// An order of a set, and what is known of it.
#[derive(Debug, Clone)]
struct Plan {
    order: Order,
    set: Set,
    rows: f64,
    cost: f64,
}

impl Plan {
    /// What it costs to have the rows of both, and of these joined.
    fn cost_joined(&self, other: &Self, rows: f64) -> f64 {
        let (build, probe) = (self.rows.min(other.rows), self.rows.max(other.rows));
        self.cost + other.cost + BUILD * build + PROBE * probe + OUTPUT * rows
    }

    /// The join of two plans, the smaller one first.
    fn joined(&self, other: &Self, rows: f64) -> Self {
        let (build, probe) = if other.rows < self.rows { (other, self) } else { (self, other) };
        let order = Order::Join(Box::new(build.order.clone()), Box::new(probe.order.clone()));
        let cost = self.cost_joined(other, rows);
        Self { order, set: build.set | probe.set, rows, cost }
    }
}

impl Graph {
    pub(super) fn new(rows: Vec<f64>, classes: Vec<Class>, conditions: Vec<Set>) -> Self {
        let pairs =
            (0..rows.len()).flat_map(|one| (one + 1..rows.len()).map(move |two| (one, two)));
        let pairs = pairs.filter_map(|(one, two)| {
            let both: Set = 1 << one | 1 << two;
            let rows = rows[one].min(rows[two]);
            Some((both, factor_of_pair(both, rows, &classes)?))
        });
        Self { pairs: pairs.collect(), rows, classes, conditions }
    }

    /// The order of least cost, and its cost.
    pub(super) fn best(&self) -> (Order, f64) {
        let relations = self.rows.len();
        let plan = if relations <= TRIED_MAX { self.tried() } else { self.greedy() };
        (plan.order, plan.cost)
    }

    /// What an order costs.
    pub(super) fn cost(&self, order: &Order) -> f64 {
        self.planned(order).cost
    }

    fn planned(&self, order: &Order) -> Plan {
        match order {
            Order::Relation(relation) => self.relation(*relation),
            Order::Join(left, right) => {
                let (left, right) = (self.planned(left), self.planned(right));
                left.joined(&right, self.rows_of(left.set | right.set))
            }
        }
    }

    fn relation(&self, relation: usize) -> Plan {
        let rows = self.rows[relation];
        Plan { order: Order::Relation(relation), set: 1 << relation, rows, cost: 0.0 }
    }

    /// How many rows a set of relations has when all are joined.
    fn rows_of(&self, set: Set) -> f64 {
        let relations = (0..self.rows.len()).filter(|relation| set & (1 << relation) != 0);
        let mut rows: f64 = relations.map(|relation| self.rows[relation]).product();
        for class in &self.classes {
            let others = (class.relations & set).count_ones().saturating_sub(1);
            rows /= class.distinct.powi(others as i32);
        }
        let pairs = self.pairs.iter().filter(|(both, _)| both & !set == 0);
        rows *= pairs.map(|(_, factor)| factor).product::<f64>();
        let conditions = self.conditions.iter().filter(|about| **about & !set == 0).count();
        (rows * SELECTIVITY.powi(conditions as i32)).max(1.0)
    }

    /// Whether something is equal in two sets.
    fn is_joined(&self, one: Set, other: Set) -> bool {
        let joins = |class: &Class| class.relations & one != 0 && class.relations & other != 0;
        self.classes.iter().any(joins)
    }

    /// The best of all orders; sets that nothing joins are put together only where there is no other way.
    fn tried(&self) -> Plan {
        let all: Set = (1 << self.rows.len()) - 1;
        let mut plans: Vec<Option<Plan>> = vec![None; all as usize + 1];
        for relation in 0..self.rows.len() {
            plans[1 << relation] = Some(self.relation(relation));
        }
        for set in 1..=all {
            if set.count_ones() < 2 {
                continue;
            }
            let rows = self.rows_of(set);
            let mut best: Option<(f64, &Plan, &Plan)> = None;
            // Each pair once: the one that has the first relation.
            let first = set & set.wrapping_neg();
            let mut one = (set - 1) & set;
            while one != 0 {
                let other = set & !one;
                if one & first != 0
                    && let (Some(left), Some(right)) =
                        (&plans[one as usize], &plans[other as usize])
                    && self.is_joined(one, other)
                {
                    let cost = left.cost_joined(right, rows);
                    if best.is_none_or(|(least, ..)| cost < least) {
                        best = Some((cost, left, right));
                    }
                }
                one = (one - 1) & set;
            }
            plans[set as usize] = best.map(|(_, left, right)| left.joined(right, rows));
        }
        match plans.pop().flatten() {
            Some(plan) => plan,
            // Parts that nothing joins.
            None => self.greedy(),
        }
    }

    /// Joins what makes the least work next, until one is left.
    fn greedy(&self) -> Plan {
        let mut plans: Vec<Plan> = (0..self.rows.len()).map(|at| self.relation(at)).collect();
        while plans.len() > 1 {
            let mut best: Option<((bool, f64), f64, usize, usize)> = None;
            for one in 0..plans.len() {
                for other in one + 1..plans.len() {
                    let (left, right) = (&plans[one], &plans[other]);
                    let rows = self.rows_of(left.set | right.set);
                    let is_apart = !self.is_joined(left.set, right.set);
                    let cost = (is_apart, left.cost_joined(right, rows) - left.cost - right.cost);
                    if best.is_none_or(|(least, ..)| cost < least) {
                        best = Some((cost, rows, one, other));
                    }
                }
            }
            let Some((_, rows, one, other)) = best else { break };
            plans[one] = plans[one].joined(&plans[other], rows);
            let _joined = plans.remove(other);
        }
        plans.swap_remove(0)
    }
}

/// What is to be multiplied where two relations are equal in several columns: these together have no
/// more distinct values than the smaller relation has rows.
fn factor_of_pair(both: Set, rows: f64, classes: &[Class]) -> Option<f64> {
    let shared = classes.iter().filter(|class| class.relations & both == both);
    let distinct: Vec<f64> = shared.map(|class| class.distinct).collect();
    let most = distinct.iter().fold(1.0, |most: f64, distinct| most.max(*distinct));
    let together: f64 = distinct.iter().product();
    let bound = rows.max(most);
    (together > bound).then_some(together / bound)
}

#[cfg(test)]
mod tests {
    use super::{Class, Graph, Order};

    fn is_about(order: &Order, set: &[usize]) -> bool {
        order.relations() == set.iter().fold(0, |set, relation| set | 1 << relation)
    }

    /// A large table with two small ones, of which one leaves a hundredth of its rows.
    fn star() -> Graph {
        Graph::new(
            vec![1e6, 1e3, 10.0],
            vec![Class::new(&[(0, 1e3), (1, 1e3)]), Class::new(&[(0, 1e3), (2, 10.0)])],
            Vec::new(),
        )
    }

    #[test]
    fn rows_are_divided_by_distinct_values() {
        let graph = star();
        assert_eq!(graph.rows_of(0b011), 1e6);
        assert_eq!(graph.rows_of(0b101), 1e4);
        assert_eq!(graph.rows_of(0b111), 1e4);
        assert_eq!(graph.rows_of(0b110), 1e4, "nothing joins them");
    }

    #[test]
    fn what_leaves_least_rows_is_joined_first() {
        let graph = star();
        let (order, cost) = graph.best();
        let Order::Join(build, probe) = &order else { panic!("{order:?}") };
        assert!(is_about(build, &[1]) && is_about(probe, &[0, 2]), "{order:?}");
        // 2 x 10 + 0.5 x 1e6 + 1e4, then 2 x 1e3 + 0.5 x 1e4 + 1e4.
        assert_eq!(cost, 20.0 + 5e5 + 1e4 + 2e3 + 5e3 + 1e4);
        assert_eq!(graph.cost(&order), cost);
        assert_eq!(graph.greedy().cost, cost);
    }

    #[test]
    fn keys_of_two_columns_have_no_more_values_than_rows() {
        let graph = Graph::new(
            vec![6e6, 8e5],
            vec![Class::new(&[(0, 2e5), (1, 2e5)]), Class::new(&[(0, 1e4), (1, 1e4)])],
            Vec::new(),
        );
        assert_eq!(graph.rows_of(0b11).round(), 6e6);
    }

    #[test]
    fn parts_that_nothing_joins_come_last() {
        let graph = Graph::new(
            vec![10.0, 10.0, 1e4],
            vec![Class::new(&[(1, 10.0), (2, 1e4)])],
            vec![0b101],
        );
        let (order, _) = graph.best();
        let Order::Join(one, other) = &order else { panic!("{order:?}") };
        assert!(is_about(one, &[0]) || is_about(other, &[0]), "{order:?}");
        assert_eq!(graph.rows_of(0b111).round(), 30.0);
    }
}
