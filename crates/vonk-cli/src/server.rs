//! `vonk server`: Spark Connect for the programs of PySpark, until Ctrl-C.

use std::io::Write;
use std::path::Path;

use vonk::{Condition, Error, Result, Session, SessionBuilder};
use vonk_connect::{Limits, Server};

use crate::args::ServerOptions;
use crate::workers::Workers;
use crate::{CANCEL_WAIT, no_threads};

/// Serves until the process is told to end.
pub(crate) fn run(options: &ServerOptions) -> Result<()> {
    let template = template(options);
    let threads = template.clone().get_or_create()?.config().threads()?;
    let workers = Workers::start(threads).map_err(no_threads)?;
    // Clients are answered on threads of their own, however busy the workers are.
    let control = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(no_threads)?;
    let served = control.block_on(serve(options, template, &workers));
    control.shutdown_background();
    workers.stop(CANCEL_WAIT);
    served
}

async fn serve(options: &ServerOptions, template: SessionBuilder, workers: &Workers) -> Result<()> {
    let limits = Limits { sessions_max: options.max_sessions, ..Limits::default() };
    let mut server = Server::builder(template).limits(limits).workers(workers.handle());
    if let (Some(certificate), Some(key)) = (&options.tls_cert, &options.tls_key) {
        server = server.tls(read(certificate)?, read(key)?);
    }
    if options.insecure {
        server = server.insecure();
    }
    server = server.python(&options.python).console(|text| {
        // Not the standard output, which a program that has started the server may not read.
        let _ = writeln!(std::io::stderr(), "{text}");
    });
    if options.allow_python {
        server = server.allow_python();
    }
    let mut running = server.bind(&options.listen, options.token.as_deref()).await?;
    // A program that has started the server may have gone without reading on.
    let _ = writeln!(std::io::stdout(), "listening at sc://{}", running.address());
    tokio::select! {
        ended = running.wait() => ended,
        () = crate::cluster::told_to_end(false) => {
            running.stop().await;
            Ok(())
        }
    }
}

fn template(options: &ServerOptions) -> SessionBuilder {
    let mut builder = Session::builder().environment(std::env::vars_os());
    if let Some(master) = &options.master {
        builder = builder.master(master);
    }
    if let Some(limit) = &options.memory_limit {
        builder = builder.config(vonk::config::MEMORY_LIMIT, limit);
    }
    options.conf.iter().fold(builder, |builder, (name, value)| builder.config(name, value))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| {
        let message = format!("the file cannot be read: {error}");
        Error::new(Condition::CANNOT_READ_FILE, message).file(path)
    })
}
