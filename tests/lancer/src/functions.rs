//! The scalar functions of generated queries: a row each, with how either engine writes it.

use crate::value::Kind;

/// A function of fixed kinds.
#[derive(Debug, PartialEq)]
pub struct Function {
    /// How vonk writes it; `{0}` and `{1}` stand for its arguments.
    pub vonk: &'static str,
    /// How DuckDB writes it; none if it has nothing that means the same.
    pub duckdb: Option<&'static str>,
    /// What it takes.
    pub arguments: &'static [Kind],
    /// What it gives.
    pub result: Kind,
}

macro_rules! functions {
    ($($result:ident = $vonk:literal, $duckdb:expr, [$($argument:ident),*];)*) => {
        /// All functions.
        pub static FUNCTIONS: &[Function] = &[$(Function {
            vonk: $vonk, duckdb: $duckdb, arguments: &[$(Kind::$argument),*], result: Kind::$result,
        }),*];
    };
}

functions! {
    Integer = "length({0})", Some("length({0})"), [Text];
    Integer = "instr({0}, 'a')", Some("instr({0}, 'a')"), [Text];
    Integer = "abs({0})", Some("abs({0})"), [Integer];
    Integer = "(- {0})", Some("(- {0})"), [Integer];
    Integer = "({0} * 2)", Some("({0} * 2)"), [Integer];
    Integer = "({0} % 3)", Some("({0} % 3)"), [Integer];
    Integer = "CAST(extract(YEAR FROM {0}) AS BIGINT)", Some("CAST(extract(YEAR FROM {0}) AS BIGINT)"), [Date];
    Integer = "CAST(extract(DAY FROM {0}) AS BIGINT)", Some("CAST(extract(DAY FROM {0}) AS BIGINT)"), [Date];
    Integer = "CAST(extract(MONTH FROM {0}) AS BIGINT)", Some("CAST(extract(MONTH FROM {0}) AS BIGINT)"), [Timestamp];
    Integer = "CAST(extract(HOUR FROM {0}) AS BIGINT)", Some("CAST(extract(HOUR FROM {0}) AS BIGINT)"), [Timestamp];
    Integer = "datediff({0}, {1})", Some("date_diff('day', {1}, {0})"), [Date, Date];
    Integer = "CAST({0} AS BIGINT)", Some("CAST({0} AS BIGINT)"), [Boolean];
    Integer = "size({0})", Some("len({0})"), [List];
    Integer = "{0}.x", Some("{0}.x"), [Struct];
    Double = "abs({0})", Some("abs({0})"), [Double];
    Double = "(- {0})", Some("(- {0})"), [Double];
    Double = "({0} / 2)", Some("({0} / 2)"), [Double];
    Double = "CAST({0} AS DOUBLE)", Some("CAST({0} AS DOUBLE)"), [Integer];
    Double = "CAST({0} AS DOUBLE)", Some("CAST({0} AS DOUBLE)"), [Decimal];
    Decimal = "abs({0})", Some("abs({0})"), [Decimal];
    Decimal = "(- {0})", Some("(- {0})"), [Decimal];
    Decimal = "CAST({0} AS DECIMAL(9, 2))", Some("CAST({0} AS DECIMAL(9, 2))"), [Integer];
    Text = "upper({0})", Some("upper({0})"), [Text];
    Text = "lower({0})", Some("lower({0})"), [Text];
    Text = "trim({0})", Some("trim({0})"), [Text];
    Text = "reverse({0})", Some("reverse({0})"), [Text];
    Text = "({0} || {1})", Some("({0} || {1})"), [Text, Text];
    Text = "substring({0}, 2, 2)", Some("substring({0}, 2, 2)"), [Text];
    Text = "replace({0}, 'a', 'é')", Some("replace({0}, 'a', 'é')"), [Text];
    Text = "lpad({0}, 3, 'xy')", Some("lpad({0}, 3, 'xy')"), [Text];
    Text = "concat_ws('-', {0}, {1})", Some("concat_ws('-', {0}, {1})"), [Text, Text];
    Text = "left({0}, 1)", Some("left({0}, 1)"), [Text];
    Text = "CAST({0} AS STRING)", Some("CAST({0} AS VARCHAR)"), [Integer];
    Text = "CAST({0} AS STRING)", Some("CAST({0} AS VARCHAR)"), [Date];
    Text = "CAST({0} AS STRING)", Some("CAST({0} AS VARCHAR)"), [Boolean];
    Text = "{0}.s", Some("{0}.s"), [Struct];
    Boolean = "startswith({0}, {1})", Some("starts_with({0}, {1})"), [Text, Text];
    Boolean = "contains({0}, {1})", Some("contains({0}, {1})"), [Text, Text];
    Boolean = "isnan({0})", None, [Double];
    Boolean = "array_contains({0}, {1})", None, [List, Integer];
    Date = "date_add({0}, CAST(3 AS INT))", Some("CAST({0} + 3 AS DATE)"), [Date];
    Date = "CAST({0} AS DATE)", Some("CAST({0} AS DATE)"), [Timestamp];
    Date = "last_day({0})", Some("last_day({0})"), [Date];
    Timestamp = "CAST({0} AS TIMESTAMP)", Some("CAST({0} AS TIMESTAMP)"), [Date];
}

/// Functions that give what their two arguments are, the same in both engines.
pub const GENERIC: [&str; 4] = ["coalesce", "nullif", "greatest", "least"];

/// The functions that give a kind.
pub fn giving(kind: Kind) -> Vec<&'static Function> {
    FUNCTIONS.iter().filter(|function| function.result == kind).collect()
}
