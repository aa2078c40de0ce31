//! The parts of AWS that the driver talks to, and whether they will do.

use crate::DriverSettings;
use crate::steady::SteadyTime;
use aws_credential_types::Credentials;
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::{BehaviorVersion, Region};
use mayfly_protocol::{AccessKey, key};
use mayfly_store::{Store, StoreError};
use std::sync::atomic::{AtomicUsize, Ordering};

/// HTTP/2 streams that AWS grants one connection; a client keeps one connection, so more in flight need more clients.
const STREAMS_PER_CLIENT: u32 = 100;

/// Where a service is and who we are there.
#[derive(Clone, Debug, Default)]
pub struct Endpoint {
    /// `None` is AWS itself.
    pub url: Option<String>,
    pub region: String,
    /// `None` takes the default chain.
    pub access_key: Option<AccessKey>,
}

/// The clients. Handed over, not configured: see [`DriverSettings`] for what is data.
#[derive(Clone)]
pub struct World {
    pub(crate) store: Store,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) queue_url: String,
    lambdas: std::sync::Arc<Lambdas>,
}

struct Lambdas {
    clients: Vec<aws_sdk_lambda::Client>,
    next: AtomicUsize,
}

/// Why a coordinator refuses to start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot use bucket {bucket}")]
    Bucket {
        bucket: String,
        #[source]
        cause: StoreError,
    },
    #[error("cannot use queue {queue}: {message}")]
    Queue { queue: String, message: String },
}

impl World {
    /// Connects to Lambda and SQS; creates the queue named `queue` if it is missing. `in_flight_max` decides how many Lambda
    /// clients are kept.
    pub async fn connect(
        store: Store,
        lambda: &Endpoint,
        sqs: &Endpoint,
        queue: &str,
        in_flight_max: u32,
    ) -> Result<World, StartError> {
        let sqs = sqs_client(sqs).await;
        let created = sqs.create_queue().queue_name(queue).send().await;
        let refuse = |message: String| StartError::Queue {
            queue: queue.to_owned(),
            message,
        };
        let created = created.map_err(|error| refuse(aws_sdk_sqs::error::DisplayErrorContext(error).to_string()))?;
        let queue_url = created.queue_url.ok_or_else(|| refuse("it has no URL".to_owned()))?;
        let mut clients = Vec::new();
        for _ in 0..in_flight_max.div_ceil(STREAMS_PER_CLIENT).max(1) {
            clients.push(lambda_client(lambda).await);
        }
        let lambdas = std::sync::Arc::new(Lambdas {
            clients,
            next: AtomicUsize::new(0),
        });
        Ok(World {
            store,
            sqs,
            queue_url,
            lambdas,
        })
    }

    /// The next client in turn, so that streams spread evenly over connections.
    pub(crate) fn lambda(&self) -> &aws_sdk_lambda::Client {
        let turn = self.lambdas.next.fetch_add(1, Ordering::Relaxed);
        &self.lambdas.clients[turn % self.lambdas.clients.len()]
    }

    /// Refuses a store that ignores conditional writes: they are the only lock.
    pub(crate) async fn check(&self, settings: &DriverSettings) -> Result<(), StartError> {
        let refuse = |cause| StartError::Bucket {
            bucket: settings.bucket.clone(),
            cause,
        };
        self.store.probe(&settings.bucket, key::PROBES).await.map_err(refuse)
    }
}

async fn lambda_client(endpoint: &Endpoint) -> aws_sdk_lambda::Client {
    let shared = shared_config(endpoint).await;
    // The scheduler retries; a retry inside the SDK would run, and bill, a task twice unseen.
    let config = aws_sdk_lambda::config::Builder::from(&shared).retry_config(RetryConfig::disabled());
    aws_sdk_lambda::Client::from_conf(config.build())
}

async fn sqs_client(endpoint: &Endpoint) -> aws_sdk_sqs::Client {
    aws_sdk_sqs::Client::new(&shared_config(endpoint).await)
}

async fn shared_config(endpoint: &Endpoint) -> aws_config::SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(endpoint.region.clone()))
        .time_source(SteadyTime);
    if let Some(url) = &endpoint.url {
        loader = loader.endpoint_url(url);
    }
    if let Some(key) = &endpoint.access_key {
        let secret = key.secret.reveal();
        loader = loader.credentials_provider(Credentials::from_keys(&key.id, secret, None));
    }
    loader.load().await
}
