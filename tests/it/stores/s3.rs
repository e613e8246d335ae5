//! S3 as moto serves it.

use std::io::{Read, Write};
use std::net::TcpStream;

use vonk::Condition;
use vonk::prelude::*;

use super::servers::HttpServer;
use super::{check_readers, check_tables, check_word_counts, check_writes, poem, session_in};

/// Asks the server without a client: what the test prepares does not come from what it tests.
fn request(port: u16, method: &str, path: &str, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

fn options(endpoint: &str) -> Vec<(&'static str, String)> {
    vec![
        ("spark.hadoop.fs.s3a.endpoint", endpoint.to_owned()),
        ("spark.hadoop.fs.s3a.path.style.access", "true".to_owned()),
        ("spark.hadoop.fs.s3a.access.key", "key".to_owned()),
        ("spark.hadoop.fs.s3a.secret.key", "secret".to_owned()),
        ("vonk.stores.timeout", "5s".to_owned()),
    ]
}

fn session(directory: &std::path::Path, endpoint: &str) -> Session {
    let options = options(endpoint);
    let options: Vec<(&str, &str)> =
        options.iter().map(|(name, value)| (*name, value.as_str())).collect();
    session_in(directory, &options)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_door_reads_and_writes() {
    let Some(mut server) = HttpServer::s3() else { return };
    let directory = tempfile::tempdir().unwrap();
    let session = session(directory.path(), &server.url());
    assert!(request(server.port, "PUT", "/bucket", b"").contains(" 200 "));
    let (text, counts) = poem();
    let (first, second) = text.split_at(text[..text.len() / 2].rfind('\n').unwrap() + 1);
    request(server.port, "PUT", "/bucket/poem/a.txt", first.as_bytes());
    request(server.port, "PUT", "/bucket/poem/b.txt", second.as_bytes());
    for path in ["s3://bucket/poem", "s3a://bucket/poem/*.txt", "s3://bucket/poem/{a,b}.txt"] {
        check_word_counts(&session, path, &counts).await;
    }
    check_writes(&session, "s3://bucket/writes").await;
    check_tables(&session, "s3a://bucket/tables").await;
    check_readers(&session, "s3://bucket/busy").await;
    // What a stranger sees of a write: its files, the marker, and nothing that is not hidden.
    let listed = request(server.port, "GET", "/bucket?list-type=2&prefix=writes/numbers/", b"");
    assert!(listed.contains("writes/numbers/_SUCCESS"), "{listed}");
    let seen = listed.split("<Key>").skip(1).filter_map(|rest| rest.split("</Key>").next());
    let data: Vec<&str> = seen.filter(|key| !key.contains("/.") && !key.contains("/_")).collect();
    assert!(data.len() == 1 && data[0].contains("part-00000"), "{data:?}");
    let uploads = request(server.port, "GET", "/bucket?uploads", b"");
    assert!(!uploads.contains("<Upload>"), "{uploads}");

    // Options of one statement, over those of the session.
    let other = session_in(directory.path(), &[]);
    let of_stores = options(&server.url())
        .into_iter()
        .filter_map(|(name, value)| Some((name.strip_prefix("spark.hadoop.")?, value)));
    let reader = of_stores.fold(other.read(), |reader, (name, value)| reader.option(name, value));
    let reader = reader.format("text");
    assert_eq!(reader.load(["s3://bucket/poem"]).count().await.unwrap(), 5000);

    let error = session.read().text("s3://nobody/poem").count().await.unwrap_err();
    assert_eq!(error.condition(), Condition::PATH_NOT_FOUND, "{error}");
    let said = error.to_string();
    assert!(said.contains("`s3://nobody`") && said.contains("fs.s3a.endpoint"), "{said}");
    let error = session.range(0, 3).write().csv("s3://nobody/x").await.unwrap_err();
    assert!(error.to_string().contains("`s3://nobody`"), "{error}");
    let error = session.read().text("s3://bucket/poem/c.txt").count().await.unwrap_err();
    assert_eq!(error.condition(), Condition::PATH_NOT_FOUND, "{error}");
    assert!(error.hint_text().is_some_and(|hint| hint.contains(".txt")), "{error}");

    server.kill();
    let error = session.read().text("s3://bucket/poem").count().await.unwrap_err();
    assert_eq!(error.condition(), Condition::CANNOT_READ_FILE, "{error}");
    assert!(error.to_string().contains("s3://bucket/poem"), "{error}");
}
