//! From names to meaning: resolves SQL syntax over known relations into logical plans.
//!
//! SQL text and the DataFrame API both arrive here as syntax trees, so both doors give the same
//! names, types and functions.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::catalog::TableFunctionArgs;
use datafusion::common::{
    DFSchema, NullEquality, Result as DfResult, Spans, TableReference, plan_datafusion_err,
};
use datafusion::config::ConfigOptions;
use datafusion::datasource::cte_worktable::CteWorkTable;
use datafusion::datasource::provider_as_source;
use datafusion::datasource::view::ViewTable;
use datafusion::execution::SessionState;
use datafusion::logical_expr::planner::{
    ContextProvider, ExprPlanner, PlannedRelation, RelationPlanner, RelationPlannerContext,
    RelationPlanning, TypePlanner,
};
use datafusion::logical_expr::{
    AggregateUDF, Expr, HigherOrderUDF, Join, JoinConstraint, JoinType, LogicalPlan, ScalarUDF,
    Subquery, TableSource, WindowUDF,
};
use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::planner::{ParserOptions, SqlToRel};
use sqlparser::ast::{self, TableFactor};

use crate::config::{self, Config};
use crate::error::{Error, Result};

mod aggregates;
mod around;
mod calls;
mod coercion;
mod constructors;
mod datetime;
mod decorrelate;
mod depth;
mod floats;
mod foldable;
mod forms;
mod functions;
mod generators;
mod grouping_sets;
mod in_list;
mod lambdas;
mod lateral;
mod literals;
mod map_keys;
mod members;
mod named;
mod names;
mod occurrences;
mod operators;
mod ordered;
mod outside;
mod recursion;
mod references;
mod refusals;
mod resolve;
mod rewrites;
mod routines;
mod sessions;
mod subqueries;
mod syntax;
mod times;
mod type_functions;
mod typed_literals;
mod types;
mod variables;
mod windows;
mod written;

pub(crate) use around::Around;
pub(crate) use calls::{has_aggregate, has_window};
pub(crate) use depth::balance;
pub(crate) use functions::{Functions, descriptions};
pub(crate) use occurrences::count as count_occurrences;
pub(crate) use outside::{GROUPS, MARK};
pub(crate) use references::{References, reference_name};
pub(crate) use rewrites::UNSIGNED_SHIFT;
pub(crate) use routines::{Body, Routine, RoutineParameter, Routines};
pub(crate) use syntax::{call, case_of, cast, empty_query, named_argument, query_of, unnamed_cast};
pub(crate) use typed_literals::offset_of_interval;
pub(crate) use variables::{Variable, Variables};

/// The reserved beginning of names by which syntax refers to plans that are already there.
const INPUT_PREFIX: &str = "__input";

/// The call by which the parser tells of a star among the items of an IN list.
pub(crate) const ALL_COLUMNS: &str = "__all_columns";

/// The call by which syntax tells of a value of UNPIVOT: the value, then all that stand in its column.
pub(crate) const UNPIVOTED: &str = "__unpivoted";

/// The call by which syntax names a column of FROM by its number, from 1.
pub(crate) const COLUMN_AT: &str = "__column_at";

/// The name by which syntax refers to the `index`th plan given to [`plan_query`].
pub(crate) fn input_name(index: usize) -> String {
    format!("{INPUT_PREFIX}{index}")
}

/// A relation that a statement may name: a table's source, or a view's plan.
#[derive(Clone)]
pub(crate) enum Relation {
    /// A table to scan.
    Table(Arc<dyn TableSource>),
    /// A view, whose plan is put in its place.
    View {
        /// The plan of its query.
        plan: LogicalPlan,
        /// Whether it is the session's own, and in no schema.
        is_temporary: bool,
    },
    /// Nothing that could be found or opened, and why.
    Unknown(Arc<Error>),
}

/// Plans a query over the relations that it names.
pub(crate) fn plan_over(
    state: &SessionState,
    relations: HashMap<String, Relation>,
    query: ast::Query,
) -> Result<LogicalPlan> {
    plan_in(&Scope::new(state, relations, &[]), query)
}

/// Joins every row of one plan with the rows that another, which reads its columns, has for it.
pub(crate) fn lateral_join(
    state: &SessionState,
    left: LogicalPlan,
    right: LogicalPlan,
    condition: Expr,
    join_type: JoinType,
) -> Result<LogicalPlan> {
    let outer_ref_columns = right.all_out_ref_exprs();
    let subquery = Arc::new(right);
    let item = Subquery { subquery, outer_ref_columns, spans: Spans::new() };
    let join = Join::try_new(
        Arc::new(left),
        Arc::new(LogicalPlan::Subquery(item)),
        Vec::new(),
        Some(condition),
        join_type,
        JoinConstraint::On,
        NullEquality::NullEqualsNothing,
        false,
    )?;
    let plan = lateral::thread(LogicalPlan::Join(join))?;
    Scope::new(state, HashMap::new(), &[]).finish(decorrelate::unnest(plan)?)
}

/// Plans a query over plans that it names by [`input_name`].
pub(crate) fn plan_query(
    state: &SessionState,
    inputs: &[LogicalPlan],
    query: ast::Query,
) -> Result<LogicalPlan> {
    plan_in(&Scope::new(state, HashMap::new(), inputs), query)
}

fn plan_in(scope: &Scope<'_>, mut query: ast::Query) -> Result<LogicalPlan> {
    let config = config_of(scope.state);
    depth::limit(&query, config.count(config::DEPTH_MAX)?.unwrap_or(usize::MAX))?;
    prepare(&mut query, &config)?;
    let is_aggregate = |name: &str| scope.get_aggregate_meta(name).is_some();
    recursion::check(&query, &is_aggregate)?;
    let counts_star = config.is_on(config::COUNT_STAR_OF_TABLE);
    refusals::check(&query, &refusals::Rules { is_aggregate: &is_aggregate, counts_star })?;
    if !config.is_on(config::TIME_TYPE) {
        times::check_query(&query)?;
    }
    resolve::resolve(&mut query, scope)?;
    foldable::check(&query)?;
    scope.finish(scope.plan(query)?)
}

/// Checks literals and writes windows out, before names are resolved.
pub(crate) fn prepare(query: &mut ast::Query, config: &Config) -> Result<()> {
    datetime::spell(query)?;
    typed_literals::check(query, config)?;
    members::spell(query);
    named::spell(query)?;
    windows::write_out(query)
}

/// A query of one value.
pub(crate) fn query_of_value(value: ast::Expr) -> ast::Query {
    let mut select = resolve::empty_select();
    select.projection.push(ast::SelectItem::UnnamedExpr(value));
    query_of(select)
}

/// The value of such a query.
pub(crate) fn value_of_query(query: ast::Query) -> Option<ast::Expr> {
    let ast::SetExpr::Select(select) = *query.body else { return None };
    match select.projection.into_iter().next() {
        Some(ast::SelectItem::UnnamedExpr(value)) => Some(value),
        _ => None,
    }
}

/// Puts forms of SQL that the planner below does not know in words that it does.
fn spell(query: &mut ast::Query, config: &Config) -> Result<()> {
    rewrites::spell_calls(query);
    constructors::spell(query);
    aggregates::spell(query)?;
    windows::number_in_int(query);
    forms::spell_out(query, config.arithmetic());
    Ok(())
}

/// The options that a state was assembled with.
pub(crate) fn config_of(state: &SessionState) -> Arc<Config> {
    state.config().get_extension::<Config>().unwrap_or_default()
}

fn parser_options(state: &SessionState) -> ParserOptions {
    let options = &state.config_options().sql_parser;
    ParserOptions {
        parse_float_as_decimal: options.parse_float_as_decimal,
        enable_ident_normalization: options.enable_ident_normalization,
        enable_options_value_normalization: options.enable_options_value_normalization,
        support_varchar_with_length: options.support_varchar_with_length,
        map_string_types_to_utf8view: options.map_string_types_to_utf8view,
        collect_spans: options.collect_spans,
        default_null_ordering: options.default_null_ordering.as_str().into(),
    }
}

/// What names mean while one statement is planned.
struct Scope<'a> {
    state: &'a SessionState,
    functions: Functions<'a>,
    relations: HashMap<String, Relation>,
    inputs: Inputs,
    relation_planners: Vec<Arc<dyn RelationPlanner>>,
    expr_planners: Vec<Arc<dyn ExprPlanner>>,
    variables: Arc<Variables>,
    routines: Arc<Routines>,
    /// The columns of the queries around this one, if it is planned within others.
    around: Option<Arc<Around>>,
}

impl<'a> Scope<'a> {
    fn new(
        state: &'a SessionState,
        relations: HashMap<String, Relation>,
        inputs: &[LogicalPlan],
    ) -> Self {
        let mut relation_planners: Vec<Arc<dyn RelationPlanner>> =
            state.relation_planners().to_vec();
        relation_planners.push(Arc::new(lateral::GeneratorPlanner));
        let references = state.config().get_extension::<References>().unwrap_or_default();
        let inputs = Inputs::new(inputs, references);
        relation_planners.insert(0, Arc::new(inputs.clone()));
        let config = config_of(state);
        let operators = operators::Operators::new(config.arithmetic(), config.decimal_digits());
        let mut expr_planners: Vec<Arc<dyn ExprPlanner>> = vec![Arc::new(operators)];
        expr_planners.extend(state.expr_planners().iter().cloned());
        let functions = Functions::of(state);
        let variables = state.config().get_extension::<Variables>().unwrap_or_default();
        let routines = state.config().get_extension::<Routines>().unwrap_or_default();
        Self {
            state,
            functions,
            relations,
            inputs,
            relation_planners,
            expr_planners,
            variables,
            routines,
            around: state.config().get_extension::<Around>(),
        }
    }

    /// Adds the function that was probably meant to an error about one that does not exist.
    fn suggest(&self, error: Error) -> Error {
        let routine = error.parameters().iter().find(|(parameter, _)| parameter == "routineName");
        let Some((_, name)) = routine.cloned() else { return error };
        let names = self.functions.names();
        error.did_you_mean(&name, names.iter().map(String::as_str))
    }

    /// Plans a query whose names are resolved.
    fn plan(&self, mut query: ast::Query) -> Result<LogicalPlan> {
        let config = config_of(self.state);
        spell(&mut query, &config)?;
        outside::gather_groups(&mut query, self.state);
        let is_aggregate = |name: &str| self.get_aggregate_meta(name).is_some();
        generators::translate(&mut query, self.inputs.generators(), &is_aggregate)?;
        let planner = SqlToRel::new_with_options(self, parser_options(self.state));
        let statement = ast::Statement::Query(Box::new(query));
        let statement = DfStatement::Statement(Box::new(statement));
        planner.statement_to_plan(statement).map_err(|error| self.suggest(error.into()))
    }

    /// Does to the plan of a whole statement what the planner leaves undone.
    fn finish(&self, plan: LogicalPlan) -> Result<LogicalPlan> {
        let config = config_of(self.state);
        let plan = match &self.around {
            Some(around) => around.refer(plan)?,
            None => plan,
        };
        if !config.is_on(config::TIME_TYPE) {
            times::check_plan(&plan)?;
        }
        let plan = variables::fill(grouping_sets::prepare(plan)?, &self.variables)?;
        let plan = literals::narrow(lateral::thread(plan)?)?;
        let plan = ordered::keep(plan, |name| self.get_aggregate_meta(name))?;
        let plan = occurrences::count(coercion::resolve(plan, config.arithmetic())?)?;
        let plan = sessions::merge(plan, &self.functions)?;
        let plan = map_keys::sort(plan, &self.functions)?;
        let plan = floats::unify(plan, &self.functions)?;
        let plan = match subqueries::any(&plan)? {
            true if config.is_on(config::REPAIR_SUBQUERIES) => {
                decorrelate::unnest(subqueries::spell(plan)?)?
            }
            true => decorrelate::unnest(plan)?,
            false => plan,
        };
        Ok(if config.is_on(config::REPAIR_IN_LIST) { in_list::spell(plan)? } else { plan })
    }

    /// The plan that syntax refers to by this name.
    fn input(&self, name: &ast::ObjectName) -> Option<LogicalPlan> {
        self.inputs.get(name)
    }

    /// Gives a plan a name by which syntax can refer to it.
    fn add_input(&self, plan: LogicalPlan) -> ast::ObjectName {
        self.inputs.add(plan)
    }

    fn current_database(&self) -> String {
        let current = self.state.config().get_extension::<CurrentDatabase>();
        current.map_or_else(|| "default".to_owned(), |current| current.0.clone())
    }

    /// What a relation's name stands for.
    fn known(&self, name: &ast::ObjectName) -> Result<Known> {
        let words: Vec<&str> = name
            .0
            .iter()
            .filter_map(ast::ObjectNamePart::as_ident)
            .map(|ident| ident.value.as_str())
            .collect();
        let table = match words.as_slice() {
            [table] => TableReference::bare(*table),
            [schema, table] => TableReference::partial(*schema, *table),
            [catalog, schema, table] => TableReference::full(*catalog, *schema, *table),
            _ => TableReference::bare(name.to_string()),
        };
        let source = self.get_table_source(table.clone())?;
        let schema = DFSchema::try_from_qualified_schema(table.clone(), &source.schema())?;
        let is_temporary = matches!(
            self.relations.get(&table.to_string()),
            Some(Relation::View { is_temporary: true, .. })
        );
        let qualifier = match (&table, is_temporary) {
            (TableReference::Bare { table }, true) => vec![table.to_string()],
            (table, _) => vec![
                table.catalog().unwrap_or("spark_catalog").to_owned(),
                table.schema().map_or_else(|| self.current_database(), str::to_owned),
                table.table().to_owned(),
            ],
        };
        Ok(Known { schema, table, qualifier })
    }
}

/// The database of the tables that are named without one.
#[derive(Debug, Clone, Default)]
pub(crate) struct CurrentDatabase(pub(crate) String);

/// A relation and how its columns may be called.
struct Known {
    schema: DFSchema,
    /// What the planner calls it.
    table: TableReference,
    /// What users may put before its columns.
    qualifier: Vec<String>,
}

/// Plans that are there already, which syntax refers to by [`input_name`].
#[derive(Debug, Clone)]
struct Inputs {
    plans: Arc<Mutex<Vec<LogicalPlan>>>,
    /// Those that other statements may name too.
    references: Arc<References>,
}

impl Inputs {
    fn new(plans: &[LogicalPlan], references: Arc<References>) -> Self {
        Self { plans: Arc::new(Mutex::new(plans.to_vec())), references }
    }

    fn add(&self, plan: LogicalPlan) -> ast::ObjectName {
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        plans.push(plan);
        ast::ObjectName::from(vec![ast::Ident::new(input_name(plans.len() - 1))])
    }

    fn get(&self, name: &ast::ObjectName) -> Option<LogicalPlan> {
        let [ast::ObjectNamePart::Identifier(ident)] = name.0.as_slice() else { return None };
        if let Some(plan) = self.references.get(&ident.value) {
            return Some(plan);
        }
        let index = ident.value.strip_prefix(INPUT_PREFIX)?.parse::<usize>().ok()?;
        self.plans.lock().unwrap_or_else(PoisonError::into_inner).get(index).cloned()
    }

    /// How many names of generators' rows the plans have used up.
    fn generators(&self) -> usize {
        let plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        plans.iter().map(|plan| generators::made_in(plan.schema())).max().unwrap_or(0)
    }
}

impl RelationPlanner for Inputs {
    fn plan_relation(
        &self,
        relation: TableFactor,
        _context: &mut dyn RelationPlannerContext,
    ) -> DfResult<RelationPlanning> {
        let TableFactor::Table { name, alias, .. } = &relation else {
            return Ok(RelationPlanning::Original(Box::new(relation)));
        };
        Ok(match self.get(name) {
            Some(plan) => {
                RelationPlanning::Planned(Box::new(PlannedRelation::new(plan, alias.clone())))
            }
            None => RelationPlanning::Original(Box::new(relation)),
        })
    }
}

impl ContextProvider for Scope<'_> {
    fn get_table_source(&self, name: TableReference) -> DfResult<Arc<dyn TableSource>> {
        match self.relations.get(&name.to_string()) {
            Some(Relation::Table(source)) => Ok(Arc::clone(source)),
            Some(Relation::View { plan, .. }) => {
                Ok(provider_as_source(Arc::new(ViewTable::new(plan.clone(), None))))
            }
            Some(Relation::Unknown(error)) => Err(error.copy().into()),
            None => Err(plan_datafusion_err!("table '{name}' not found")),
        }
    }

    fn get_table_function_source(
        &self,
        name: &str,
        args: Vec<Expr>,
    ) -> DfResult<Arc<dyn TableSource>> {
        let tables = self.state.table_functions();
        let Some(function) = tables.get(&name.to_lowercase()) else {
            return Err(plan_datafusion_err!("table function '{name}' not found"));
        };
        let args = TableFunctionArgs::new(&args, self.state);
        Ok(provider_as_source(function.create_table_provider_with_args(args)?))
    }

    fn create_cte_work_table(
        &self,
        name: &str,
        schema: SchemaRef,
    ) -> DfResult<Arc<dyn TableSource>> {
        Ok(provider_as_source(Arc::new(CteWorkTable::new(name, schema))))
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        &self.expr_planners
    }

    fn get_relation_planners(&self) -> &[Arc<dyn RelationPlanner>] {
        &self.relation_planners
    }

    fn get_type_planner(&self) -> Option<Arc<dyn TypePlanner>> {
        let timestamps_have_zone = config_of(self.state).timestamps_have_zone();
        Some(Arc::new(types::SparkTypes { timestamps_have_zone }))
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        let stand_in = self.around.as_ref().and_then(|around| around.function(name));
        stand_in.or_else(|| self.functions.scalar(name))
    }

    fn get_higher_order_meta(&self, name: &str) -> Option<Arc<HigherOrderUDF>> {
        self.functions.higher_order(name)
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.functions.aggregate(name)
    }

    fn get_window_meta(&self, name: &str) -> Option<Arc<WindowUDF>> {
        self.functions.window(name)
    }

    fn get_variable_type(&self, names: &[String]) -> Option<DataType> {
        names.first().and_then(|name| self.variables.type_of(name))
    }

    fn options(&self) -> &ConfigOptions {
        self.state.config_options()
    }

    fn udf_names(&self) -> Vec<String> {
        self.functions.names()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udaf_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udwf_names(&self) -> Vec<String> {
        self.functions.names()
    }
}
