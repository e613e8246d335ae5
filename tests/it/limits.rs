//! Statements over their limits end well: from disk, or in an error that names the limit.

use vonk::prelude::*;

/// Rows on the build side of the joins below.
const BUILD: i64 = 60_000;

/// A session whose operators have this much memory.
fn with_memory(limit: &str) -> Session {
    let session = Session::builder().master("local[2]").config("vonk.memory.limit", limit);
    session.get_or_create().unwrap()
}

async fn single_row(session: &Session, sql: &str) -> Vec<Option<i64>> {
    let rows = session.sql(sql).collect_rows().await.unwrap();
    assert_eq!(rows.len(), 1, "{sql}");
    (0..rows[0].len()).map(|column| rows[0].get::<Option<i64>>(column).unwrap()).collect()
}

/// Every kind of join, and its rows, values of the left and values of the right side.
///
/// Left keys are 0..120,000, right keys are the even numbers below 120,000 and as many above.
fn joins() -> Vec<(&'static str, [i64; 3])> {
    let half = BUILD / 2;
    vec![
        ("JOIN", [BUILD - half, BUILD - half, BUILD - half]),
        ("LEFT JOIN", [BUILD, BUILD, half]),
        ("RIGHT JOIN", [BUILD, half, BUILD]),
        ("FULL JOIN", [BUILD + half, BUILD, BUILD]),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn joins_of_every_kind_go_on_from_disk() {
    let session = with_memory("4MB");
    session.sql("SET vonk.join.spilling = 'always'").collect().await.unwrap();
    let sides = format!(
        "(SELECT id AS k, id AS v, repeat('x', 40) AS pad FROM range(0, {BUILD})) AS l \
         KIND (SELECT id * 2 AS k, id AS w, repeat('y', 40) AS fill FROM range(0, {BUILD})) AS r \
         ON l.k = r.k"
    );
    for (kind, [rows, left, right]) in joins() {
        let from = sides.replace("KIND", kind);
        let sql = format!("SELECT count(*), count(v), count(w), max(length(pad)) FROM {from}");
        let expected = [Some(rows), Some(left), Some(right)];
        let counted = single_row(&session, &sql).await;
        assert_eq!(counted[..3], expected, "{kind}");
        let plan = session.sql(format!("EXPLAIN ANALYZE {sql}"));
        let plan = format!("{:?}", plan.collect_rows().await.unwrap());
        let join = plan.split("SpillingJoinExec").nth(1).expect("a join with room on disk");
        let spills = join.split("spill_count=").nth(1).expect("how often it spilled");
        assert!(!spills.starts_with('0'), "{kind} stayed in memory: {join}");
    }
    for (kind, rows) in [("LEFT SEMI JOIN", BUILD / 2), ("LEFT ANTI JOIN", BUILD / 2)] {
        let sql = format!("SELECT count(*) FROM {}", sides.replace("KIND", kind));
        assert_eq!(single_row(&session, &sql).await, [Some(rows)], "{kind}");
    }
}

/// Parts are read from disk in pieces; a batch must not count for all of the piece it lies in.
#[tokio::test(flavor = "multi_thread")]
async fn a_join_a_hundred_times_its_memory_ends() {
    let session = with_memory("4MB");
    session.sql("SET vonk.join.spilling = 'always'").collect().await.unwrap();
    let rows = session.sql(
        "SELECT count(*), max(v), min(w) FROM \
         (SELECT id, repeat('x', 60) || id AS v FROM range(0, 400000)) AS a \
         JOIN (SELECT id, repeat('y', 60) || id AS w FROM range(0, 400000)) AS b ON a.id = b.id",
    );
    let rows = rows.rows::<(i64, String, String)>().await.unwrap();
    let (last, first) = ("x".repeat(60) + "99999", "y".repeat(60) + "0");
    assert_eq!(rows, [(400_000, last, first)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_join_of_one_key_names_the_limit() {
    let session = with_memory("4MB");
    session.sql("SET vonk.join.spilling = 'always'").collect().await.unwrap();
    let sql = format!(
        "SELECT count(*) FROM (SELECT 1 AS k, repeat('x', 100) AS v FROM range(0, {BUILD})) AS l \
         JOIN (SELECT 1 AS k, repeat('y', 100) AS w FROM range(0, {BUILD})) AS r \
         ON l.k = r.k AND l.v < r.w"
    );
    let error = session.sql(&sql).collect().await.unwrap_err();
    assert_eq!(error.condition(), vonk::Condition::OUT_OF_MEMORY);
    assert!(error.to_string().contains("`vonk.memory.limit`"), "{error}");
}
