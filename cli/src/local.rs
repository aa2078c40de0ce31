//! A whole cloud on this machine: the emulator's S3, SQS and Lambda, and the server on top. The one place where the crates are wired.
//!
//! ```text
//! LocalCloud
//! ├─ emulator   S3, SQS, Lambda ── children: this very program as executor
//! └─ assembled  store ─▶ catalog ─▶ planner ┐
//!               world ─▶ driver ────────────┴▶ coordinator ─▶ server
//! ```
//! Only the endpoints differ from a cloud on AWS; the services may be another process's, also all of them.

mod assemble;
mod folder;
mod host;
mod settings;

pub use settings::{Elsewhere, LocalSettings, User};

use crate::exit::{Failure, chain};
use assemble::{Assembled, Places, assemble};
use folder::Folder;
use host::EmulatorHost;
use local_emulator::Endpoints;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;
use url::Url;

/// Times that a port is picked for S3. Another process may take it between our look and the emulator's.
const PORT_ATTEMPTS_MAX: u32 = 5;
/// How long running queries get to end as cancelled. The emulator needs about two seconds more, and five are promised.
const DRIVER_STOP_MAX: Duration = Duration::from_millis(1_500);
const SERVER_STOP_MAX: Duration = Duration::from_millis(500);

/// A running local cloud. Dropped without [`LocalCloud::stop`] it still kills its children, but waits for nothing.
pub struct LocalCloud {
    assembled: Assembled,
    /// None if all services are another process's.
    emulator: Option<EmulatorHost>,
    folder: Folder,
    endpoints: Endpoints,
}

impl LocalCloud {
    /// Starts everything. When this returns, the server answers.
    pub async fn start(settings: LocalSettings) -> Result<LocalCloud, Failure> {
        listenable(settings.listen)?;
        let folder = Folder::new(&settings)?;
        let emulator = match settings.all_elsewhere() {
            true => None,
            false => Some(emulator(&settings, &folder).await?),
        };
        let own = emulator.as_ref().map(EmulatorHost::endpoints);
        let places = Places::new(own.as_ref(), settings.elsewhere.as_ref());
        match assemble(&settings, &places).await {
            Ok(assembled) => Ok(LocalCloud {
                assembled,
                emulator,
                folder,
                endpoints: places.endpoints(),
            }),
            Err(failure) => {
                stop(emulator).await;
                Err(failure)
            }
        }
    }

    /// Address of the server.
    pub fn server(&self) -> Url {
        self.assembled.url()
    }

    /// Addresses of S3, SQS and Lambda.
    pub fn endpoints(&self) -> Endpoints {
        self.endpoints.clone()
    }

    /// Waits until the coordinator has broken off by a fault of its own.
    pub async fn broke(&self) {
        self.assembled.broke().await;
    }

    /// Cancels what runs, stops every child, removes what is temporary.
    pub async fn stop(self) -> Result<(), Failure> {
        self.assembled.stop().await;
        stop(self.emulator).await;
        self.folder.remove()
    }
}

async fn stop(emulator: Option<EmulatorHost>) {
    if let Some(emulator) = emulator {
        emulator.stop().await;
    }
}

/// Starts the emulator. Its functions are told where S3 is before it listens, so that port is picked here.
async fn emulator(settings: &LocalSettings, folder: &Folder) -> Result<EmulatorHost, Failure> {
    let mut attempts = 1;
    loop {
        let port = free_port()?;
        match EmulatorHost::start(settings.emulator(folder, port)).await? {
            Err(local_emulator::StartError::Listen { port: taken, .. })
                if taken == port && attempts < PORT_ATTEMPTS_MAX =>
            {
                attempts += 1;
            }
            started => return started.map_err(|error| Failure::broken("cannot start the local cloud", chain(&error))),
        }
    }
}

/// Said before anything is started, as it is the likeliest thing to be in the way.
fn listenable(address: SocketAddr) -> Result<(), Failure> {
    let refused = |error: std::io::Error| {
        Failure::Broken(format!(
            "cannot listen on {address}: {error}; --port P takes another port, --port 0 any"
        ))
    };
    TcpListener::bind(address).map(drop).map_err(refused)
}

fn free_port() -> Result<u16, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let address = listener.and_then(|listener| listener.local_addr());
    address
        .map(|address| address.port())
        .map_err(|error| Failure::broken("cannot listen on 127.0.0.1", error))
}
