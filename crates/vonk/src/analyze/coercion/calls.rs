//! Arguments of functions, cast to what the function takes.

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result as DfResult;
use datafusion::logical_expr::expr::WindowFunctionParams;
use datafusion::logical_expr::type_coercion::functions::{UDFCoercionExt, fields_with_udf};
use datafusion::logical_expr::{
    Expr, WindowFrameBound, WindowFrameUnits, WindowFunctionDefinition,
};
use vonk_functions::arithmetic::{Mode, Operator};
use vonk_functions::{Failure, cast, types};

use super::Scope;
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
                Ok(Expr::ScalarFunction(call))
            }
            Expr::AggregateFunction(mut call) => {
                call.params.args = self.arguments(call.params.args, call.func.as_ref())?;
                if let Some(filter) = &call.params.filter {
                    self.check_filter(filter)?;
                }
                Ok(Expr::AggregateFunction(call))
            }
            Expr::WindowFunction(mut call) => {
                self.check_range(&call.params)?;
                let arguments = std::mem::take(&mut call.params.args);
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
        let is_wrong = matches!(field.data_type(), DataType::Timestamp(..))
            && (is_number(&frame.start_bound) || is_number(&frame.end_bound));
        if is_wrong {
            let message = format!("a RANGE frame over {} is no number", types::sql_name(&field));
            return Err(Failure::new("DATATYPE_MISMATCH.RANGE_FRAME_INVALID_TYPE", message)
                .hint("write an INTERVAL")
                .into());
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
        let alike = self.alike(arguments.split_off(*from), name)?;
        arguments.extend(alike);
        Ok(arguments)
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
