//! From names to meaning: resolves SQL syntax over known relations into logical plans.
//!
//! SQL text and the DataFrame API both arrive here as syntax trees, so both doors give the same
//! names, types and functions.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Fields, SchemaRef};
use datafusion::catalog::TableFunctionArgs;
use datafusion::common::{DFSchemaRef, Result as DfResult, TableReference, plan_datafusion_err};
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
    AggregateUDF, Expr, HigherOrderUDF, LogicalPlan, ScalarUDF, TableSource, WindowUDF,
};
use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::planner::{ParserOptions, SqlToRel};
use sqlparser::ast::{self, TableFactor};

use crate::config::{self, Config};
use crate::error::{Error, Result};

mod aggregates;
mod coercion;
mod constructors;
mod datetime;
mod depth;
mod fold;
mod forms;
mod functions;
mod generators;
mod in_list;
mod lambdas;
mod lateral;
mod literals;
mod names;
mod occurrences;
mod operators;
mod output;
mod rewrites;
mod subqueries;
mod syntax;
mod type_functions;
mod typed_literals;
mod types;
mod variables;
mod windows;

pub(crate) use depth::balance;
pub(crate) use functions::Functions;
pub(crate) use occurrences::count as count_occurrences;
pub(crate) use syntax::{call, cast, query_of};
pub(crate) use variables::{Variable, Variables};

/// The reserved beginning of names by which syntax refers to plans that are already there.
const INPUT_PREFIX: &str = "__input";

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
    View(LogicalPlan),
}

/// Plans a query over the relations that it names.
pub(crate) fn plan_over(
    state: &SessionState,
    relations: HashMap<String, Relation>,
    query: ast::Query,
) -> Result<LogicalPlan> {
    plan_in(&Scope::new(state, relations, &[]), query)
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
    datetime::spell(&mut query)?;
    let mut names = fold::Names::default();
    scope.schemas().for_each(|fields| names.add_fields(&fields));
    let qualifiers = scope.inputs.iter().flat_map(|schema| schema.iter());
    qualifiers.filter_map(|(table, _)| table).for_each(|table| names.add_table(table.table()));
    if !config.is_on(config::CASE_SENSITIVE) {
        names.fold(&mut query);
    }
    typed_literals::check(&mut query, &config)?;
    variables::refer(&mut query, &names, &scope.variables);
    windows::write_out(&mut query)?;
    rewrites::spell_calls(&mut query);
    output::name_columns(&mut query, &names);
    constructors::spell(&mut query);
    aggregates::spell(&mut query)?;
    windows::number_in_int(&mut query);
    forms::spell_out(&mut query, config.arithmetic());
    generators::translate(&mut query, &|name| scope.get_aggregate_meta(name).is_some())?;
    let planner = SqlToRel::new_with_options(scope, parser_options(scope.state));
    let statement = ast::Statement::Query(Box::new(query));
    let statement = DfStatement::Statement(Box::new(statement));
    let plan = planner.statement_to_plan(statement).map_err(|error| scope.suggest(error.into()))?;
    let plan = variables::fill(plan, &scope.variables)?;
    let plan = literals::narrow(lateral::thread(plan)?)?;
    let plan = occurrences::count(coercion::resolve(plan, config.arithmetic())?)?;
    let plan =
        if config.is_on(config::REPAIR_SUBQUERIES) { subqueries::spell(plan)? } else { plan };
    Ok(if config.is_on(config::REPAIR_IN_LIST) { in_list::spell(plan)? } else { plan })
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
    inputs: Vec<DFSchemaRef>,
    relation_planners: Vec<Arc<dyn RelationPlanner>>,
    expr_planners: Vec<Arc<dyn ExprPlanner>>,
    variables: Arc<Variables>,
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
        if !inputs.is_empty() {
            relation_planners.insert(0, Arc::new(InputPlanner { inputs: inputs.to_vec() }));
        }
        let inputs = inputs.iter().map(|plan| Arc::clone(plan.schema())).collect();
        let config = config_of(state);
        let operators = operators::Operators::new(config.arithmetic(), config.decimal_digits());
        let mut expr_planners: Vec<Arc<dyn ExprPlanner>> = vec![Arc::new(operators)];
        expr_planners.extend(state.expr_planners().iter().cloned());
        let functions = Functions::of(state);
        let variables = state.config().get_extension::<Variables>().unwrap_or_default();
        Self { state, functions, relations, inputs, relation_planners, expr_planners, variables }
    }

    /// Adds the function that was probably meant to an error about one that does not exist.
    fn suggest(&self, error: Error) -> Error {
        let routine = error.parameters().iter().find(|(parameter, _)| parameter == "routineName");
        let Some((_, name)) = routine.cloned() else { return error };
        let names = self.functions.names();
        error.did_you_mean(&name, names.iter().map(String::as_str))
    }

    /// The columns of every relation that the query may name.
    fn schemas(&self) -> impl Iterator<Item = Fields> {
        let relations = self.relations.values().map(|relation| match relation {
            Relation::Table(source) => source.schema().fields().clone(),
            Relation::View(plan) => plan.schema().fields().clone(),
        });
        relations.chain(self.inputs.iter().map(|schema| schema.fields().clone()))
    }
}

/// Puts the plans that a DataFrame already has where its syntax names them.
#[derive(Debug)]
struct InputPlanner {
    inputs: Vec<LogicalPlan>,
}

impl RelationPlanner for InputPlanner {
    fn plan_relation(
        &self,
        relation: TableFactor,
        _context: &mut dyn RelationPlannerContext,
    ) -> DfResult<RelationPlanning> {
        let TableFactor::Table { name, alias, .. } = &relation else {
            return Ok(RelationPlanning::Original(Box::new(relation)));
        };
        let index = match name.0.as_slice() {
            [ast::ObjectNamePart::Identifier(ident)] => {
                ident.value.strip_prefix(INPUT_PREFIX).and_then(|n| n.parse::<usize>().ok())
            }
            _ => None,
        };
        match index.and_then(|index| self.inputs.get(index)) {
            Some(plan) => {
                let planned = PlannedRelation::new(plan.clone(), alias.clone());
                Ok(RelationPlanning::Planned(Box::new(planned)))
            }
            None => Ok(RelationPlanning::Original(Box::new(relation))),
        }
    }
}

impl ContextProvider for Scope<'_> {
    fn get_table_source(&self, name: TableReference) -> DfResult<Arc<dyn TableSource>> {
        match self.relations.get(&name.to_string()) {
            Some(Relation::Table(source)) => Ok(Arc::clone(source)),
            Some(Relation::View(plan)) => {
                Ok(provider_as_source(Arc::new(ViewTable::new(plan.clone(), None))))
            }
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
        self.functions.scalar(name)
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
        Vec::new()
    }
}
