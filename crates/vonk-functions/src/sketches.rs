//! Sketches: summaries of many values in little memory, which can be stored and merged.

use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::AggregateUDF;

use crate::aggregates::whole;
use crate::function::Function;

mod functions;
mod kll;
mod samples;
mod theta;
mod top;
mod tuple;

use crate::parameters::{Kind, Parameters};
use crate::rows;
use functions::{Bigint, Double, Float};
use theta::{Hll, Theta};

/// What a union of Theta sketches may be told: a size.
const SIZE: &[Kind] = &[Kind::Int];

/// What a union of HLL sketches may be told: whether their sizes may differ.
const FLAG: &[Kind] = &[Kind::Boolean];

/// Every function of sketches.
pub(crate) const FUNCTIONS: &[Function] = &[
    Function::aggregate(
        &["kll_sketch_agg_bigint"],
        "kll_sketch_agg_bigint(value[, k])",
        "Makes a KLL sketch of the numbers of a group.",
        |_| functions::agg::<Bigint>(),
    ),
    Function::aggregate(
        &["kll_sketch_agg_double"],
        "kll_sketch_agg_double(value[, k])",
        "Makes a KLL sketch of the numbers of a group.",
        |_| functions::agg::<Double>(),
    ),
    Function::aggregate(
        &["kll_sketch_agg_float"],
        "kll_sketch_agg_float(value[, k])",
        "Makes a KLL sketch of the numbers of a group.",
        |_| functions::agg::<Float>(),
    ),
    Function::aggregate(
        &["kll_merge_agg_bigint"],
        "kll_merge_agg_bigint(sketch[, k])",
        "Makes one KLL sketch of those of a group.",
        |_| functions::merge_agg::<Bigint>(),
    ),
    Function::aggregate(
        &["kll_merge_agg_double"],
        "kll_merge_agg_double(sketch[, k])",
        "Makes one KLL sketch of those of a group.",
        |_| functions::merge_agg::<Double>(),
    ),
    Function::aggregate(
        &["kll_merge_agg_float"],
        "kll_merge_agg_float(sketch[, k])",
        "Makes one KLL sketch of those of a group.",
        |_| functions::merge_agg::<Float>(),
    ),
    Function::scalar(
        &["kll_sketch_merge_bigint"],
        "kll_sketch_merge_bigint(sketch, sketch)",
        "Makes one KLL sketch of two.",
        functions::merge::<Bigint>,
    ),
    Function::scalar(
        &["kll_sketch_merge_double"],
        "kll_sketch_merge_double(sketch, sketch)",
        "Makes one KLL sketch of two.",
        functions::merge::<Double>,
    ),
    Function::scalar(
        &["kll_sketch_merge_float"],
        "kll_sketch_merge_float(sketch, sketch)",
        "Makes one KLL sketch of two.",
        functions::merge::<Float>,
    ),
    Function::scalar(
        &["kll_sketch_get_n_bigint"],
        "kll_sketch_get_n_bigint(sketch)",
        "Tells how many numbers a KLL sketch has seen.",
        functions::n::<Bigint>,
    ),
    Function::scalar(
        &["kll_sketch_get_n_double"],
        "kll_sketch_get_n_double(sketch)",
        "Tells how many numbers a KLL sketch has seen.",
        functions::n::<Double>,
    ),
    Function::scalar(
        &["kll_sketch_get_n_float"],
        "kll_sketch_get_n_float(sketch)",
        "Tells how many numbers a KLL sketch has seen.",
        functions::n::<Float>,
    ),
    Function::scalar(
        &["kll_sketch_get_quantile_bigint"],
        "kll_sketch_get_quantile_bigint(sketch, rank)",
        "Estimates the number that a part of all is not above.",
        functions::quantile::<Bigint>,
    ),
    Function::scalar(
        &["kll_sketch_get_quantile_double"],
        "kll_sketch_get_quantile_double(sketch, rank)",
        "Estimates the number that a part of all is not above.",
        functions::quantile::<Double>,
    ),
    Function::scalar(
        &["kll_sketch_get_quantile_float"],
        "kll_sketch_get_quantile_float(sketch, rank)",
        "Estimates the number that a part of all is not above.",
        functions::quantile::<Float>,
    ),
    Function::scalar(
        &["kll_sketch_get_rank_bigint"],
        "kll_sketch_get_rank_bigint(sketch, value)",
        "Estimates the part of the numbers that are not above a value.",
        functions::rank::<Bigint>,
    ),
    Function::scalar(
        &["kll_sketch_get_rank_double"],
        "kll_sketch_get_rank_double(sketch, value)",
        "Estimates the part of the numbers that are not above a value.",
        functions::rank::<Double>,
    ),
    Function::scalar(
        &["kll_sketch_get_rank_float"],
        "kll_sketch_get_rank_float(sketch, value)",
        "Estimates the part of the numbers that are not above a value.",
        functions::rank::<Float>,
    ),
    Function::scalar(
        &["kll_sketch_to_string_bigint"],
        "kll_sketch_to_string_bigint(sketch)",
        "Describes a KLL sketch.",
        functions::to_string::<Bigint>,
    ),
    Function::scalar(
        &["kll_sketch_to_string_double"],
        "kll_sketch_to_string_double(sketch)",
        "Describes a KLL sketch.",
        functions::to_string::<Double>,
    ),
    Function::scalar(
        &["kll_sketch_to_string_float"],
        "kll_sketch_to_string_float(sketch)",
        "Describes a KLL sketch.",
        functions::to_string::<Float>,
    ),
    Function::aggregate(
        &["approx_top_k"],
        "approx_top_k(item[, k[, maxItemsTracked]])",
        "Gives the items that are there most often, and how often.",
        |_| top::approx_top_k(),
    ),
    Function::aggregate(
        &["approx_top_k_accumulate"],
        "approx_top_k_accumulate(item[, maxItemsTracked])",
        "Counts items in a state that can be stored and combined.",
        |_| top::accumulate(),
    ),
    Function::aggregate(
        &["approx_top_k_combine"],
        "approx_top_k_combine(state[, maxItemsTracked])",
        "Makes one state of those of a group.",
        |_| top::combine(),
    ),
    Function::scalar(
        &["approx_top_k_estimate"],
        "approx_top_k_estimate(state[, k])",
        "Gives the items that are there most often in a state.",
        top::estimate,
    ),
    Function::aggregate(
        &["theta_sketch_agg"],
        "theta_sketch_agg(value[, size])",
        "Makes a Theta sketch of the different values of a group.",
        |_| theta::agg::<Theta>(),
    ),
    Function::aggregate(
        &["theta_union_agg"],
        "theta_union_agg(sketch[, size])",
        "Makes one Theta sketch of those of a group.",
        |_| theta::union_agg::<Theta>(SIZE),
    ),
    Function::scalar(
        &["theta_union"],
        "theta_union(sketch, sketch[, size])",
        "Makes one Theta sketch of two.",
        || theta::union::<Theta>(SIZE),
    ),
    Function::scalar(
        &["theta_sketch_estimate"],
        "theta_sketch_estimate(sketch)",
        "Gives how many different values a Theta sketch has seen.",
        theta::estimate::<Theta>,
    ),
    Function::aggregate(
        &["hll_sketch_agg"],
        "hll_sketch_agg(value[, size])",
        "Makes a HLL sketch of the different values of a group.",
        |_| theta::agg::<Hll>(),
    ),
    Function::aggregate(
        &["hll_union_agg"],
        "hll_union_agg(sketch[, allowed])",
        "Makes one HLL sketch of those of a group.",
        |_| theta::union_agg::<Hll>(FLAG),
    ),
    Function::scalar(
        &["hll_union"],
        "hll_union(sketch, sketch[, allowed])",
        "Makes one HLL sketch of two.",
        || theta::union::<Hll>(FLAG),
    ),
    Function::scalar(
        &["hll_sketch_estimate"],
        "hll_sketch_estimate(sketch)",
        "Gives how many different values a HLL sketch has seen.",
        theta::estimate::<Hll>,
    ),
    Function::aggregate(
        &["theta_intersection_agg"],
        "theta_intersection_agg(sketch)",
        "Makes a Theta sketch of what is in all of a group.",
        |_| theta::intersection_agg(),
    ),
    Function::scalar(
        &["theta_intersection"],
        "theta_intersection(sketch, sketch)",
        "Makes a Theta sketch of what is in both.",
        theta::intersection,
    ),
    Function::scalar(
        &["theta_difference"],
        "theta_difference(sketch, sketch)",
        "Makes a Theta sketch of what is in the first alone.",
        theta::difference,
    ),
    Function::aggregate(
        &["tuple_sketch_agg_double"],
        "tuple_sketch_agg_double(key, number[, size[, mode]])",
        "Makes a Tuple sketch of the keys of a group, each with a number.",
        |_| tuple::agg::<tuple::Double>(),
    ),
    Function::aggregate(
        &["tuple_union_agg_double"],
        "tuple_union_agg_double(sketch[, size[, mode]])",
        "Makes one Tuple sketch of those of a group.",
        |_| tuple::union_agg::<tuple::Double>(),
    ),
    Function::aggregate(
        &["tuple_intersection_agg_double"],
        "tuple_intersection_agg_double(sketch[, mode])",
        "Makes a Tuple sketch of the keys that all of a group have.",
        |_| tuple::intersection_agg::<tuple::Double>(),
    ),
    Function::scalar(
        &["tuple_sketch_estimate_double"],
        "tuple_sketch_estimate_double(sketch)",
        "Gives how many different keys a Tuple sketch has seen.",
        tuple::estimate::<tuple::Double>,
    ),
    Function::scalar(
        &["tuple_sketch_summary_double"],
        "tuple_sketch_summary_double(sketch[, mode])",
        "Gives one number of those of all keys.",
        tuple::summary::<tuple::Double>,
    ),
    Function::scalar(
        &["tuple_sketch_theta_double"],
        "tuple_sketch_theta_double(sketch)",
        "Gives the part of all keys that a Tuple sketch keeps.",
        tuple::theta::<tuple::Double>,
    ),
    Function::scalar(
        &["tuple_union_double"],
        "tuple_union_double(sketch, sketch[, size[, mode]])",
        "Makes one Tuple sketch of two.",
        tuple::union::<tuple::Double>,
    ),
    Function::scalar(
        &["tuple_intersection_double"],
        "tuple_intersection_double(sketch, sketch[, mode])",
        "Makes a Tuple sketch of the keys that both have.",
        tuple::intersection::<tuple::Double>,
    ),
    Function::scalar(
        &["tuple_difference_double"],
        "tuple_difference_double(sketch, sketch)",
        "Makes a Tuple sketch of the keys that only the first has.",
        tuple::difference::<tuple::Double>,
    ),
    Function::scalar(
        &["tuple_union_theta_double"],
        "tuple_union_theta_double(sketch, theta[, size[, mode]])",
        "Adds the values of a Theta sketch to a Tuple sketch.",
        tuple::union_theta::<tuple::Double>,
    ),
    Function::scalar(
        &["tuple_intersection_theta_double"],
        "tuple_intersection_theta_double(sketch, theta[, mode])",
        "Keeps the keys that a Theta sketch has too.",
        tuple::intersection_theta::<tuple::Double>,
    ),
    Function::scalar(
        &["tuple_difference_theta_double"],
        "tuple_difference_theta_double(sketch, theta)",
        "Keeps the keys that a Theta sketch has not.",
        tuple::difference_theta::<tuple::Double>,
    ),
    Function::aggregate(
        &["tuple_sketch_agg_integer"],
        "tuple_sketch_agg_integer(key, number[, size[, mode]])",
        "Makes a Tuple sketch of the keys of a group, each with a number.",
        |_| tuple::agg::<tuple::Integer>(),
    ),
    Function::aggregate(
        &["tuple_union_agg_integer"],
        "tuple_union_agg_integer(sketch[, size[, mode]])",
        "Makes one Tuple sketch of those of a group.",
        |_| tuple::union_agg::<tuple::Integer>(),
    ),
    Function::aggregate(
        &["tuple_intersection_agg_integer"],
        "tuple_intersection_agg_integer(sketch[, mode])",
        "Makes a Tuple sketch of the keys that all of a group have.",
        |_| tuple::intersection_agg::<tuple::Integer>(),
    ),
    Function::scalar(
        &["tuple_sketch_estimate_integer"],
        "tuple_sketch_estimate_integer(sketch)",
        "Gives how many different keys a Tuple sketch has seen.",
        tuple::estimate::<tuple::Integer>,
    ),
    Function::scalar(
        &["tuple_sketch_summary_integer"],
        "tuple_sketch_summary_integer(sketch[, mode])",
        "Gives one number of those of all keys.",
        tuple::summary::<tuple::Integer>,
    ),
    Function::scalar(
        &["tuple_sketch_theta_integer"],
        "tuple_sketch_theta_integer(sketch)",
        "Gives the part of all keys that a Tuple sketch keeps.",
        tuple::theta::<tuple::Integer>,
    ),
    Function::scalar(
        &["tuple_union_integer"],
        "tuple_union_integer(sketch, sketch[, size[, mode]])",
        "Makes one Tuple sketch of two.",
        tuple::union::<tuple::Integer>,
    ),
    Function::scalar(
        &["tuple_intersection_integer"],
        "tuple_intersection_integer(sketch, sketch[, mode])",
        "Makes a Tuple sketch of the keys that both have.",
        tuple::intersection::<tuple::Integer>,
    ),
    Function::scalar(
        &["tuple_difference_integer"],
        "tuple_difference_integer(sketch, sketch)",
        "Makes a Tuple sketch of the keys that only the first has.",
        tuple::difference::<tuple::Integer>,
    ),
    Function::scalar(
        &["tuple_union_theta_integer"],
        "tuple_union_theta_integer(sketch, theta[, size[, mode]])",
        "Adds the values of a Theta sketch to a Tuple sketch.",
        tuple::union_theta::<tuple::Integer>,
    ),
    Function::scalar(
        &["tuple_intersection_theta_integer"],
        "tuple_intersection_theta_integer(sketch, theta[, mode])",
        "Keeps the keys that a Theta sketch has too.",
        tuple::intersection_theta::<tuple::Integer>,
    ),
    Function::scalar(
        &["tuple_difference_theta_integer"],
        "tuple_difference_theta_integer(sketch, theta)",
        "Keeps the keys that a Theta sketch has not.",
        tuple::difference_theta::<tuple::Integer>,
    ),
];

/// A function of groups that gives the bytes of a sketch.
fn group(
    name: &'static str,
    parameters: Parameters,
    finish: fn(&whole::Group<'_>) -> Result<ScalarValue>,
) -> AggregateUDF {
    whole::Kernel { name, parameters, unify: None, returns: rows::binary, finish }.udf()
}
