//! Session variables: names that stand for a value where no column has the name.
//!
//! A reference becomes the identifier `@name=value`, which the planner takes for a variable and
//! which still tells how Spark words it; in the plan the value itself stands in its place.

use std::collections::BTreeMap;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr as PlanExpr, LogicalPlan};
use parking_lot::RwLock;
use sqlparser::ast::{self, Expr, Ident};

use crate::display::type_name;

/// What begins the identifier of a variable.
const MARK: char = '@';

/// What begins the name of a parameter, which no statement can write.
const PARAMETER: char = '?';

/// A variable: its value, the type that it keeps, and what DEFAULT stands for.
#[derive(Debug, Clone)]
pub(crate) struct Variable {
    /// The value as it is now.
    pub(crate) value: ScalarValue,
    /// The type that values are cast to; None for a variable that is always NULL.
    pub(crate) data_type: Option<ast::DataType>,
    /// The expression that it got its first value from.
    pub(crate) default: Expr,
}

/// The variables of a session, by name without regard to case.
#[derive(Debug, Default)]
pub(crate) struct Variables {
    by_name: RwLock<BTreeMap<String, Variable>>,
}

impl Variables {
    /// The variable of a name.
    pub(crate) fn get(&self, name: &str) -> Option<Variable> {
        self.by_name.read().get(&name.to_lowercase()).cloned()
    }

    /// Makes a variable, or puts another in its place.
    pub(crate) fn insert(&self, name: &str, variable: Variable) {
        self.by_name.write().insert(name.to_lowercase(), variable);
    }

    /// Gives a variable another value; nothing happens if there is none of the name.
    pub(crate) fn set(&self, name: &str, value: ScalarValue) {
        if let Some(variable) = self.by_name.write().get_mut(&name.to_lowercase()) {
            variable.value = value;
        }
    }

    /// Drops a variable; false if there is none of the name.
    pub(crate) fn remove(&self, name: &str) -> bool {
        self.by_name.write().remove(&name.to_lowercase()).is_some()
    }

    /// Keeps a parameter's value and gives the identifier that stands for it.
    pub(crate) fn bind(&self, parameter: usize, value: ScalarValue) -> String {
        let name = format!("{PARAMETER}{parameter}");
        let identifier = format!("{MARK}{name}={}", literal_text(&value));
        let default = Expr::Value(ast::Value::Null.into());
        self.insert(&name, Variable { value, data_type: None, default });
        identifier
    }

    /// The type of what an identifier stands for.
    pub(super) fn type_of(&self, identifier: &str) -> Option<DataType> {
        self.of_identifier(identifier).map(|value| value.data_type())
    }

    fn of_identifier(&self, identifier: &str) -> Option<ScalarValue> {
        let (name, _) = identifier.strip_prefix(MARK)?.split_once('=')?;
        self.get(name).map(|variable| variable.value)
    }

    /// The identifier of a variable.
    fn identifier(&self, name: &str) -> Option<Ident> {
        let variable = self.get(name)?;
        let text = format!("{MARK}{}={}", name.to_lowercase(), literal_text(&variable.value));
        Some(Ident::new(text))
    }

    fn is_empty(&self) -> bool {
        self.by_name.read().is_empty()
    }
}

/// How Spark words the identifier of a variable or parameter; None for any other.
pub(super) fn word(identifier: &Ident) -> Option<String> {
    let text = identifier.value.strip_prefix(MARK).filter(|_| identifier.quote_style.is_none())?;
    let (name, value) = text.split_once('=')?;
    Some(match name.starts_with(PARAMETER) {
        true => value.to_owned(),
        false => format!("variablereference(system.session.{text})"),
    })
}

/// Whether an identifier stands for a variable or parameter already.
pub(super) fn is_reference(identifier: &Ident) -> bool {
    identifier.quote_style.is_none() && identifier.value.starts_with(MARK)
}

/// The variable that a name means, and the fields of it that are meant.
pub(super) fn find<'p>(parts: &'p [Ident], variables: &Variables) -> Option<(Ident, &'p [Ident])> {
    if variables.is_empty() {
        return None;
    }
    let is = |part: &Ident, word: &str| part.value.eq_ignore_ascii_case(word);
    let qualified = match parts {
        [system, session, rest @ ..] if is(system, "system") && is(session, "session") => rest,
        [session, rest @ ..] if is(session, "session") => rest,
        _ => &[],
    };
    if let [name, fields @ ..] = qualified
        && let Some(identifier) = variables.identifier(&name.value)
    {
        return Some((identifier, fields));
    }
    let [name, fields @ ..] = parts else { return None };
    Some((variables.identifier(&name.value)?, fields))
}

/// Puts the values of variables into a plan, whose columns keep their names.
pub(super) fn fill(plan: LogicalPlan, variables: &Variables) -> DfResult<LogicalPlan> {
    if variables.is_empty() {
        return Ok(plan);
    }
    let value_of = |expr: PlanExpr| match &expr {
        PlanExpr::ScalarVariable(_, names) => {
            match names.first().and_then(|name| variables.of_identifier(name)) {
                Some(value) => Ok(Transformed::yes(PlanExpr::Literal(value, None))),
                None => Ok(Transformed::no(expr)),
            }
        }
        _ => Ok(Transformed::no(expr)),
    };
    let filled = plan.transform_up_with_subqueries(|plan| {
        let names = NamePreserver::new(&plan);
        plan.map_expressions(|expr| {
            let name = names.save(&expr);
            Ok(expr.transform_up(value_of)?.update_data(|expr| name.restore(expr)))
        })
    })?;
    match filled.transformed {
        true => filled.data.recompute_schema(),
        false => Ok(filled.data),
    }
}

/// A value as a literal of SQL, in Spark's words.
pub(crate) fn literal_text(value: &ScalarValue) -> String {
    let type_words = type_name(&value.data_type()).to_uppercase();
    if value.is_null() {
        return match value {
            ScalarValue::Null => "NULL".to_owned(),
            _ => format!("CAST(NULL AS {type_words})"),
        };
    }
    match value {
        ScalarValue::Utf8(Some(text))
        | ScalarValue::LargeUtf8(Some(text))
        | ScalarValue::Utf8View(Some(text)) => {
            format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
        }
        ScalarValue::Int8(_) => format!("{value}Y"),
        ScalarValue::Int16(_) => format!("{value}S"),
        ScalarValue::Int64(_) => format!("{value}L"),
        ScalarValue::Float64(_) => format!("{value}D"),
        ScalarValue::Float32(_) => format!("CAST({value} AS FLOAT)"),
        ScalarValue::Decimal128(Some(_), _, _) => format!("{}BD", decimal_text(value)),
        ScalarValue::Date32(_) => format!("DATE '{value}'"),
        _ => value.to_string(),
    }
}

fn decimal_text(value: &ScalarValue) -> String {
    let array = value.to_array();
    let text = array
        .and_then(|array| Ok(datafusion::arrow::util::display::array_value_to_string(&array, 0)?));
    text.unwrap_or_else(|_| value.to_string())
}
