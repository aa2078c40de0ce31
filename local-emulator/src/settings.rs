//! What an emulator is started with, and why a start can fail. Data only: nothing here opens, binds or spawns.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::fault::FaultSettings;
use crate::lambda::EventSettings;
use crate::tls::TlsSettings;

/// Everything an [`Emulator`](crate::Emulator) needs to start.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Folder for buckets and objects. Kept when the emulator stops, so a caller that passes it again finds its objects again.
    pub data: PathBuf,
    /// Whether what S3 acknowledged survives the death of the machine, not only of the process. Each write then waits for the disk.
    pub fsync: bool,
    /// How long a day lasts for lifecycle rules; a test sees things expire sooner.
    pub lifecycle_day: Duration,
    /// Ports on 127.0.0.1; 0 picks a free one.
    pub s3_port: u16,
    pub sqs_port: u16,
    pub lambda_port: u16,
    /// The only credentials that are accepted; handed to every function's environment too.
    pub credentials: Credentials,
    pub region: String,
    /// Folders served as read-only buckets.
    pub mounts: Vec<Mount>,
    pub functions: Vec<FunctionSettings>,
    /// Invocations in flight over all functions; the next one gets 429 `TooManyRequestsException`.
    pub concurrency_max: usize,
    /// An environment that served nothing for this long is killed.
    pub environment_idle: Duration,
    /// Processes kept alive over all functions. Busy environments may exceed it; idle ones are evicted, longest idle first.
    pub environment_max: usize,
    /// New environments of one function within 10 s, refilled continuously; the next invocation that needs one gets 429. 1,000 on AWS.
    pub ramp_per_10_s: u32,
    /// Parent of each environment's own temp folder, which dies with the environment.
    pub scratch: PathBuf,
    /// Runs every function as another user, which needs root.
    pub run_as: Option<RunAs>,
    /// Gives each environment CPU in proportion to its memory (one CPU per 1,769 MB) by cgroup quota, where the host allows it.
    pub cpu_quota: bool,
    /// What goes wrong, and how often; nothing by default.
    pub faults: FaultSettings,
    /// How long requests to S3 wait.
    pub latency: LatencyProfile,
    /// All three services over TLS instead of plain text.
    pub tls: Option<TlsSettings>,
}

/// Waits that a laptop does not have by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LatencyProfile {
    /// As fast as the machine is.
    #[default]
    None,
    /// Drawn from S3 latencies measured on AWS; seeded by [`FaultSettings::seed`].
    Aws,
}

impl Settings {
    /// Defaults for everything but the two folders: free ports, no function, 1,000 concurrent invocations as on a fresh account.
    pub fn new(data: impl AsRef<Path>, scratch: impl AsRef<Path>) -> Settings {
        Settings {
            data: data.as_ref().to_owned(),
            fsync: false,
            lifecycle_day: Duration::from_secs(24 * 3600),
            s3_port: 0,
            sqs_port: 0,
            lambda_port: 0,
            credentials: Credentials::default(),
            region: "us-east-1".to_owned(),
            mounts: Vec::new(),
            functions: Vec::new(),
            concurrency_max: 1000,
            environment_idle: Duration::from_secs(300),
            environment_max: 64,
            ramp_per_10_s: 1000,
            scratch: scratch.as_ref().to_owned(),
            run_as: None,
            cpu_quota: false,
            faults: FaultSettings::default(),
            latency: LatencyProfile::default(),
            tls: None,
        }
    }
}

/// A key pair. The default one is public knowledge and fits a loopback service only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    pub access_key_id: String,
    pub secret_access_key: String,
}

impl Default for Credentials {
    fn default() -> Credentials {
        Credentials {
            access_key_id: "emulator".to_owned(),
            secret_access_key: "emulator-secret".to_owned(),
        }
    }
}

/// A folder of the user's files that looks like a bucket. Nothing is copied and every write is refused with `AccessDenied`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    pub bucket: String,
    pub folder: PathBuf,
}

/// A function: a program that speaks the Lambda Runtime API.
#[derive(Clone, Debug)]
pub struct FunctionSettings {
    pub name: String,
    pub program: PathBuf,
    pub args: Vec<String>,
    /// Enforced on resident memory; 128 to 10,240 on AWS, not checked here.
    pub memory_mb: u32,
    /// Per invocation; on AWS at most 900 s.
    pub timeout: Duration,
    /// Added last, so it can override what the emulator sets.
    pub environment: BTreeMap<String, String>,
    /// The same, but shown to nobody and gone with the code that they are for: the keys that callers need are no secret.
    pub secrets: Secrets,
    /// Retries, age and destinations of asynchronous invocations.
    pub events: EventSettings,
}

impl FunctionSettings {
    /// A function of 1,769 MB, which is one vCPU, and 60 s.
    pub fn new(name: impl Into<String>, program: impl Into<PathBuf>) -> FunctionSettings {
        FunctionSettings {
            name: name.into(),
            program: program.into(),
            args: Vec::new(),
            memory_mb: 1769,
            timeout: Duration::from_secs(60),
            environment: BTreeMap::new(),
            secrets: Secrets::default(),
            events: EventSettings::default(),
        }
    }
}

/// Variables of an environment that stay out of answers and logs.
#[derive(Clone, Default)]
pub struct Secrets(pub BTreeMap<String, String>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} secrets", self.0.len())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunAs {
    pub uid: u32,
    pub gid: u32,
}

/// Why an emulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot listen on 127.0.0.1:{port} for {service}")]
    Listen {
        service: &'static str,
        port: u16,
        #[source]
        cause: std::io::Error,
    },
    #[error("cannot use data folder {}", folder.display())]
    Data {
        folder: PathBuf,
        #[source]
        cause: std::io::Error,
    },
    #[error("data folder {} is in use by another emulator", folder.display())]
    DataInUse { folder: PathBuf },
    #[error("cannot mount {} as bucket {bucket:?}: {reason}", folder.display())]
    Mount {
        bucket: String,
        folder: PathBuf,
        reason: String,
    },
    #[error("cannot use scratch folder {}", folder.display())]
    Scratch {
        folder: PathBuf,
        #[source]
        cause: std::io::Error,
    },
    #[error("cannot serve TLS")]
    Tls {
        #[source]
        cause: std::io::Error,
    },
    #[error("function {name:?}: {reason}")]
    Function { name: String, reason: String },
}
