//! Python's own server of a directory, which knows neither lists nor ranges.

use vonk::Condition;

use super::servers::HttpServer;
use super::{check_word_counts, poem, session_in};

#[tokio::test(flavor = "multi_thread")]
async fn files_are_read_by_name_and_lists_refused() {
    let directory = tempfile::tempdir().unwrap();
    let (text, counts) = poem();
    std::fs::write(directory.path().join("poem.txt"), text).unwrap();
    let session = session_in(directory.path(), &[]);
    let table = directory.path().join("numbers.parquet");
    session.range(0, 50_000).write().parquet(table.to_str().unwrap()).await.unwrap();
    let Some(server) = HttpServer::of(directory.path()) else { return };
    let url = server.url();
    check_word_counts(&session, &format!("{url}/poem.txt"), &counts).await;
    let sum = session.sql(format!("SELECT sum(id), count(*) FROM '{url}/numbers.parquet'"));
    assert_eq!(sum.rows::<(i64, i64)>().await.unwrap(), [(1_249_975_000, 50_000)]);
    let both = format!("{url}/{{poem,poem}}.txt");
    assert_eq!(session.read().text(&both).count().await.unwrap(), 5000);
    let list = [format!("{url}/poem.txt"), format!("{url}/poem.txt")];
    assert_eq!(session.read().format("text").load(list).count().await.unwrap(), 10_000);

    for path in ["*.txt", "", "dir/", "poem.txt?sig=1"] {
        let error = session.read().text(format!("{url}/{path}")).count().await.unwrap_err();
        assert_eq!(error.condition(), Condition::UNSUPPORTED_FEATURE, "{path}: {error}");
        assert!(error.hint_text().is_some(), "{error}");
    }
    let error = session.read().text(format!("{url}/gone.txt")).count().await.unwrap_err();
    assert_eq!(error.condition(), Condition::PATH_NOT_FOUND, "{error}");
    assert!(error.to_string().contains(&format!("{url}/gone.txt")), "{error}");
    let error = session.range(0, 3).write().csv(&format!("{url}/out")).await.unwrap_err();
    assert_eq!(error.condition(), Condition::UNSUPPORTED_FEATURE, "{error}");
}
