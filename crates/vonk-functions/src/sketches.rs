//! Sketches: summaries of many values in little memory, which can be stored and merged.

use crate::function::Function;

mod functions;
mod kll;

use functions::{Bigint, Double, Float};

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
];
