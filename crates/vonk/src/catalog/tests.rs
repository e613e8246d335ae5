//! The catalog on a real directory: what was made is there for the next session, and only that.

use std::collections::BTreeMap;
use std::path::Path;

use arrow::datatypes::{DataType, Field, Schema};

use super::{Catalog, CreateMode, DEFAULT_DATABASE, TableKind, TableMeta, TableName};
use crate::error::Condition;
use crate::session::Session;

fn session(warehouse: &Path) -> Session {
    let directory = warehouse.to_str().unwrap();
    Session::builder().config("spark.sql.warehouse.dir", directory).get_or_create().unwrap()
}

fn name(text: &str) -> TableName {
    TableName::parse(text).unwrap()
}

fn table(catalog: &Catalog, text: &str) -> TableMeta {
    let schema = Schema::new(vec![
        Field::new("day", DataType::Date32, true),
        Field::new("n", DataType::Int64, false),
    ]);
    let meta = TableMeta::table(catalog.qualified(&name(text)), "parquet");
    meta.with_schema(&schema, &["DAY".to_owned()]).unwrap()
}

#[test]
fn nothing_is_made_before_something_is_written() {
    let root = tempfile::tempdir().unwrap();
    let warehouse = root.path().join("warehouse");
    let catalog = session(&warehouse).catalog().unwrap();
    assert_eq!(catalog.list_databases().unwrap(), [DEFAULT_DATABASE]);
    assert!(catalog.list_tables(None).unwrap().is_empty());
    assert!(!warehouse.exists());
}

#[test]
fn tables_are_there_for_the_next_session() {
    let root = tempfile::tempdir().unwrap();
    let catalog = session(root.path()).catalog().unwrap();
    catalog.create_database("Shop", CreateMode::Create, &BTreeMap::new()).unwrap();
    catalog.set_current_database("SHOP").unwrap();
    assert!(catalog.create_table(&table(&catalog, "Sales"), CreateMode::Create).unwrap());

    let next = session(root.path()).catalog().unwrap();
    assert_eq!(next.list_databases().unwrap(), ["default", "shop"]);
    assert!(!next.table_exists("sales"));
    let found = next.table(&name("shop.SALES")).unwrap().unwrap();
    assert_eq!(found.partition_columns, ["day"]);
    let columns: Vec<String> =
        found.schema().unwrap().fields().iter().map(|f| f.name().clone()).collect();
    assert_eq!(columns, ["n", "day"]);
}

#[test]
fn create_drop_and_rename_mind_what_is_there() {
    let root = tempfile::tempdir().unwrap();
    let catalog = session(root.path()).catalog().unwrap();
    let meta = table(&catalog, "t");
    catalog.create_table(&meta, CreateMode::Create).unwrap();
    let taken = catalog.create_table(&meta, CreateMode::Create).unwrap_err();
    assert_eq!(taken.condition(), Condition::TABLE_ALREADY_EXISTS);
    assert!(!catalog.create_table(&meta, CreateMode::IfNotExists).unwrap());
    assert!(catalog.create_table(&meta, CreateMode::OrReplace).unwrap());
    let view = TableMeta::view(catalog.qualified(&name("t")), "SELECT 1", "default");
    assert!(catalog.create_table(&view, CreateMode::OrReplace).is_err());
    let wrong = catalog.drop_table(&name("t"), TableKind::View, false).unwrap_err();
    assert_eq!(wrong.condition(), Condition::WRONG_COMMAND_FOR_OBJECT_TYPE);

    catalog.rename_table(&name("t"), &name("u")).unwrap();
    assert!(catalog.table_exists("U") && !catalog.table_exists("t"));
    assert!(catalog.drop_table(&name("u"), TableKind::Table, false).unwrap());
    assert!(!catalog.drop_table(&name("u"), TableKind::Table, true).unwrap());
    let missing = catalog.drop_table(&name("u"), TableKind::Table, false).unwrap_err();
    assert_eq!(missing.condition(), Condition::TABLE_OR_VIEW_NOT_FOUND);
    assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
}

#[test]
fn databases_with_tables_are_dropped_by_cascade_only() {
    let root = tempfile::tempdir().unwrap();
    let catalog = session(root.path()).catalog().unwrap();
    catalog.create_database("shop", CreateMode::Create, &BTreeMap::new()).unwrap();
    catalog.create_table(&table(&catalog, "shop.t"), CreateMode::Create).unwrap();
    let full = catalog.drop_database("shop", false, false).unwrap_err();
    assert_eq!(full.condition(), Condition::SCHEMA_NOT_EMPTY);
    catalog.set_current_database("shop").unwrap();
    assert!(catalog.drop_database("shop", false, true).unwrap());
    assert_eq!(catalog.current_database(), DEFAULT_DATABASE);
    assert!(!catalog.drop_database("shop", true, false).unwrap());
    assert!(catalog.set_current_database("shop").is_err());
}

#[tokio::test]
async fn rows_are_saved_inserted_and_read_back() {
    let root = tempfile::tempdir().unwrap();
    for format in ["parquet", "json", "arrow"] {
        let session = session(&root.path().join(format));
        let one = session.sql("SELECT 1 AS k, 'a' AS v");
        one.write().format(format).partition_by(["k"]).save_as_table("t").await.unwrap();
        let taken = one.write().save_as_table("t").await.unwrap_err();
        assert_eq!(taken.condition(), Condition::TABLE_ALREADY_EXISTS);
        // By position: the partition column is the last.
        session.sql("SELECT 'b', 2").write().insert_into("t").await.unwrap();
        // By name.
        session
            .sql("SELECT 3 AS k, 'c' AS v")
            .write()
            .mode("append")
            .save_as_table("t")
            .await
            .unwrap();
        assert_eq!(rows(&session).await, ["a1", "b2", "c3"], "{format}");

        let wrong = session.sql("SELECT 'x', 'y'").write().insert_into("t").await.unwrap_err();
        assert_eq!(wrong.condition(), Condition::INCOMPATIBLE_DATA_FOR_TABLE);
        let few = session.sql("SELECT 'x'").write().insert_into("t").await.unwrap_err();
        assert_eq!(few.condition(), Condition::INSERT_NOT_ENOUGH_COLUMNS);

        let dynamic = session.sql("SELECT 'd', 2").write().mode("overwrite");
        dynamic.option("partitionOverwriteMode", "dynamic").insert_into("t").await.unwrap();
        assert_eq!(rows(&session).await, ["a1", "c3", "d2"], "{format}");
        session.sql("SELECT 'e', 9").write().mode("overwrite").insert_into("t").await.unwrap();
        assert_eq!(rows(&session).await, ["e9"], "{format}");
        one.write().format(format).mode("overwrite").save_as_table("t").await.unwrap();
        assert_eq!(rows(&session).await, ["a1"], "{format}");
    }
}

/// The rows of the table `t` as its columns `v` and `k` run together, sorted.
async fn rows(session: &Session) -> Vec<String> {
    let catalog = session.catalog().unwrap();
    let meta = catalog.existing_table(&name("t")).unwrap();
    let state = session.state();
    let provider = catalog.open(&state, &meta).await.unwrap();
    let plan = provider.scan(state.as_ref(), None, &[], None).await.unwrap();
    let batches = datafusion::physical_plan::collect(plan, state.task_ctx()).await.unwrap();
    let mut rows = Vec::new();
    for batch in batches {
        let text = |name| {
            let column = batch.column_by_name(name).unwrap();
            arrow::compute::cast(column, &DataType::Utf8).unwrap()
        };
        let (values, keys) = (text("v"), text("k"));
        for row in 0..batch.num_rows() {
            let value = arrow::util::display::array_value_to_string(&values, row).unwrap();
            let key = arrow::util::display::array_value_to_string(&keys, row).unwrap();
            rows.push(value + &key);
        }
    }
    rows.sort();
    rows
}

#[tokio::test]
async fn rows_that_are_kept_go_with_writes_and_with_views() {
    let root = tempfile::tempdir().unwrap();
    let session = session(root.path());
    let run = async |text: &str| session.sql(text).count().await.unwrap();
    run("CREATE TABLE kept AS SELECT 1 AS x").await;
    run("CACHE TABLE kept").await;
    session.sql("SELECT 2 AS x").write().mode("append").save_as_table("kept").await.unwrap();
    assert_eq!(run("SELECT * FROM kept").await, 2);
    session.sql("SELECT 3 AS x").write().insert_into("kept").await.unwrap();
    assert_eq!(run("SELECT * FROM kept").await, 3);

    run("CREATE GLOBAL TEMPORARY VIEW seen AS SELECT 1 AS x").await;
    run("CACHE TABLE global_temp.seen").await;
    assert!(session.drop_temp_view("global_temp.seen"));
    run("CREATE GLOBAL TEMPORARY VIEW seen AS SELECT * FROM range(2)").await;
    assert_eq!(run("SELECT * FROM global_temp.seen").await, 2);
}
