//! What lives as long as the process: where S3 is, what may be read, how much memory and disk there is, and what warms up with use.

use mayfly_fragment::{AllowedLocations, FooterCache};
use mayfly_protocol::env;
use mayfly_store::{S3Settings, Store};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{Notify, OnceCell};

/// How the process was deployed.
#[derive(Clone, Debug)]
pub struct EnvironmentSettings {
    pub s3: S3Settings,
    pub allowed: AllowedLocations,
    /// The bucket of queries' own objects, which no order may take tables from; `None` takes the one that the order writes to.
    pub control: Option<String>,
    /// Memory of the function; `None` takes the size that the spec names.
    pub memory_bytes: Option<u64>,
    pub spill_folder: PathBuf,
    /// Cap on spilled bytes; the folder's free space is the other.
    pub spill_bytes_max: u64,
}

impl EnvironmentSettings {
    /// From the function's environment variables.
    pub fn from_env() -> EnvironmentSettings {
        let read = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let number = |name: &str| read(name).and_then(|text| text.parse::<u64>().ok());
        let memory_mb = number(env::AWS_LAMBDA_FUNCTION_MEMORY_SIZE);
        EnvironmentSettings {
            s3: S3Settings::from_env(),
            allowed: AllowedLocations::parse(&read(env::ALLOWED_LOCATIONS).unwrap_or_default()),
            control: read(env::CONTROL_BUCKET),
            memory_bytes: memory_mb.map(|mb| mb.saturating_mul(1024 * 1024)),
            spill_folder: std::env::temp_dir(),
            spill_bytes_max: number(env::SPILL_BYTES_MAX).unwrap_or(u64::MAX),
        }
    }
}

/// A process that runs attempts, one after another. Clones share it.
#[derive(Clone)]
pub struct Environment {
    shared: Arc<Shared>,
}

struct Shared {
    settings: EnvironmentSettings,
    store: OnceCell<Store>,
    footers: Arc<FooterCache>,
    unclean: AtomicBool,
    left_running: Notify,
}

impl Environment {
    /// Does nothing yet: initialization is billed, and the store connects when it is first asked.
    pub fn new(settings: EnvironmentSettings) -> Environment {
        let shared = Shared {
            settings,
            store: OnceCell::new(),
            footers: Arc::default(),
            unclean: AtomicBool::new(false),
            left_running: Notify::new(),
        };
        Environment {
            shared: Arc::new(shared),
        }
    }

    pub fn settings(&self) -> &EnvironmentSettings {
        &self.shared.settings
    }

    /// Whether every attempt so far was gone when it was answered. If not, the process should end after its answer: what is left
    /// would run on in the next invocation.
    pub fn is_clean(&self) -> bool {
        !self.shared.unclean.load(Ordering::Acquire)
    }

    pub(crate) fn mark_unclean(&self) {
        self.shared.unclean.store(true, Ordering::Release);
        self.shared.left_running.notify_one();
    }

    /// Waits until an attempt left something running.
    pub(crate) async fn left_running(&self) {
        self.shared.left_running.notified().await;
    }

    pub(crate) fn footers(&self) -> Arc<FooterCache> {
        Arc::clone(&self.shared.footers)
    }

    /// A handle with a fresh meter. Connections of earlier attempts died with their runtimes, and after a thaw the other side has
    /// closed them anyway: they are forgotten rather than tried.
    pub(crate) async fn store(&self) -> Store {
        let cell = &self.shared.store;
        if let Some(store) = cell.get() {
            store.drop_connections();
        }
        let store = cell.get_or_init(|| Store::connect(&self.shared.settings.s3)).await;
        store.fork()
    }
}
