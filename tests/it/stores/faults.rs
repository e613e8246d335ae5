//! Servers that fail on purpose: they are cut off, say nothing, or refuse.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use vonk::Condition;
use vonk::prelude::*;

/// How long a test that waits for silence waits at most, which is far more than it should.
const SOON: Duration = Duration::from_secs(30);

/// What a server does with the request of this number, from 0.
type Answer = fn(usize, &str) -> Fate;

enum Fate {
    /// These bytes, and the end of the connection.
    Send(Vec<u8>),
    /// These bytes, and then nothing.
    Stall(Vec<u8>),
}

/// Listens on a free port; gives it and the count of requests.
async fn serve(answer: Answer) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(handle(stream, answer, Arc::clone(&count)));
        }
    });
    (port, asked)
}

async fn handle(mut stream: TcpStream, answer: Answer, asked: Arc<AtomicUsize>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8(head).unwrap();
    match answer(asked.fetch_add(1, Ordering::SeqCst), &head) {
        Fate::Send(bytes) => drop(stream.write_all(&bytes).await),
        Fate::Stall(bytes) => {
            drop(stream.write_all(&bytes).await);
            tokio::time::sleep(Duration::from_secs(3600)).await;
        }
    }
}

/// A thousand lines of four bytes.
const LINES: usize = 1000;

fn body() -> Vec<u8> {
    b"abc\n".repeat(LINES)
}

/// An answer with a part of the body, from `from` on and cut after so many bytes.
fn part(head: &str, cut: usize) -> Vec<u8> {
    let from = head.lines().find_map(|line| {
        let range = line.strip_prefix("range: bytes=")?;
        range.split('-').next()?.parse::<usize>().ok()
    });
    let (all, from_byte) = (body(), from.unwrap_or(0));
    let status = if from.is_some() { "206 Partial Content" } else { "200 OK" };
    let range = format!("Content-Range: bytes {from_byte}-{}/{}\r\n", all.len() - 1, all.len());
    let mut answer = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nETag: \"v1\"\r\n\
         Last-Modified: Sat, 01 Aug 2026 10:00:00 GMT\r\n{}Connection: close\r\n\r\n",
        all.len() - from_byte,
        if from.is_some() { range.as_str() } else { "" },
    )
    .into_bytes();
    if !head.starts_with("HEAD") {
        answer.extend_from_slice(&all[from_byte..(from_byte + cut).min(all.len())]);
    }
    answer
}

fn session() -> Session {
    let builder = Session::builder().config("vonk.stores.timeout", "300ms");
    builder.config("vonk.stores.attempts", "3").get_or_create().unwrap()
}

async fn count(port: u16) -> vonk::Result<usize> {
    session().read().text(format!("http://127.0.0.1:{port}/lines.txt")).count().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_cut_off_is_read_on() {
    // 700 bytes at a time, and no two answers without the end of a connection between them.
    let (port, asked) = serve(|_, head| Fate::Send(part(head, 700))).await;
    assert_eq!(count(port).await.unwrap(), LINES);
    assert!(asked.load(Ordering::SeqCst) >= 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_answer_is_asked_for_again() {
    let (port, _) = serve(|number, head| match number {
        2 => Fate::Stall(part(head, 1000)),
        _ => Fate::Send(part(head, usize::MAX / 2)),
    })
    .await;
    assert_eq!(count(port).await.unwrap(), LINES);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_nothing_is_told() {
    let (port, _) = serve(|_, _| Fate::Stall(Vec::new())).await;
    let begin = Instant::now();
    let error = count(port).await.unwrap_err();
    assert!(begin.elapsed() < SOON);
    assert_eq!(error.condition(), Condition::CANNOT_READ_FILE, "{error}");
    let said = error.to_string();
    let named = format!("http://127.0.0.1:{port}/lines.txt");
    assert!(said.contains(&named) && said.contains("did not answer for 0.3 s"), "{said}");
    assert!(said.contains("vonk.stores.timeout"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_in_the_midst_is_told() {
    let (port, _) = serve(|_, head| match head.starts_with("HEAD") {
        true => Fate::Send(part(head, 0)),
        false => Fate::Stall(part(head, 0)),
    })
    .await;
    let begin = Instant::now();
    let error = count(port).await.unwrap_err();
    assert!(begin.elapsed() < SOON);
    assert_eq!(error.condition(), Condition::CANNOT_READ_FILE, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_and_wrong_hosts_say_what_to_do() {
    let (port, asked) = serve(|_, _| {
        let body = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
        let length = body.len();
        let head = format!("HTTP/1.1 403 Forbidden\r\nContent-Length: {length}\r\n\r\n");
        Fate::Send((head + body).into_bytes())
    })
    .await;
    let session = session();
    for (name, value) in [
        ("endpoint", format!("http://127.0.0.1:{port}")),
        ("access.key", "key".to_owned()),
        ("secret.key", "secret".to_owned()),
    ] {
        session.set(&format!("spark.hadoop.fs.s3a.{name}"), &value).unwrap();
    }
    let error = session.read().text("s3a://bucket/x.txt").count().await.unwrap_err();
    assert_eq!(error.condition(), Condition::INSUFFICIENT_PERMISSIONS, "{error}");
    assert!(error.to_string().contains("AWS_ACCESS_KEY_ID"), "{error}");
    assert_eq!(asked.load(Ordering::SeqCst), 1, "a refusal does not pass");

    // A port where nobody listens, and a name that nobody has.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = free.local_addr().unwrap().port();
    drop(free);
    for url in [
        format!("http://127.0.0.1:{closed}/x.txt"),
        format!("hdfs://127.0.0.1:{closed}/x.txt"),
        "hdfs://no-such-host.invalid:8020/x.txt".to_owned(),
        "http://no-such-host.invalid/x.txt".to_owned(),
    ] {
        let error = session.read().text(&url).count().await.unwrap_err();
        assert_eq!(error.condition(), Condition::CANNOT_READ_FILE, "{error}");
        assert!(error.to_string().contains(&url) && error.hint_text().is_some(), "{error}");
    }
    // What was set wrong can be put right in the same session.
    session.set("spark.hadoop.fs.s3a.endpoint", &format!("http://127.0.0.1:{closed}")).unwrap();
    let error = session.read().text("s3a://bucket/x.txt").count().await.unwrap_err();
    assert_eq!(error.condition(), Condition::CANNOT_READ_FILE, "{error}");
}
