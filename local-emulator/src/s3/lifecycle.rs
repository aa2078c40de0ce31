//! Lifecycle rules: objects and unfinished uploads that end by age. A rule names a prefix and days; everything else that AWS knows (dates,
//! tags, sizes, transitions, versions) is refused rather than overlooked.

use std::sync::Arc;
use std::time::Duration;

use s3s::dto::*;
use s3s::{S3Result, s3_error};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::adapter::Adapter;
use super::now_ms;
use super::store::Store;

/// S3's own bounds of a configuration, a prefix and a rule's name.
const RULES_MAX: usize = 1000;
const KEY_BYTES_MAX: usize = 1024;
const ID_BYTES_MAX: usize = 255;
/// Pause between two passes over all buckets.
const PASS_PAUSE_MAX: Duration = Duration::from_secs(60);
const PASS_PAUSE_MIN: Duration = Duration::from_millis(20);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rule {
    pub id: Option<String>,
    pub enabled: bool,
    pub prefix: String,
    /// Objects end when they are so many days old.
    pub object_days: Option<u32>,
    /// Uploads that are not completed end when they are so many days old.
    pub upload_days: Option<u32>,
}

impl Adapter {
    pub(super) fn set_lifecycle(
        &self,
        input: PutBucketLifecycleConfigurationInput,
    ) -> S3Result<PutBucketLifecycleConfigurationOutput> {
        let rules = input
            .lifecycle_configuration
            .map(|asked| asked.rules)
            .unwrap_or_default();
        let rules = rules.into_iter().map(taken).collect::<S3Result<Vec<_>>>()?;
        if rules.is_empty() || rules.len() > RULES_MAX {
            return Err(s3_error!(
                MalformedXML,
                "a lifecycle configuration has between 1 and {RULES_MAX} rules"
            ));
        }
        self.store.set_lifecycle(&input.bucket, rules)?;
        Ok(PutBucketLifecycleConfigurationOutput::default())
    }

    pub(super) fn lifecycle(
        &self,
        input: GetBucketLifecycleConfigurationInput,
    ) -> S3Result<GetBucketLifecycleConfigurationOutput> {
        let rules = self.store.lifecycle(&input.bucket)?;
        if rules.is_empty() {
            return Err(s3_error!(
                NoSuchLifecycleConfiguration,
                "The lifecycle configuration does not exist"
            ));
        }
        Ok(GetBucketLifecycleConfigurationOutput {
            rules: Some(rules.into_iter().map(shown).collect()),
            ..Default::default()
        })
    }

    pub(super) fn remove_lifecycle(&self, input: DeleteBucketLifecycleInput) -> S3Result<DeleteBucketLifecycleOutput> {
        self.store.set_lifecycle(&input.bucket, Vec::new())?;
        Ok(DeleteBucketLifecycleOutput::default())
    }
}

fn taken(rule: LifecycleRule) -> S3Result<Rule> {
    let filter = rule.filter.unwrap_or_default();
    let expiration = rule.expiration.unwrap_or_default();
    let is_more = rule.transitions.is_some()
        || rule.noncurrent_version_expiration.is_some()
        || rule.noncurrent_version_transitions.is_some()
        || filter.and.is_some()
        || filter.tag.is_some()
        || filter.object_size_greater_than.is_some()
        || filter.object_size_less_than.is_some()
        || expiration.date.is_some()
        || expiration.expired_object_delete_marker.is_some();
    if is_more {
        return Err(s3_error!(
            NotImplemented,
            "a lifecycle rule takes a prefix and days here, no more"
        ));
    }
    let aborts = rule.abort_incomplete_multipart_upload;
    let rule = Rule {
        id: rule.id,
        enabled: rule.status.as_str() == ExpirationStatus::ENABLED,
        prefix: filter.prefix.or(rule.prefix).unwrap_or_default(),
        object_days: days(expiration.days)?,
        upload_days: days(aborts.and_then(|aborts| aborts.days_after_initiation))?,
    };
    if rule.prefix.len() > KEY_BYTES_MAX || rule.id.as_ref().is_some_and(|id| id.len() > ID_BYTES_MAX) {
        return Err(s3_error!(
            InvalidArgument,
            "a rule's prefix has at most {KEY_BYTES_MAX} bytes, its ID at most {ID_BYTES_MAX}"
        ));
    }
    match (rule.object_days, rule.upload_days) {
        (None, None) => Err(s3_error!(
            InvalidRequest,
            "At least one action needs to be specified in a rule"
        )),
        _ => Ok(rule),
    }
}

fn days(asked: Option<i32>) -> S3Result<Option<u32>> {
    let positive = |days: i32| u32::try_from(days).ok().filter(|days| *days > 0);
    asked
        .map(|days| positive(days).ok_or_else(|| s3_error!(InvalidArgument, "'Days' must be a positive integer")))
        .transpose()
}

fn shown(rule: Rule) -> LifecycleRule {
    let status = if rule.enabled {
        ExpirationStatus::ENABLED
    } else {
        ExpirationStatus::DISABLED
    };
    LifecycleRule {
        id: rule.id,
        status: ExpirationStatus::from_static(status),
        filter: Some(LifecycleRuleFilter {
            prefix: Some(rule.prefix),
            ..Default::default()
        }),
        expiration: rule.object_days.map(|days| LifecycleExpiration {
            days: Some(days as i32),
            ..Default::default()
        }),
        abort_incomplete_multipart_upload: rule.upload_days.map(|days| AbortIncompleteMultipartUpload {
            days_after_initiation: Some(days as i32),
        }),
        noncurrent_version_expiration: None,
        noncurrent_version_transitions: None,
        prefix: None,
        transitions: None,
    }
}

/// Ends what is old enough, again and again until `stop`. `day` is how long a day lasts.
pub(crate) async fn expire(store: Arc<Store>, day: Duration, stop: CancellationToken) {
    let pause = (day / 10).clamp(PASS_PAUSE_MIN, PASS_PAUSE_MAX);
    while stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
        let store = store.clone();
        let pass = tokio::task::spawn_blocking(move || store.expire(now_ms(), day));
        pass.await.expect("a pass does not panic");
    }
}
