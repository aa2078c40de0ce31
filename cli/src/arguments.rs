//! What may stand on the command line. Parsing only: nothing is opened or checked against a server here.

use crate::format::FormatName;
use crate::load::Scale;
use crate::local::User;
use crate::tpch::Query;
use clap::{Args, Parser, Subcommand, ValueEnum};
use mayfly_protocol::{FunctionSize, env};
use std::net::IpAddr;
use std::path::PathBuf;
use url::Url;

/// Serverless burst MPP SQL: plans a query, fans it out to executors that live for one task, and shows what it cost.
#[derive(Debug, Parser)]
#[command(name = "mayfly", version, propagate_version = true)]
pub struct Arguments {
    /// How log lines look on stderr; which ones appear is up to MAYFLY_LOG
    #[arg(long, global = true, value_enum, default_value_t, env = env::LOG_FORMAT)]
    pub log: LogFormat,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start a local cloud, load TPC-H, run a few queries with plan, answer and bill, and clean up
    Demo(DemoArguments),
    /// Serve SQL over HTTP
    Serve(ServeArguments),
    /// Run SQL over local files, with no server: a local cloud for this command, and nothing left behind
    Sql(LocalSqlArguments),
    /// Run SQL on a server and print the rows
    Query(QueryArguments),
    /// Show the plan of a query
    Explain(ExplainArguments),
    /// Fill a schema with generated tables
    Load(LoadArguments),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

impl LogFormat {
    pub const fn name(self) -> &'static str {
        match self {
            LogFormat::Text => "text",
            LogFormat::Json => "json",
        }
    }
}

#[derive(Debug, Args)]
pub struct DemoArguments {
    /// Scale factor of the data: 1 is about 6,000,000 rows of lineitem
    #[arg(long, value_name = "F", default_value_t = Scale::ONE)]
    pub scale: Scale,
    /// Numbers of the TPC-H queries to run
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "1,3,6,18")]
    pub queries: Vec<Query>,
}

#[derive(Debug, Args)]
pub struct ServeArguments {
    /// S3, SQS and Lambda on loopback beside the server, all in this process
    #[arg(long, required = true)]
    pub local: bool,
    /// Address to listen on
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    pub host: IpAddr,
    /// A name by which clients call this server, such as sql.example.com; addresses and localhost need none. May be repeated
    #[arg(long = "name", value_name = "HOST")]
    pub names: Vec<String>,
    /// Port to listen on; 0 picks one
    #[arg(long, value_name = "P", default_value_t = 8080)]
    pub port: u16,
    /// Folder that keeps the buckets across restarts; without it they are temporary
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// A folder of yours to serve as a read-only bucket; may be repeated
    #[arg(long = "mount", value_name = "BUCKET=DIR", value_parser = mount)]
    pub mounts: Vec<(String, PathBuf)>,
    /// Invocations at a time, and one in sixteen more for what is quick; by default as many as the cores of this machine can serve
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub concurrency: Option<u32>,
    /// Memory of the function that runs first attempts: 1769, 3538, 7076 or 10240
    #[arg(long, value_name = "MB", default_value = "1769", value_parser = memory)]
    pub memory: FunctionSize,
    /// Runs executors as another user, which needs root
    #[arg(long, value_name = "UID:GID", value_parser = user)]
    pub executor_user: Option<User>,
    /// S3 that is served elsewhere, such as MinIO's; its keys are AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
    #[arg(long, value_name = "URL", conflicts_with_all = ["mounts", "data"])]
    pub s3_endpoint: Option<Url>,
    /// SQS that is served elsewhere, with the same keys
    #[arg(long, value_name = "URL")]
    pub sqs_endpoint: Option<Url>,
    /// Lambda that is served elsewhere, with the same keys and the executor functions in it: with all three elsewhere this is one of several
    /// servers over one cloud
    #[arg(long, value_name = "URL", requires_all = ["s3_endpoint", "sqs_endpoint"])]
    pub lambda_endpoint: Option<Url>,
    /// Seconds after which another server takes over the queries of one that is silent
    #[arg(long, value_name = "S", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=900))]
    pub lease: u64,
    /// The executors' program, such as a `bootstrap` about to be deployed; by default this one
    #[arg(long, value_name = "FILE")]
    pub executor: Option<PathBuf>,
}

/// Which server, and as whom.
#[derive(Clone, Debug, Args)]
pub struct ServerArguments {
    /// Address of the server
    #[arg(long, value_name = "URL", env = env::SERVER, default_value = "http://127.0.0.1:8080", value_parser = server)]
    pub server: Url,
    /// User on whose behalf statements run; the name of the login by default
    #[arg(long, value_name = "NAME", env = env::USER)]
    pub user: Option<String>,
}

/// A server and the session on it.
#[derive(Clone, Debug, Args)]
pub struct TargetArguments {
    #[command(flatten)]
    pub server: ServerArguments,
    /// Catalog of unqualified names
    #[arg(long, value_name = "NAME", default_value = "lake")]
    pub catalog: String,
    /// Schema of unqualified names; the server's default is `default`
    #[arg(long, value_name = "NAME")]
    pub schema: Option<String>,
    /// Session property, for instance target_task_bytes=64MB; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub properties: Vec<(String, String)>,
}

/// Where the SQL text comes from: one of these, else standard input.
#[derive(Clone, Debug, Args)]
#[group(multiple = false)]
pub struct SqlArguments {
    /// SQL text; several statements are parted by semicolons. It may begin with a comment
    #[arg(short = 'c', long = "execute", value_name = "SQL", allow_hyphen_values = true)]
    pub sql: Option<String>,
    /// File with SQL text; `-` is standard input
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    pub file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct QueryArguments {
    #[command(flatten)]
    pub target: TargetArguments,
    #[command(flatten)]
    pub sql: SqlArguments,
    #[command(flatten)]
    pub output: OutputArguments,
}

#[derive(Debug, Args)]
pub struct LocalSqlArguments {
    /// A folder to serve as the read-only bucket s3://NAME/; may be repeated. Paths in FROM need none
    #[arg(long = "mount", value_name = "NAME=DIR", value_parser = mount)]
    pub mounts: Vec<(String, PathBuf)>,
    /// Session property, for instance target_task_bytes=64MB; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub properties: Vec<(String, String)>,
    #[command(flatten)]
    pub sql: SqlArguments,
    #[command(flatten)]
    pub output: OutputArguments,
}

/// What is printed, and how.
#[derive(Clone, Debug, Args)]
pub struct OutputArguments {
    /// Form of the rows on stdout; `table` on a terminal, else `csv`
    #[arg(long, value_enum, env = env::FORMAT)]
    pub format: Option<FormatName>,
    /// Whether to show progress on stderr; `auto` does so on a terminal
    #[arg(long, value_enum, default_value_t)]
    pub progress: ProgressMode,
    /// Print the bill line by line on stderr
    #[arg(long)]
    pub bill: bool,
    /// Print no summary on stderr, errors alone
    #[arg(short, long, conflicts_with = "bill")]
    pub quiet: bool,
}

#[derive(Debug, Args)]
pub struct ExplainArguments {
    #[command(flatten)]
    pub target: TargetArguments,
    #[command(flatten)]
    pub sql: SqlArguments,
    /// What to show: stages, tasks and exchanges, or the logical plan
    #[arg(long = "type", value_enum, default_value_t)]
    pub kind: ExplainKind,
    /// Run the query, and show its stages with what each did, took and cost
    #[arg(long, conflicts_with = "kind")]
    pub analyze: bool,
}

#[derive(Debug, Args)]
pub struct LoadArguments {
    #[command(subcommand)]
    pub source: LoadSource,
}

#[derive(Debug, Subcommand)]
pub enum LoadSource {
    /// The eight tables of TPC-H, as Parquet in the S3 of a local cloud
    Tpch(TpchArguments),
}

#[derive(Clone, Debug, Args)]
pub struct TpchArguments {
    #[command(flatten)]
    pub server: ServerArguments,
    /// Scale factor: 1 is about 6,000,000 rows of lineitem
    #[arg(long, value_name = "F", default_value_t = Scale::ONE)]
    pub scale: Scale,
    /// Schema to fill; tpch_sf1 for scale 1, tpch_sf0_1 for 0.1
    #[arg(long, value_name = "NAME", value_parser = schema_name)]
    pub schema: Option<String>,
    /// Whether to show progress on stderr; `auto` draws a bar on a terminal and prints lines elsewhere
    #[arg(long, value_enum, default_value_t)]
    pub progress: ProgressMode,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ProgressMode {
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ExplainKind {
    #[default]
    Distributed,
    Logical,
    /// Stages and what they did: the query is run. `--analyze` asks for it.
    #[value(skip)]
    Analyze,
}

/// `http://host:port`, where `http://` may be left out.
fn server(text: &str) -> Result<Url, String> {
    let with_scheme = match text.contains("://") {
        true => text.to_owned(),
        false => format!("http://{text}"),
    };
    let url = Url::parse(&with_scheme).map_err(|error| error.to_string())?;
    match (url.scheme(), url.has_host()) {
        ("http", true) => Ok(url),
        ("https", true) => Err("https is not supported yet".to_owned()),
        _ => Err("expected http://host:port".to_owned()),
    }
}

/// Part of a path in S3 and of a name in SQL.
fn schema_name(text: &str) -> Result<String, String> {
    let allowed = |byte: u8| byte == b'_' || byte.is_ascii_lowercase() || byte.is_ascii_digit();
    match !text.is_empty() && text.bytes().all(allowed) {
        true => Ok(text.to_owned()),
        false => Err("expected lower-case letters, digits and underscores".to_owned()),
    }
}

fn mount(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((bucket, folder)) if !bucket.is_empty() && !folder.is_empty() => Ok((bucket.to_owned(), folder.into())),
        _ => Err("expected BUCKET=DIR".to_owned()),
    }
}

fn memory(text: &str) -> Result<FunctionSize, String> {
    let size = FunctionSize::ALL
        .into_iter()
        .find(|size| size.memory_mb().to_string() == text);
    size.ok_or_else(|| {
        format!(
            "expected one of {}",
            FunctionSize::ALL.map(|size| size.memory_mb().to_string()).join(", ")
        )
    })
}

fn user(text: &str) -> Result<User, String> {
    let parse = || {
        let (uid, gid) = text.split_once(':')?;
        Some(User {
            uid: uid.parse().ok()?,
            gid: gid.parse().ok()?,
        })
    };
    parse().ok_or_else(|| "expected UID:GID, both numbers".to_owned())
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.trim().to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests;
