//! `mayfly serve --local`: a cloud on loopback until Ctrl-C or SIGTERM.

use crate::arguments::{LogFormat, ServeArguments};
use crate::exit::Failure;
use crate::local::{Elsewhere, LocalCloud, LocalSettings};
use crate::{interrupt, logging};
use mayfly_protocol::{AccessKey, env};
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use url::Url;

pub async fn serve(arguments: ServeArguments, log: LogFormat) -> Result<(), Failure> {
    if let Some(warning) = exposure(arguments.host) {
        eprintln!("warning: {warning}");
    }
    let stop = interrupt::only_first();
    let cloud = tokio::select! {
        cloud = LocalCloud::start(settings(arguments, log)?) => cloud?,
        () = stop.cancelled() => return Err(Failure::Canceled),
    };
    announce(&cloud);
    let ended = tokio::select! {
        () = stop.cancelled() => Ok(()),
        () = cloud.broke() => Err(broken_off()),
    };
    let stopped = cloud.stop().await;
    ended.and(stopped)
}

/// What it means to listen where others can reach us.
fn exposure(host: IpAddr) -> Option<String> {
    let text = format!(
        "{host} is not this machine alone, and there is no authentication: whoever reaches the port may run statements, read every table, \
         and see and end the queries of others; --host 127.0.0.1 lets nobody else in"
    );
    (!host.to_canonical().is_loopback()).then_some(text)
}

fn broken_off() -> Failure {
    let text = "the coordinator broke off by a fault of its own, which stands above; start the server again: queries go on from their journals";
    Failure::Broken(text.to_owned())
}

fn settings(arguments: ServeArguments, log: LogFormat) -> Result<LocalSettings, Failure> {
    Ok(LocalSettings {
        listen: SocketAddr::new(arguments.host, arguments.port),
        names: arguments.names,
        data: arguments.data,
        mounts: arguments.mounts,
        size: arguments.memory,
        concurrency: arguments.concurrency,
        executor_user: arguments.executor_user,
        elsewhere: elsewhere(arguments.s3_endpoint, arguments.sqs_endpoint, arguments.lambda_endpoint)?,
        lease: Duration::from_secs(arguments.lease),
        log_filter: logging::filter(logging::SERVE),
        log_format: log.name(),
        ..LocalSettings::new(match arguments.executor {
            Some(executor) => executor,
            None => program()?,
        })
    })
}

/// Executors are this very program.
pub fn program() -> Result<std::path::PathBuf, Failure> {
    std::env::current_exe().map_err(|error| Failure::broken("cannot find this program", error))
}

/// Services that this process does not serve, with the keys that the environment names.
fn elsewhere(s3: Option<Url>, sqs: Option<Url>, lambda: Option<Url>) -> Result<Option<Elsewhere>, Failure> {
    if s3.is_none() && sqs.is_none() {
        return Ok(None);
    }
    let access_key = access_key().ok_or_else(|| {
        Failure::Usage("an endpoint elsewhere needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".to_owned())
    })?;
    let text = |url: Url| url.as_str().trim_end_matches('/').to_owned();
    Ok(Some(Elsewhere {
        s3: s3.map(text),
        sqs: sqs.map(text),
        lambda: lambda.map(text),
        access_key,
    }))
}

/// The environment's.
pub fn access_key() -> Option<AccessKey> {
    let read = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (id, secret) = read(env::AWS_ACCESS_KEY_ID).zip(read(env::AWS_SECRET_ACCESS_KEY))?;
    Some(AccessKey::new(id, secret))
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

#[cfg(test)]
mod tests;
