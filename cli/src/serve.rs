//! `mayfly serve --local`: a cloud on loopback until Ctrl-C or SIGTERM.

use crate::arguments::{LogFormat, ServeArguments};
use crate::exit::Failure;
use crate::local::{LocalCloud, LocalSettings};
use crate::{interrupt, logging};
use std::io::{self, Write};
use std::net::SocketAddr;

pub async fn serve(arguments: ServeArguments, log: LogFormat) -> Result<(), Failure> {
    let stop = interrupt::only_first();
    let cloud = tokio::select! {
        cloud = LocalCloud::start(settings(arguments, log)?) => cloud?,
        () = stop.cancelled() => return Err(Failure::Canceled),
    };
    announce(&cloud);
    stop.cancelled().await;
    cloud.stop().await
}

fn settings(arguments: ServeArguments, log: LogFormat) -> Result<LocalSettings, Failure> {
    Ok(LocalSettings {
        listen: SocketAddr::new(arguments.host, arguments.port),
        data: arguments.data,
        mounts: arguments.mounts,
        size: arguments.memory,
        concurrency: arguments.concurrency,
        executor_user: arguments.executor_user,
        log_filter: logging::filter(logging::SERVE),
        log_format: log.name(),
        ..LocalSettings::new(program()?)
    })
}

/// Executors are this very program.
pub fn program() -> Result<std::path::PathBuf, Failure> {
    std::env::current_exe().map_err(|error| Failure::broken("cannot find this program", error))
}

/// Scripts wait for these lines. Once they are there, everything answers.
fn announce(cloud: &LocalCloud) {
    let endpoints = cloud.endpoints();
    let lines = [
        format!("listening on {}", cloud.server().as_str().trim_end_matches('/')),
        format!("s3 endpoint {}", endpoints.s3),
        format!("sqs endpoint {}", endpoints.sqs),
        format!("lambda endpoint {}", endpoints.lambda),
    ];
    // Who does not read them still gets a server.
    let _ = writeln!(io::stdout(), "{}", lines.join("\n"));
    let _ = io::stdout().flush();
}
