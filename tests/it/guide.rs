//! The statements of docs/guide.md run as they stand there.

use std::fs;

use vonk::{Session, config};
use vonk_tests::repository;

/// The blocks of SQL of a page.
fn blocks(page: &str) -> Vec<&str> {
    let begins = page.split("```sql\n").skip(1);
    begins.filter_map(|rest| rest.split("```").next()).collect()
}

#[tokio::test]
async fn every_statement_of_the_guide_runs() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().display().to_string();
    let docs = repository().join("docs").display().to_string();
    let page = fs::read_to_string(repository().join("docs/guide.md")).unwrap();
    let page = page.replace("docs/", &format!("{docs}/")).replace("out/", &format!("{out}/"));
    let session = Session::builder()
        .config(config::WAREHOUSE, format!("{out}/warehouse"))
        .get_or_create()
        .unwrap();
    let mut failed = Vec::new();
    let mut count = 0;
    for statement in blocks(&page).iter().flat_map(|block| vonk::sql::split(block)) {
        count += 1;
        if let Err(error) = session.sql(statement).collect().await {
            failed.push(format!("{statement}\n  {error}"));
        }
    }
    assert!(count > 15, "only {count} statements were found");
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
