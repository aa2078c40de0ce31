//! Where S3 is and how patient we are with it. Leaves out who may read what: that is the credentials' business.

use mayfly_protocol::env;
use std::fmt;
use std::time::Duration;

/// How to reach S3.
#[derive(Clone, PartialEq, Eq)]
pub struct S3Settings {
    /// `None`: AWS. With an endpoint, buckets are addressed by path.
    pub endpoint: Option<String>,
    pub region: String,
    /// Access key id and secret; `None`: the SDK's default chain.
    pub credentials: Option<(String, String)>,
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
            credentials: None,
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
        let credentials = endpoint
            .as_ref()
            .and_then(|_| read(env::AWS_ACCESS_KEY_ID).zip(read(env::AWS_SECRET_ACCESS_KEY)));
        let defaults = S3Settings::default();
        S3Settings {
            endpoint,
            region: read(env::AWS_REGION).unwrap_or_else(|| defaults.region.clone()),
            credentials,
            ..defaults
        }
    }
}

/// Secrets stay out of logs.
impl fmt::Debug for S3Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Settings")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("access_key_id", &self.credentials.as_ref().map(|(id, _)| id))
            .field("attempts_max", &self.attempts_max)
            .field("request_timeout", &self.request_timeout)
            .finish_non_exhaustive()
    }
}
