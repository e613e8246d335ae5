//! Generators in FROM, and LATERAL items that need no join: `FROM t, LATERAL explode(t.list) AS e(x)`.
//!
//! A generator is planned as the rows of a list, by Unnest over one row. Beside other tables it reads
//! columns of theirs; DataFusion runs no such plan. But where all that a LATERAL item does happens
//! row by row, it can as well be done to the rows of the tables before it, and the join goes.

use std::sync::Arc;

use super::syntax::call;
use datafusion::arrow::datatypes::{DataType, Fields};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{
    Column, DFSchema, Result as DfResult, TableReference, UnnestOptions, plan_err,
};
use datafusion::functions::core::expr_fn::get_field;
use datafusion::logical_expr::builder::unnest_with_options;
use datafusion::logical_expr::planner::{
    PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning,
};
use datafusion::logical_expr::{
    Expr, ExprSchemable, Join, JoinType, LogicalPlan, LogicalPlanBuilder, Subquery, SubqueryAlias,
};
use sqlparser::ast::{self, FunctionArg, FunctionArgExpr, ObjectName, ObjectNamePart, TableFactor};
use vonk_functions::generators::{RowsOptions, columns, rows};
use vonk_functions::{Failure, types};

/// The column that holds a row's list before it is taken apart.
const ROWS: &str = "__rows";

/// Spark's condition for a call with too few or too many arguments.
const WRONG_NUM_ARGS: &str = "WRONG_NUM_ARGS.WITHOUT_SUGGESTION";

/// A function that makes any number of rows of one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Generator {
    name: &'static str,
    options: RowsOptions,
    /// What its argument is called where it is given by name.
    parameter: &'static str,
    /// Whether the fields of structs become columns.
    inline: bool,
    /// The function that makes an array of structs of the arguments, or one struct.
    made_by: Option<Maker>,
}

/// What the rows of a generator are made by before they are taken apart.
#[derive(Debug, Clone, Copy)]
enum Maker {
    /// A function that gives all rows.
    Rows(&'static str),
    /// A function that gives one row.
    Row(&'static str),
}

const fn of(name: &'static str, with_position: bool, keeps_empty: bool) -> Generator {
    let options = RowsOptions { with_position, keeps_empty };
    Generator { name, options, parameter: "collection", inline: false, made_by: None }
}

const fn made(name: &'static str, maker: Maker) -> Generator {
    Generator { inline: true, made_by: Some(maker), ..of(name, false, false) }
}

const fn outer(mut generator: Generator) -> Generator {
    generator.options.keeps_empty = true;
    generator
}

const GENERATORS: &[Generator] = &[
    of("explode", false, false),
    of("explode_outer", false, true),
    of("posexplode", true, false),
    of("posexplode_outer", true, true),
    Generator { parameter: "input", inline: true, ..of("inline", false, false) },
    Generator { parameter: "input", inline: true, ..of("inline_outer", false, true) },
    made("json_tuple", Maker::Row("json_tuple")),
    // LATERAL VIEW OUTER asks for these; there is a row always.
    made("json_tuple_outer", Maker::Row("json_tuple")),
    made("variant_explode", Maker::Rows("variant_explode")),
    outer(made("variant_explode_outer", Maker::Rows("variant_explode"))),
    made("stack", Maker::Rows("stack")),
    made("stack_outer", Maker::Rows("stack")),
];

impl Generator {
    /// The name of its argument; those that others make have no names.
    fn parameter(&self) -> Option<&'static str> {
        self.made_by.is_none().then_some(self.parameter)
    }
}

/// The generator of a name.
pub(super) fn generator(name: &ObjectName) -> Option<Generator> {
    let [ObjectNamePart::Identifier(ident)] = name.0.as_slice() else { return None };
    GENERATORS.iter().find(|row| ident.value.eq_ignore_ascii_case(row.name)).copied()
}

/// Plans generators where they stand in FROM.
#[derive(Debug)]
pub(super) struct GeneratorPlanner;

impl RelationPlanner for GeneratorPlanner {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> DfResult<RelationPlanning> {
        let (name, args, alias) = match &relation {
            TableFactor::Function { name, args, alias, .. } => (name, args.clone(), alias.clone()),
            TableFactor::Table { name, args: Some(args), alias, .. } => {
                (name, args.args.clone(), alias.clone())
            }
            _ => return Ok(RelationPlanning::Original(Box::new(relation))),
        };
        if is_range(name) {
            let plan = plan_range(args, alias.as_ref(), context)?;
            return Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(plan, None))));
        }
        let Some(generator) = generator(name) else {
            return Ok(RelationPlanning::Original(Box::new(relation)));
        };
        let mut args = arguments(generator.name, generator.parameter(), args, context)?;
        if let Some(maker) = generator.made_by {
            args = vec![maker.call(args, context)?];
        }
        let plan = generator.plan(args, alias.as_ref())?;
        Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(plan, None))))
    }
}

impl Maker {
    fn call(self, args: Vec<Expr>, context: &mut dyn RelationPlannerContext) -> DfResult<Expr> {
        let function = |name: &str| match context.context_provider().get_function_meta(name) {
            Some(function) => Ok(function),
            None => plan_err!("Invalid function '{name}'"),
        };
        match self {
            Maker::Rows(name) => Ok(function(name)?.call(args)),
            Maker::Row(name) => Ok(function("array")?.call(vec![function(name)?.call(args)])),
        }
    }
}

fn arguments(
    function: &str,
    parameter: Option<&str>,
    args: Vec<FunctionArg>,
    context: &mut dyn RelationPlannerContext,
) -> DfResult<Vec<Expr>> {
    args.iter().try_for_each(|arg| check_nested(function, arg))?;
    let args = args.into_iter().map(|arg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => {
            context.sql_to_expr(expr, &DFSchema::empty())
        }
        FunctionArg::Named { name, arg: FunctionArgExpr::Expr(expr), .. }
            if parameter.is_some_and(|known| name.value.eq_ignore_ascii_case(known)) =>
        {
            context.sql_to_expr(expr, &DFSchema::empty())
        }
        other => plan_err!("`{function}` takes no argument like `{other}`"),
    });
    args.collect()
}

fn is_range(name: &ObjectName) -> bool {
    matches!(name.0.as_slice(), [ObjectNamePart::Identifier(ident)]
        if ident.value.eq_ignore_ascii_case("range"))
}

/// `range([start,] end[, step[, partitions]])`, whose column Spark calls `id`.
fn plan_range(
    args: Vec<FunctionArg>,
    alias: Option<&ast::TableAlias>,
    context: &mut dyn RelationPlannerContext,
) -> DfResult<LogicalPlan> {
    if args.is_empty() || args.len() > 4 {
        let message = format!("`range` takes 1 to 4 arguments, not {}", args.len());
        return Err(Failure::new(WRONG_NUM_ARGS, message).into());
    }
    let mut args = arguments("range", None, args, context)?;
    args.iter().try_for_each(check_bound)?;
    // How many partitions there are is left to the threads.
    args.truncate(3);
    if args.get(2).is_some_and(|step| step.to_string() == "Int64(0)") {
        let failure = Failure::new("FAILED_FUNCTION_CALL", "the step of `range` is 0");
        return Err(failure.hint("use another step").into());
    }
    let source = context.context_provider().get_table_function_source("range", args)?;
    let plan = LogicalPlanBuilder::scan("range", source, None)?.build()?;
    let table = alias.map_or("range", |alias| alias.name.value.as_str());
    let column = alias.and_then(|alias| alias.columns.first());
    let name = column.map_or("id", |column| column.name.value.as_str());
    let values = plan.schema().columns().into_iter().map(|column| {
        Expr::Column(column).alias_qualified(Some(TableReference::bare(table)), name)
    });
    let values: Vec<Expr> = values.collect();
    LogicalPlanBuilder::from(plan).project(values)?.build()
}

/// A bound of `range` is a number that is known before the query runs.
fn check_bound(bound: &Expr) -> DfResult<()> {
    if matches!(bound, Expr::ScalarSubquery(_)) || bound.any_column_refs() {
        let message = "the arguments of `range` have to be constants";
        return Err(Failure::new("NON_FOLDABLE_ARGUMENT", message).into());
    }
    let data_type = bound.get_type(&DFSchema::empty())?;
    if data_type.is_null() || data_type.is_nested() {
        let message = format!("`range` takes numbers, not {}", types::name(&data_type));
        return Err(Failure::new("UNEXPECTED_INPUT_TYPE", message).into());
    }
    Ok(())
}

/// Refuses a generator among the arguments of another.
fn check_nested(function: &str, arg: &FunctionArg) -> DfResult<()> {
    let (FunctionArg::Unnamed(arg)
    | FunctionArg::Named { arg, .. }
    | FunctionArg::ExprNamed { arg, .. }) = arg;
    match arg {
        FunctionArgExpr::Expr(expr) if super::generators::call_of(expr).is_some() => {
            let message = format!("`{function}` cannot make rows of what makes rows itself");
            Err(Failure::new("UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS", message)
                .hint("make the inner rows in a subquery or by LATERAL VIEW, and use the column")
                .into())
        }
        _ => Ok(()),
    }
}

impl Generator {
    /// The rows of one call, from one row without columns.
    fn plan(self, args: Vec<Expr>, alias: Option<&ast::TableAlias>) -> DfResult<LogicalPlan> {
        let Ok([value]) = <[Expr; 1]>::try_from(args) else {
            let message = format!("`{}` takes one argument: an array or a map", self.name);
            return Err(Failure::new(WRONG_NUM_ARGS, message).into());
        };
        let data_type = value.get_type(&DFSchema::empty())?;
        let fields = self.fields(&data_type)?;
        let list = self.list(value, &data_type);
        let plan = LogicalPlanBuilder::empty(true).project([list.alias(ROWS)])?.build()?;
        let options = UnnestOptions::new().with_preserve_nulls(false);
        let plan = unnest_with_options(plan, vec![Column::from_name(ROWS)], options)?;
        let names = self.names(&fields, alias)?;
        let table = alias.map_or(self.name, |alias| alias.name.value.as_str());
        let table = TableReference::bare(table.to_owned());
        let row = Expr::Column(Column::from_name(ROWS));
        let one = fields.len() == 1 && !self.inline;
        let outputs = fields.iter().zip(names).map(|(field, name)| {
            let column = if one { row.clone() } else { get_field(row.clone(), field.name()) };
            column.alias_qualified(Some(table.clone()), name)
        });
        LogicalPlanBuilder::from(plan).project(outputs)?.build()
    }

    /// The call whose value is taken apart, as syntax.
    pub(super) fn value(self, args: Vec<ast::Expr>) -> Option<ast::Expr> {
        match self.made_by {
            Some(Maker::Rows(name)) => Some(call(name, args)),
            // The name in quotes is the function's alone; without, it is the generator's too.
            Some(Maker::Row(name)) => {
                let mut row = call(name, args);
                if let ast::Expr::Function(function) = &mut row {
                    let name = ast::Ident::with_quote('`', name);
                    function.name = ObjectName::from(vec![name]);
                }
                Some(call("array", vec![row]))
            }
            None => args.into_iter().next(),
        }
    }

    /// The columns before they get other names.
    pub(super) fn fields(self, value: &DataType) -> DfResult<Fields> {
        let outputs = columns(value, self.options)?;
        if !self.inline {
            return Ok(outputs);
        }
        match outputs.first().map(|field| field.data_type()) {
            Some(DataType::Struct(fields)) if outputs.len() == 1 => Ok(fields.clone()),
            _ => plan_err!("`{}` takes an array of structs, not {value}", self.name),
        }
    }

    /// The list whose items are the rows; a list is that itself.
    fn list(self, value: Expr, data_type: &DataType) -> Expr {
        let as_it_is = self.options == RowsOptions::default()
            && matches!(data_type, DataType::List(_) | DataType::LargeList(_));
        if as_it_is { value } else { rows(self.name, self.options).call(vec![value]) }
    }

    fn names(self, fields: &Fields, alias: Option<&ast::TableAlias>) -> DfResult<Vec<String>> {
        let given = alias.map_or(&[][..], |alias| alias.columns.as_slice());
        if given.is_empty() {
            return Ok(fields.iter().map(|field| field.name().clone()).collect());
        }
        if given.len() != fields.len() {
            let (given, fields) = (given.len(), fields.len());
            let message = format!("`{}` gives {fields} columns, but {given} are named", self.name);
            return Err(Failure::new("NUM_TABLE_VALUE_ALIASES_MISMATCH", message).into());
        }
        Ok(given.iter().map(|column| column.name.value.clone()).collect())
    }
}

/// The plan of the item, if the right side of a join is a LATERAL one.
pub(super) fn lateral_item(right: &LogicalPlan) -> Option<LogicalPlan> {
    match right {
        LogicalPlan::Subquery(Subquery { subquery, .. }) => Some(subquery.as_ref().clone()),
        LogicalPlan::SubqueryAlias(aliased) => match aliased.input.as_ref() {
            LogicalPlan::Subquery(Subquery { subquery, .. }) => {
                let aliased =
                    SubqueryAlias::try_new(Arc::clone(subquery), aliased.alias.clone()).ok()?;
                Some(LogicalPlan::SubqueryAlias(aliased))
            }
            _ => None,
        },
        _ => None,
    }
}

/// Takes the joins with LATERAL items away where all of an item can be done row by row.
pub(super) fn thread(plan: LogicalPlan) -> DfResult<LogicalPlan> {
    Ok(plan.transform_up_with_subqueries(thread_join)?.data)
}

fn thread_join(plan: LogicalPlan) -> DfResult<Transformed<LogicalPlan>> {
    let LogicalPlan::Join(join) = &plan else { return Ok(Transformed::no(plan)) };
    if lateral_item(&join.right).is_none() || join.join_type != JoinType::Inner {
        return Ok(Transformed::no(plan));
    }
    // Names that clash where all is one plan do not in a join, which is made later then.
    let Ok(Some(threaded)) = onto(&join.right, &join.left) else {
        return Ok(Transformed::no(plan));
    };
    let filtered = match condition(join) {
        Some(condition) => LogicalPlanBuilder::from(threaded).filter(condition)?.build()?,
        None => threaded,
    };
    Ok(Transformed::yes(filtered))
}

/// All that a join asks of two rows.
pub(super) fn condition(join: &Join) -> Option<Expr> {
    let equal = join.on.iter().map(|(left, right)| left.clone().eq(right.clone()));
    equal.chain(join.filter.clone()).reduce(Expr::and)
}

/// Does what `item` does to one row to every row of `tables`; their columns stay in front.
fn onto(item: &LogicalPlan, tables: &Arc<LogicalPlan>) -> DfResult<Option<LogicalPlan>> {
    let kept = || tables.schema().columns().into_iter().map(Expr::Column);
    match item {
        LogicalPlan::EmptyRelation(empty) if empty.produce_one_row => {
            Ok(Some(tables.as_ref().clone()))
        }
        LogicalPlan::Subquery(Subquery { subquery, .. }) => onto(subquery, tables),
        LogicalPlan::Projection(projection) => {
            let Some(input) = onto(&projection.input, tables)? else { return Ok(None) };
            let own = projection.expr.iter().map(|expr| resolve(expr.clone(), tables.schema()));
            let exprs = kept().map(Ok).chain(own).collect::<DfResult<Vec<_>>>()?;
            Ok(Some(LogicalPlanBuilder::from(input).project(exprs)?.build()?))
        }
        LogicalPlan::Unnest(unnest) => {
            let Some(input) = onto(&unnest.input, tables)? else { return Ok(None) };
            let (columns, options) = (unnest.exec_columns.clone(), unnest.options.clone());
            Ok(Some(unnest_with_options(input, columns, options)?))
        }
        LogicalPlan::SubqueryAlias(aliased) => {
            let Some(input) = onto(&aliased.input, tables)? else { return Ok(None) };
            let own = aliased.input.schema().columns().into_iter().map(|column| {
                let name = column.name.clone();
                Expr::Column(column).alias_qualified(Some(aliased.alias.clone()), name)
            });
            let exprs: Vec<Expr> = kept().chain(own).collect();
            Ok(Some(LogicalPlanBuilder::from(input).project(exprs)?.build()?))
        }
        _ => Ok(None),
    }
}

/// Reads the columns of the tables beside the item directly; those of queries farther out stay.
fn resolve(expr: Expr, tables: &DFSchema) -> DfResult<Expr> {
    let resolved = expr.transform(|expr| {
        Ok(match expr {
            Expr::OuterReferenceColumn(_, column) if tables.has_column(&column) => {
                Transformed::yes(Expr::Column(column))
            }
            other => Transformed::no(other),
        })
    })?;
    Ok(resolved.data)
}
