//! Where S3 is and how patient we are with it. Leaves out who may read what: that is the credentials' business.

use mayfly_protocol::{AccessKey, env};
use std::time::Duration;

/// How to reach S3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Settings {
    /// `None`: AWS. With an endpoint, buckets are addressed by path.
    pub endpoint: Option<String>,
    pub region: String,
    /// `None`: the SDK's default chain.
    pub access_key: Option<AccessKey>,
    /// HTTP attempts of one request, the first included. At 15 % errors three would fail once in 300; six once in 90,000.
    pub attempts_max: u32,
    /// Bound on one HTTP attempt up to its response headers; bodies are watched by stalled-stream protection.
    pub request_timeout: Duration,
}

impl Default for S3Settings {
    fn default() -> S3Settings {
        S3Settings {
            endpoint: None,
            region: "us-east-1".to_owned(),
            access_key: None,
            attempts_max: 6,
            request_timeout: Duration::from_secs(20),
        }
    }
}

impl S3Settings {
    /// `MAYFLY_S3_ENDPOINT`, `AWS_REGION`, and for an endpoint of our own also `AWS_ACCESS_KEY_ID` with `AWS_SECRET_ACCESS_KEY`.
    /// Against AWS the default chain reads these variables itself, session token included.
    pub fn from_env() -> S3Settings {
        let read = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let endpoint = read(env::S3_ENDPOINT);
        let pair = || read(env::AWS_ACCESS_KEY_ID).zip(read(env::AWS_SECRET_ACCESS_KEY));
        let access_key = endpoint.as_ref().and_then(|_| pair());
        let defaults = S3Settings::default();
        S3Settings {
            endpoint,
            region: read(env::AWS_REGION).unwrap_or_else(|| defaults.region.clone()),
            access_key: access_key.map(|(id, secret)| AccessKey::new(id, secret)),
            ..defaults
        }
    }
}
