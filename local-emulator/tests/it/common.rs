//! Starts emulators and AWS's own clients for the tests.
#![allow(
    clippy::disallowed_methods,
    reason = "the emulator is tested with clients of its own"
)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_credential_types::Credentials;
use local_emulator::{Emulator, FunctionSettings, Settings};
use tempfile::TempDir;

/// An emulator in folders of its own.
pub struct World {
    pub emulator: Emulator,
    pub folder: TempDir,
}

pub async fn start() -> World {
    start_with(|_| {}).await
}

pub async fn start_with(change: impl FnOnce(&mut Settings)) -> World {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path());
    change(&mut settings);
    World {
        emulator: Emulator::start(settings).await.unwrap(),
        folder,
    }
}

pub fn settings(folder: &Path) -> Settings {
    Settings::new(folder.join("data"), folder.join("scratch"))
}

fn credentials() -> Credentials {
    let known = local_emulator::Credentials::default();
    Credentials::new(known.access_key_id, known.secret_access_key, None, None, "test")
}

/// A client of the emulator at that address.
pub fn s3_at(url: &str) -> aws_sdk_s3::Client {
    s3_client(url, credentials())
}

fn s3_client(url: &str, credentials: Credentials) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version_latest()
        .endpoint_url(url)
        .region(aws_sdk_s3::config::Region::new("us-east-1"))
        .credentials_provider(credentials)
        .force_path_style(true)
        .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled());
    aws_sdk_s3::Client::from_conf(config.build())
}

impl World {
    pub fn s3(&self) -> aws_sdk_s3::Client {
        self.s3_as(credentials())
    }

    pub fn s3_as(&self, credentials: Credentials) -> aws_sdk_s3::Client {
        s3_client(&self.emulator.endpoints().s3, credentials)
    }

    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version_latest()
            .endpoint_url(self.emulator.endpoints().sqs)
            .region(aws_sdk_sqs::config::Region::new("us-east-1"))
            .credentials_provider(credentials());
        aws_sdk_sqs::Client::from_conf(config.build())
    }

    pub fn lambda(&self) -> aws_sdk_lambda::Client {
        let config = aws_sdk_lambda::Config::builder()
            .behavior_version_latest()
            .endpoint_url(self.emulator.endpoints().lambda)
            .region(aws_sdk_lambda::config::Region::new("us-east-1"))
            .credentials_provider(credentials())
            .retry_config(aws_sdk_lambda::config::retry::RetryConfig::disabled());
        aws_sdk_lambda::Client::from_conf(config.build())
    }
}

/// The test function under a name, with 256 MB and 5 s.
pub fn function(name: &str) -> FunctionSettings {
    FunctionSettings {
        memory_mb: 256,
        timeout: Duration::from_secs(5),
        ..FunctionSettings::new(name, test_function())
    }
}

/// Cargo builds examples along with tests, two folders up from the test binary.
fn test_function() -> PathBuf {
    let this = std::env::current_exe().unwrap();
    let path = this.parent().unwrap().parent().unwrap().join("examples/test-function");
    assert!(
        path.is_file(),
        "{} is missing: build it with `cargo build --release --examples`",
        path.display()
    );
    path
}

/// One request without an SDK: status and body as text.
pub async fn http(method: &str, url: &str, body: &str) -> (u16, String) {
    use http_body_util::{BodyExt, Full};
    use hyper_util::client::legacy::Client;
    use hyper_util::rt::TokioExecutor;
    let client = Client::builder(TokioExecutor::new()).build_http();
    let body = Full::new(bytes::Bytes::copy_from_slice(body.as_bytes()));
    let request = http::Request::builder().method(method).uri(url).body(body).unwrap();
    let answer = client.request(request).await.unwrap();
    let status = answer.status().as_u16();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&bytes).into_owned())
}
