//! `skewness` and `kurtosis`, from the central moments of a group.

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::AggregateUDF;

use super::whole::{Group, Kernel};
use crate::parameters::{Kind, Parameters};

/// `skewness(number)`
pub(super) fn skewness() -> AggregateUDF {
    kernel("skewness", |group| {
        finish(group, |m| m.count.sqrt() * m.third / (m.second * m.second * m.second).sqrt())
    })
}

/// `kurtosis(number)`
pub(super) fn kurtosis() -> AggregateUDF {
    kernel("kurtosis", |group| finish(group, |m| m.count * m.fourth / (m.second * m.second) - 3.0))
}

fn kernel(name: &'static str, finish: fn(&Group<'_>) -> Result<ScalarValue>) -> AggregateUDF {
    let parameters = Parameters::exact(&[Kind::Double]);
    let returns = |_: &[DataType]| Ok(DataType::Float64);
    Kernel { name, parameters, unify: None, returns, finish }.udf()
}

/// NULL for a group whose values are all the same, as it has no shape.
fn finish(group: &Group<'_>, shape: impl Fn(&Moments) -> f64) -> Result<ScalarValue> {
    let mut moments = Moments::default();
    let values = group.columns[0].as_primitive::<Float64Type>();
    values.iter().flatten().for_each(|value| moments.add(value));
    let is_flat = moments.count == 0.0 || moments.second == 0.0;
    Ok(ScalarValue::Float64((!is_flat).then(|| shape(&moments))))
}

/// Count, mean, and the sums of the second to fourth powers of the distances from it.
///
/// One value after the other is taken in, by the formulas of Terriberry's "Computing Higher-Order
/// Moments Online" that Spark uses.
#[derive(Default)]
struct Moments {
    count: f64,
    mean: f64,
    second: f64,
    third: f64,
    fourth: f64,
}

impl Moments {
    fn add(&mut self, value: f64) {
        self.count += 1.0;
        let n = self.count;
        let delta = value - self.mean;
        let delta_n = delta / n;
        self.mean += delta_n;
        self.second += delta * (delta - delta_n);
        let (delta2, delta_n2) = (delta * delta, delta_n * delta_n);
        self.third = self.third - 3.0 * delta_n * self.second + delta * (delta2 - delta_n2);
        self.fourth = self.fourth - 4.0 * delta_n * self.third - 6.0 * delta_n2 * self.second
            + delta * (delta * delta2 - delta_n * delta_n2);
    }
}
