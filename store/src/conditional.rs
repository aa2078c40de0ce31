//! Conditional writes, the only lock there is: create if absent, replace if unchanged.
//!
//! A 412 may be the echo of our own write: the first try landed, its answer was lost, the retry met it. So each write carries its writer's
//! name in the object's metadata, and whoever is refused reads it back before believing that another was first.

use crate::read::Conditions;
use crate::write::PutExtras;
use crate::{Store, StoreError};
use bytes::Bytes;
use mayfly_protocol::key;
use std::time::Duration;

/// Metadata key under which a conditional write names its writer. S3 sends it as `x-amz-meta-mayfly-writer`.
pub(crate) const WRITER: &str = "mayfly-writer";

/// Undecided conflicts (409) in a row before giving up.
const CONFLICTS_MAX: u32 = 10;
const CONFLICT_PAUSE: Duration = Duration::from_millis(20);
const CONFLICT_PAUSE_MAX: Duration = Duration::from_millis(1_000);

/// Who created the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Created {
    /// We did, now or in a try whose answer was lost.
    Ours { etag: String },
    /// Somebody else was first; the object is theirs.
    Theirs,
}

impl Store {
    /// Creates the object if there is none. `writer` must be unique to this write, not to this process: it is what tells our own lost
    /// write from a rival's.
    pub async fn put_if_absent(
        &self,
        bucket: &str,
        key: &str,
        bytes: Bytes,
        writer: &str,
    ) -> Result<Created, StoreError> {
        let extras = PutExtras {
            if_none_match: true,
            writer: Some(writer),
            ..PutExtras::default()
        };
        let mut tries = 0;
        loop {
            let error = match self.put_with(bucket, key, bytes.clone(), extras.clone()).await {
                Ok(etag) => return Ok(Created::Ours { etag }),
                Err(error) => error,
            };
            if !may_have_landed(&error) {
                return Err(error);
            }
            if let Some(created) = self.read_back(bucket, key, writer).await? {
                return Ok(created);
            }
            tries += 1;
            if tries >= CONFLICTS_MAX {
                return Err(error);
            }
            pause(tries).await;
        }
    }

    /// Replaces the object that `etag` names. `None`: it has been changed or removed by another.
    pub async fn put_if_match(
        &self,
        bucket: &str,
        key: &str,
        bytes: Bytes,
        etag: &str,
    ) -> Result<Option<String>, StoreError> {
        let writer = uuid::Uuid::new_v4().to_string();
        let extras = PutExtras {
            if_match: Some(etag),
            writer: Some(&writer),
            ..PutExtras::default()
        };
        let mut tries = 0;
        loop {
            let error = match self.put_with(bucket, key, bytes.clone(), extras.clone()).await {
                Ok(etag) => return Ok(Some(etag)),
                Err(error) => error,
            };
            let lost = matches!(error, StoreError::Changed { .. } | StoreError::NotFound { .. });
            if !lost && !may_have_landed(&error) {
                return Err(error);
            }
            match self.read_back(bucket, key, &writer).await? {
                Some(Created::Ours { etag }) => return Ok(Some(etag)),
                _ if lost => return Ok(None),
                _ => tries += 1,
            }
            if tries >= CONFLICTS_MAX {
                return Err(error);
            }
            pause(tries).await;
        }
    }

    /// Whose object it is; `None` when there is none.
    async fn read_back(&self, bucket: &str, key: &str, writer: &str) -> Result<Option<Created>, StoreError> {
        match self.facts(bucket, key, Conditions::default()).await {
            Ok(facts) if facts.writer.as_deref() == Some(writer) => Ok(Some(Created::Ours { etag: facts.etag })),
            Ok(_) => Ok(Some(Created::Theirs)),
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Refuses a store that ignores conditions: two writers create the same object under `prefix`, and the second must be turned away.
    pub async fn probe(&self, bucket: &str, prefix: &str) -> Result<(), StoreError> {
        let name = uuid::Uuid::new_v4();
        let key = key::probe(prefix, &name.to_string());
        let first = format!("{name}-first");
        let second = format!("{name}-second");
        self.put_if_absent(bucket, &key, Bytes::from_static(b"first"), &first)
            .await?;
        let created = self
            .put_if_absent(bucket, &key, Bytes::from_static(b"second"), &second)
            .await;
        let removed = self.delete(bucket, std::slice::from_ref(&key)).await;
        match created? {
            Created::Theirs => removed,
            Created::Ours { .. } => Err(StoreError::IgnoresConditions {
                bucket: bucket.to_owned(),
            }),
        }
    }
}

/// Whether an object may exist, ours or another's, although the write failed.
fn may_have_landed(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Changed { .. }
            | StoreError::Conflict { .. }
            | StoreError::Throttled { .. }
            | StoreError::Unavailable { .. }
    )
}

/// Doubles, with full jitter: rivals that met once must not meet again in step.
async fn pause(tries: u32) {
    let bound = CONFLICT_PAUSE.saturating_mul(1 << tries.min(8)).min(CONFLICT_PAUSE_MAX);
    let share = rand::random_range(0.0..1.0);
    tokio::time::sleep(bound.mul_f64(share)).await;
}
