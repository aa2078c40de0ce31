//! The emulator as a program: settings from the command line, endpoints on stdout, runs until SIGINT or SIGTERM.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use local_emulator::{
    Credentials, Emulator, Endpoints, FaultSettings, FunctionSettings, LatencyProfile, Mount, Settings, TlsSettings,
};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// S3, SQS and Lambda on loopback.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Folder for buckets and objects, kept; a temporary one if absent.
    #[arg(long)]
    data: Option<PathBuf>,
    /// What S3 acknowledged is on the disk, and survives the death of the machine.
    #[arg(long)]
    fsync: bool,
    /// 0 picks a free port.
    #[arg(long, default_value_t = 0)]
    s3_port: u16,
    #[arg(long, default_value_t = 0)]
    sqs_port: u16,
    #[arg(long, default_value_t = 0)]
    lambda_port: u16,
    #[arg(long, default_value = "us-east-1")]
    region: String,
    #[arg(long, default_value_t = Credentials::default().access_key_id)]
    access_key_id: String,
    #[arg(long, default_value_t = Credentials::default().secret_access_key)]
    secret_access_key: String,
    /// Serves a folder as a read-only bucket; may be repeated.
    #[arg(long, value_name = "BUCKET=FOLDER", value_parser = parse_mount)]
    mount: Vec<Mount>,
    /// A function: an executable that speaks the Lambda Runtime API; may be repeated.
    #[arg(long, value_name = "NAME=PROGRAM", value_parser = parse_pair)]
    function: Vec<(String, String)>,
    /// Memory of every function.
    #[arg(long, default_value_t = 1769)]
    memory_mb: u32,
    /// Timeout of every function.
    #[arg(long, default_value_t = 60)]
    timeout_s: u64,
    /// A variable of every function's environment; may be repeated.
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_pair)]
    env: Vec<(String, String)>,
    #[arg(long, default_value_t = 1000)]
    concurrency_max: usize,
    #[arg(long, default_value_t = 64)]
    environment_max: usize,
    #[arg(long, default_value_t = 300)]
    environment_idle_s: u64,
    /// New environments of one function within 10 s.
    #[arg(long, default_value_t = 1000)]
    ramp_per_10_s: u32,
    /// Makes requests to S3 wait as on AWS.
    #[arg(long, value_name = "PROFILE", value_parser = parse_latency, default_value = "none")]
    latency: LatencyProfile,
    /// Lets functions have all the CPU there is; else it goes with their memory, one CPU per 1,769 MB, where cgroups allow it.
    #[arg(long)]
    no_cpu_quota: bool,
    /// Serves TLS, HTTP/2 first, and writes the certificate to trust to this file.
    #[arg(long, value_name = "FILE")]
    tls: Option<PathBuf>,
    /// Rules of faults, as `PUT /_emulator/faults` takes them.
    #[arg(long, value_name = "JSON", value_parser = parse_faults)]
    faults: Option<FaultSettings>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // s3s reports every 404 as an error of its own.
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,s3s=off"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let arguments = Arguments::parse();
    let temporary = tempfile::tempdir()?;
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let emulator = Emulator::start(settings(arguments, temporary.path())).await?;
    let endpoints = emulator.endpoints();
    // Whoever has stopped listening does not end the services.
    let _ = announce(&mut std::io::stdout(), &emulator, &endpoints);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    emulator.shutdown().await;
    Ok(())
}

/// Programs wait for the endpoints; people read the rest.
fn announce(out: &mut impl Write, emulator: &Emulator, endpoints: &Endpoints) -> std::io::Result<()> {
    writeln!(out, "s3 endpoint {}", endpoints.s3)?;
    writeln!(out, "sqs endpoint {}", endpoints.sqs)?;
    writeln!(out, "lambda endpoint {}", endpoints.lambda)?;
    let always = "concurrency, ramp, timeout, resident memory, payload size, freeze between invocations, idle expiry";
    let (enforced, accounted) = match emulator.limits_cpu() {
        true => (", CPU share", ""),
        false => ("", "CPU share, "),
    };
    writeln!(out, "enforced: {always}{enforced}")?;
    writeln!(out, "accounted only: {accounted}temp folder size, network bandwidth")?;
    if !emulator.ties_children() {
        let missing = "setpriv (util-linux) is missing, so frozen functions outlive an emulator that is killed";
        writeln!(out, "not enforced: {missing}")?;
    }
    Ok(())
}

fn settings(arguments: Arguments, temporary: &std::path::Path) -> Settings {
    let data = arguments.data.unwrap_or_else(|| temporary.join("data"));
    let environment: BTreeMap<String, String> = arguments.env.into_iter().collect();
    let function = |(name, program): (String, String)| FunctionSettings {
        memory_mb: arguments.memory_mb,
        timeout: Duration::from_secs(arguments.timeout_s),
        environment: environment.clone(),
        ..FunctionSettings::new(name, program)
    };
    Settings {
        fsync: arguments.fsync,
        cpu_quota: !arguments.no_cpu_quota,
        s3_port: arguments.s3_port,
        sqs_port: arguments.sqs_port,
        lambda_port: arguments.lambda_port,
        credentials: Credentials {
            access_key_id: arguments.access_key_id,
            secret_access_key: arguments.secret_access_key,
        },
        region: arguments.region,
        mounts: arguments.mount,
        functions: arguments.function.into_iter().map(function).collect(),
        concurrency_max: arguments.concurrency_max,
        environment_idle: Duration::from_secs(arguments.environment_idle_s),
        environment_max: arguments.environment_max,
        ramp_per_10_s: arguments.ramp_per_10_s,
        latency: arguments.latency,
        tls: arguments.tls.map(|certificate| TlsSettings { certificate }),
        faults: arguments.faults.unwrap_or_default(),
        ..Settings::new(data, temporary.join("scratch"))
    }
}

fn parse_latency(text: &str) -> Result<LatencyProfile, String> {
    match text {
        "none" => Ok(LatencyProfile::None),
        "aws" => Ok(LatencyProfile::Aws),
        other => Err(format!("{other:?} is neither none nor aws")),
    }
}

fn parse_faults(text: &str) -> Result<FaultSettings, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn parse_mount(text: &str) -> Result<Mount, String> {
    let (bucket, folder) = parse_pair(text)?;
    Ok(Mount {
        bucket,
        folder: folder.into(),
    })
}

fn parse_pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| format!("{text:?} has no ="))?;
    Ok((name.to_owned(), value.to_owned()))
}
