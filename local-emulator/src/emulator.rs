//! Puts the three services together, starts them, and stops them.

use std::fs::DirBuilder;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use tokio::net::TcpListener;

use crate::control::Control;
use crate::count::{Counter, Counts};
use crate::fault::{FaultSettings, Faults};
use crate::lambda::{Function, InvokeApi, LambdaService, ManageApi, Pool, PoolSettings};
use crate::serve::{Lifetime, listen};
use crate::settings::{LatencyProfile, Settings, StartError};
use crate::{s3, sqs, tls};

/// How long a stop waits for connections to be dropped, and with them the store.
const STOP_WAIT_MAX: Duration = Duration::from_secs(1);

/// A running emulator. Dropping it stops the services and kills the functions too, but only [`shutdown`](Emulator::shutdown) waits until
/// no process and no scratch folder is left.
pub struct Emulator {
    endpoints: Endpoints,
    counter: Arc<Counter>,
    pool: Arc<Pool>,
    faults: Arc<Faults>,
    lifetime: Lifetime,
}

/// Base URLs, such as `http://127.0.0.1:43211`, without a slash at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    pub s3: String,
    pub sqs: String,
    pub lambda: String,
}

impl Emulator {
    /// Starts all three services; once this returns they answer.
    pub async fn start(settings: Settings) -> Result<Emulator, StartError> {
        make_scratch(&settings.scratch)?;
        let store = s3::Store::open(&settings.data, &settings.mounts, settings.fsync)?;
        let functions = settings
            .functions
            .iter()
            .map(|function| Function::new(function.clone(), &settings.region));
        let functions = functions.collect::<Result<Vec<_>, _>>()?;
        let (s3_listener, s3_address) = bind("S3", settings.s3_port).await?;
        let (sqs_listener, sqs_address) = bind("SQS", settings.sqs_port).await?;
        let (lambda_listener, lambda_address) = bind("Lambda", settings.lambda_port).await?;

        let tls = settings.tls.as_ref().map(tls::acceptor).transpose();
        let tls = tls.map_err(|cause| StartError::Tls { cause })?;
        let url = |address: SocketAddr| url(address, tls.is_some());
        let code = settings.scratch.join("code");
        let counter = Arc::new(Counter::default());
        let faults = Arc::new(Faults::new(settings.faults.clone()));
        let lifetime = Lifetime::default();
        let store = Arc::new(store);
        let expiry = s3::expire(store.clone(), settings.lifecycle_day, lifetime.stop.clone());
        lifetime.tasks.spawn(expiry);
        let s3 = s3::service(s3::Parts {
            store: store.clone(),
            credentials: settings.credentials.clone(),
            region: settings.region.clone(),
            counter: counter.clone(),
            faults: faults.clone(),
            latency: match settings.latency {
                LatencyProfile::None => None,
                LatencyProfile::Aws => Some(s3::Latency::aws(settings.faults.seed)),
            },
        });
        lifetime.serve(s3_listener, s3, tls.clone());

        let sqs = sqs::SqsApi::new(&settings, url(sqs_address), counter.clone(), faults.clone());
        let destination = sqs.door();
        let sqs = service_fn(move |request| sqs.clone().route(request));
        lifetime.serve(sqs_listener, sqs, tls.clone());

        let pool = PoolSettings {
            credentials: settings.credentials.clone(),
            region: settings.region.clone(),
            environment_idle: settings.environment_idle,
            environment_max: settings.environment_max,
            ramp_per_10_s: settings.ramp_per_10_s,
            scratch: settings.scratch,
            run_as: settings.run_as,
            cpu_quota: settings.cpu_quota,
        };
        let pool = Arc::new(Pool::new(pool, faults.clone()));
        lifetime.tasks.spawn(pool.clone().reap(lifetime.stop.clone()));
        let service = LambdaService::new(
            functions,
            pool.clone(),
            counter.clone(),
            settings.concurrency_max,
            faults.clone(),
            Some(destination),
        );
        let access_key_id = settings.credentials.access_key_id;
        let service = Arc::new(service);
        let lambda = InvokeApi {
            manage: ManageApi {
                service: service.clone(),
                store,
                region: settings.region.clone(),
                code,
            },
            service,
            access_key_id,
            region: settings.region,
            control: Control {
                counter: counter.clone(),
                faults: faults.clone(),
                pool: pool.clone(),
            },
        };
        let lambda = service_fn(move |request| lambda.clone().route(request));
        lifetime.serve(lambda_listener, lambda, tls.clone());

        let endpoints = Endpoints {
            s3: url(s3_address),
            sqs: url(sqs_address),
            lambda: url(lambda_address),
        };
        Ok(Emulator {
            endpoints,
            counter,
            pool,
            faults,
            lifetime,
        })
    }

    pub fn endpoints(&self) -> Endpoints {
        self.endpoints.clone()
    }

    /// What was asked of the emulator so far.
    pub fn counts(&self) -> Counts {
        self.counter.counts()
    }

    /// Switches to other faults; those that were on are off, and every stream of chance starts anew.
    pub fn set_faults(&self, faults: FaultSettings) {
        self.faults.replace(faults);
    }

    /// Whether functions get CPU in proportion to their memory: asked for, and the host allows it.
    pub fn limits_cpu(&self) -> bool {
        self.pool.limits_cpu()
    }

    /// Whether this host lets functions die with the emulator even if it is killed and they are frozen.
    pub fn ties_children(&self) -> bool {
        self.pool.ties_children()
    }

    /// Kills every environment, ends every connection, and returns once no process and no scratch folder is left and the data folder is
    /// free for the next emulator. Takes milliseconds; gives up after three seconds.
    pub async fn shutdown(self) {
        self.pool.stop().await;
        self.lifetime.stop.cancel();
        self.lifetime.tasks.close();
        if tokio::time::timeout(STOP_WAIT_MAX, self.lifetime.tasks.wait())
            .await
            .is_err()
        {
            tracing::error!("some connections did not end in time");
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.lifetime.stop.cancel();
        self.pool.kill_all();
    }
}

async fn bind(service: &'static str, port: u16) -> Result<(TcpListener, SocketAddr), StartError> {
    listen(port)
        .await
        .map_err(|cause| StartError::Listen { service, port, cause })
}

fn url(address: SocketAddr, is_tls: bool) -> String {
    let scheme = if is_tls { "https" } else { "http" };
    format!("{scheme}://{address}")
}

/// Others may pass through it to their own folder, but not look around.
fn make_scratch(scratch: &Path) -> Result<(), StartError> {
    let failed = |cause: io::Error| StartError::Scratch {
        folder: scratch.to_owned(),
        cause,
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o711)
        .create(scratch)
        .map_err(failed)
}
