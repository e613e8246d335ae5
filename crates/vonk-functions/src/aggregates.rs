//! Functions of groups.

use crate::arithmetic::Mode;
use crate::function::Function;

mod sum;

/// Every function of groups that is ours.
pub(crate) const FUNCTIONS: &[Function] = &[
    Function::aggregate(
        &["sum"],
        "sum(number)",
        "Adds up the numbers of a group; a total that does not fit is an error.",
        |mode| sum::udf("sum", mode),
    ),
    Function::aggregate(
        &["try_sum"],
        "try_sum(number)",
        "Adds up the numbers of a group; a total that does not fit is NULL.",
        |_| sum::udf("try_sum", Mode::Try),
    ),
];
