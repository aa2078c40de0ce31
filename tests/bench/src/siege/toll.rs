//! What a server holds: memory, files, slots, objects; before, during and after.

use crate::usage::resident_mb;
use mayfly_end_to_end::client::Client;
use mayfly_end_to_end::server::{Server, descendants, is_alive};
use mayfly_protocol::key;
use mayfly_store::{AccessKey, S3Settings, Store};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Of shuffles and plans.
const BUCKET: &str = "mayfly";
const LOOK_PAUSE: Duration = Duration::from_millis(100);
/// What the siege leaves is gone by then: attempts have a minute, and connections ten seconds.
const SETTLED_MAX: Duration = Duration::from_secs(120);
/// Connections to the services and planners come and go.
const FILES_SLACK: usize = 60;

/// The most that was held.
#[derive(Default)]
pub struct Held {
    pub server_mb: u64,
    pub planners_mb: u64,
    pub files: usize,
}

/// Looks until it has ended.
pub async fn watch(server: u32, ended: Arc<AtomicBool>) -> Held {
    let mut held = Held::default();
    while !ended.load(Ordering::Relaxed) {
        held.server_mb = held.server_mb.max(resident_mb(server));
        let planners = descendants(server).into_iter().map(resident_mb).sum();
        held.planners_mb = held.planners_mb.max(planners);
        held.files = held.files.max(files(server));
        tokio::time::sleep(LOOK_PAUSE).await;
    }
    held
}

fn files(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count)
}

/// What a server holds at one moment.
pub struct Toll {
    pub is_alive: bool,
    server_mb: u64,
    files: usize,
    /// Invocations that the cloud runs.
    busy: usize,
    /// Queries that are planned or run.
    running: usize,
    /// Under `x/` and `p/`.
    objects: usize,
}

impl Toll {
    pub async fn of(server: &Server, cloud: &Server, client: &Client) -> Toll {
        let is_alive = is_alive(server.pid());
        let queries = match is_alive {
            true => client.get_json(&format!("{}/v1/query", server.url)).await,
            false => Value::Null,
        };
        // What was only registered runs nothing, and is forgotten when nobody asks for it.
        let runs = |query: &&Value| matches!(query["state"].as_str(), Some("PLANNING" | "RUNNING"));
        let queries = queries.as_array().cloned().unwrap_or_default();
        Toll {
            is_alive,
            server_mb: resident_mb(server.pid()),
            files: files(server.pid()),
            busy: busy(cloud, client).await,
            running: queries.iter().filter(runs).count(),
            objects: objects(cloud).await,
        }
    }

    /// Once everything is back, or never will be.
    pub async fn settled(server: &Server, cloud: &Server, client: &Client, before: &Toll) -> Toll {
        let end = Instant::now() + SETTLED_MAX;
        loop {
            let toll = Toll::of(server, cloud, client).await;
            if toll.is_back_to(before) || !toll.is_alive || Instant::now() > end {
                return toll;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    pub fn is_back_to(&self, before: &Toll) -> bool {
        let is_idle = self.busy == 0 && self.running == 0;
        is_idle && self.files <= before.files + FILES_SLACK && self.objects <= before.objects
    }
}

impl fmt::Display for Toll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Toll {
            is_alive,
            server_mb,
            files,
            busy,
            running,
            objects,
        } = self;
        let life = if *is_alive { "alive" } else { "DEAD" };
        write!(
            f,
            "{life}, {server_mb} MB, {files} files, {busy} invocations, {running} queries, {objects} shuffle objects and plans"
        )
    }
}

async fn busy(cloud: &Server, client: &Client) -> usize {
    let listing = client
        .get_json(&format!("{}/_emulator/environments", cloud.lambda))
        .await;
    let all = listing
        .as_array()
        .or_else(|| listing["environments"].as_array())
        .cloned();
    let all = all.unwrap_or_default();
    all.iter().filter(|environment| environment["state"] == "busy").count()
}

async fn objects(cloud: &Server) -> usize {
    let settings = S3Settings {
        endpoint: Some(cloud.s3.clone()),
        access_key: Some(AccessKey::new("emulator", "emulator-secret")),
        ..S3Settings::default()
    };
    let store = Store::connect(&settings).await;
    let (shuffles, plans) = (
        store.list(BUCKET, key::OUTPUTS).await,
        store.list(BUCKET, key::PLANS).await,
    );
    shuffles.expect("listed").len() + plans.expect("listed").len()
}
