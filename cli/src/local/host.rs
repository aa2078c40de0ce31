//! The emulator on threads of its own, named so that their CPU time can be told from the server's: on AWS they would not exist.

use crate::exit::{Failure, chain};
use local_emulator::{Emulator, Endpoints, Settings, StartError};
use tokio::runtime::{Builder, Runtime};

/// Name of the threads, as `/proc` shows it.
const THREAD_NAME: &str = "emulator";

/// A running emulator.
pub struct EmulatorHost {
    emulator: Emulator,
    threads: Threads,
}

/// A runtime that may be dropped from async code: dropping a [`Runtime`] there would wait, and waiting there panics.
struct Threads(Option<Runtime>);

impl Threads {
    fn handle(&self) -> &Runtime {
        self.0.as_ref().expect("it is taken only by drop")
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl EmulatorHost {
    /// Starts the emulator. The inner error is the emulator's own, so that a port that was taken can be told from the rest.
    pub async fn start(settings: Settings) -> Result<Result<EmulatorHost, StartError>, Failure> {
        let runtime = Builder::new_multi_thread()
            .enable_all()
            .thread_name(THREAD_NAME)
            .build();
        let threads = Threads(Some(
            runtime.map_err(|error| Failure::broken("cannot start threads", error))?,
        ));
        let started = threads.handle().spawn(Emulator::start(settings)).await;
        let started = started.map_err(|error| Failure::broken("cannot start the local cloud", chain(&error)))?;
        Ok(started.map(|emulator| EmulatorHost { emulator, threads }))
    }

    pub fn endpoints(&self) -> Endpoints {
        self.emulator.endpoints()
    }

    /// Kills every environment, then lets the threads go.
    pub async fn stop(self) {
        // A panic in there was reported where it happened; there is nothing more to stop.
        let _ = self.threads.handle().spawn(self.emulator.shutdown()).await;
    }
}
