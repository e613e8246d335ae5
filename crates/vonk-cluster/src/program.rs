//! Programs that are the workers of their own clusters, so that their functions run there.

use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::signal::unix::{SignalKind, signal};
use vonk::config::{self, Config};
use vonk::{Condition, Error, Result};

use crate::{Secret, Tls, WorkerOptions, serve};

/// The argument by which a program is told to be a worker.
const FLAG: &str = "--vonk-worker";

/// Makes this process a worker if its arguments ask for one, and tells whether they did; it returns when the
/// worker was told to end by SIGTERM or Ctrl-C. `ready` is called with the address once it serves.
///
/// The arguments are `--vonk-worker ADDRESS:PORT` and behind it, each with a value as for `vonk worker`:
/// `--threads`, `--memory`, `--spill-dir`, `--secret-file`, `--tls-cert`, `--tls-key`, `--tls-ca`, and
/// `--insecure` without one. Programs of one version that offer the same functions by
/// [`vonk::udf::offer_udf`] can send these to each other:
///
/// ```no_run
/// # fn main() -> vonk::Result<()> {
/// let reduced = vonk::udf::offer_udf("reduced", |share: f64| move |price: f64| price * (1.0 - share));
/// let variables = std::env::vars_os();
/// if vonk_cluster::worker_main(std::env::args(), variables, |address| eprintln!("at {address}"))? {
///     return Ok(());
/// }
/// vonk_cluster::install();
/// let session = vonk::Session::builder().master("vonk://n1:7077,n2:7077").get_or_create()?;
/// session.udf_offered("sale", &reduced, 0.2)?;
/// # Ok(()) }
/// ```
///
/// # Errors
/// `INVALID_PARAMETER_VALUE` for arguments that are not those above, and what [`serve`] fails with.
pub fn worker_main(
    args: impl IntoIterator<Item = String>,
    variables: impl IntoIterator<Item = (std::ffi::OsString, std::ffi::OsString)>,
    ready: impl FnOnce(SocketAddr) + Send,
) -> Result<bool> {
    let mut args = args.into_iter().skip_while(|arg| arg != FLAG);
    if args.next().is_none() {
        return Ok(false);
    }
    let options = WorkerOptions { variables: variables.into_iter().collect(), ..options(args)? };
    let told_to_end = async {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            () = terminated() => {}
        }
    };
    // The caller may run within a runtime, where no other one can be waited for.
    let served = std::thread::scope(|scope| {
        scope.spawn(|| serve(options, ready, told_to_end)).join().unwrap_or_else(|panic| {
            let why = vonk::error::panic_text(panic.as_ref()).unwrap_or("it panicked");
            Err(Error::internal(format!("the worker ended: {why}")))
        })
    });
    served.map(|()| true)
}

/// Completes when the process is told to end by SIGTERM.
pub async fn terminated() {
    match signal(SignalKind::terminate()) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(_) => std::future::pending().await,
    }
}

/// What the arguments behind the flag say.
fn options(mut args: impl Iterator<Item = String>) -> Result<WorkerOptions> {
    let mut config = Config::default();
    config.set(config::MEMORY_GUARD, "true")?;
    let listen = value(FLAG, &mut args)?;
    let mut options = WorkerOptions { listen, ..WorkerOptions::default() };
    let (mut certificate, mut key, mut ca) = (None, None, None);
    while let Some(flag) = args.next() {
        let mut given = || value(&flag, &mut args);
        match flag.as_str() {
            "--insecure" => options.insecure = true,
            "--threads" => config.set(config::MASTER, &format!("local[{}]", given()?))?,
            "--memory" => config.set(config::MEMORY_LIMIT, &given()?)?,
            "--spill-dir" => config.set(config::SPILL_DIRECTORY, &given()?)?,
            "--secret-file" => options.secret = Some(Secret::read(given()?.as_ref())?),
            "--tls-cert" => certificate = Some(PathBuf::from(given()?)),
            "--tls-key" => key = Some(PathBuf::from(given()?)),
            "--tls-ca" => ca = Some(PathBuf::from(given()?)),
            unknown => return Err(wrong(format!("`{unknown}` is no argument of a worker"))),
        }
    }
    options.tls = match (certificate, key, ca) {
        (Some(certificate), Some(key), Some(ca)) => Some(Tls { certificate, key, ca }),
        (None, None, None) => None,
        _ => return Err(wrong("TLS needs a certificate, its key and a CA".to_owned())),
    };
    options.config = config;
    Ok(options)
}

fn value(flag: &str, args: &mut impl Iterator<Item = String>) -> Result<String> {
    args.next().ok_or_else(|| wrong(format!("`{flag}` has no value")))
}

fn wrong(message: String) -> Error {
    Error::new(Condition::INVALID_PARAMETER, message)
        .hint("give `--vonk-worker ADDRESS:PORT` and what the documentation of `worker_main` names")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_say_whether_and_what_worker() {
        let of = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert!(!worker_main(of("program --threads 2"), [], |_| ()).unwrap());
        let found = options(of("127.0.0.1:7 --threads 2 --memory 1GB").into_iter()).unwrap();
        assert_eq!(found.listen, "127.0.0.1:7");
        assert_eq!(found.config.get(config::MASTER), Some("local[2]"));
        for wrong in ["", "a:1 --memory", "a:1 --what 2", "a:1 --tls-ca ca"] {
            let error = options(of(wrong).into_iter()).unwrap_err();
            assert_eq!(error.condition(), Condition::INVALID_PARAMETER, "{wrong}: {error}");
        }
        let error = worker_main(of("program --vonk-worker 192.0.2.1:7"), [], |_| ()).unwrap_err();
        assert_eq!(error.condition(), Condition::INSUFFICIENT_PERMISSIONS, "{error}");
    }
}
