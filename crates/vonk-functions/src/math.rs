//! Functions of numbers and of bits.

use crate::function::Function;

mod bits;
mod doubles;
mod integers;
mod magnitude;
mod random;
mod round;
mod vectors;
mod width_bucket;

/// Every function of numbers that is ours, but for those of one DOUBLE.
pub(crate) const FUNCTIONS: &[Function] = &[
    Function::scalar(
        &["vector_inner_product"],
        "vector_inner_product(left, right)",
        "Gives the sum of the products of two vectors' numbers.",
        vectors::inner_product,
    ),
    Function::scalar(
        &["vector_cosine_similarity"],
        "vector_cosine_similarity(left, right)",
        "Gives the cosine of the angle between two vectors.",
        vectors::cosine_similarity,
    ),
    Function::scalar(
        &["vector_l2_distance"],
        "vector_l2_distance(left, right)",
        "Gives how far two vectors are apart.",
        vectors::l2_distance,
    ),
    Function::scalar(
        &["vector_norm"],
        "vector_norm(vector[, degree])",
        "Gives the length of a vector.",
        vectors::norm,
    ),
    Function::scalar(
        &["vector_normalize"],
        "vector_normalize(vector[, degree])",
        "Gives a vector of the same direction with the length 1.",
        vectors::normalize,
    ),
    Function::scalar(
        &["abs"],
        "abs(number)",
        "Gives the magnitude of a number or an interval.",
        magnitude::abs,
    ),
    Function::scalar(
        &["sign", "signum"],
        "sign(number)",
        "Gives -1.0, 0.0 or 1.0 by the sign.",
        magnitude::sign,
    ),
    Function::scalar(
        &["width_bucket"],
        "width_bucket(value, min, max, buckets)",
        "Tells which of equally wide buckets between two bounds a value falls into.",
        width_bucket::width_bucket,
    ),
    Function::scalar(
        &["positive"],
        "positive(number)",
        "Gives a number as it is.",
        magnitude::positive,
    ),
    Function::scalar(
        &["ceil", "ceiling"],
        "ceil(number[, digits])",
        "Rounds up to a whole number, or to digits behind the point.",
        round::ceil,
    ),
    Function::scalar(
        &["floor"],
        "floor(number[, digits])",
        "Rounds down to a whole number, or to digits behind the point.",
        round::floor,
    ),
    Function::scalar(
        &["round"],
        "round(number[, digits])",
        "Rounds to digits behind the point, halves away from zero.",
        round::round,
    ),
    Function::scalar(
        &["bround"],
        "bround(number[, digits])",
        "Rounds to digits behind the point, halves to the even neighbour.",
        round::bround,
    ),
    Function::scalar(
        &["atan2"],
        "atan2(y, x)",
        "Gives the angle of a point in radians.",
        doubles::atan2,
    ),
    Function::scalar(&["hypot"], "hypot(x, y)", "Gives the length of a vector.", doubles::hypot),
    Function::scalar(
        &["power", "pow"],
        "power(number, exponent)",
        "Raises a number to a power.",
        doubles::pow,
    ),
    Function::scalar(
        &["log"],
        "log([base, ]number)",
        "Gives the logarithm to a base, or the natural one.",
        doubles::log,
    ),
    Function::scalar(
        &["pmod"],
        "pmod(number, divisor)",
        "Gives the remainder that has the sign of the divisor.",
        integers::pmod,
    ),
    Function::scalar(
        &["factorial"],
        "factorial(number)",
        "Multiplies the whole numbers up to a number from 0 to 20.",
        integers::factorial,
    ),
    Function::scalar(
        &["bin"],
        "bin(number)",
        "Writes a whole number in binary digits.",
        integers::bin,
    ),
    Function::scalar(
        &["conv"],
        "conv(digits, from, to)",
        "Writes a number of one base in another.",
        integers::conv,
    ),
    Function::scalar(&["e"], "e()", "Gives Euler's number.", doubles::e),
    Function::scalar(
        &["pi"],
        "pi()",
        "Gives the ratio of a circle's circumference to its diameter.",
        doubles::pi,
    ),
    Function::scalar(
        &["bit_count"],
        "bit_count(value)",
        "Counts the bits that are one.",
        bits::bit_count,
    ),
    Function::scalar(
        &["bit_get"],
        "bit_get(value, position)",
        "Gives the bit at a position from 0.",
        bits::bit_get,
    ),
    Function::scalar(
        &["getbit"],
        "getbit(value, position)",
        "Gives the bit at a position from 0.",
        bits::getbit,
    ),
    Function::scalar(
        &["shiftleft"],
        "shiftleft(value, bits)",
        "Moves the bits to the left.",
        bits::shiftleft,
    ),
    Function::scalar(
        &["shiftright"],
        "shiftright(value, bits)",
        "Moves the bits to the right and keeps the sign.",
        bits::shiftright,
    ),
    Function::scalar(
        &["shiftrightunsigned"],
        "shiftrightunsigned(value, bits)",
        "Moves the bits to the right and fills with zeros.",
        bits::shiftrightunsigned,
    ),
    Function::scalar(
        &["bitmap_bit_position"],
        "bitmap_bit_position(number)",
        "Gives the place of a number within its bitmap.",
        bits::bit_position,
    ),
    Function::scalar(
        &["bitmap_bucket_number"],
        "bitmap_bucket_number(number)",
        "Gives the number of the bitmap that a number is in.",
        bits::bucket_number,
    ),
    Function::scalar(
        &["bitmap_count"],
        "bitmap_count(bitmap)",
        "Counts the bits of a bitmap.",
        bits::bitmap_count,
    ),
    Function::scalar(
        &["rand", "random"],
        "rand([seed])",
        "Gives a random number from 0 to 1.",
        random::rand,
    ),
    Function::scalar(
        &["randn"],
        "randn([seed])",
        "Gives a random number of the standard normal distribution.",
        random::randn,
    ),
    Function::scalar(
        &["uniform"],
        "uniform(low, high[, seed])",
        "Gives a random number between two others.",
        random::uniform,
    ),
    Function::scalar(
        &["randstr"],
        "randstr(length[, seed])",
        "Gives a text of random letters and digits.",
        random::randstr,
    ),
    Function::scalar(
        &["shuffle"],
        "shuffle(array[, seed])",
        "Puts the items of an array in an order by chance, the same for the same seed.",
        random::shuffle,
    ),
    Function::scalar(
        &["uuid"],
        "uuid([seed])",
        "Makes a universally unique identifier, the same for the same seed.",
        random::uuid,
    ),
];

pub(crate) use doubles::FUNCTIONS as OF_ONE_DOUBLE;
