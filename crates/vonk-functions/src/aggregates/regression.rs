//! `regr_slope` and its kin: the line through the pairs of a group, from sums that one pass keeps.

use std::mem::size_of_val;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility,
};

use crate::parameters::{self, Kind, Parameters};

/// What a function makes of the sums of a group; `None` is NULL.
type Finish = fn(&Sums) -> Option<f64>;

/// `regr_slope(y, x)`
pub(super) fn slope() -> AggregateUDF {
    udf("regr_slope", |sums| sums.slope())
}

/// `regr_intercept(y, x)`
pub(super) fn intercept() -> AggregateUDF {
    udf("regr_intercept", |sums| Some(sums.mean_y - sums.slope()? * sums.mean_x))
}

/// `regr_r2(y, x)`: a line without a slope fits exactly.
pub(super) fn r2() -> AggregateUDF {
    udf("regr_r2", |sums| {
        if sums.count == 0.0 || sums.square_x == 0.0 {
            return None;
        }
        let correlation = sums.product_yx / (sums.square_x * sums.square_y).sqrt();
        Some(if sums.square_y == 0.0 { 1.0 } else { correlation * correlation })
    })
}

/// `regr_sxx(y, x)`
pub(super) fn sxx() -> AggregateUDF {
    udf("regr_sxx", |sums| sums.known(sums.moment_x))
}

/// `regr_sxy(y, x)`
pub(super) fn sxy() -> AggregateUDF {
    udf("regr_sxy", |sums| sums.known(sums.product_yx))
}

/// `regr_syy(y, x)`
pub(super) fn syy() -> AggregateUDF {
    udf("regr_syy", |sums| sums.known(sums.moment_y))
}

fn udf(name: &'static str, finish: Finish) -> AggregateUDF {
    let signature = Signature::user_defined(Volatility::Immutable);
    AggregateUDF::new_from_impl(Regression { name, finish, signature })
}

#[derive(Debug)]
struct Regression {
    name: &'static str,
    finish: Finish,
    signature: Signature,
}

impl PartialEq for Regression {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Regression {}

impl std::hash::Hash for Regression {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl AggregateUDFImpl for Regression {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        parameters::coerce(self.name, &Parameters::exact(&[Kind::Double, Kind::Double]), arguments)
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn accumulator(&self, _args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Single { sums: Sums::default(), finish: self.finish }))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let field = |part: &&str| {
            Arc::new(Field::new(format_state_name(args.name, part), DataType::Float64, true))
        };
        Ok(PARTS.iter().map(field).collect())
    }
}

/// What the state of a group is made of, in the order of [`Sums::parts`].
const PARTS: &[&str] = &[
    "count",
    "mean_y",
    "mean_x",
    "product_yx",
    "product_xy",
    "square_y",
    "square_x",
    "moment_y",
    "moment_x",
];

/// Count, means, and the sums of the products and squares of the distances from them.
///
/// A pair is taken in by Welford's formulas in the order of Spark's, so that doubles round alike.
#[derive(Debug, Default, Clone, Copy)]
struct Sums {
    count: f64,
    mean_y: f64,
    mean_x: f64,
    /// The same product twice, with the one or the other mean taken after the pair.
    product_yx: f64,
    product_xy: f64,
    square_y: f64,
    square_x: f64,
    /// The same squares, by the formula of variances.
    moment_y: f64,
    moment_x: f64,
}

impl Sums {
    fn known(&self, sum: f64) -> Option<f64> {
        (self.count > 0.0).then_some(sum)
    }

    fn slope(&self) -> Option<f64> {
        (self.count > 0.0 && self.moment_x != 0.0).then(|| self.product_xy / self.moment_x)
    }

    fn add(&mut self, y: f64, x: f64) {
        self.count += 1.0;
        let (distance_y, distance_x) = (y - self.mean_y, x - self.mean_x);
        let (part_y, part_x) = (distance_y / self.count, distance_x / self.count);
        self.mean_y += part_y;
        self.mean_x += part_x;
        self.product_yx += distance_y * (x - self.mean_x);
        self.product_xy += distance_x * (y - self.mean_y);
        self.square_y += distance_y * (y - self.mean_y);
        self.square_x += distance_x * (x - self.mean_x);
        self.moment_y += distance_y * (distance_y - part_y);
        self.moment_x += distance_x * (distance_x - part_x);
    }

    fn merge(&mut self, other: &Self) {
        let count = self.count + other.count;
        if other.count == 0.0 {
            return;
        }
        let (distance_y, distance_x) = (other.mean_y - self.mean_y, other.mean_x - self.mean_x);
        let (part_y, part_x) = (distance_y / count, distance_x / count);
        let weight = self.count * other.count;
        self.mean_y += part_y * other.count;
        self.mean_x += part_x * other.count;
        self.product_yx += other.product_yx + distance_y * part_x * weight;
        self.product_xy += other.product_xy + distance_x * part_y * weight;
        self.square_y += other.square_y + distance_y * part_y * weight;
        self.square_x += other.square_x + distance_x * part_x * weight;
        self.moment_y += other.moment_y + distance_y * part_y * weight;
        self.moment_x += other.moment_x + distance_x * part_x * weight;
        self.count = count;
    }

    fn parts(&self) -> [f64; 9] {
        [
            self.count,
            self.mean_y,
            self.mean_x,
            self.product_yx,
            self.product_xy,
            self.square_y,
            self.square_x,
            self.moment_y,
            self.moment_x,
        ]
    }
}

#[derive(Debug)]
struct Single {
    sums: Sums,
    finish: Finish,
}

impl Accumulator for Single {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let (y, x) =
            (values[0].as_primitive::<Float64Type>(), values[1].as_primitive::<Float64Type>());
        for pair in y.iter().zip(x) {
            if let (Some(y), Some(x)) = pair {
                self.sums.add(y, x);
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let parts: Vec<_> = states.iter().map(|part| part.as_primitive::<Float64Type>()).collect();
        for row in 0..parts[0].len() {
            let part = |at: usize| parts[at].value(row);
            self.sums.merge(&Sums {
                count: part(0),
                mean_y: part(1),
                mean_x: part(2),
                product_yx: part(3),
                product_xy: part(4),
                square_y: part(5),
                square_x: part(6),
                moment_y: part(7),
                moment_x: part(8),
            });
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(self.sums.parts().map(|part| ScalarValue::Float64(Some(part))).to_vec())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64((self.finish)(&self.sums)))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}
