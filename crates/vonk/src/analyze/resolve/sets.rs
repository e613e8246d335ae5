//! Sets of groupings: ROLLUP, CUBE and nested sets written out, and what `grouping` means over them.

use std::ops::ControlFlow;

use sqlparser::ast::{
    self, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, SelectItem, Value,
    VisitMut, VisitorMut,
};

use super::super::syntax::{call, case_of, cast};
use super::errors;
use crate::error::{Condition, Error, Result};

/// How many keys CUBE takes; of each more there are twice as many sets.
const CUBE_KEYS_MAX: usize = 12;

/// What a SELECT groups its rows by.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// Every key, in the order in which `grouping_id` takes them.
    pub keys: Vec<Expr>,
    /// The sets of keys, if there are more groupings than one.
    pub sets: Option<Vec<Vec<Expr>>>,
}

/// Whether a key stands for sets of keys.
pub(super) fn is_set(key: &Expr) -> bool {
    matches!(key, Expr::GroupingSets(_) | Expr::Rollup(_) | Expr::Cube(_))
}

/// `rollup(a, b)` within GROUPING SETS reads as a call, but is none.
pub(super) fn set_of_call(key: &Expr) -> Option<Expr> {
    let Expr::Function(function) = key else { return None };
    let FunctionArguments::List(list) = &function.args else { return None };
    let groups = list.args.iter().map(|arg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(items_of(expr)),
        _ => None,
    });
    let groups: Vec<Vec<Expr>> = groups.collect::<Option<_>>()?;
    match function.name.to_string().to_lowercase().as_str() {
        "rollup" => Some(Expr::Rollup(groups)),
        "cube" => Some(Expr::Cube(groups)),
        _ => None,
    }
}

impl Groups {
    /// What resolved keys stand for; every key that is no set is in all of the sets. What `first`
    /// has and no set has is grouped by as well, and NULL.
    pub(super) fn of(first: &[Expr], keys: &[Expr]) -> Result<Self> {
        let mut all = Vec::new();
        first.iter().for_each(|key| add_keys(key, &mut all));
        keys.iter().for_each(|key| add_keys(key, &mut all));
        if !keys.iter().any(is_set) {
            return Ok(Self { keys: all, sets: None });
        }
        let mut sets: Vec<Vec<Expr>> = vec![Vec::new()];
        for key in keys {
            let choices = sets_of(key)?;
            let product = sets.iter().flat_map(|set| {
                choices.iter().map(|choice| set.iter().chain(choice).cloned().collect())
            });
            sets = product.collect();
        }
        for set in &mut sets {
            let mut once: Vec<Expr> = Vec::with_capacity(set.len());
            for key in set.drain(..) {
                if !once.contains(&key) {
                    once.push(key);
                }
            }
            *set = once;
        }
        Ok(Self { keys: all, sets: Some(sets) })
    }

    /// The GROUP BY that the planner is given.
    pub(super) fn group_by(&self) -> Vec<Expr> {
        match &self.sets {
            None => self.keys.clone(),
            Some(sets) if sets.iter().all(Vec::is_empty) && sets.len() == 1 => Vec::new(),
            Some(sets) => vec![Expr::GroupingSets(sets.clone())],
        }
    }

    /// The keys that are in no set, which are NULL in every group.
    fn absent(&self) -> Vec<&Expr> {
        let Some(sets) = &self.sets else { return Vec::new() };
        self.keys.iter().filter(|key| !sets.iter().any(|set| set.contains(key))).collect()
    }

    /// Spells `grouping`, `grouping_id` and the keys that are in no set, in a clause.
    pub(super) fn spell(
        &self,
        expr: &mut Expr,
        is_aggregate: &dyn Fn(&ast::Function) -> bool,
    ) -> Result<()> {
        let absent = self.absent();
        let mut speller = Speller { groups: self, absent: &absent, is_aggregate, aggregates: 0 };
        match VisitMut::visit(expr, &mut speller) {
            ControlFlow::Break(error) => Err(error),
            ControlFlow::Continue(()) => Ok(()),
        }
    }

    /// Spells them in a SELECT list, whose columns keep their names.
    pub(super) fn spell_items(
        &self,
        items: &mut [SelectItem],
        is_aggregate: &dyn Fn(&ast::Function) -> bool,
    ) -> Result<()> {
        for item in items {
            match item {
                SelectItem::UnnamedExpr(expr) => {
                    let name = match &*expr {
                        Expr::Identifier(ident) => Some(ident.clone()),
                        Expr::CompoundIdentifier(parts) => parts.last().cloned(),
                        _ => None,
                    };
                    let before = expr.clone();
                    self.spell(expr, is_aggregate)?;
                    if let Some(name) = name
                        && *expr != before
                    {
                        let alias = Ident::with_quote('`', name.value);
                        *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
                    }
                }
                SelectItem::ExprWithAlias { expr, .. } => self.spell(expr, is_aggregate)?,
                _ => {}
            }
        }
        Ok(())
    }
}

/// The keys of an expression that a column may stand in a tuple of.
fn items_of(expr: &Expr) -> Vec<Expr> {
    match expr {
        Expr::Tuple(items) => items.clone(),
        Expr::Nested(inner) => items_of(inner),
        other => vec![other.clone()],
    }
}

/// Adds the keys that a part of GROUP BY names and that are not there yet.
pub(super) fn add_keys(key: &Expr, keys: &mut Vec<Expr>) {
    match key {
        Expr::GroupingSets(sets) | Expr::Rollup(sets) | Expr::Cube(sets) => {
            sets.iter().flatten().for_each(|key| add_keys(key, keys));
        }
        Expr::Tuple(items) => items.iter().for_each(|key| add_keys(key, keys)),
        Expr::Nested(inner) => add_keys(inner, keys),
        key if keys.contains(key) => {}
        key => keys.push(key.clone()),
    }
}

/// The sets that a key of GROUP BY stands for.
fn sets_of(key: &Expr) -> Result<Vec<Vec<Expr>>> {
    let flat = |group: &[Expr]| group.iter().flat_map(items_of).collect::<Vec<Expr>>();
    match key {
        Expr::GroupingSets(groups) => {
            let mut sets = Vec::new();
            for group in groups {
                match group.as_slice() {
                    [one] if is_set(one) => sets.extend(sets_of(one)?),
                    group => sets.push(flat(group)),
                }
            }
            Ok(sets)
        }
        Expr::Rollup(groups) => {
            let prefixes = (0..=groups.len()).rev();
            Ok(prefixes.map(|length| flat(&groups[..length].concat())).collect())
        }
        Expr::Cube(groups) if groups.len() > CUBE_KEYS_MAX => Err(Error::unsupported(format!(
            "CUBE over {} keys, of which there are {CUBE_KEYS_MAX} at most",
            groups.len()
        ))),
        Expr::Cube(groups) => {
            let subsets = (0..1_usize << groups.len()).rev();
            let subset = |bits: usize| {
                let of_bit = |at: &usize| bits >> (groups.len() - 1 - at) & 1 == 1;
                (0..groups.len()).filter(of_bit).flat_map(|at| flat(&groups[at])).collect()
            };
            Ok(subsets.map(subset).collect())
        }
        key => Ok(vec![items_of(key)]),
    }
}

/// Spells calls of `grouping` and `grouping_id`, and NULL for the keys that are in no set.
struct Speller<'g> {
    groups: &'g Groups,
    absent: &'g [&'g Expr],
    is_aggregate: &'g dyn Fn(&ast::Function) -> bool,
    /// In how many calls that are about the rows of a group.
    aggregates: usize,
}

impl Speller<'_> {
    fn call(&self, expr: &Expr) -> Result<Option<Expr>> {
        let Expr::Function(function) = expr else { return Ok(None) };
        let name = function.name.to_string().to_lowercase();
        if name != "grouping" && name != "grouping_id" {
            return Ok(None);
        }
        if self.groups.sets.is_none() {
            return Err(Error::new(
                Condition::UNSUPPORTED_GROUPING_EXPRESSION,
                format!("`{name}` needs GROUPING SETS, CUBE or ROLLUP"),
            ));
        }
        let mut given = match &function.args {
            FunctionArguments::List(list) => {
                list.args.iter().filter_map(super::from::argument).cloned().collect()
            }
            _ => Vec::new(),
        };
        let is_id = name == "grouping_id";
        if is_id && given.is_empty() {
            given.clone_from(&self.groups.keys);
        }
        let keys = &self.groups.keys;
        let is_known = if is_id { given == *keys } else { given.iter().all(|k| keys.contains(k)) };
        if !is_known {
            let condition = match is_id {
                true => Condition::GROUPING_ID_COLUMN_MISMATCH,
                false => Condition::GROUPING_COLUMN_MISMATCH,
            };
            let message = format!("`{function}` is not about what rows are grouped by");
            return Err(Error::new(condition, message));
        }
        let data_type =
            if is_id { ast::DataType::BigInt(None) } else { ast::DataType::TinyInt(None) };
        Ok(Some(cast(self.bits(given), data_type)))
    }

    /// A number with a bit for each key, the first being the highest: whether a group is not by it.
    fn bits(&self, keys: Vec<Expr>) -> Expr {
        let number = |value: u64| Expr::value(Value::Number(value.to_string(), false));
        let count = keys.len();
        let (absent, present): (Vec<_>, Vec<_>) =
            keys.into_iter().enumerate().partition(|(_, key)| self.absent.contains(&key));
        let weight = |at: usize| 1_u64 << (count - 1 - at).min(62);
        if absent.is_empty() {
            return call("grouping", present.into_iter().map(|(_, key)| key).collect());
        }
        let constant: u64 = absent.iter().map(|(at, _)| weight(*at)).sum();
        present.into_iter().fold(number(constant), |sum, (at, key)| {
            let bit = Expr::BinaryOp {
                left: Box::new(call("grouping", vec![key])),
                op: ast::BinaryOperator::Multiply,
                right: Box::new(number(weight(at))),
            };
            let (left, right) = (Box::new(sum), Box::new(bit));
            Expr::BinaryOp { left, op: ast::BinaryOperator::Plus, right }
        })
    }
}

/// NULL of the type of a key.
fn null_like(key: &Expr) -> Expr {
    case_of(vec![Expr::value(Value::Boolean(false)), call("any_value", vec![key.clone()])])
}

impl VisitorMut for Speller<'_> {
    type Break = Error;

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        if self.reads_rows(expr) {
            self.aggregates += 1;
        } else if self.aggregates == 0 && self.absent.contains(&&*expr) {
            *expr = null_like(expr);
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        if !self.reads_rows(expr) {
            return ControlFlow::Continue(());
        }
        self.aggregates -= 1;
        match self.call(expr) {
            Ok(Some(spelled)) => *expr = spelled,
            Ok(None) => {}
            Err(error) => return ControlFlow::Break(errors::at_expr(error, expr)),
        }
        ControlFlow::Continue(())
    }
}

impl Speller<'_> {
    /// Whether a call is about the rows of a group or its keys themselves.
    fn reads_rows(&self, expr: &Expr) -> bool {
        let Expr::Function(function) = expr else { return false };
        let name = function.name.to_string().to_lowercase();
        name == "grouping" || name == "grouping_id" || (self.is_aggregate)(function)
    }
}
