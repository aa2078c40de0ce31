//! Another life of this binary: a process that plans statements for a server, which starts it and speaks to it through pipes.

use crate::exit::chain;
use crate::local::LocalSettings;
use crate::logging;
use mayfly_catalog::{Catalog, Locations};
use mayfly_plan::{Planner, PlannerSettings};
use mayfly_protocol::{AccessKey, Secret, env};
use mayfly_server::{PlannerPort, PlannerProgram, serve_planner};
use mayfly_store::{S3Settings, Store};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::error::Error;
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// This very program, also after its file was replaced: a planner must be of its server's build.
const SELF: &str = "/proc/self/exe";

/// What a planner needs to begin with.
#[derive(Serialize, Deserialize)]
pub struct Setup {
    pub s3_endpoint: Option<String>,
    pub region: String,
    pub access_key: Option<SentKey>,
    /// The control bucket, which holds the catalog.
    pub bucket: String,
    /// Texts by which queries may name places.
    pub meanings: BTreeMap<String, String>,
    pub planning: PlannerSettings,
}

/// An [`AccessKey`] on its way through the pipe.
#[derive(Serialize, Deserialize)]
pub struct SentKey {
    id: String,
    secret: String,
}

impl From<&AccessKey> for SentKey {
    fn from(key: &AccessKey) -> SentKey {
        SentKey {
            id: key.id.clone(),
            secret: key.secret.reveal().clone(),
        }
    }
}

/// How a server starts its planners.
pub fn program(setup: &Setup, settings: &LocalSettings) -> io::Result<PlannerProgram> {
    let this = Path::new(SELF);
    let environment = [
        (env::PLANNER, "1"),
        (env::LOG, settings.log_filter.as_str()),
        (env::LOG_FORMAT, settings.log_format),
    ];
    Ok(PlannerProgram {
        program: match this.exists() {
            true => this.to_owned(),
            false => std::env::current_exe()?,
        },
        environment: environment
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        setup: Secret::new(serde_json::to_vec(setup).expect("texts and numbers make JSON")),
    })
}

pub fn is_called_for() -> bool {
    std::env::var_os(env::PLANNER).is_some()
}

/// Plans until the server is gone. One thread: what plans brings its own.
pub fn become_one() -> ExitCode {
    logging::start_planner();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(plan()).map_err(|error| chain(error.as_ref())),
        Err(error) => Err(error.to_string()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("planner: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn plan() -> Result<(), Box<dyn Error>> {
    let mut port = PlannerPort::open()?;
    let Some(setup) = port.setup().await else {
        return Ok(());
    };
    let setup: Setup = serde_json::from_slice(&setup)?;
    let store = Store::connect(&S3Settings {
        endpoint: setup.s3_endpoint,
        region: setup.region,
        access_key: setup.access_key.map(|key| AccessKey::new(key.id, key.secret)),
        ..S3Settings::default()
    })
    .await;
    let catalog = Catalog::new(
        store.fork(),
        setup.bucket,
        Locations::any().with_meanings(setup.meanings),
    );
    let planner = Planner::new(Arc::new(catalog), setup.planning);
    serve_planner(port, planner, store).await?;
    Ok(())
}
