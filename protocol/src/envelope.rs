//! The versioned envelope around everything that crosses a process: `{"v":1,"kind":"task_spec","body":{…}}`.
//!
//! JSON, because an Invoke's payload must be JSON. New meaning gets a new version and a new golden; an old golden is never edited.
//! A message of another version or kind is refused before its body is decoded.

use crate::journal::Record;
use crate::{Failure, TaskReport, TaskSpec};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Version of every message of this build.
pub const VERSION: u32 = 1;

/// A message that may stand in an envelope.
pub trait Message: Serialize + DeserializeOwned {
    const KIND: &'static str;
}

impl Message for TaskSpec {
    const KIND: &'static str = "task_spec";
}

/// What an executor answers: it never lets an error reach the platform if it can name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(
    clippy::large_enum_variant,
    reason = "one lives per invocation, never in a collection"
)]
pub enum TaskAnswer {
    Done(TaskReport),
    Failed {
        failure: Failure,
        /// S3 requests of the failed attempt: they are billed too.
        meter: crate::Meter,
    },
}

impl Message for TaskAnswer {
    const KIND: &'static str = "task_answer";
}

impl Message for TaskReport {
    const KIND: &'static str = "task_report";
}

impl Message for Record {
    const KIND: &'static str = "journal_record";
}

/// Why bytes are not a message.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    #[error("not an envelope")]
    Malformed(#[source] serde_json::Error),
    #[error("message has version {found}, this build speaks {VERSION}")]
    Version { found: u32 },
    #[error("message is a {found:?}, not a {expected:?}")]
    Kind { expected: &'static str, found: String },
    #[error("malformed {kind}")]
    Body {
        kind: &'static str,
        #[source]
        cause: serde_json::Error,
    },
}

#[derive(Serialize)]
struct Sealed<'a, T> {
    v: u32,
    kind: &'static str,
    body: &'a T,
}

#[derive(Deserialize)]
struct Opened<'a> {
    v: u32,
    kind: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    body: &'a RawValue,
}

/// Serializes a message with its version and kind.
pub fn seal<T: Message>(message: &T) -> Vec<u8> {
    let sealed = Sealed {
        v: VERSION,
        kind: T::KIND,
        body: message,
    };
    serde_json::to_vec(&sealed).expect("messages are maps with string keys, which JSON can always hold")
}

/// Reads a message, refusing other versions and kinds before its body is looked at.
pub fn open<T: Message>(bytes: &[u8]) -> Result<T, EnvelopeError> {
    let opened: Opened<'_> = serde_json::from_slice(bytes).map_err(EnvelopeError::Malformed)?;
    if opened.v != VERSION {
        return Err(EnvelopeError::Version { found: opened.v });
    }
    if opened.kind != T::KIND {
        return Err(EnvelopeError::Kind {
            expected: T::KIND,
            found: opened.kind.into_owned(),
        });
    }
    serde_json::from_str(opened.body.get()).map_err(|cause| EnvelopeError::Body { kind: T::KIND, cause })
}
