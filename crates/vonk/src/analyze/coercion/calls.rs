//! Arguments of functions, cast to what the function takes.

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result as DfResult, ScalarValue};
use datafusion::logical_expr::expr::{Cast, WindowFunctionParams};
use datafusion::logical_expr::type_coercion::functions::{UDFCoercionExt, fields_with_udf};
use datafusion::logical_expr::{
    Expr, WindowFrameBound, WindowFrameUnits, WindowFunctionDefinition,
};
use vonk_functions::arithmetic::{Mode, Operator};
use vonk_functions::{Failure, cast, types};

use super::{Scope, orderings};
use crate::analyze::operators::with_own_digits;

/// Functions whose arguments from a place on have one type, which is that of their result.
const ALIKE: &[(&str, usize)] = &[
    ("array", 0),
    ("coalesce", 0),
    ("greatest", 0),
    ("if", 1),
    ("ifnull", 0),
    ("least", 0),
    ("make_array", 0),
    ("nullif", 0),
    ("nvl", 0),
    ("nvl2", 1),
];

impl Scope<'_> {
    /// One call whose arguments are cast already.
    pub(super) fn call(&self, expr: Expr) -> DfResult<Expr> {
        if let Some((value, target, mode)) = cast::parts(&expr) {
            if matches!(target, Expr::Literal(..)) {
                return Ok(expr);
            }
            // One that stood within VALUES.
            let (from, to) = (self.field(value)?, self.field(target)?);
            return cast::cast_expr(value.clone(), &from, &to, mode);
        }
        match expr {
            Expr::ScalarFunction(mut call) => {
                call.args = self.alike_arguments(call.func.name(), call.args)?;
                call.args = self.with_own_digits(call.func.name(), call.args)?;
                call.args = self.arguments(call.args, call.func.as_ref())?;
                self.check_order(call.func.name(), &call.args)?;
                Ok(Expr::ScalarFunction(call))
            }
            Expr::AggregateFunction(mut call) => {
                call.params.args = self.arguments(call.params.args, call.func.as_ref())?;
                self.check_order(call.func.name(), &call.params.args)?;
                if let Some(filter) = &call.params.filter {
                    self.check_filter(filter)?;
                }
                Ok(Expr::AggregateFunction(call))
            }
            Expr::WindowFunction(mut call) => {
                self.check_range(&call.params)?;
                self.count_days(&mut call.params)?;
                for sort in &mut call.params.order_by {
                    let data_type = self.field(&sort.expr)?.data_type().clone();
                    if matches!(data_type, DataType::Time32(_) | DataType::Time64(_)) {
                        // DataFusion measures no distance between times of the day.
                        let time = Box::new(std::mem::take(&mut sort.expr));
                        sort.expr = Expr::Cast(Cast::new(time, DataType::Int64));
                    }
                }
                let arguments = std::mem::take(&mut call.params.args);
                self.check_order(call.fun.name(), &arguments)?;
                call.params.args = match &call.fun {
                    WindowFunctionDefinition::AggregateUDF(function) => {
                        self.arguments(arguments, function.as_ref())?
                    }
                    WindowFunctionDefinition::WindowUDF(function) => {
                        self.arguments(arguments, function.as_ref())?
                    }
                };
                Ok(Expr::WindowFunction(call))
            }
            other => Ok(other),
        }
    }

    fn check_order(&self, name: &str, arguments: &[Expr]) -> DfResult<()> {
        let fields = arguments.iter().map(|argument| self.field(argument));
        orderings::check_call(name, &fields.collect::<DfResult<Vec<_>>>()?)
    }

    fn check_filter(&self, filter: &Expr) -> DfResult<()> {
        let field = self.field(filter)?;
        if matches!(field.data_type(), DataType::Boolean | DataType::Null) {
            return Ok(());
        }
        let message = format!("a FILTER is true or false, not {}", types::sql_name(&field));
        Err(Failure::new("INVALID_AGGREGATE_FILTER.NOT_BOOLEAN", message).into())
    }

    /// A RANGE frame over timestamps reaches intervals far, not numbers.
    fn check_range(&self, window: &WindowFunctionParams) -> DfResult<()> {
        let ([order], WindowFrameUnits::Range) =
            (window.order_by.as_slice(), window.window_frame.units)
        else {
            return Ok(());
        };
        let is_number = |bound: &WindowFrameBound| match bound {
            WindowFrameBound::Preceding(distance) | WindowFrameBound::Following(distance) => {
                let text = distance.to_string();
                !distance.is_null() && text.parse::<f64>().is_ok()
            }
            WindowFrameBound::CurrentRow => false,
        };
        let frame = &window.window_frame;
        let field = self.field(&order.expr)?;
        let bounds = [&frame.start_bound, &frame.end_bound];
        if field.data_type().is_string() && bounds.into_iter().any(is_number) {
            let message = "a RANGE frame measures no distance between texts";
            let condition = "DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE";
            return Err(Failure::new(condition, message).hint("write ROWS").into());
        }
        let is_wrong = match field.data_type() {
            DataType::Timestamp(..) => bounds.into_iter().any(is_number),
            DataType::Date32 => bounds.into_iter().any(has_time),
            _ => false,
        };
        if is_wrong {
            let message = format!("a RANGE frame over {} is no number", types::sql_name(&field));
            return Err(Failure::new("DATATYPE_MISMATCH.RANGE_FRAME_INVALID_TYPE", message)
                .hint("write an INTERVAL")
                .into());
        }
        Ok(())
    }

    /// A number in a RANGE frame over dates is one of days, where DataFusion reads months.
    fn count_days(&self, window: &mut WindowFunctionParams) -> DfResult<()> {
        let [order] = window.order_by.as_slice() else { return Ok(()) };
        let is_range = window.window_frame.units == WindowFrameUnits::Range;
        if !is_range || *self.field(&order.expr)?.data_type() != DataType::Date32 {
            return Ok(());
        }
        let frame = &mut window.window_frame;
        for bound in [&mut frame.start_bound, &mut frame.end_bound] {
            let (WindowFrameBound::Preceding(distance) | WindowFrameBound::Following(distance)) =
                bound
            else {
                continue;
            };
            if let Ok(days) = distance.to_string().parse::<i32>() {
                *distance = ScalarValue::from(format!("{days} days").as_str());
            }
        }
        Ok(())
    }

    fn alike_arguments(&self, name: &str, mut arguments: Vec<Expr>) -> DfResult<Vec<Expr>> {
        let Some((_, from)) = ALIKE.iter().find(|(known, _)| *known == name) else {
            return Ok(arguments);
        };
        if arguments.len() <= *from {
            return Ok(arguments);
        }
        let alike = arguments.split_off(*from);
        if matches!(name, "greatest" | "least") && self.rules.mode == Mode::Ansi {
            self.check_texts(&alike, name)?;
        }
        arguments.extend(self.alike(alike, name)?);
        Ok(arguments)
    }

    /// Text is not read as anything else where values are put in order.
    fn check_texts(&self, arguments: &[Expr], name: &str) -> DfResult<()> {
        let fields = arguments.iter().map(|argument| self.field(argument));
        let fields = fields.collect::<DfResult<Vec<_>>>()?;
        let mut known = fields.iter().map(|field| field.data_type()).filter(|it| !it.is_null());
        let is_text = known.next().is_some_and(DataType::is_string);
        if known.all(|other| other.is_string() == is_text) {
            return Ok(());
        }
        let message = format!("`{name}` does not compare text with values of other types");
        Err(Failure::new("DATATYPE_MISMATCH.DATA_DIFF_TYPES", message)
            .hint("cast them to one type")
            .into())
    }

    /// The operators that have names, which take a whole number beside a decimal as a small one.
    fn with_own_digits(&self, name: &str, mut arguments: Vec<Expr>) -> DfResult<Vec<Expr>> {
        let is_operator = Operator::ALL.iter().any(|operator| operator.try_name() == name);
        let [left, right] = arguments.as_mut_slice() else { return Ok(arguments) };
        if is_operator {
            let left_is_decimal = self.field(left)?.data_type().is_decimal();
            let right_is_decimal = self.field(right)?.data_type().is_decimal();
            if left_is_decimal {
                *right = with_own_digits(std::mem::take(right));
            }
            if right_is_decimal {
                *left = with_own_digits(std::mem::take(left));
            }
        }
        Ok(arguments)
    }

    fn arguments(
        &self,
        arguments: Vec<Expr>,
        function: &impl UDFCoercionExt,
    ) -> DfResult<Vec<Expr>> {
        let given = arguments.iter().map(|argument| self.field(argument));
        let given = given.collect::<DfResult<Vec<FieldRef>>>()?;
        let wanted = fields_with_udf(&given, function)?;
        let parts = arguments.into_iter().zip(given.iter().zip(&wanted));
        let cast = parts.map(|(argument, (from, to))| {
            if from.data_type() == to.data_type() {
                return Ok(argument);
            }
            // What Spark does not cast is left to the function and its own rules.
            match self.rules.cast(argument.clone(), from, to) {
                Err(_) if self.rules.mode != Mode::Try => Ok(argument),
                cast => cast,
            }
        });
        cast.collect()
    }
}

/// Whether the distance of a frame's bound has hours or less in it, which dates do not have.
fn has_time(bound: &WindowFrameBound) -> bool {
    let (WindowFrameBound::Preceding(distance) | WindowFrameBound::Following(distance)) = bound
    else {
        return false;
    };
    let text = distance.to_string().to_lowercase();
    ["hour", "minute", "second", "milli", "micro"].iter().any(|unit| text.contains(unit))
}
