//! Hadoop's own name node and data node.

use std::process::Command;

use vonk::Condition;
use vonk::prelude::*;

use super::servers::{MiniDfs, left_out, target_folder};
use super::{check_readers, check_tables, check_word_counts, check_writes, poem, session_in};

#[tokio::test(flavor = "multi_thread")]
async fn every_door_reads_and_writes() {
    let Some(dfs) = MiniDfs::start(false) else { return };
    let session = session_in(dfs.directory.path(), &[]);
    let (root, (text, counts)) = (dfs.url(), poem());
    let local = dfs.directory.path().join("poem.txt");
    std::fs::write(&local, text).unwrap();
    let lines = session.read().text(local.to_str().unwrap());
    lines.repartition(3).write().text(&format!("{root}/poem")).await.unwrap();
    lines.write().text(&format!("{root}/one.txt")).await.unwrap();
    for path in ["poem", "poem/*.txt", "one.txt", "*.txt", "{one,none}*.txt"] {
        check_word_counts(&session, &format!("{root}/{path}"), &counts).await;
    }
    check_writes(&session, &format!("{root}/writes")).await;
    check_tables(&session, &format!("{root}/tables")).await;
    check_readers(&session, &format!("{root}/busy")).await;

    let missing = format!("{root}/poem/nothing.txt");
    let error = session.read().text(&missing).count().await.unwrap_err();
    assert_eq!(error.condition(), Condition::PATH_NOT_FOUND, "{error}");
    assert!(error.to_string().contains(&missing), "{error}");
    check_command(&root);
}

/// The command runs the same over its own connection, as the user that the environment names.
fn check_command(root: &str) {
    let vonk = target_folder().join("debug").join("vonk");
    if !vonk.exists() {
        left_out("the command");
        return;
    }
    let run = |user: &str, statement: &str| {
        let mut command = Command::new(&vonk);
        command.args(["-o", "csv", "-c", statement]).env("HADOOP_USER_NAME", user);
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, rows, errors) = run("root", &format!("SELECT count(*) AS n FROM '{root}/one.txt'"));
    assert_eq!((code, rows.trim()), (Some(0), "n\n5000"), "{errors}");
    let (code, _, errors) = run("stranger", &format!("COPY (SELECT 1 AS a) TO '{root}/x.csv'"));
    assert_ne!(code, Some(0));
    assert!(errors.contains("INSUFFICIENT_PERMISSIONS"), "{errors}");
    assert!(errors.contains("user=stranger") && errors.contains("HADOOP_USER_NAME"), "{errors}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_name_node_takes_over_and_a_dead_cluster_is_told() {
    let Some(mut dfs) = MiniDfs::start(true) else { return };
    let warehouse = dfs.directory.path().join("warehouse").display().to_string();
    let configuration = dfs.configuration().display().to_string();
    let session = Session::builder()
        .config(vonk::config::WAREHOUSE, warehouse)
        .config("vonk.stores.timeout", "3s")
        .config("vonk.stores.attempts", "2")
        .environment([("HADOOP_CONF_DIR", configuration)])
        .get_or_create()
        .unwrap();
    // A hundred blocks of a megabyte.
    let lines = session.sql("SELECT repeat('abcdefghi ', 100) AS value FROM range(0, 100000)");
    lines.write().text("hdfs://mini/lines").await.unwrap();
    let count =
        || async { session.read().text("hdfs:///lines").filter("value LIKE 'abc%'").count().await };
    assert_eq!(count().await.unwrap(), 100_000);
    dfs.order("failover");
    assert_eq!(count().await.unwrap(), 100_000);
    lines.limit(5).write().text("hdfs://mini/after").await.unwrap();

    // Without its data node a file is known and cannot be read.
    dfs.order("stop-data");
    let error = count().await.unwrap_err();
    assert_eq!(error.condition(), Condition::CANNOT_READ_FILE, "{error}");
    assert!(error.to_string().contains("hdfs://"), "{error}");
    dfs.order("start-data");
    assert_eq!(count().await.unwrap(), 100_000);

    // The whole cluster ends while a query reads.
    let mut rows = session.read().text("hdfs:///lines").stream().await.unwrap();
    futures::StreamExt::next(&mut rows).await.unwrap().unwrap();
    dfs.kill();
    let mut outcome = Ok(0);
    while let Some(batch) = futures::StreamExt::next(&mut rows).await {
        outcome = batch.map(|batch| batch.num_rows());
        if outcome.is_err() {
            break;
        }
    }
    let error = outcome.unwrap_err();
    assert_eq!(error.condition(), Condition::CANNOT_READ_FILE, "{error}");
    let error = count().await.unwrap_err();
    assert_eq!(error.condition(), Condition::CANNOT_READ_FILE, "{error}");
    assert!(error.to_string().contains("HADOOP_CONF_DIR"), "{error}");
}
