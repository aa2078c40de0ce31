//! The planner's side: a process that plans the statements it is sent, one at a time, until nobody is there to ask.

use super::frame::Frame;
use super::limit;
use super::wire::{Ask, Ended, Said, read, written};
use mayfly_plan::{Planned, Planner, Watch};
use mayfly_protocol::QueryError;
use mayfly_store::Store;
use std::io;
use std::process;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::sync::mpsc;

/// Memory for dividing one file, or row group, among tasks.
const PIECE_BYTES: u64 = 4 * 1024;

/// Between two words on what was asked of S3.
const TELL_PAUSE: Duration = Duration::from_millis(500);

/// This process's end of the pipes.
pub struct PlannerPort(mpsc::Receiver<Frame>);

impl PlannerPort {
    /// Reads on a thread of its own: when the server is gone the process ends, whatever it computes.
    pub fn open() -> io::Result<PlannerPort> {
        limit::at_start();
        name_process();
        let (frames, port) = mpsc::channel(1);
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        thread::Builder::new()
            .name("asks".to_owned())
            .spawn(move || runtime.block_on(forward(frames)))?;
        Ok(PlannerPort(port))
    }

    /// What the server's [`PlannerProgram`](super::PlannerProgram) has for its planners to begin with.
    pub async fn setup(&mut self) -> Option<Vec<u8>> {
        Some(self.0.recv().await?.text)
    }
}

/// So that it can be told from its server, whose program it is.
fn name_process() {
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_name(c"mayfly-planner");
}

async fn forward(frames: mpsc::Sender<Frame>) {
    let mut stdin = tokio::io::stdin();
    while let Ok(frame) = Frame::read(&mut stdin).await {
        if frames.send(frame).await.is_err() {
            break;
        }
    }
    process::exit(0);
}

/// Plans what comes. `store` is the one that the planner's catalog reads.
pub async fn serve_planner(mut port: PlannerPort, planner: Planner, store: Store) -> io::Result<()> {
    while let Some(frame) = port.0.recv().await {
        let ask: Ask = read(&frame)?;
        let requests = store.fork();
        let planned = tokio::select! {
            planned = plan(&planner, &requests, &ask) => planned,
            failed = tell(&requests) => return failed,
        };
        limit::release();
        let memory_bytes = limit::data_bytes().unwrap_or(0);
        let ended = Ended::new(planned, requests.meter(), memory_bytes);
        let (ended, arrow) = ended.map_err(io::Error::other)?;
        let text = written(&Said::Ended(Box::new(ended)));
        say(&Frame { text, arrow })?;
    }
    Ok(())
}

async fn plan(planner: &Planner, requests: &Store, ask: &Ask) -> Result<Planned, QueryError> {
    let catalog = planner.catalog().metered(requests);
    let bounds = Bounds {
        requests: requests.clone(),
        memory_bytes_max: ask.memory_bytes_max,
    };
    let planner = planner.over(Arc::new(catalog)).watched(Arc::new(bounds));
    planner.plan(&ask.sql, &ask.session).await
}

/// Tells the server now and then what was asked of S3. Returns when it hears no more.
async fn tell(requests: &Store) -> io::Result<()> {
    loop {
        tokio::time::sleep(TELL_PAUSE).await;
        say(&Frame::of(written(&Said::Asked(requests.meter()))))?;
    }
}

/// Tells the server how far a statement has come, and holds the rest of its planning to its memory.
struct Bounds {
    requests: Store,
    memory_bytes_max: u64,
}

impl Watch for Bounds {
    fn looked_up(&self, pieces: u64) {
        // A server that does not read any more ends this process.
        let _ = say(&Frame::of(written(&Said::LookedUp(self.requests.meter()))));
        limit::at_most_more(self.memory_bytes_max + pieces * PIECE_BYTES);
    }
}

/// Blocks until the pipe has taken it: the server reads all the while.
fn say(frame: &Frame) -> io::Result<()> {
    frame.write(&mut io::stdout().lock())
}
