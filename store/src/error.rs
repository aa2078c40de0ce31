//! What can go wrong with S3, named by what to do next; and the one place where the SDK's errors are read.

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use std::time::SystemTime;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why S3 did not do as asked. Retries within the settings' bound are already spent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    #[error("s3://{bucket}/{key} does not exist")]
    NotFound { bucket: String, key: String },
    #[error("bucket {bucket} does not exist")]
    NoBucket { bucket: String },
    #[error("access to s3://{bucket}/{key} is denied")]
    Denied {
        bucket: String,
        key: String,
        #[source]
        source: Cause,
    },
    /// Requests are signed with their time, and this machine's clock is not S3's.
    #[error(
        "s3 refuses requests for s3://{bucket}/{key}: this machine's clock is {} its own, and at most 15 minutes are allowed; set the clock",
        apart(*ahead_s)
    )]
    ClockOff { bucket: String, key: String, ahead_s: i64 },
    /// The object is no longer the one that the ETag named.
    #[error("s3://{bucket}/{key} has changed")]
    Changed { bucket: String, key: String },
    /// The store accepts conditional writes and ignores their condition: it cannot hold a journal.
    #[error("the store behind bucket {bucket} ignores conditional writes")]
    IgnoresConditions { bucket: String },
    /// Two conditional writes met and neither was decided.
    #[error("s3://{bucket}/{key} is being written by another")]
    Conflict { bucket: String, key: String },
    #[error("s3 asks for fewer requests at s3://{bucket}/{key}")]
    Throttled { bucket: String, key: String },
    #[error("s3 is not answering for s3://{bucket}/{key}")]
    Unavailable {
        bucket: String,
        key: String,
        #[source]
        source: Cause,
    },
    /// The answer is not what was asked for: a wrong length, a malformed listing.
    #[error("s3 answered for s3://{bucket}/{key} with {message}")]
    Corrupt {
        bucket: String,
        key: String,
        message: String,
    },
    #[error("s3 refused the request for s3://{bucket}/{key}")]
    Other {
        bucket: String,
        key: String,
        #[source]
        source: Cause,
    },
}

impl StoreError {
    /// Whether the same request may succeed later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            StoreError::Throttled { .. } | StoreError::Unavailable { .. } | StoreError::Conflict { .. }
        )
    }
}

/// `1 h 0 min ahead of`
fn apart(ahead_s: i64) -> String {
    let minutes = ahead_s.unsigned_abs() / 60;
    let span = match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    };
    match ahead_s > 0 {
        true => format!("{span} ahead of"),
        false => format!("{span} behind"),
    }
}

/// Beyond that S3 refuses a request as too old or not yet due.
const CLOCK_OFF_MAX_S: i64 = 15 * 60;

/// By how many seconds this machine's clock is ahead of the answer's, if that is why a request was refused. An answer to HEAD has no code.
fn clock_off<E>(code: &str, error: &SdkError<E, HttpResponse>) -> Option<i64> {
    let date = error.raw_response()?.headers().get("date")?;
    let theirs = DateTime::from_str(date, Format::HttpDate).ok()?.secs();
    let ours = DateTime::from(SystemTime::now()).secs();
    let ahead_s = ours - theirs;
    let is_off = code == "RequestTimeTooSkewed" || code.is_empty() && ahead_s.abs() > CLOCK_OFF_MAX_S;
    is_off.then_some(ahead_s)
}

/// What a request was about, for its errors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) bucket: &'a str,
    pub(crate) key: &'a str,
}

impl Place<'_> {
    fn names(self) -> (String, String) {
        (self.bucket.to_owned(), self.key.to_owned())
    }

    pub(crate) fn corrupt(self, message: impl Into<String>) -> StoreError {
        let (bucket, key) = self.names();
        let message = message.into();
        StoreError::Corrupt { bucket, key, message }
    }

    pub(crate) fn unavailable(self, source: impl Into<Cause>) -> StoreError {
        let (bucket, key) = self.names();
        let source = source.into();
        StoreError::Unavailable { bucket, key, source }
    }

    pub(crate) fn other(self, source: impl Into<Cause>) -> StoreError {
        let (bucket, key) = self.names();
        let source = source.into();
        StoreError::Other { bucket, key, source }
    }

    /// Reads an SDK error: the status decides, the code refines it.
    pub(crate) fn error<E>(self, error: SdkError<E, HttpResponse>) -> StoreError
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        // Never sent: a bucket name that cannot be, missing credentials. Asking again changes nothing.
        if matches!(error, SdkError::ConstructionFailure(_)) {
            return self.other(error);
        }
        let status = error.raw_response().map(|response| response.status().as_u16());
        let code = error.as_service_error().and_then(|service| service.code());
        let code = code.unwrap_or_default().to_owned();
        let (bucket, key) = self.names();
        match (status, code.as_str()) {
            (_, "NoSuchBucket") => StoreError::NoBucket { bucket },
            (_, "SlowDown" | "ThrottlingException" | "RequestLimitExceeded") | (Some(429), _) => {
                StoreError::Throttled { bucket, key }
            }
            (None | Some(500..), _) => self.unavailable(error),
            (Some(404), _) => StoreError::NotFound { bucket, key },
            (Some(401 | 403), code) if let Some(ahead_s) = clock_off(code, &error) => {
                StoreError::ClockOff { bucket, key, ahead_s }
            }
            (Some(401 | 403), _) => {
                let source = Box::new(error);
                StoreError::Denied { bucket, key, source }
            }
            (Some(409), _) => StoreError::Conflict { bucket, key },
            (Some(412), _) => StoreError::Changed { bucket, key },
            (Some(416), _) => self.corrupt("an end before the range that was asked for"),
            // A request that S3 gave up reading, or an answer that we could not read.
            (_, "RequestTimeout") | (Some(200..300), _) => self.unavailable(error),
            _ => self.other(error),
        }
    }
}

#[cfg(test)]
mod tests;
