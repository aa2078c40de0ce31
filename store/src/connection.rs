//! The SDK client and its connection pool, which can be exchanged for a fresh one. Leaves out requests: see `read`, `write`, `list`.

use crate::S3Settings;
use crate::hedge::Hedging;
use crate::skew::SignedAtAnotherTime;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Config, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation,
    SharedHttpClient, StalledStreamProtectionConfig,
};
use aws_smithy_http_client::Builder as HttpBuilder;
use aws_smithy_runtime::client::retries::{RetryPartition, TokenBucket};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Of which a random share is waited, twice as much before each further try. S3 answers most requests that it turned away within
/// some milliseconds when they come again, and a task waits for each of its reads.
const BACKOFF_FIRST: Duration = Duration::from_millis(25);
const BACKOFF_MAX: Duration = Duration::from_secs(3);
/// A body that brings no byte for this long is given up and asked for again.
const STALL_MAX: Duration = Duration::from_secs(10);

/// A client that can be replaced while handles to it live.
#[derive(Debug)]
pub(crate) struct Connection {
    /// Everything but the HTTP client; identity cache included, so that reopening asks nobody for credentials.
    config: Config,
    plain_http: bool,
    pub(crate) attempts_max: u32,
    pub(crate) region: String,
    pub(crate) hedging: Hedging,
    client: RwLock<Client>,
}

impl Connection {
    pub(crate) async fn open(settings: &S3Settings) -> Connection {
        let config = configure(settings).await;
        let plain_http = settings
            .endpoint
            .as_ref()
            .is_some_and(|endpoint| endpoint.starts_with("http://"));
        Connection {
            client: RwLock::new(build(&config, plain_http)),
            config,
            plain_http,
            attempts_max: settings.attempts_max,
            region: settings.region.clone(),
            hedging: Hedging::default(),
        }
    }

    pub(crate) fn client(&self) -> Client {
        self.client.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn reopen(&self) {
        let fresh = build(&self.config, self.plain_http);
        *self.client.write().unwrap_or_else(PoisonError::into_inner) = fresh;
    }
}

fn build(config: &Config, plain_http: bool) -> Client {
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    Client::from_conf(config.to_builder().http_client(http_client(plain_http)).build())
}

/// A pool of its own each time. Plain HTTP only where the endpoint asks for it: it spares an executor the platform's root certificates.
fn http_client(plain_http: bool) -> SharedHttpClient {
    if plain_http {
        HttpBuilder::new().build_http()
    } else {
        use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
        HttpBuilder::new()
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .build_https()
    }
}

async fn configure(settings: &S3Settings) -> Config {
    let region = Region::new(settings.region.clone());
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).region(region);
    if let Some(key) = &settings.access_key {
        let secret = key.secret.reveal();
        loader = loader.credentials_provider(Credentials::new(&key.id, secret, None, None, "settings"));
    }
    let mut builder = aws_sdk_s3::config::Builder::from(&loader.load().await)
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .retry_config(retries(settings.attempts_max))
        .retry_partition(retry_partition())
        .retry_classifier(SignedAtAnotherTime)
        .timeout_config(timeouts(settings.request_timeout))
        .stalled_stream_protection(StalledStreamProtectionConfig::enabled().grace_period(STALL_MAX).build());
    if let Some(endpoint) = &settings.endpoint {
        builder = builder.endpoint_url(endpoint).force_path_style(true);
    }
    builder.build()
}

fn retries(attempts_max: u32) -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(attempts_max)
        .with_initial_backoff(BACKOFF_FIRST)
        .with_max_backoff(BACKOFF_MAX)
}

/// The SDK's shared bucket of 500 retry tokens would run dry under hundreds of parallel requests and turn one bad second of S3 into
/// failed tasks. Attempts per request and the task's deadline bound the retries instead.
fn retry_partition() -> RetryPartition {
    RetryPartition::custom("mayfly-s3")
        .token_bucket(TokenBucket::unlimited())
        .build()
}

fn timeouts(request_timeout: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(request_timeout)
        .build()
}
