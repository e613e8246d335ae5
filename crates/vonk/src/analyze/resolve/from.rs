//! FROM: plans every relation that stands alone, and finds what columns there are.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column as PlanColumn, TableReference};
use datafusion::logical_expr::{Expr as PlanExpr, LogicalPlan, LogicalPlanBuilder};
use sqlparser::ast::{
    self, Expr, Ident, JoinConstraint, JoinOperator, ObjectName, TableAlias, TableFactor,
};

use super::super::lateral::generator;
use super::super::syntax::{call, query_of};
use super::exprs::Names;
use super::scope::{Column, Env, From, reference};
use super::select::idents_of;
use super::taken::Taken;
use super::{Output, Resolver, Source, errors};
use crate::display::{DUPLICATE_MARK, shown};
use crate::error::{Condition, Error, Result};

/// What unnamed subqueries are called where two of them would give the same column.
const UNNAMED: &str = "__auto_generated_subquery_name";

/// How a relation is called.
struct Called {
    /// The words that may stand before its columns.
    given: Vec<String>,
    /// The alias that was written.
    alias: Option<TableAlias>,
}

impl Resolver<'_> {
    /// Resolves a FROM clause, beside which the rows of a generator may come to stand.
    pub(super) fn from(
        &mut self,
        tables: &mut [ast::TableWithJoins],
        generates: bool,
        parent: Option<&Env<'_>>,
    ) -> Result<From> {
        let mut all = From::default();
        let is_alone = !generates && matches!(tables, [table] if table.joins.is_empty());
        let mut taken = Taken::within(parent, is_alone);
        for table in tables {
            let joined = self.joined(table, &all, parent, &mut taken)?;
            all.append(joined);
        }
        Ok(all)
    }

    fn joined(
        &mut self,
        table: &mut ast::TableWithJoins,
        before: &From,
        parent: Option<&Env<'_>>,
        taken: &mut Taken,
    ) -> Result<From> {
        let mut left = self.factor(&mut table.relation, before, parent, taken)?;
        for join in &mut table.joins {
            let mut beside = before.clone();
            beside.append(left.clone());
            let right = self.factor(&mut join.relation, &beside, parent, taken)?;
            check_lateral(&join.relation, &mut join.join_operator)?;
            left = self.join(left, right, &mut join.join_operator, parent)?;
        }
        Ok(left)
    }

    /// Resolves one relation; those that depend on no other become plans.
    fn factor(
        &mut self,
        factor: &mut TableFactor,
        beside: &From,
        parent: Option<&Env<'_>>,
        taken: &mut Taken,
    ) -> Result<From> {
        self.routine(factor)?;
        match factor {
            TableFactor::Table { name, with_hints, .. } if !with_hints.is_empty() => {
                let message = format!("options behind `{name}`, `WITH (…)`, are not supported");
                Err(Error::unsupported(message).hint(
                    "give them to a view: CREATE TEMP VIEW v USING csv OPTIONS (path '…', header false)",
                ))
            }
            TableFactor::Table { name, args: None, alias, .. } => {
                let (name, alias) = (name.clone(), alias.clone());
                self.table(factor, &name, alias, taken)
            }
            TableFactor::Derived { lateral, subquery, alias, .. } => {
                let env = Env { from: beside, depth: self.depth, parent };
                let outer = if *lateral { Some(&env) } else { parent };
                let alias = alias.clone();
                let apart = std::mem::replace(&mut self.apart, self.ctes.len());
                let alone = self.standing_alone(subquery, outer);
                self.apart = apart;
                let (outputs, reached) = alone?;
                if reached > self.depth {
                    let plan = self.scope.plan((**subquery).clone())?;
                    return self.planned(factor, plan, alias, taken);
                }
                captured(factor, &outputs, alias, taken)
            }
            TableFactor::NestedJoin { table_with_joins, alias: None } => {
                self.joined(table_with_joins, beside, parent, taken)
            }
            TableFactor::Table { args: Some(_), .. } | TableFactor::Function { .. } => {
                self.function(factor, beside, parent, taken)
            }
            _ => self.opaque(factor, taken),
        }
    }

    /// Writes a call of a SQL function in FROM out.
    fn routine(&mut self, factor: &mut TableFactor) -> Result<()> {
        let (name, args, alias) = match &*factor {
            TableFactor::Table { name, args: Some(args), alias, .. } => {
                (name, args.args.as_slice(), alias)
            }
            TableFactor::Function { name, args, alias, .. } => (name, args.as_slice(), alias),
            _ => return Ok(()),
        };
        let Some(routine) = self.scope.routines.called(name) else { return Ok(()) };
        self.write_out_routine()?;
        let query = routine.rows_of_call(args)?;
        let alias = alias.clone().unwrap_or_else(|| table_alias(Ident::new(routine.name.clone())));
        *factor = TableFactor::Derived {
            lateral: true,
            subquery: Box::new(query),
            alias: Some(alias),
            sample: None,
        };
        Ok(())
    }

    /// A table, a view, a file, a plan given by a DataFrame, or a query of a WITH clause.
    fn table(
        &mut self,
        factor: &mut TableFactor,
        name: &ObjectName,
        alias: Option<TableAlias>,
        taken: &mut Taken,
    ) -> Result<From> {
        let path = idents_of(name);
        if let [bare] = path.as_slice()
            && let Some(source) = self.cte(&bare.value)
        {
            let alias = alias.unwrap_or_else(|| table_alias(bare.clone()));
            return self.cte_source(factor, source, alias, taken);
        }
        if let Some(plan) = self.scope.input(name) {
            if alias.is_some() {
                return self.planned(factor, plan, alias, taken);
            }
            return Ok(From::of_schema(plan.schema(), None));
        }
        let known = self.scope.known(name)?;
        let given = match &alias {
            Some(alias) => vec![alias.name.value.clone()],
            None => known.qualifier.clone(),
        };
        let has_columns = alias.as_ref().is_some_and(|alias| !alias.columns.is_empty());
        let from = From::of_schema(&known.schema, Some(&given));
        let bare = TableReference::bare(given.last().map_or("", String::as_str).to_owned());
        let own = if alias.is_some() { bare } else { known.table };
        if !has_columns && taken.take(&own, &from) {
            let mut from = from;
            for (table, _) in &mut from.fields {
                *table = Some(own.clone());
            }
            for (column, (_, field)) in from.columns.iter_mut().zip(&from.fields) {
                column.reference = reference(Some(&own), field.name());
            }
            return Ok(from);
        }
        let scan = self.plan_factor(factor_without_alias(factor))?;
        self.placed(factor, scan, Called { given, alias }, taken)
    }

    fn cte_source(
        &mut self,
        factor: &mut TableFactor,
        source: Source,
        alias: TableAlias,
        taken: &mut Taken,
    ) -> Result<From> {
        match source {
            Source::Plan(plan) => self.planned(factor, plan, Some(alias), taken),
            Source::Query(query, outputs, depth) => {
                self.reached = self.reached.min(depth);
                *factor = TableFactor::Derived {
                    lateral: false,
                    subquery: query,
                    alias: Some(alias.clone()),
                    sample: None,
                };
                captured(factor, &outputs, Some(alias), taken)
            }
            Source::Recursive(name, outputs, depth) => {
                self.reached = self.reached.min(depth);
                if let TableFactor::Table { alias: own, name: table, .. } = factor {
                    *table = ObjectName::from(vec![name]);
                    *own = Some(alias.clone());
                }
                captured(factor, &outputs, Some(alias), taken)
            }
        }
    }

    /// Puts a plan where a relation stood, under its alias.
    fn planned(
        &mut self,
        factor: &mut TableFactor,
        plan: LogicalPlan,
        alias: Option<TableAlias>,
        taken: &mut Taken,
    ) -> Result<From> {
        let given = alias.iter().map(|alias| alias.name.value.clone()).collect();
        self.placed(factor, plan, Called { given, alias }, taken)
    }

    fn placed(
        &mut self,
        factor: &mut TableFactor,
        plan: LogicalPlan,
        called: Called,
        taken: &mut Taken,
    ) -> Result<From> {
        let Called { given, alias } = called;
        let plan = match &alias {
            Some(alias) => renamed(plan, alias)?,
            None => plan,
        };
        let own = From::of_schema(plan.schema(), Some(&given));
        let is_free = given.is_empty() && taken.take_all(&own);
        let table = match (&alias, is_free) {
            (None, true) => None,
            _ => Some(taken.free(given.last().map_or(UNNAMED, String::as_str), &own)),
        };
        let name = self.scope.add_input(plan);
        let written =
            table.as_ref().map(|table| table_alias(Ident::with_quote('`', table.table())));
        *factor = table_factor(name);
        if let TableFactor::Table { alias, .. } = factor {
            *alias = written;
        }
        let mut from = own;
        if let Some(table) = table {
            for ((owner, field), column) in from.fields.iter_mut().zip(&mut from.columns) {
                *owner = Some(table.clone());
                column.reference = reference(Some(&table), field.name());
            }
        }
        Ok(from)
    }

    /// A function in FROM.
    fn function(
        &mut self,
        factor: &mut TableFactor,
        beside: &From,
        parent: Option<&Env<'_>>,
        taken: &mut Taken,
    ) -> Result<From> {
        let env = Env { from: beside, depth: self.depth, parent };
        let before = std::mem::replace(&mut self.reached, usize::MAX);
        let (name, args) = match factor {
            TableFactor::Table { name, args: Some(args), .. } => (name.clone(), &mut args.args),
            TableFactor::Function { name, args, .. } => (name.clone(), args),
            _ => return self.opaque(factor, taken),
        };
        let mut values = Vec::with_capacity(args.len());
        for arg in args.iter_mut() {
            let (ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(expr))
            | ast::FunctionArg::Named { arg: ast::FunctionArgExpr::Expr(expr), .. }) = arg
            else {
                continue;
            };
            self.expr(expr, &env, Names::default())?;
            values.push(expr.clone());
        }
        let reached = std::mem::replace(&mut self.reached, before);
        self.reached = self.reached.min(reached);
        if reached > self.depth {
            return self.opaque(factor, taken);
        }
        let alias = match factor {
            TableFactor::Function { alias, .. } | TableFactor::Table { alias, .. } => alias.clone(),
            _ => None,
        };
        let fields = match generator(&name) {
            Some(generator) => {
                let value = generator.value(values);
                let data_type = value.map_or(DataType::Null, |value| self.type_of(&value, &env));
                generator.fields(&data_type)?
            }
            None => {
                return Err(Error::unsupported(format!("`{name}` over columns of other tables")));
            }
        };
        let outputs = fields.iter().map(|field| Output {
            name: field.name().clone(),
            data_type: field.data_type().clone(),
        });
        let outputs: Vec<Output> = outputs.collect();
        let alias =
            alias.unwrap_or_else(|| table_alias(Ident::new(name.to_string().to_lowercase())));
        captured(factor, &outputs, Some(alias), taken)
    }

    /// What the planner below knows best: it is planned as it is.
    fn opaque(&mut self, factor: &mut TableFactor, taken: &mut Taken) -> Result<From> {
        let plan = self.plan_factor(factor.clone())?;
        let from = From::of_schema(plan.schema(), None);
        let given: Vec<String> =
            from.columns.first().map(|column| column.qualifier.clone()).unwrap_or_default();
        let alias = given.last().map(|name| table_alias(Ident::with_quote('`', name.as_str())));
        self.placed(factor, plan, Called { given, alias }, taken)
    }

    fn plan_factor(&mut self, factor: TableFactor) -> Result<LogicalPlan> {
        let mut select = super::select::empty_select();
        select.projection =
            vec![ast::SelectItem::Wildcard(ast::WildcardAdditionalOptions::default())];
        select.from = vec![ast::TableWithJoins { relation: factor, joins: Vec::new() }];
        self.scope.plan(query_of(select))
    }

    /// Resolves a query, and says how far out the outermost query is of which it uses a column.
    pub(super) fn standing_alone(
        &mut self,
        query: &mut ast::Query,
        outer: Option<&Env<'_>>,
    ) -> Result<(Vec<Output>, usize)> {
        let before = std::mem::replace(&mut self.reached, usize::MAX);
        let outputs = self.query(query, outer);
        let reached = std::mem::replace(&mut self.reached, before);
        self.reached = self.reached.min(reached);
        Ok((outputs?, reached))
    }

    fn join(
        &mut self,
        left: From,
        right: From,
        operator: &mut JoinOperator,
        parent: Option<&Env<'_>>,
    ) -> Result<From> {
        if let JoinOperator::CrossJoin(constraint) = operator
            && *constraint != JoinConstraint::None
        {
            *operator = JoinOperator::Inner(constraint.clone());
        }
        match operator {
            JoinOperator::Semi(constraint) => {
                *operator = JoinOperator::LeftSemi(constraint.clone())
            }
            JoinOperator::Anti(constraint) => {
                *operator = JoinOperator::LeftAnti(constraint.clone())
            }
            _ => {}
        }
        let kind = Kind::of(operator);
        let Some(constraint) = super::super::syntax::constraint_of_mut(operator) else {
            return Ok(kind.columns(left, right, &[]));
        };
        let keys = match constraint {
            JoinConstraint::On(condition) => {
                let mut both = left.clone();
                both.append(right.clone());
                let env = Env { from: &both, depth: self.depth, parent };
                self.expr(condition, &env, Names::default())?;
                Vec::new()
            }
            JoinConstraint::Using(names) => {
                let paths = names.iter().map(idents_of).collect::<Vec<_>>();
                paths
                    .iter()
                    .map(|path| self.key(path, &left, &right))
                    .collect::<Result<Vec<_>>>()?
            }
            JoinConstraint::Natural => self.natural_keys(&left, &right)?,
            JoinConstraint::None => Vec::new(),
        };
        if matches!(constraint, JoinConstraint::Using(_) | JoinConstraint::Natural) {
            *constraint = match equal(&keys) {
                Some(condition) => JoinConstraint::On(condition),
                None => JoinConstraint::None,
            };
        }
        Ok(kind.columns(left, right, &keys))
    }

    fn natural_keys(&self, left: &From, right: &From) -> Result<Vec<(Column, Column)>> {
        let mut keys = Vec::new();
        for column in left.visible() {
            let path = [Ident::with_quote('`', column.name.as_str())];
            if right.visible().any(|other| self.same.is(&other.name, &column.name)) {
                keys.push(self.key(&path, left, right)?);
            }
        }
        Ok(keys)
    }

    fn key(&self, path: &[Ident], left: &From, right: &From) -> Result<(Column, Column)> {
        let one = |from: &From, side: &str| match from.find(path, self.same).0.as_slice() {
            [column] => Ok((*column).clone()),
            [] => {
                let name = errors::words(path);
                let error = Error::new(
                    Condition::UNRESOLVED_USING_COLUMN,
                    format!("the {side} side of the join has no column `{name}`"),
                );
                Err(errors::at(error, path))
            }
            found => Err(errors::ambiguous(path, found)),
        };
        Ok((one(left, "left")?, one(right, "right")?))
    }
}

/// A LATERAL item is joined by a condition; an outer join without one takes every row.
fn check_lateral(relation: &TableFactor, operator: &mut JoinOperator) -> Result<()> {
    let is_lateral = match relation {
        TableFactor::Derived { lateral, .. } | TableFactor::Function { lateral, .. } => *lateral,
        _ => false,
    };
    let is_cross = matches!(operator, JoinOperator::CrossJoin(_) | JoinOperator::Join(_));
    let Some(constraint) = super::super::syntax::constraint_of_mut(operator) else {
        return Ok(());
    };
    match constraint {
        JoinConstraint::Using(_) if is_lateral => {
            Err(Error::new(Condition::LATERAL_JOIN_USING, "a LATERAL item is joined by USING")
                .hint("write the condition behind ON"))
        }
        JoinConstraint::Natural if is_lateral => {
            Err(Error::new(Condition::INCOMPATIBLE_JOIN_TYPES, "NATURAL and LATERAL join types")
                .hint("write the condition behind ON"))
        }
        JoinConstraint::None if !is_cross => {
            *constraint = JoinConstraint::On(Expr::value(ast::Value::Boolean(true)));
            Ok(())
        }
        _ => Ok(()),
    }
}

/// What a join does with the keys that both sides have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Left,
    Right,
    Full,
    OnlyLeft,
    OnlyRight,
}

impl Kind {
    fn of(operator: &JoinOperator) -> Self {
        match operator {
            JoinOperator::Right(_) | JoinOperator::RightOuter(_) => Kind::Right,
            JoinOperator::FullOuter(_) => Kind::Full,
            JoinOperator::LeftSemi(_) | JoinOperator::LeftAnti(_) => Kind::OnlyLeft,
            JoinOperator::RightSemi(_) | JoinOperator::RightAnti(_) => Kind::OnlyRight,
            _ => Kind::Left,
        }
    }

    /// The columns of a join: the keys once and first, the other side's to be had by qualifier.
    fn columns(self, left: From, right: From, keys: &[(Column, Column)]) -> From {
        let hide = |column: &Column| Column { hidden: true, ..column.clone() };
        let mut columns: Vec<Column> = Vec::new();
        match self {
            Kind::Left | Kind::OnlyLeft => columns.extend(keys.iter().map(|(key, _)| key.clone())),
            Kind::Right | Kind::OnlyRight => {
                columns.extend(keys.iter().map(|(_, key)| key.clone()))
            }
            Kind::Full => columns.extend(keys.iter().map(|(left, right)| Column {
                qualifier: Vec::new(),
                reference: call("coalesce", vec![left.reference.clone(), right.reference.clone()]),
                ..left.clone()
            })),
        }
        let is_key = |column: &Column| {
            keys.iter().any(|(left, right)| {
                left.reference == column.reference || right.reference == column.reference
            })
        };
        let others = |from: &From| {
            from.columns.iter().filter(|column| !is_key(column)).cloned().collect::<Vec<_>>()
        };
        if self != Kind::OnlyRight {
            columns.extend(others(&left));
        }
        if self != Kind::OnlyLeft {
            columns.extend(others(&right));
        }
        if self == Kind::Left {
            columns.extend(keys.iter().map(|(_, key)| hide(key)));
        }
        if self == Kind::Right {
            columns.extend(keys.iter().map(|(key, _)| hide(key)));
        }
        if self == Kind::Full {
            columns.extend(keys.iter().flat_map(|(left, right)| [hide(left), hide(right)]));
        }
        let mut fields = left.fields;
        match self {
            Kind::OnlyLeft => {}
            Kind::OnlyRight => fields = right.fields,
            _ => fields.extend(right.fields),
        }
        From { columns, fields }
    }
}

/// The expression of an argument.
pub(super) fn argument(argument: &ast::FunctionArg) -> Option<&Expr> {
    match argument {
        ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(expr))
        | ast::FunctionArg::Named { arg: ast::FunctionArgExpr::Expr(expr), .. } => Some(expr),
        _ => None,
    }
}

fn equal(keys: &[(Column, Column)]) -> Option<Expr> {
    let pairs = keys.iter().map(|(left, right)| Expr::BinaryOp {
        left: Box::new(left.reference.clone()),
        op: ast::BinaryOperator::Eq,
        right: Box::new(right.reference.clone()),
    });
    pairs.reduce(|all, pair| Expr::BinaryOp {
        left: Box::new(all),
        op: ast::BinaryOperator::And,
        right: Box::new(pair),
    })
}

/// The columns of a relation that stays where it stands, because it uses those around it.
fn captured(
    factor: &mut TableFactor,
    outputs: &[Output],
    alias: Option<TableAlias>,
    taken: &mut Taken,
) -> Result<From> {
    let (TableFactor::Derived { alias: written, .. }
    | TableFactor::Table { alias: written, .. }
    | TableFactor::Function { alias: written, .. }) = factor
    else {
        return Ok(From::default());
    };
    let given = alias.iter().map(|alias| alias.name.value.clone()).collect::<Vec<_>>();
    let mut alias = alias.unwrap_or_else(|| table_alias(Ident::new(UNNAMED)));
    if !alias.columns.is_empty() && alias.columns.len() != outputs.len() {
        return Err(wrong_aliases(&alias, outputs.len()));
    }
    let names: Vec<String> = match alias.columns.is_empty() {
        true => outputs.iter().map(|output| output.name.clone()).collect(),
        false => alias.columns.iter().map(|column| column.name.value.clone()).collect(),
    };
    let fields = names.iter().zip(outputs).map(|(name, output)| {
        let field = datafusion::arrow::datatypes::Field::new(name, output.data_type.clone(), true);
        (None, std::sync::Arc::new(field))
    });
    let mut from = From { columns: Vec::new(), fields: fields.collect() };
    let table = taken.free(&alias.name.value, &from);
    for (owner, _) in &mut from.fields {
        *owner = Some(table.clone());
    }
    let columns = names.iter().zip(outputs).map(|(name, output)| Column {
        name: shown(name).to_owned(),
        qualifier: given.clone(),
        reference: reference(Some(&table), name),
        data_type: output.data_type.clone(),
        hidden: false,
        exact: None,
    });
    from.columns = columns.collect();
    alias.name = Ident::with_quote('`', table.table());
    *written = Some(alias);
    Ok(from)
}

fn wrong_aliases(alias: &TableAlias, columns: usize) -> Error {
    let message = format!(
        "`{}` has {columns} columns, but {} are named",
        alias.name.value,
        alias.columns.len()
    );
    let error = Error::new(Condition::ASSIGNMENT_ARITY_MISMATCH, message);
    errors::at(error, std::slice::from_ref(&alias.name))
}

/// The same rows under the names of an alias.
pub(super) fn renamed(plan: LogicalPlan, alias: &TableAlias) -> Result<LogicalPlan> {
    if alias.columns.is_empty() {
        return Ok(plan);
    }
    let columns: Vec<PlanColumn> = plan.schema().columns();
    if columns.len() != alias.columns.len() {
        return Err(wrong_aliases(alias, columns.len()));
    }
    let mut seen: Vec<String> = Vec::new();
    let named = columns.into_iter().zip(&alias.columns).map(|(column, given)| {
        let name = given.name.value.clone();
        seen.push(name.clone());
        let count = seen.iter().filter(|known| **known == name).count();
        let name = if count > 1 { format!("{name}{DUPLICATE_MARK}{count}") } else { name };
        PlanExpr::Column(column).alias(name)
    });
    let named: Vec<PlanExpr> = named.collect();
    Ok(LogicalPlanBuilder::from(plan).project(named)?.build()?)
}

fn table_alias(name: Ident) -> TableAlias {
    TableAlias { explicit: true, name, columns: Vec::new(), at: None }
}

fn factor_without_alias(factor: &TableFactor) -> TableFactor {
    let mut factor = factor.clone();
    if let TableFactor::Table { alias, .. } = &mut factor {
        *alias = None;
    }
    factor
}

/// The outputs of a query under the names of an alias.
pub(super) fn named(mut outputs: Vec<Output>, alias: &TableAlias) -> Vec<Output> {
    for (output, given) in outputs.iter_mut().zip(&alias.columns) {
        output.name.clone_from(&given.name.value);
    }
    outputs
}

/// A table without anything but its name.
pub(super) fn table_factor(name: ObjectName) -> TableFactor {
    TableFactor::Table {
        name,
        alias: None,
        args: None,
        with_hints: Vec::new(),
        version: None,
        with_ordinality: false,
        partitions: Vec::new(),
        json_path: None,
        sample: None,
        index_hints: Vec::new(),
    }
}
