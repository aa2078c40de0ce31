//! Lifecycle rules as the store keeps them and carries them out.

use std::time::Duration;

use s3s::S3Result;
use s3s::dto::{ETag, ETagCondition};

use super::{Bucket, Store};
use crate::s3::condition::WriteCondition;
use crate::s3::lifecycle::Rule;
use crate::s3::log::Record;

/// Objects that one pass over one rule ends; the next pass ends more.
const EXPIRED_MAX: usize = 10_000;

impl Store {
    /// Replaces a bucket's rules.
    pub fn set_lifecycle(&self, bucket: &str, rules: Vec<Rule>) -> S3Result<()> {
        let mut index = self.write();
        index.stored(bucket)?;
        index.append(&Record::SetLifecycle {
            bucket: bucket.to_owned(),
            rules: rules.clone(),
        })?;
        index.stored(bucket)?.lifecycle = rules;
        Ok(())
    }

    pub fn lifecycle(&self, bucket: &str) -> S3Result<Vec<Rule>> {
        match self.read().bucket(bucket)? {
            Bucket::Stored(stored) => Ok(stored.lifecycle.clone()),
            Bucket::Mounted(_) => Ok(Vec::new()),
        }
    }

    /// Ends the objects and uploads that are too old by the rules of their buckets.
    pub fn expire(&self, now_ms: u64, day: Duration) {
        for (bucket, rule) in self.rules() {
            if let Some(days) = rule.object_days {
                for (key, etag) in self.older(&bucket, &rule.prefix, before(now_ms, day, days)) {
                    let condition = WriteCondition {
                        if_match: Some(ETagCondition::ETag(ETag::Strong(etag))),
                        if_none_match: None,
                    };
                    // One that was replaced meanwhile is young again.
                    let _ = self.delete(&bucket, &key, &condition);
                }
            }
            if let Some(days) = rule.upload_days {
                let uploads = self.uploads.list(&bucket, &rule.prefix).into_iter();
                let old = uploads.filter(|(_, upload)| upload.initiated_ms <= before(now_ms, day, days));
                for (id, upload) in old {
                    let _ = self.end_upload(&id, &bucket, &upload.key);
                }
            }
        }
    }

    /// Every rule that is on, with its bucket.
    fn rules(&self) -> Vec<(String, Rule)> {
        let index = self.read();
        let of_bucket = |(name, bucket): (&String, &Bucket)| -> Vec<(String, Rule)> {
            let Bucket::Stored(stored) = bucket else {
                return Vec::new();
            };
            let enabled = stored.lifecycle.iter().filter(|rule| rule.enabled);
            enabled.map(|rule| (name.clone(), rule.clone())).collect()
        };
        index.buckets.iter().flat_map(of_bucket).collect()
    }

    /// Keys under a prefix and ETags of what was last written before then.
    fn older(&self, bucket: &str, prefix: &str, before_ms: u64) -> Vec<(String, String)> {
        let index = self.read();
        let Ok(Bucket::Stored(stored)) = index.bucket(bucket) else {
            return Vec::new();
        };
        let under = stored.objects.range(prefix.to_owned()..);
        let under = under.take_while(|(key, _)| key.starts_with(prefix));
        let old = under.filter(|(_, object)| object.about.modified_ms <= before_ms);
        old.take(EXPIRED_MAX)
            .map(|(key, object)| (key.clone(), object.about.etag.clone()))
            .collect()
    }
}

fn before(now_ms: u64, day: Duration, days: u32) -> u64 {
    now_ms.saturating_sub(
        u64::try_from(day.as_millis())
            .unwrap_or(u64::MAX)
            .saturating_mul(days.into()),
    )
}
