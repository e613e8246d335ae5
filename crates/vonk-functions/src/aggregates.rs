//! Functions of groups.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::functions_aggregate::{bool_and_or, count, first_last};
use datafusion::logical_expr::AggregateUDF;

use crate::arithmetic::Mode;
use crate::function::Function;
use spread::Measure;

mod approx_count_distinct;
mod average;
mod bitmaps;
mod count_min_sketch;
mod extremes;
mod hash_order;
mod histogram;
mod lists;
mod min_max;
mod moments;
mod percentiles;
mod regression;
mod sliding;
mod spread;
mod sum;
mod vectors;
pub(crate) mod whole;

/// Every function of groups that is ours.
pub(crate) const FUNCTIONS: &[Function] = &[
    Function::aggregate(
        &["regr_intercept"],
        "regr_intercept(y, x)",
        "Gives where the regression line of pairs crosses zero.",
        |_| regression::intercept(),
    ),
    Function::aggregate(
        &["regr_r2"],
        "regr_r2(y, x)",
        "Tells how well the regression line of pairs fits, up to 1.",
        |_| regression::r2(),
    ),
    Function::aggregate(
        &["regr_slope"],
        "regr_slope(y, x)",
        "Gives the slope of the regression line of pairs.",
        |_| regression::slope(),
    ),
    Function::aggregate(
        &["regr_sxx"],
        "regr_sxx(y, x)",
        "Gives the sum of the squares of the distances of `x` from its average.",
        |_| regression::sxx(),
    ),
    Function::aggregate(
        &["regr_sxy"],
        "regr_sxy(y, x)",
        "Gives the sum of the products of the distances from the averages.",
        |_| regression::sxy(),
    ),
    Function::aggregate(
        &["regr_syy"],
        "regr_syy(y, x)",
        "Gives the sum of the squares of the distances of `y` from its average.",
        |_| regression::syy(),
    ),
    Function::aggregate(
        &["vector_sum"],
        "vector_sum(vector)",
        "Adds vectors of FLOATs element by element.",
        |_| vectors::sum(),
    ),
    Function::aggregate(
        &["vector_avg"],
        "vector_avg(vector)",
        "Averages vectors of FLOATs element by element.",
        |_| vectors::average(),
    ),
    Function::aggregate(
        &["avg"],
        "avg(number)",
        "Gives the average of a group; decimals give a decimal, other numbers a double.",
        |mode| average::udf("avg", mode),
    ),
    Function::aggregate(
        &["mean"],
        "mean(number)",
        "Gives the average of a group, as `avg` does.",
        |mode| average::udf("avg", mode),
    ),
    Function::aggregate(
        &["sum"],
        "sum(number)",
        "Adds up the numbers of a group; a total that does not fit is an error.",
        |mode| sum::udf("sum", mode),
    ),
    Function::aggregate(
        &["min"],
        "min(value)",
        "Gives the least value of a group; NaN is the largest number.",
        |_| min_max::min(),
    ),
    Function::aggregate(
        &["max"],
        "max(value)",
        "Gives the largest value of a group; NaN is the largest number.",
        |_| min_max::max(),
    ),
    Function::aggregate(
        &["try_sum"],
        "try_sum(number)",
        "Adds up the numbers of a group; a total that does not fit is NULL.",
        |_| sum::udf("try_sum", Mode::Try),
    ),
    Function::aggregate(
        &["collect_in_order"],
        "collect_in_order(value, descends, nulls_first, order, ...)",
        "Gives the values of a group without NULL in order: `array_agg(value ORDER BY order)`.",
        |_| lists::collect_in_order(),
    ),
    Function::aggregate(
        &["collect_set"],
        "collect_set(value)",
        "Gives the different values of a group as an array, without NULL.",
        |_| lists::collect_set(),
    ),
    Function::aggregate(
        &["collect_union"],
        "collect_union(array)",
        "Gives the different items of the arrays of a group as one array.",
        |_| lists::collect_union(),
    ),
    Function::aggregate(
        &["kurtosis"],
        "kurtosis(number)",
        "Gives how heavy the tails of the numbers of a group are.",
        |_| moments::kurtosis(),
    ),
    Function::aggregate(
        &["bitmap_and_agg"],
        "bitmap_and_agg(bitmap)",
        "Gives the bits that all bitmaps of a group have.",
        |_| bitmaps::and(),
    ),
    Function::aggregate(
        &["bitmap_construct_agg"],
        "bitmap_construct_agg(position)",
        "Makes a bitmap of the positions in a group.",
        |_| bitmaps::construct(),
    ),
    Function::aggregate(
        &["bitmap_or_agg"],
        "bitmap_or_agg(bitmap)",
        "Gives the bits that any bitmap of a group has.",
        |_| bitmaps::or(),
    ),
    Function::aggregate(
        &["count_min_sketch"],
        "count_min_sketch(value, eps, confidence, seed)",
        "Makes a sketch of how often the values of a group come.",
        |_| count_min_sketch::udf(),
    ),
    Function::aggregate(
        &["histogram_numeric"],
        "histogram_numeric(value, bins)",
        "Gives places that stand for the values of a group, and how many each stands for.",
        |_| histogram::udf(),
    ),
    Function::aggregate(
        &["listagg", "string_agg"],
        "listagg(text[, separator])",
        "Joins the texts of a group, in the order of WITHIN GROUP.",
        |_| lists::listagg(),
    ),
    Function::aggregate(
        &["max_by"],
        "max_by(value, order[, count])",
        "Gives the value of the row with the greatest order.",
        |_| extremes::max_by(),
    ),
    Function::aggregate(
        &["median"],
        "median(number)",
        "Gives the value in the middle of a group.",
        |_| percentiles::median(),
    ),
    Function::aggregate(
        &["min_by"],
        "min_by(value, order[, count])",
        "Gives the value of the row with the least order.",
        |_| extremes::min_by(),
    ),
    Function::aggregate(
        &["mode"],
        "mode(value[, deterministic])",
        "Gives the value that is there most often.",
        |_| extremes::mode(),
    ),
    Function::aggregate(
        &["percentile"],
        "percentile(number, percentage[, frequency])",
        "Gives the number at a part of the way through a group, between two if need be.",
        |_| percentiles::percentile(),
    ),
    Function::aggregate(
        &["percentile_approx", "approx_percentile"],
        "percentile_approx(number, percentage[, accuracy])",
        "Gives the least number that a part of the group is not above.",
        |_| percentiles::percentile_approx(),
    ),
    Function::aggregate(
        &["percentile_cont"],
        "percentile_cont(percentage) WITHIN GROUP (ORDER BY number)",
        "Gives the number at a part of the way through a group, between two if need be.",
        |_| percentiles::percentile_cont(),
    ),
    Function::aggregate(
        &["percentile_disc"],
        "percentile_disc(percentage) WITHIN GROUP (ORDER BY number)",
        "Gives the first number that a part of the group is up to.",
        |_| percentiles::percentile_disc(),
    ),
    Function::aggregate(
        &["skewness"],
        "skewness(number)",
        "Gives how far the numbers of a group lean to one side.",
        |_| moments::skewness(),
    ),
    Function::aggregate(
        &["any_value"],
        "any_value(value[, ignore nulls])",
        "Gives a value of a group.",
        |_| foundation(first_last::first_value_udaf),
    ),
    Function::aggregate(
        &["approx_count_distinct"],
        "approx_count_distinct(value)",
        "Estimates how many different values a group has.",
        |_| approx_count_distinct::udf(),
    ),
    Function::aggregate(
        &["bool_and", "every"],
        "bool_and(condition)",
        "Tells whether a condition is true of all rows of a group.",
        |_| foundation(bool_and_or::bool_and_udaf),
    ),
    Function::aggregate(
        &["bool_or", "some", "any"],
        "bool_or(condition)",
        "Tells whether a condition is true of any row of a group.",
        |_| foundation(bool_and_or::bool_or_udaf),
    ),
    Function::aggregate(
        &["count_if"],
        "count_if(condition)",
        "Counts the rows of a group where a condition is true.",
        |_| foundation(count::count_udaf),
    ),
    Function::aggregate(
        &["first"],
        "first(value[, ignore nulls])",
        "Gives the first value of a group.",
        |_| foundation(first_last::first_value_udaf),
    ),
    Function::aggregate(
        &["last"],
        "last(value[, ignore nulls])",
        "Gives the last value of a group.",
        |_| foundation(first_last::last_value_udaf),
    ),
    Function::aggregate(
        &["try_avg"],
        "try_avg(number)",
        "Gives the average of a group, or NULL where it does not fit.",
        |_| average::udf("try_avg", Mode::Try),
    ),
    Function::aggregate(
        &["stddev"],
        "stddev(number)",
        "Gives the standard deviation of a sample.",
        |_| spread::udf("stddev", Measure::DeviationOfSample),
    ),
    Function::aggregate(
        &["stddev_samp"],
        "stddev_samp(number)",
        "Gives the standard deviation of a sample.",
        |_| spread::udf("stddev_samp", Measure::DeviationOfSample),
    ),
    Function::aggregate(
        &["std"],
        "std(number)",
        "Gives the standard deviation of a sample.",
        |_| spread::udf("std", Measure::DeviationOfSample),
    ),
    Function::aggregate(
        &["stddev_pop"],
        "stddev_pop(number)",
        "Gives the standard deviation of a population.",
        |_| spread::udf("stddev_pop", Measure::DeviationOfPopulation),
    ),
    Function::aggregate(
        &["var_samp"],
        "var_samp(number)",
        "Gives the variance of a sample.",
        |_| spread::udf("var_samp", Measure::VarianceOfSample),
    ),
    Function::aggregate(
        &["variance"],
        "variance(number)",
        "Gives the variance of a sample.",
        |_| spread::udf("variance", Measure::VarianceOfSample),
    ),
    Function::aggregate(
        &["var_pop"],
        "var_pop(number)",
        "Gives the variance of a population.",
        |_| spread::udf("var_pop", Measure::VarianceOfPopulation),
    ),
    Function::aggregate(
        &["covar_samp"],
        "covar_samp(x, y)",
        "Gives the covariance of a sample of pairs.",
        |_| spread::udf("covar_samp", Measure::CovarianceOfSample),
    ),
    Function::aggregate(
        &["covar_pop"],
        "covar_pop(x, y)",
        "Gives the covariance of a population of pairs.",
        |_| spread::udf("covar_pop", Measure::CovarianceOfPopulation),
    ),
    Function::aggregate(
        &["corr"],
        "corr(x, y)",
        "Gives how much pairs lie on a line, from -1 to 1; NULL where a number is always the same.",
        |_| spread::udf("corr", Measure::Correlation),
    ),
];

/// A function of DataFusion's under a name of Spark's.
fn foundation(udaf: fn() -> Arc<AggregateUDF>) -> AggregateUDF {
    udaf().as_ref().clone()
}

/// The type in which numbers that are not whole are added and averaged; `None` for what is no number.
fn exact_or_double(argument: &DataType) -> Option<DataType> {
    match argument {
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => {
            Some(DataType::Decimal128((*precision).min(38), *scale))
        }
        number if number.is_numeric() || number.is_string() || number.is_null() => {
            Some(DataType::Float64)
        }
        _ => None,
    }
}
