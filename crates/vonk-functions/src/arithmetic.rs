//! The operators `+ - * / % div` and their `try_` forms, checked as Spark checks them.
//!
//! DataFusion's operators wrap around on overflow and have PostgreSQL's types. These are functions
//! with Spark's types, and each has three modes: an error (ANSI), NULL (`try_`), and what Spark did
//! before it had an ANSI mode.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, FieldRef, Float32Type, Float64Type};
use datafusion::common::{Result, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

mod decimals;
mod integers;
mod intervals;
mod negative;
mod pairs;
mod types;

use crate::datetime::Zone;
use crate::failure::Failure;
pub(crate) use decimals::{magnitude, nearest_quotient};
use pairs::{OnFlag, Pairs};

/// An arithmetic operator with two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `a + b`
    Add,
    /// `a - b`
    Subtract,
    /// `a * b`
    Multiply,
    /// `a / b`, never of integers
    Divide,
    /// `a div b`, a BIGINT
    IntegerDivide,
    /// `a % b`, with the sign of `a`
    Remainder,
}

/// What happens to a result that does not fit its type, and to a division by zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// It is an error.
    Ansi,
    /// It is NULL, as in `try_add`.
    Try,
    /// Integers wrap around; decimals, and divisions by zero, are NULL: `spark.sql.ansi.enabled=false`.
    Legacy,
}

/// Which digits of a decimal with more than 38 are kept: `spark.sql.decimalOperations.allowPrecisionLoss`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Digits {
    /// Those in front of the point: digits behind it are given up.
    Whole,
    /// Those behind the point: what does not fit is out of range.
    Fraction,
}

impl Operator {
    /// Every operator.
    pub const ALL: [Operator; 6] = [
        Operator::Add,
        Operator::Subtract,
        Operator::Multiply,
        Operator::Divide,
        Operator::IntegerDivide,
        Operator::Remainder,
    ];

    /// The operator as a function of two arguments.
    pub fn udf(self, mode: Mode) -> ScalarUDF {
        self.udf_with(mode, Digits::Whole)
    }

    /// The operator as a function of two arguments, with a choice of which digits are kept.
    pub fn udf_with(self, mode: Mode, digits: Digits) -> ScalarUDF {
        let name = match digits {
            Digits::Whole => self.name(mode),
            Digits::Fraction => format!("exact {}", self.name(mode)),
        };
        ScalarUDF::new_from_impl(Arithmetic {
            operator: self,
            mode,
            digits,
            name,
            signature: Signature::user_defined(Volatility::Immutable),
        })
    }

    /// Whether the operator takes operands of these types.
    ///
    /// # Errors
    /// `DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES` and `DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE`.
    pub fn check(self, mode: Mode, left: &DataType, right: &DataType) -> Result<()> {
        let operands = types::operands(self, mode, &[left.clone(), right.clone()])?;
        types::result(self, Digits::Whole, &[operands.0, operands.1]).map(|_| ())
    }

    /// The sign between the operands.
    fn sign(self) -> &'static str {
        match self {
            Operator::Add => "+",
            Operator::Subtract => "-",
            Operator::Multiply => "*",
            Operator::Divide => "/",
            Operator::IntegerDivide => "div",
            Operator::Remainder => "%",
        }
    }

    fn name(self, mode: Mode) -> String {
        match mode {
            Mode::Ansi => self.sign().to_owned(),
            Mode::Try => self.try_name().to_owned(),
            Mode::Legacy => format!("legacy {}", self.sign()),
        }
    }

    /// The name of its form that gives NULL where others fail.
    pub fn try_name(self) -> &'static str {
        match self {
            Operator::Add => "try_add",
            Operator::Subtract => "try_subtract",
            Operator::Multiply => "try_multiply",
            Operator::Divide => "try_divide",
            Operator::IntegerDivide => "try_div",
            Operator::Remainder => "try_mod",
        }
    }

    fn divides(self) -> bool {
        matches!(self, Operator::Divide | Operator::IntegerDivide | Operator::Remainder)
    }

    /// The divisor is zero.
    fn by_zero(self) -> Failure {
        let (condition, message) = match self {
            Operator::Remainder => ("REMAINDER_BY_ZERO", "remainder by zero"),
            _ => ("DIVIDE_BY_ZERO", "division by zero"),
        };
        Failure::new(condition, message)
            .hint(format!("use `{}` to get NULL instead", self.hint_name()))
    }

    /// The result does not fit its type.
    fn overflow(self, type_name: &str) -> Failure {
        let hint = format!("use `{}` to get NULL instead, or a wider type", self.hint_name());
        Failure::new("ARITHMETIC_OVERFLOW", format!("{type_name} overflow")).hint(hint)
    }

    fn hint_name(self) -> &'static str {
        match self {
            Operator::IntegerDivide => "try_divide",
            other => other.try_name(),
        }
    }
}

/// Every function of arithmetic that is ours.
pub(crate) fn functions() -> Vec<ScalarUDF> {
    let mut functions = vec![negative::udf(Mode::Ansi), negative::udf(Mode::Legacy)];
    for operator in Operator::ALL {
        for mode in [Mode::Ansi, Mode::Try, Mode::Legacy] {
            functions.push(operator.udf_with(mode, Digits::Fraction));
            let udf = operator.udf(mode);
            functions.push(match (operator, mode) {
                (Operator::Remainder, Mode::Ansi) => udf.with_aliases(["mod"]),
                _ => udf,
            });
        }
    }
    functions
}

/// The function behind a minus sign: `-a`.
pub fn negative_udf(mode: Mode) -> ScalarUDF {
    negative::udf(mode)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Arithmetic {
    operator: Operator,
    mode: Mode,
    digits: Digits,
    name: String,
    signature: Signature,
}

impl ScalarUDFImpl for Arithmetic {
    fn name(&self) -> &str {
        &self.name
    }

    fn display_name(&self, arguments: &[Expr]) -> Result<String> {
        let operands = arguments.iter().map(Expr::to_string).collect();
        Ok(self.written(operands))
    }

    fn schema_name(&self, arguments: &[Expr]) -> Result<String> {
        let operands = arguments.iter().map(|operand| operand.schema_name().to_string()).collect();
        Ok(self.written(operands))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        match types::operands(self.operator, self.mode, arguments) {
            Ok((left, right)) => Ok(vec![left, right]),
            // A function takes what it takes; an operator has two sides that differ.
            Err(mut failure) => {
                if self.mode == Mode::Try {
                    failure.condition = "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE";
                }
                Err(failure.into_text())
            }
        }
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        types::result(self.operator, self.digits, arguments)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let types: Vec<DataType> =
            args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let nullable =
            self.mode != Mode::Ansi || args.arg_fields.iter().any(|field| field.is_nullable());
        let interval = match args.arg_fields {
            [left, right] => intervals::result(self.operator, left, right),
            _ => None,
        };
        let field = match interval {
            Some(field) => field.with_name(self.name()),
            None => Field::new(self.name(), self.return_type(&types)?, nullable),
        };
        Ok(Arc::new(field.with_nullable(nullable)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [left, right] = args.args.as_slice() else {
            return internal_err!("`{}` has two operands", self.name);
        };
        let (operator, mode) = (self.operator, self.mode);
        let pairs = Pairs { left, right, rows: args.number_rows };
        match (left.data_type(), right.data_type()) {
            (DataType::Int8, DataType::Int8)
            | (DataType::Int16, DataType::Int16)
            | (DataType::Int32, DataType::Int32)
            | (DataType::Int64, DataType::Int64) => integers::calculate(operator, mode, &pairs),
            (DataType::Float32, DataType::Float32) => float32(operator, mode, &pairs),
            (DataType::Float64, DataType::Float64) => float64(operator, mode, &pairs),
            (DataType::Decimal128(..), DataType::Decimal128(..)) => {
                decimals::calculate(operator, mode, &pairs, args.return_field.data_type())
            }
            (DataType::Date32, DataType::Int32) => integers::move_date(operator, mode, &pairs),
            (DataType::Int32, DataType::Date32) => {
                integers::move_date(operator, mode, &pairs.swapped())
            }
            _ => {
                let zone = args.config_options.execution.time_zone.as_deref().unwrap_or("UTC");
                let zone = Zone::named(zone)?;
                let returns = args.return_field.data_type();
                intervals::calculate(&intervals::Context { operator, mode, zone, returns }, &pairs)
            }
        }
    }
}

impl Arithmetic {
    /// The call as it is written in SQL.
    fn written(&self, operands: Vec<String>) -> String {
        match (self.mode, operands.as_slice()) {
            (Mode::Ansi | Mode::Legacy, [left, right]) => {
                format!("({left} {} {right})", self.operator.sign())
            }
            (_, operands) => format!("{}({})", self.name, operands.join(", ")),
        }
    }
}

/// The number, or the one NaN that comparisons know.
pub(crate) fn with_one_nan(number: f64) -> f64 {
    if number.is_nan() { f64::NAN } else { number }
}

macro_rules! float_kernel {
    ($name:ident, $arrow:ty, $native:ty) => {
        fn $name(operator: Operator, mode: Mode, pairs: &Pairs<'_>) -> Result<ColumnarValue> {
            type Native = $native;
            // Processors give NaN of either sign, and comparisons take those of one sign for least.
            let known = |number: Native| if number.is_nan() { Native::NAN } else { number };
            let on_flag: OnFlag<'_, Native, Native> = match mode {
                Mode::Ansi => OnFlag::Fail(&move |_, _| operator.by_zero()),
                Mode::Try | Mode::Legacy => OnFlag::Null,
            };
            let array: ArrayRef =
                match operator {
                    Operator::Add => {
                        pairs.map::<$arrow, $arrow, $arrow>(|a, b| (known(a + b), false), on_flag)
                    }
                    Operator::Subtract => {
                        pairs.map::<$arrow, $arrow, $arrow>(|a, b| (known(a - b), false), on_flag)
                    }
                    Operator::Multiply => {
                        pairs.map::<$arrow, $arrow, $arrow>(|a, b| (known(a * b), false), on_flag)
                    }
                    Operator::Divide | Operator::IntegerDivide => pairs
                        .map::<$arrow, $arrow, $arrow>(|a, b| (known(a / b), b == 0.0), on_flag),
                    Operator::Remainder => pairs
                        .map::<$arrow, $arrow, $arrow>(|a, b| (known(a % b), b == 0.0), on_flag),
                }?;
            pairs.value(array)
        }
    };
}

float_kernel!(float32, Float32Type, f32);
float_kernel!(float64, Float64Type, f64);
