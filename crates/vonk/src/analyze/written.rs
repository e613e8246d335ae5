//! Functions and operators that are put in other words before any is looked up: what help says of them.

/// A form that the library has no function for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written {
    /// Its name and, behind it, its other names, all in lower case.
    pub(crate) names: &'static [&'static str],
    /// How it is written.
    pub(crate) usage: &'static str,
    /// One sentence in the third person.
    pub(crate) doc: &'static str,
}

macro_rules! written {
    ($([$($name:literal)+] $usage:literal $doc:literal;)*) => {
        /// Every such form; a function of the library with the same name is described here.
        pub(crate) const WRITTEN: &[Written] = &[$(Written {
            names: &[$($name),+], usage: $usage, doc: $doc,
        }),*];
    };
}

written! {
    // Operators.
    ["!" "not"] "! condition" "Tells whether a condition is not true.";
    ["!=" "<>"] "a != b" "Tells whether two values differ.";
    ["%" "mod"] "a % b" "Gives what is left of a division.";
    ["&"] "a & b" "Gives the bits that both numbers have.";
    ["*"] "a * b" "Multiplies.";
    ["+"] "a + b" "Adds numbers, or an interval to a moment.";
    ["-"] "a - b" "Subtracts numbers, moments or an interval from a moment.";
    ["/"] "a / b" "Divides; whole numbers give a DOUBLE.";
    ["div"] "a div b" "Divides, without what is left.";
    ["<"] "a < b" "Tells whether a value is less than another.";
    ["<="] "a <= b" "Tells whether a value is at most another.";
    [">"] "a > b" "Tells whether a value is greater than another.";
    [">="] "a >= b" "Tells whether a value is at least another.";
    ["=" "=="] "a = b" "Tells whether two values are equal; NULL if one is NULL.";
    ["<=>"] "a <=> b" "Tells whether two values are equal or both NULL.";
    ["<<"] "number << bits" "Shifts the bits of a number to the left.";
    [">>"] "number >> bits" "Shifts the bits of a number to the right, and keeps its sign.";
    [">>>"] "number >>> bits" "Shifts the bits of a number to the right, and fills up with zeros.";
    ["^"] "a ^ b" "Gives the bits that one of two numbers has alone.";
    ["|"] "a | b" "Gives the bits that at least one of two numbers has.";
    ["||"] "a || b" "Joins texts, bytes or arrays; NULL if one is NULL.";
    ["~"] "~ number" "Turns every bit of a number.";
    ["and"] "a and b" "Tells whether both conditions are true.";
    ["or"] "a or b" "Tells whether at least one of two conditions is true.";
    ["between"] "value [NOT] between low AND high" "Tells whether a value lies within bounds, both included.";
    ["case"] "CASE [value] WHEN a THEN b [WHEN c THEN d …] [ELSE e] END" "Gives the value of the first case that holds.";
    ["when"] "when(condition, value[, condition, value …][, otherwise])" "Gives the value of the first condition that is true.";
    ["cast"] "cast(value AS type)" "Gives a value as another type, or fails where it does not fit.";
    ["try_cast"] "try_cast(value AS type)" "Gives a value as another type, NULL where it does not fit.";
    ["in"] "value [NOT] in (a, b, …)" "Tells whether a value is one of a list or of the rows of a query.";
    ["isnotnull"] "isnotnull(value)" "Tells whether a value is not NULL.";
    ["isnull"] "isnull(value)" "Tells whether a value is NULL.";
    ["like"] "text [NOT] like pattern [ESCAPE letter]" "Tells whether a text fits a pattern of `%` and `_`.";
    ["ilike"] "text [NOT] ilike pattern [ESCAPE letter]" "Tells whether a text fits a pattern of `%` and `_`, without regard to case.";

    // Casts.
    ["bigint"] "bigint(value)" "Gives a value as BIGINT.";
    ["binary"] "binary(value)" "Gives a value as BINARY.";
    ["boolean"] "boolean(value)" "Gives a value as BOOLEAN.";
    ["date"] "date(value)" "Gives a value as DATE.";
    ["decimal"] "decimal(value)" "Gives a value as DECIMAL(10,0).";
    ["double"] "double(value)" "Gives a value as DOUBLE.";
    ["float"] "float(value)" "Gives a value as FLOAT.";
    ["int"] "int(value)" "Gives a value as INT.";
    ["smallint"] "smallint(value)" "Gives a value as SMALLINT.";
    ["string"] "string(value)" "Gives a value as STRING.";
    ["time"] "time(value)" "Gives a value as TIME.";
    ["timestamp"] "timestamp(value)" "Gives a value as TIMESTAMP.";
    ["tinyint"] "tinyint(value)" "Gives a value as TINYINT.";

    // Values that may be NULL.
    ["nullif"] "nullif(value, other)" "Gives a value, NULL if it equals another.";
    ["nullifzero"] "nullifzero(number)" "Gives a number, NULL if it is 0.";
    ["nvl" "ifnull"] "nvl(value, other)" "Gives a value, or another if it is NULL.";
    ["nvl2"] "nvl2(value, one, other)" "Gives the second value if the first is not NULL, else the third.";
    ["zeroifnull"] "zeroifnull(number)" "Gives a number, 0 if it is NULL.";
    ["equal_null"] "equal_null(a, b)" "Tells whether two values are equal or both NULL.";

    // Nested values.
    ["struct"] "struct(value[, …])" "Makes a struct of values, whose names become those of its fields.";
    ["arrays_zip"] "arrays_zip(array[, …])" "Makes an array of structs of the items that stand at the same place.";

    // Generators.
    ["explode"] "explode(collection)" "Makes a row of each item of an array, or of each entry of a map.";
    ["explode_outer"] "explode_outer(collection)" "Makes a row of each item, and one of NULL where there is none.";
    ["posexplode"] "posexplode(collection)" "Makes a row of each item, with its position from 0 before it.";
    ["posexplode_outer"] "posexplode_outer(collection)" "Makes a row of each item with its position, and one of NULL where there is none.";
    ["inline"] "inline(array)" "Makes a row of each struct of an array, with a column per field.";
    ["inline_outer"] "inline_outer(array)" "Makes a row of each struct of an array, and one of NULL where there is none.";
    ["json_tuple"] "json_tuple(text, name[, …])" "Gives the members of a JSON text as columns.";
    ["stack"] "stack(rows, value[, …])" "Lays values out in so many rows.";
    ["variant_explode"] "variant_explode(variant)" "Makes a row of each item or member of a variant: position, key and value.";
    ["variant_explode_outer"] "variant_explode_outer(variant)" "Makes a row of each item or member of a variant, and one of NULL where there is none.";
    ["range"] "range([start, ]end[, step[, partitions]])" "Gives numbers from a start up to an end, without it, as rows.";

    // Windows of time.
    ["window"] "window(timestamp, duration[, slide[, start]])" "Groups rows by the windows of time that they lie in.";
    ["session_window"] "session_window(timestamp, gap)" "Groups rows by sessions: those that are no further apart than a gap, which may be an expression.";

    // Groups.
    ["count"] "count(* | [DISTINCT] value[, …])" "Counts rows, or those in which no value is NULL.";
    ["any" "some"] "any(condition)" "Tells whether a condition is true for some row.";
    ["every"] "every(condition)" "Tells whether a condition is true for all rows.";
    ["any_value"] "any_value(value[, ignore_nulls])" "Gives some value of a group.";
    ["array_agg"] "array_agg(value)" "Gives the values of a group without NULL as an array.";
    ["first" "first_value"] "first(value[, ignore_nulls])" "Gives the first value of a group or window.";
    ["last" "last_value"] "last(value[, ignore_nulls])" "Gives the last value of a group or window.";
    ["grouping"] "grouping(key)" "Tells whether a row of ROLLUP, CUBE or GROUPING SETS leaves a key out: 1, else 0.";
    ["grouping_id"] "grouping_id([key, …])" "Gives a number whose bits are the `grouping` of the keys.";

    // Windows of rows.
    ["counter_diff"] "counter_diff(counter[, start]) OVER (…)" "Gives by how much a counter has grown since the row before, NULL where it began anew.";
    ["cume_dist"] "cume_dist() OVER (…)" "Gives the share of the rows of a window up to this one and its equals.";
    ["dense_rank"] "dense_rank() OVER (…)" "Gives the rank of a row without gaps behind equals.";
    ["lag"] "lag(value[, rows[, default]]) OVER (…)" "Gives the value so many rows before this one.";
    ["lead"] "lead(value[, rows[, default]]) OVER (…)" "Gives the value so many rows behind this one.";
    ["nth_value"] "nth_value(value, row) OVER (…)" "Gives the value of a row of the window, counted from 1.";
    ["ntile"] "ntile(buckets) OVER (…)" "Tells which of so many buckets of equal size a row lies in.";
    ["percent_rank"] "percent_rank() OVER (…)" "Gives the rank of a row between 0 and 1.";
    ["rank"] "rank() OVER (…)" "Gives the rank of a row, with gaps behind equals.";
    ["row_number"] "row_number() OVER (…)" "Numbers the rows of a window from 1.";

    // Moments.
    ["extract"] "extract(field FROM value)" "Gives a part of a date, timestamp or interval.";
    ["position"] "position(search IN text | search, text[, start])" "Gives where a text stands in another, from 1.";
    ["timestampadd" "dateadd"] "timestampadd(unit, count, timestamp)" "Adds so many units to a timestamp.";
    ["timestampdiff" "timediff"] "timestampdiff(unit, start, end)" "Counts the whole units between two timestamps.";
}
