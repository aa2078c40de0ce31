//! Conditions of S3 requests (`If-Match` and its kin) against the object that is there. Decides only; the store calls it under its lock.

use s3s::dto::{ETag, ETagCondition, Timestamp};
use s3s::{S3Error, S3Result, s3_error};

use super::object::Object;

/// What a write demands of the object it would replace.
#[derive(Clone, Debug, Default)]
pub(crate) struct WriteCondition {
    pub if_match: Option<ETagCondition>,
    pub if_none_match: Option<ETagCondition>,
}

impl WriteCondition {
    pub fn check(&self, current: Option<&Object>) -> S3Result<()> {
        match (&self.if_none_match, current) {
            (Some(ETagCondition::Any), Some(_)) => return Err(failed("If-None-Match")),
            (Some(ETagCondition::ETag(_)), _) => {
                return Err(s3_error!(NotImplemented, "If-None-Match of a write takes only *"));
            }
            _ => {}
        }
        match (&self.if_match, current) {
            (None, _) => Ok(()),
            (Some(_), None) => Err(s3_error!(NoSuchKey, "The specified key does not exist.")),
            (Some(condition), Some(object)) if matches(condition, &object.about.etag) => Ok(()),
            (Some(_), Some(_)) => Err(failed("If-Match")),
        }
    }
}

/// What a read demands of the object it finds.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadCondition {
    pub if_match: Option<ETagCondition>,
    pub if_none_match: Option<ETagCondition>,
    pub if_modified_since: Option<Timestamp>,
    pub if_unmodified_since: Option<Timestamp>,
}

impl ReadCondition {
    /// In the order of RFC 9110 §13.2.2: an ETag condition makes the date condition beside it count for nothing.
    pub fn check(&self, etag: &str, modified: &Timestamp) -> S3Result<()> {
        match (&self.if_match, &self.if_unmodified_since) {
            (Some(condition), _) if !matches(condition, etag) => return Err(failed("If-Match")),
            (None, Some(since)) if modified > since => return Err(failed("If-Unmodified-Since")),
            _ => {}
        }
        match (&self.if_none_match, &self.if_modified_since) {
            (Some(condition), _) if matches(condition, etag) => Err(not_modified(etag)),
            (None, Some(since)) if modified <= since => Err(not_modified(etag)),
            _ => Ok(()),
        }
    }
}

fn matches(condition: &ETagCondition, etag: &str) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(expected) => expected.value() == etag,
    }
}

fn failed(condition: &'static str) -> S3Error {
    s3_error!(
        PreconditionFailed,
        "At least one of the pre-conditions you specified did not hold: {condition}"
    )
}

/// 304 carries the ETag, by which a cache knows what it may keep.
fn not_modified(etag: &str) -> S3Error {
    let mut error = s3_error!(NotModified, "Not Modified");
    if let Ok(value) = ETag::Strong(etag.to_owned()).to_http_header() {
        error.set_headers([(http::header::ETAG, value)].into_iter().collect());
    }
    error
}
