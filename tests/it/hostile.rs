//! Statements that only a program or an enemy writes: each is answered or refused, none ends the process.

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use vonk::{Condition, Error, Session};

/// Runs a statement on a thread with the small stack that tokio gives its own.
async fn count(text: String) -> Result<i64, Error> {
    let query = tokio::spawn(async move { Session::new().sql(text).collect().await });
    let batches = query.await.expect("no panic")?;
    Ok(batches[0].column(0).as_primitive::<Int64Type>().value(0))
}

const TWO: &str = "(VALUES (1), (2)) AS t(v)";

fn joined(separator: &str, terms: impl Iterator<Item = String>) -> String {
    terms.collect::<Vec<_>>().join(separator)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_of_twenty_thousand_terms_is_a_list() {
    let any = joined(" OR ", (0..20_000).map(|n| format!("v = {n}")));
    assert_eq!(count(format!("SELECT count(*) FROM {TWO} WHERE {any}")).await.unwrap(), 2);
    let all = joined(" AND ", (0..20_000).map(|n| format!("v <> {}", n + 2)));
    assert_eq!(count(format!("SELECT count(*) FROM {TWO} WHERE {all}")).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_without_a_common_value_are_answered_up_to_the_limit() {
    for op in [" AND ", " OR "] {
        let terms = |count: i64| joined(op, (1..=count).map(|n| format!("v * {n} < {}", n * 2)));
        let some = count(format!("SELECT count(*) FROM {TWO} WHERE {}", terms(300))).await;
        assert_eq!(some.unwrap(), 1, "{op}");
        let many = count(format!("SELECT count(*) FROM {TWO} WHERE {}", terms(20_000))).await;
        assert_eq!(many.unwrap_err().condition(), Condition::EXPRESSION_TOO_DEEP, "{op}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sum_of_five_thousand_terms_is_refused_by_its_option() {
    let sum = joined(" + ", (0..5_000).map(|_| "v".to_owned()));
    let error = count(format!("SELECT {sum} FROM {TWO}")).await.unwrap_err();
    assert_eq!(error.condition(), Condition::EXPRESSION_TOO_DEEP);
    assert!(error.to_string().contains("vonk.sql.depth.max"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn parentheses_without_end_are_refused() {
    let deep = format!("SELECT {}1{}", "(".repeat(50_000), ")".repeat(50_000));
    assert_eq!(count(deep).await.unwrap_err().condition(), Condition::PARSE_SYNTAX_ERROR);
}

#[tokio::test(flavor = "multi_thread")]
async fn three_thousand_unions_are_one() {
    let union = joined(" UNION ALL ", (0..3_000).map(|n| format!("SELECT {n} AS v")));
    assert_eq!(count(format!("SELECT count(v) FROM ({union})")).await.unwrap(), 3_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn forty_subqueries_in_each_other_are_planned() {
    let aliases: String = (0..40).map(|n| format!(") AS t{n}")).collect();
    let nested = format!("{}(VALUES (7)) AS v(a){aliases}", "(SELECT * FROM ".repeat(40));
    assert_eq!(count(format!("SELECT count(*) FROM {nested}")).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_a_hundred_thousand_values_is_searched() {
    let list = joined(", ", (2..100_002).map(|n| n.to_string()));
    assert_eq!(count(format!("SELECT count(*) FROM {TWO} WHERE v IN ({list})")).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn five_thousand_columns_are_a_row() {
    let columns = joined(", ", (0..5_000).map(|n| format!("{n} AS c{n}")));
    let row = Session::new().sql(format!("SELECT {columns}")).collect().await.unwrap();
    assert_eq!(row[0].num_columns(), 5_000);
}
