//! What plans look like where that is a promise of its own, beside the rows.

use vonk::prelude::*;

/// How deep in a plan the first line stands that names something.
fn depth(plan: &str, named: &str) -> usize {
    let line = plan.lines().find(|line| line.contains(named)).expect(plan);
    line.len() - line.trim_start().len()
}

async fn plan_of_joins(in_order: bool) -> String {
    let session = Session::new();
    session.sql(format!("SET vonk.optimizer.join.order = {in_order}")).collect().await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let tables = [
        ("large", "SELECT id, id % 100 AS middle FROM range(10000)"),
        ("middle", "SELECT id AS middle, id % 10 AS small FROM range(100)"),
        ("small", "SELECT id AS small, 's' || id AS name FROM range(10)"),
    ];
    for (name, rows) in tables {
        let path = directory.path().join(format!("{name}.parquet"));
        let write = format!("COPY ({rows}) TO '{}'", path.display());
        session.sql(&write).collect().await.unwrap();
        let table = session.read().parquet(path.to_str().unwrap());
        table.create_or_replace_temp_view(name).await.unwrap();
    }
    let query = "SELECT count(*) FROM large JOIN middle USING (middle) JOIN small USING (small) \
                 WHERE name = 's3'";
    assert_eq!(session.sql(query).rows::<i64>().await.unwrap(), [1000]);
    session.sql(query).explain("simple").await.unwrap()
}

#[tokio::test]
async fn small_tables_meet_before_large_ones() {
    let plan = plan_of_joins(true).await;
    assert!(depth(&plan, "large.parquet") < depth(&plan, "small.parquet"), "{plan}");
    let plan = plan_of_joins(false).await;
    assert!(depth(&plan, "large.parquet") > depth(&plan, "small.parquet"), "{plan}");
}
