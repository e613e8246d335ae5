//! The figures of a worker in the text format of Prometheus, by HTTP: tasks, memory and disk.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use datafusion::execution::runtime_env::RuntimeEnv;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How long somebody may take to ask.
const TIMEOUT: Duration = Duration::from_secs(5);

/// How many tasks there were and are.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    started: AtomicU64,
    ended: AtomicU64,
}

/// A task that counts as long as it is there.
#[derive(Debug)]
pub(super) struct Task(Arc<Tasks>);

impl Tasks {
    pub(super) fn start(self: &Arc<Self>) -> Task {
        self.started.fetch_add(1, Ordering::Relaxed);
        Task(Arc::clone(self))
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::Relaxed);
    }
}

/// Answers everybody who asks, until the runtime ends.
///
/// # Errors
/// If the address cannot be listened at.
pub(super) async fn serve(
    address: SocketAddr,
    tasks: Arc<Tasks>,
    runtime: Arc<RuntimeEnv>,
) -> std::io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let text = text(&tasks, &runtime);
            tokio::spawn(async move { tokio::time::timeout(TIMEOUT, answer(stream, text)).await });
        }
    });
    Ok(())
}

async fn answer(mut stream: TcpStream, text: String) -> std::io::Result<()> {
    // Whatever is asked for, there is one page; the request has to be read, or else the answer may be lost.
    let mut request = Vec::new();
    let mut part = [0; 1024];
    while !request.ends_with(b"\r\n\r\n") && request.len() < 16 << 10 {
        match stream.read(&mut part).await? {
            0 => break,
            read => request.extend_from_slice(&part[..read]),
        }
    }
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        text.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await
}

fn text(tasks: &Tasks, runtime: &RuntimeEnv) -> String {
    let started = tasks.started.load(Ordering::Relaxed);
    let running = started.saturating_sub(tasks.ended.load(Ordering::Relaxed));
    let rows = [
        ("vonk_tasks_started_total", "counter", "Tasks that were taken.", started),
        ("vonk_tasks_running", "gauge", "Tasks that are there.", running),
        (
            "vonk_memory_reserved_bytes",
            "gauge",
            "Memory that operators have reserved.",
            runtime.memory_pool.reserved() as u64,
        ),
        (
            "vonk_spill_bytes",
            "gauge",
            "Disk space that spilled rows take.",
            runtime.disk_manager.used_disk_space(),
        ),
    ];
    let mut text = String::new();
    for (name, kind, help, value) in rows {
        let _written = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_are_counted_while_they_are_there() {
        let tasks = Arc::<Tasks>::default();
        let first = tasks.start();
        drop(tasks.start());
        let page = text(&tasks, &RuntimeEnv::default());
        assert!(page.contains("\nvonk_tasks_started_total 2\n"), "{page}");
        assert!(page.contains("\nvonk_tasks_running 1\n"), "{page}");
        drop(first);
        assert!(text(&tasks, &RuntimeEnv::default()).contains("\nvonk_tasks_running 0\n"));
    }
}
