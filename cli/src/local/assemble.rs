//! Wires store, catalog, planner, driver and server together, given where the services are.

use super::settings::{BUCKET, Elsewhere, FUNCTION_PREFIX, LocalSettings, cores, size_for_memory};
use super::{DRIVER_STOP_MAX, SERVER_STOP_MAX};
use crate::exit::{Failure, chain};
use crate::planner;
use local_emulator::{Credentials, Endpoints};
use mayfly_catalog::{Catalog, Locations};
use mayfly_cost::{Architecture, PriceBook};
use mayfly_driver::{Driver, DriverSettings, Endpoint, World, in_flight_max};
use mayfly_plan::{Planner, PlannerSettings};
use mayfly_protocol::{AccessKey, FunctionSize, TenantId, key};
use mayfly_server::{Coordinator, LocalInfo, LocalKeys, Planners, ServerHandle, ServerSettings, serve};
use mayfly_store::{S3Settings, Store};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::error::Error;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use url::Url;

const QUEUE: &str = "mayfly";
const REGION: &str = "us-east-1";

/// Where the services are, and who we are there.
pub struct Places {
    s3: Place,
    sqs: Place,
    lambda: Place,
}

/// One service.
struct Place {
    /// Base URL.
    url: String,
    access_key: AccessKey,
    /// Whether the emulator serves it, whose keys are no secret.
    is_own: bool,
}

impl Places {
    /// The emulator's, if there is one, but for what is elsewhere.
    pub fn new(endpoints: Option<&Endpoints>, elsewhere: Option<&Elsewhere>) -> Places {
        let emulator = Credentials::default();
        let emulator = AccessKey::new(emulator.access_key_id, emulator.secret_access_key);
        let place = |own: Option<&String>, url: fn(&Elsewhere) -> Option<&String>| {
            let other = elsewhere.and_then(|other| Some((url(other)?, &other.access_key)));
            match other {
                Some((url, access_key)) => Place {
                    url: url.clone(),
                    access_key: access_key.clone(),
                    is_own: false,
                },
                None => Place {
                    url: own.cloned().unwrap_or_default(),
                    access_key: emulator.clone(),
                    is_own: true,
                },
            }
        };
        Places {
            s3: place(endpoints.map(|own| &own.s3), |other| other.s3.as_ref()),
            sqs: place(endpoints.map(|own| &own.sqs), |other| other.sqs.as_ref()),
            lambda: place(endpoints.map(|own| &own.lambda), |other| other.lambda.as_ref()),
        }
    }

    pub fn endpoints(&self) -> Endpoints {
        Endpoints {
            s3: self.s3.url.clone(),
            sqs: self.sqs.url.clone(),
            lambda: self.lambda.url.clone(),
        }
    }

    fn info(&self) -> LocalInfo {
        let key = &self.s3.access_key;
        LocalInfo {
            s3_endpoint: self.s3.url.clone(),
            bucket: BUCKET.to_owned(),
            keys: self.s3.is_own.then(|| LocalKeys {
                access_key_id: key.id.clone(),
                secret_access_key: key.secret.reveal().clone(),
            }),
            region: REGION.to_owned(),
        }
    }
}

impl Place {
    fn endpoint(&self) -> Endpoint {
        Endpoint {
            url: Some(self.url.clone()),
            region: REGION.to_owned(),
            access_key: Some(self.access_key.clone()),
        }
    }

    fn s3(&self) -> S3Settings {
        S3Settings {
            endpoint: Some(self.url.clone()),
            region: REGION.to_owned(),
            access_key: Some(self.access_key.clone()),
            ..S3Settings::default()
        }
    }
}

/// What runs in this process.
pub struct Assembled {
    driver: Driver,
    planners: Planners,
    server: ServerHandle,
    shutdown: CancellationToken,
}

/// Builds the control plane and starts its server.
pub async fn assemble(settings: &LocalSettings, places: &Places) -> Result<Assembled, Failure> {
    let store = Store::connect(&places.s3.s3()).await;
    store
        .ensure_bucket(BUCKET)
        .await
        .map_err(failed("cannot make the control bucket"))?;
    if let Err(error) = store.ensure_lifecycle(BUCKET, &key::EXPIRING).await {
        let error = chain(&error);
        tracing::warn!(
            error,
            "the bucket's lifecycle cannot be set: what servers that die leave behind stays"
        );
    }
    let concurrency = settings.concurrency();
    let prices = PriceBook::named(REGION, architecture()).map_err(failed("no prices"))?;

    let (lambda, sqs) = (places.lambda.endpoint(), places.sqs.endpoint());
    let world = World::connect(store.fork(), &lambda, &sqs, QUEUE, in_flight_max(concurrency)).await;
    let world = world.map_err(failed("cannot reach the queue"))?;
    let driver = Driver::start(driver_settings(settings, concurrency), world).await;
    let driver = driver.map_err(failed("cannot start the driver"))?;

    let locations = Locations::any().with_meanings(settings.meanings.clone());
    let catalog = Catalog::new(store.fork(), BUCKET.to_owned(), locations);
    let planning = PlannerSettings {
        size_max: FunctionSize::with_vcpus(cores()).max(settings.size),
        size_for_memory: size_for_memory().max(settings.size),
        ..PlannerSettings::for_size(settings.size, settings.size.vcpus(), concurrency)
    };
    let setup = planner::Setup {
        s3_endpoint: Some(places.s3.url.clone()),
        region: REGION.to_owned(),
        access_key: Some((&places.s3.access_key).into()),
        bucket: BUCKET.to_owned(),
        meanings: settings.meanings.clone(),
        planning: planning.clone(),
    };
    let planners = planner::program(&setup, settings).map_err(failed("cannot find this program"))?;
    let planners = Planners::start(planners).await;
    let planners = planners.map_err(failed("cannot start a planner"))?;
    let engine = Coordinator {
        planner: Planner::new(Arc::new(catalog), planning),
        planners: Some(planners.clone()),
        driver: driver.clone(),
        store,
        prices,
    };

    let shutdown = CancellationToken::new();
    let mut server = ServerSettings::new(settings.listen);
    server.names.clone_from(&settings.names);
    let files = open_files_max();
    server.connections_max = server.connections_max.min(files / 2);
    server.connections_per_client_max = server.connections_per_client_max.min(files / 4);
    server.price_book = REGION.to_owned();
    server.local = Some(places.info());
    let server = serve(server, Arc::new(engine), shutdown.clone())
        .await
        .map_err(failed("cannot start the server"))?;
    Ok(Assembled {
        driver,
        planners,
        server,
        shutdown,
    })
}

impl Assembled {
    pub fn url(&self) -> Url {
        let url = format!("http://{}", self.server.addr);
        url.parse().expect("a socket address makes a URL")
    }

    /// Waits until the driver is gone, which it is not by itself unless it broke.
    pub async fn broke(&self) {
        self.driver.stopped().await;
    }

    /// Takes no more requests, then cancels what runs. Each step has its time, so that a stuck one cannot hold up the rest.
    pub async fn stop(self) {
        self.shutdown.cancel();
        self.planners.stop();
        // Whoever is late is cut off when the emulator goes.
        let _ = tokio::time::timeout(DRIVER_STOP_MAX, self.driver.shutdown()).await;
        let _ = tokio::time::timeout(SERVER_STOP_MAX, self.server.stopped()).await;
    }
}

fn driver_settings(settings: &LocalSettings, concurrency: u32) -> DriverSettings {
    DriverSettings {
        coordinator: format!("{}/{}", settings.listen, std::process::id()),
        tenant: TenantId::default(),
        bucket: BUCKET.to_owned(),
        concurrency_max: concurrency,
        lease: settings.lease,
        function_prefix: FUNCTION_PREFIX.to_owned(),
        seed: seed(),
    }
}

/// Files that this process may have open, connections among them: as many as the system lets it ask for.
fn open_files_max() -> usize {
    const USUAL: u64 = 1_024;
    let limits = getrlimit(Resource::RLIMIT_NOFILE);
    let raised = limits.and_then(|(_, hard)| setrlimit(Resource::RLIMIT_NOFILE, hard, hard).map(|()| hard));
    let files = raised.or_else(|_| getrlimit(Resource::RLIMIT_NOFILE).map(|(soft, _)| soft));
    usize::try_from(files.unwrap_or(USUAL)).unwrap_or(usize::MAX)
}

/// Differs between processes, so that their backoffs do not march in step.
fn seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| now.as_nanos() as u64) ^ u64::from(std::process::id())
}

/// The prices of the processors that executors run on here.
fn architecture() -> Architecture {
    match cfg!(target_arch = "aarch64") {
        true => Architecture::Arm64,
        false => Architecture::X86_64,
    }
}

fn failed<E: Error>(doing: &'static str) -> impl FnOnce(E) -> Failure {
    move |error| Failure::broken(doing, chain(&error))
}
