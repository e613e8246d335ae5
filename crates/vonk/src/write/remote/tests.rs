//! Writers and readers of one directory in a store, some of which die.

use std::sync::Arc;

use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use crate::error::Condition;
use crate::session::Session;
use crate::sources::ledger::{self, Ledger, Phase};

fn session() -> (Session, Arc<InMemory>) {
    let (session, store) = (Session::new(), Arc::new(InMemory::new()));
    let shared: Arc<dyn ObjectStore> = Arc::clone(&store) as _;
    session.register_object_store("memory://b", shared).unwrap();
    (session, store)
}

async fn sum(session: &Session) -> Option<(i64, i64)> {
    let query = session.sql("SELECT count(*), sum(id) FROM parquet.`memory://b/t`");
    query.rows::<(i64, i64)>().await.ok().map(|rows| rows[0])
}

async fn write(session: &Session, to: i64, mode: &str) -> crate::Result<crate::WriteReport> {
    let rows = session.range(0, to).repartition(3);
    rows.write().mode(mode).parquet("memory://b/t").await
}

async fn names(store: &InMemory) -> Vec<String> {
    let listed = futures::TryStreamExt::try_collect::<Vec<_>>(store.list(None)).await.unwrap();
    let mut names: Vec<String> = listed.iter().map(|file| file.location.to_string()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn what_is_staged_is_not_read_and_what_is_replaced_goes() {
    let (session, store) = session();
    write(&session, 10, "error").await.unwrap();
    assert_eq!(sum(&session).await, Some((10, 45)));
    write(&session, 4, "overwrite").await.unwrap();
    assert_eq!(sum(&session).await, Some((4, 6)));
    write(&session, 3, "append").await.unwrap();
    assert_eq!(sum(&session).await, Some((7, 9)));
    let names = names(&store).await;
    let data = names.iter().filter(|name| name.contains("part-")).count();
    assert!(data <= 6 && names.contains(&"t/_SUCCESS".to_owned()), "{names:?}");
    // Another writer has shown its file, and has not said that it counts.
    let directory = Path::from("t");
    let (number, before) = ledger::current(store.as_ref(), &directory).await.unwrap();
    assert_eq!(before.phase, Phase::Settled);
    let file = names.iter().find(|name| name.contains("part-")).unwrap();
    let bytes = store.get(&Path::from(file.as_str())).await.unwrap().bytes().await.unwrap();
    store.put(&Path::from("t/part-9.parquet"), bytes.into()).await.unwrap();
    let staged =
        Ledger { phase: Phase::Staged, added: vec!["part-9.parquet".into()], ..Ledger::default() };
    assert!(ledger::append(store.as_ref(), &directory, number + 1, &staged).await.unwrap());
    assert_eq!(sum(&session).await, Some((7, 9)));
    let glob = session.sql("SELECT count(*) FROM 'memory://b/t/*.parquet'");
    assert_eq!(glob.rows::<(i64,)>().await.unwrap(), [(7,)]);
}

#[tokio::test]
async fn a_dead_writer_is_given_up_by_the_next() {
    let (session, store) = session();
    write(&session, 10, "error").await.unwrap();
    let directory = Path::from("t");
    let (number, _) = ledger::current(store.as_ref(), &directory).await.unwrap();
    let staged = Ledger {
        phase: Phase::Staged,
        added: vec!["part-dead.parquet".to_owned()],
        ..Ledger::default()
    };
    assert!(ledger::append(store.as_ref(), &directory, number + 1, &staged).await.unwrap());
    write(&session, 4, "overwrite").await.unwrap();
    assert_eq!(sum(&session).await, Some((4, 6)));
    // Its file never counts, not even when it appears later.
    let (_, after) = ledger::current(store.as_ref(), &directory).await.unwrap();
    assert_eq!((after.phase, after.void), (Phase::Settled, vec!["part-dead.parquet".to_owned()]));
    store.put(&Path::from("t/part-dead.parquet"), "no parquet".into()).await.unwrap();
    assert_eq!(sum(&session).await, Some((4, 6)));
}

#[tokio::test]
async fn a_failing_query_leaves_what_was_there_and_nothing_else() {
    let (session, store) = session();
    write(&session, 10, "error").await.unwrap();
    let before = names(&store).await;
    let failing = session.sql("SELECT 10 / (id - 70000) AS id FROM range(0, 100000)");
    for (mode, path) in
        [("overwrite", "t"), ("append", "t"), ("error", "new"), ("overwrite", "x.csv")]
    {
        let path = format!("memory://b/{path}");
        let error = failing.write().mode(mode).save(&path).await.unwrap_err();
        assert_eq!(error.condition(), Condition::DIVIDE_BY_ZERO, "{error}");
    }
    assert_eq!(names(&store).await, before);
    assert_eq!(sum(&session).await, Some((10, 45)));
}

#[tokio::test]
async fn one_of_two_writers_of_a_new_directory_is_refused() {
    let (session, _) = session();
    let (one, other) = tokio::join!(write(&session, 10, "error"), write(&session, 5, "error"));
    let refused = match (one, other) {
        (Ok(_), Err(error)) | (Err(error), Ok(_)) => error,
        both => panic!("{both:?}"),
    };
    assert_eq!(refused.condition(), Condition::PATH_ALREADY_EXISTS);
    let found = sum(&session).await.unwrap();
    assert!(found == (10, 45) || found == (5, 10), "{found:?}");
    // Appends follow each other.
    let before = found.0;
    let writes = tokio::join!(
        write(&session, 2, "append"),
        write(&session, 3, "append"),
        write(&session, 4, "append")
    );
    assert!(writes.0.is_ok() && writes.1.is_ok() && writes.2.is_ok());
    assert_eq!(sum(&session).await.unwrap().0, before + 9);
}
