//! Functions of one or two DOUBLEs, as Java computes them.
//!
//! Java's `StrictMath` is fdlibm, and so is the crate `libm`: results agree to the last bit where
//! Spark uses `StrictMath`.

use arrow::datatypes::Float64Type;
use datafusion::logical_expr::ScalarUDF;

use crate::arithmetic::with_one_nan;
use crate::function::{Function, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

/// Rows are `name, other names => sentence, value`; the value is `None` where SQL says NULL.
macro_rules! of_one_double {
    ($($name:literal $(, $alias:literal)* => $doc:literal, $value:expr;)*) => {
        /// The functions of one DOUBLE.
        pub(crate) const FUNCTIONS: &[Function] = &[$(
            Function::scalar(
                &[$name $(, $alias)*],
                concat!($name, "(number)"),
                $doc,
                || {
                    let parameters = Parameters::exact(&[Kind::Double]);
                    Kernel::new($name, parameters, rows::double, |call| {
                        let value: fn(f64) -> Option<f64> = $value;
                        let numbers = call.primitive::<Float64Type>(0)?;
                        let value = |row| value(numbers.value(row)).map(with_one_nan);
                        rows::numbers::<Float64Type>(call, |row| Ok(value(row)))
                    })
                    .udf()
                },
            ),
        )*];
    };
}

of_one_double! {
    "acos" => "Gives the arc cosine in radians.", |x| Some(x.acos());
    "acosh" => "Gives the inverse hyperbolic cosine.", |x| Some(libm::log(x + (x * x - 1.0).sqrt()));
    "asin" => "Gives the arc sine in radians.", |x| Some(x.asin());
    "asinh" => "Gives the inverse hyperbolic sine.", |x| Some(match x {
        f64::NEG_INFINITY => x,
        _ => libm::log(x + (x * x + 1.0).sqrt()),
    });
    "atan" => "Gives the arc tangent in radians.", |x| Some(x.atan());
    "atanh" => "Gives the inverse hyperbolic tangent.",
        |x| Some(0.5 * (libm::log1p(x) - libm::log1p(-x)));
    "cbrt" => "Gives the cube root.", |x| Some(x.cbrt());
    "cos" => "Gives the cosine of radians.", |x| Some(x.cos());
    "cosh" => "Gives the hyperbolic cosine.", |x| Some(cosh(x));
    "cot" => "Gives the cotangent of radians.", |x| Some(1.0 / x.tan());
    "csc" => "Gives the cosecant of radians.", |x| Some(1.0 / x.sin());
    "degrees" => "Turns radians into degrees.", |x| Some(x * (180.0 / std::f64::consts::PI));
    "exp" => "Raises e to a power.", |x| Some(libm::exp(x));
    "expm1" => "Gives `exp` minus one, exact near zero.", |x| Some(libm::expm1(x));
    "ln" => "Gives the natural logarithm, NULL of what is not over zero.", natural;
    "log10" => "Gives the logarithm to base 10, NULL of what is not over zero.",
        |x| is_over(x, 0.0).then(|| x.log10());
    "log1p" => "Gives the logarithm of one more, exact near zero.",
        |x| is_over(x, -1.0).then(|| libm::log1p(x));
    "log2" => "Gives the logarithm to base 2, NULL of what is not over zero.",
        |x| is_over(x, 0.0).then(|| libm::log(x) / libm::log(2.0));
    "radians" => "Turns degrees into radians.", |x| Some(x / 180.0 * std::f64::consts::PI);
    "rint" => "Rounds to a whole number, halves to the even neighbour.",
        |x| Some(x.round_ties_even());
    "sec" => "Gives the secant of radians.", |x| Some(1.0 / x.cos());
    "sin" => "Gives the sine of radians.", |x| Some(x.sin());
    "sinh" => "Gives the hyperbolic sine.", |x| Some(x.sinh());
    "sqrt" => "Gives the square root.", |x| Some(x.sqrt());
    "tan" => "Gives the tangent of radians.", |x| Some(x.tan());
    "tanh" => "Gives the hyperbolic tangent.", |x| Some(x.tanh());
}

/// The hyperbolic cosine by the formulas of fdlibm, whose last digit Java has.
fn cosh(x: f64) -> f64 {
    let x = x.abs();
    match x {
        _ if x < 0.5 * std::f64::consts::LN_2 => {
            let t = libm::expm1(x);
            1.0 + t * t / (2.0 * (1.0 + t))
        }
        _ if x < 22.0 => {
            let t = libm::exp(x);
            0.5 * t + 0.5 / t
        }
        _ if x < f64::MAX.ln() => 0.5 * libm::exp(x),
        _ => {
            let half = libm::exp(0.5 * x);
            0.5 * half * half
        }
    }
}

/// NaN counts as over a limit: its logarithm is NaN, not NULL.
fn is_over(x: f64, limit: f64) -> bool {
    x > limit || x.is_nan()
}

fn natural(x: f64) -> Option<f64> {
    is_over(x, 0.0).then(|| libm::log(x))
}

const PAIR: Parameters = Parameters::exact(&[Kind::Double, Kind::Double]);

/// Spark's `atan2(y, x)`; -0.0 is as 0.0.
pub(super) fn atan2() -> ScalarUDF {
    Kernel::new("atan2", PAIR, rows::double, |call| {
        of_two(call, |y, x| Some((y + 0.0).atan2(x + 0.0)))
    })
    .udf()
}

/// Spark's `hypot(x, y)`.
pub(super) fn hypot() -> ScalarUDF {
    Kernel::new("hypot", PAIR, rows::double, |call| of_two(call, |x, y| Some(x.hypot(y)))).udf()
}

/// Spark's `power(number, exponent)`.
pub(super) fn pow() -> ScalarUDF {
    Kernel::new("power", PAIR, rows::double, |call| of_two(call, |x, y| Some(libm::pow(x, y))))
        .udf()
}

/// Spark's `log([base, ]number)`.
pub(super) fn log() -> ScalarUDF {
    let parameters = Parameters::with_optional(&[Kind::Double], &[Kind::Double]);
    Kernel::new("log", parameters, rows::double, |call| {
        if call.count() == 1 {
            let numbers = call.primitive::<Float64Type>(0)?;
            return rows::numbers::<Float64Type>(call, |row| Ok(natural(numbers.value(row))));
        }
        of_two(call, |base, x| {
            (is_over(base, 0.0) && is_over(x, 0.0)).then(|| libm::log(x) / libm::log(base))
        })
    })
    .udf()
}

fn of_two(
    call: &crate::function::Call<'_>,
    value: fn(f64, f64) -> Option<f64>,
) -> datafusion::common::Result<arrow::array::ArrayRef> {
    let (left, right) = (call.primitive::<Float64Type>(0)?, call.primitive::<Float64Type>(1)?);
    rows::numbers::<Float64Type>(call, |row| Ok(value(left.value(row), right.value(row))))
}

/// Spark's `e()`.
pub(super) fn e() -> ScalarUDF {
    Kernel::new("e", Parameters::exact(&[]), rows::double, |call| {
        rows::numbers::<Float64Type>(call, |_| Ok(Some(std::f64::consts::E)))
    })
    .udf()
}

/// Spark's `pi()`.
pub(super) fn pi() -> ScalarUDF {
    Kernel::new("pi", Parameters::exact(&[]), rows::double, |call| {
        rows::numbers::<Float64Type>(call, |_| Ok(Some(std::f64::consts::PI)))
    })
    .udf()
}
