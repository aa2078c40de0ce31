//! Environment variables by which one process tells another something. Each is spelled here, with who sets it and who reads it; values
//! are read where they are used. Variables of tests stand with the tests.
//!
//! ```text
//! shell ────▶ mayfly (command line, server) ────▶ planner
//!                     │ sets up functions
//!                     ▼
//!                  Lambda ────▶ executor
//! ```
//! In a function's configuration an empty value counts as not set, but for [`LOG`].

/// Where executors find S3: a base URL such as `http://127.0.0.1:9000`, whose buckets are addressed by path. Without it S3 is AWS's.
///
/// Set by the deployer, in a function's configuration; read by `store`, in an executor.
pub const S3_ENDPOINT: &str = "MAYFLY_S3_ENDPOINT";

/// Where an executor may read tables: `*`, or places like `bucket` and `bucket/prefix`, separated by commas. Without it there are none.
///
/// Set by the deployer, in a function's configuration; read by the executor.
pub const ALLOWED_LOCATIONS: &str = "MAYFLY_ALLOWED_LOCATIONS";

/// Name of the bucket that holds queries' own objects: orders may name plans, outputs and inputs in it, and no table under
/// [`PRIVATE`](crate::key::PRIVATE). Without it each order's own output bucket is taken for it.
///
/// Set by the deployer, in a function's configuration; read by the executor.
pub const CONTROL_BUCKET: &str = "MAYFLY_CONTROL_BUCKET";

/// Bytes of disk, a whole number, beyond which a task may not count on more to spill to. Without it, and where it is no number, free
/// disk alone is the bound.
///
/// Set by whoever deploys, in a function's configuration, and not by the local cloud; read by the executor.
pub const SPILL_BYTES_MAX: &str = "MAYFLY_SPILL_BYTES_MAX";

/// Which log lines appear: directives of `tracing` such as `info,mayfly_driver=debug`. Without it a server and an executor say `info`,
/// other commands `warn`.
///
/// Set by the user for the command line and the server; by the server, with its own value or default, for its planners and the local
/// cloud's executors. Read by all of these.
pub const LOG: &str = "MAYFLY_LOG";

/// How log lines look: `text`, the default, or `json`. For the command line it is the same as `--log`.
///
/// Set and read as [`LOG`] is.
pub const LOG_FORMAT: &str = "MAYFLY_LOG_FORMAT";

/// Present, whatever its value: this process plans statements for the server that started it, and does nothing else.
///
/// Set by the server for its planners, as `1`; read by the binary `mayfly` when it starts.
pub const PLANNER: &str = "MAYFLY_PLANNER";

/// The server that the command line speaks to: a URL, whose `http://` may be left out. The same as `--server`.
///
/// Set by the user; read by the command line.
pub const SERVER: &str = "MAYFLY_SERVER";

/// On whose behalf the command line's statements run. The same as `--user`.
///
/// Set by the user; read by the command line.
pub const USER: &str = "MAYFLY_USER";

/// How the command line prints rows: a name that `--format` takes.
///
/// Set by the user; read by the command line.
pub const FORMAT: &str = "MAYFLY_FORMAT";

/// Id of an access key. With [`AWS_SECRET_ACCESS_KEY`] it opens what is not AWS's: an S3, SQS or Lambda that another program serves.
/// Against AWS itself the SDK's default chain reads both, and a session token, without us.
///
/// Set by the user for a server and for `mayfly load`, by Lambda for an executor, and by the server in the configuration of the local
/// cloud's functions where S3 is elsewhere. Read by the command line and, in an executor with [`S3_ENDPOINT`], by `store`.
pub const AWS_ACCESS_KEY_ID: &str = "AWS_ACCESS_KEY_ID";

/// The secret of [`AWS_ACCESS_KEY_ID`]. It is set and read with it, and shown nowhere.
pub const AWS_SECRET_ACCESS_KEY: &str = "AWS_SECRET_ACCESS_KEY";

/// The region in which requests are signed: a name such as `us-east-1`, which is also the default.
///
/// Set by Lambda; read by `store`, in an executor.
pub const AWS_REGION: &str = "AWS_REGION";

/// Host and port of the runtime interface. Where it is present the binary `mayfly` is an executor.
///
/// Set by Lambda; read by the binary `mayfly` when it starts, and by the runtime.
pub const AWS_LAMBDA_RUNTIME_API: &str = "AWS_LAMBDA_RUNTIME_API";

/// Name of the function.
///
/// Set by Lambda; read by the runtime, which an executor does not start without it.
pub const AWS_LAMBDA_FUNCTION_NAME: &str = "AWS_LAMBDA_FUNCTION_NAME";

/// Memory of the function: a whole number of MiB.
///
/// Set by Lambda; read by the executor for its budgets, and by the runtime, which an executor does not start without it.
pub const AWS_LAMBDA_FUNCTION_MEMORY_SIZE: &str = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE";

/// Version of the function: a number, or `$LATEST`.
///
/// Set by Lambda; read by the runtime, which an executor does not start without it.
pub const AWS_LAMBDA_FUNCTION_VERSION: &str = "AWS_LAMBDA_FUNCTION_VERSION";
