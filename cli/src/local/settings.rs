//! What may be chosen about a local cloud, and what follows from it for the emulator.

use super::folder::Folder;
use local_emulator::{FunctionSettings, Mount, RunAs, Secrets, Settings};
use mayfly_driver::{DriverSettings, in_flight_max};
use mayfly_protocol::limits::TASK_DURATION_MS_MAX;
use mayfly_protocol::{AccessKey, FunctionSize, env};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

/// Name of the control bucket.
pub const BUCKET: &str = "mayfly";
/// Names of the executor functions, without their size.
pub const FUNCTION_PREFIX: &str = "mayfly-executor";
/// Environments that may idle beside the busy ones: after an escalation a task's next attempt finds its size warm.
const ENVIRONMENTS_IDLE_MAX: usize = 4;

/// Another user to run executors as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User {
    pub uid: u32,
    pub gid: u32,
}

/// Services of the cloud that another program serves.
#[derive(Clone, Debug)]
pub struct Elsewhere {
    /// Base URLs without a slash at the end; `None` is the emulator's.
    pub s3: Option<String>,
    pub sqs: Option<String>,
    pub lambda: Option<String>,
    /// For all.
    pub access_key: AccessKey,
}

#[derive(Clone, Debug)]
pub struct LocalSettings {
    /// Where the server listens; port 0 picks one.
    pub listen: SocketAddr,
    /// By which clients call it, besides addresses and `localhost`.
    pub names: Vec<String>,
    /// Keeps buckets; without it they are temporary.
    pub data: Option<PathBuf>,
    /// The user's folders, as read-only buckets: name and folder.
    pub mounts: Vec<(String, PathBuf)>,
    /// Texts by which queries may name places in these buckets.
    pub meanings: BTreeMap<String, String>,
    /// The function that runs first attempts.
    pub size: FunctionSize,
    /// Invocations at a time; by default as many as the host's cores can serve.
    pub concurrency: Option<u32>,
    pub executor_user: Option<User>,
    pub elsewhere: Option<Elsewhere>,
    /// How long a server may be silent before another takes its queries over.
    pub lease: Duration,
    /// Filter and form of the executors' log lines, as `MAYFLY_LOG` and `MAYFLY_LOG_FORMAT` have them.
    pub log_filter: String,
    pub log_format: &'static str,
    /// The executors' program: this very one.
    pub program: PathBuf,
}

/// The host's cores, which stand for vCPUs.
pub(super) fn cores() -> u32 {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    u32::try_from(cores).unwrap_or(u32::MAX)
}

/// The largest function that takes half of this machine's memory at most; the smallest where that is not known.
pub(super) fn size_for_memory() -> FunctionSize {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = total.and_then(|total| total.trim().trim_end_matches(" kB").parse::<u64>().ok());
    let half_mb = kib.unwrap_or(0) * 1_024 / 2_000_000;
    let sizes = FunctionSize::ALL.into_iter().rev();
    let mut fitting = sizes.filter(|size| u64::from(size.memory_mb()) <= half_mb);
    fitting.next().unwrap_or_default()
}

impl LocalSettings {
    /// A temporary cloud on a port of its own.
    pub fn new(program: PathBuf) -> LocalSettings {
        LocalSettings {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            names: Vec::new(),
            data: None,
            mounts: Vec::new(),
            meanings: BTreeMap::new(),
            size: FunctionSize::default(),
            concurrency: None,
            executor_user: None,
            elsewhere: None,
            lease: DriverSettings::LEASE_DEFAULT,
            log_filter: "warn".to_owned(),
            log_format: "text",
            program,
        }
    }

    /// Invocations at a time. Their vCPUs are no more than the host's cores, so that billed times mean something.
    pub fn concurrency(&self) -> u32 {
        let fitting = cores() / self.size.vcpus();
        self.concurrency.unwrap_or(fitting).max(1)
    }

    /// Whether nothing is left to emulate.
    pub(super) fn all_elsewhere(&self) -> bool {
        let services = self
            .elsewhere
            .as_ref()
            .map(|other| [&other.s3, &other.sqs, &other.lambda]);
        services.is_some_and(|services| services.into_iter().all(Option::is_some))
    }

    pub(super) fn emulator(&self, folder: &Folder, s3_port: u16) -> Settings {
        let concurrency_max = in_flight_max(self.concurrency()) as usize;
        let mount = |(bucket, folder): &(String, PathBuf)| Mount {
            bucket: bucket.clone(),
            folder: folder.clone(),
        };
        Settings {
            s3_port,
            mounts: self.mounts.iter().map(mount).collect(),
            functions: FunctionSize::ALL
                .map(|size| self.function(folder, size, s3_port))
                .into(),
            concurrency_max,
            environment_max: concurrency_max + ENVIRONMENTS_IDLE_MAX,
            run_as: self.executor_user.map(|User { uid, gid }| RunAs { uid, gid }),
            ..Settings::new(folder.data(), folder.scratch())
        }
    }

    fn function(&self, folder: &Folder, size: FunctionSize, s3_port: u16) -> FunctionSettings {
        FunctionSettings {
            memory_mb: size.memory_mb(),
            timeout: Duration::from_millis(TASK_DURATION_MS_MAX),
            environment: self.environment(s3_port),
            secrets: self.secrets(),
            ..FunctionSettings::new(size.function_name(FUNCTION_PREFIX), folder.program())
        }
    }

    /// The S3 that executors use, if it is not the emulator's, and its keys.
    fn s3_elsewhere(&self) -> Option<(&str, &AccessKey)> {
        let elsewhere = self.elsewhere.as_ref()?;
        Some((elsewhere.s3.as_deref()?, &elsewhere.access_key))
    }

    /// Region and credentials are the platform's to set, unless S3 is elsewhere.
    fn environment(&self, s3_port: u16) -> BTreeMap<String, String> {
        let own = format!("http://127.0.0.1:{s3_port}");
        let endpoint = self.s3_elsewhere().map_or(own, |(url, _)| url.to_owned());
        let pairs = [
            (env::S3_ENDPOINT, endpoint),
            (env::ALLOWED_LOCATIONS, "*".to_owned()),
            (env::CONTROL_BUCKET, BUCKET.to_owned()),
            (env::LOG, self.log_filter.clone()),
            (env::LOG_FORMAT, self.log_format.to_owned()),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value)).into()
    }

    /// Whoever calls the emulator's Lambda may ask how a function is configured.
    fn secrets(&self) -> Secrets {
        let keys = self.s3_elsewhere().map(|(_, key)| {
            [
                (env::AWS_ACCESS_KEY_ID.to_owned(), key.id.clone()),
                (env::AWS_SECRET_ACCESS_KEY.to_owned(), key.secret.reveal().clone()),
            ]
        });
        Secrets(keys.into_iter().flatten().collect())
    }
}
