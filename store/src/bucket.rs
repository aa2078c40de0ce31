//! Buckets: is it there, and if not, make it. For local clouds and first starts; a deployment's buckets are made by `infra`.

use crate::error::Place;
use crate::meter::Class;
use crate::{Store, StoreError};
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, BucketLocationConstraint, CreateBucketConfiguration,
    ExpirationStatus, LifecycleExpiration, LifecycleRule, LifecycleRuleFilter,
};

/// The region that must not be named when a bucket is created.
const REGION_UNNAMED: &str = "us-east-1";

impl Store {
    /// Creates the bucket unless it is there.
    pub async fn ensure_bucket(&self, bucket: &str) -> Result<(), StoreError> {
        match self.head_bucket(bucket).await {
            Err(StoreError::NotFound { .. } | StoreError::NoBucket { .. }) => self.create_bucket(bucket).await,
            other => other,
        }
    }

    /// Has S3 delete what is older than so many days under each prefix, and uploads that nobody completed. Rules that the bucket has already
    /// are somebody's, and stay as they are.
    pub async fn ensure_lifecycle(&self, bucket: &str, expiring: &[(&str, u32)]) -> Result<(), StoreError> {
        if self.has_lifecycle(bucket).await? {
            return Ok(());
        }
        let rules = expiring.iter().map(|(prefix, days)| rule(prefix, *days));
        let rules = BucketLifecycleConfiguration::builder().set_rules(Some(rules.collect()));
        self.client()
            .put_bucket_lifecycle_configuration()
            .bucket(bucket)
            .lifecycle_configuration(rules.build().expect("it has rules"))
            .customize()
            .interceptor(self.metered(Class::Put))
            .send()
            .await
            .map(drop)
            .map_err(|error| Place { bucket, key: "" }.error(error))
    }

    /// Whether objects end by age in it.
    pub async fn has_lifecycle(&self, bucket: &str) -> Result<bool, StoreError> {
        let held = self
            .client()
            .get_bucket_lifecycle_configuration()
            .bucket(bucket)
            .customize()
            .interceptor(self.metered(Class::Get))
            .send()
            .await;
        match held {
            Ok(held) => Ok(!held.rules().is_empty()),
            Err(error) if error.code() == Some("NoSuchLifecycleConfiguration") => Ok(false),
            Err(error) => Err(Place { bucket, key: "" }.error(error)),
        }
    }

    async fn head_bucket(&self, bucket: &str) -> Result<(), StoreError> {
        self.client()
            .head_bucket()
            .bucket(bucket)
            .customize()
            .interceptor(self.metered(Class::Get))
            .send()
            .await
            .map(drop)
            .map_err(|error| Place { bucket, key: "" }.error(error))
    }

    async fn create_bucket(&self, bucket: &str) -> Result<(), StoreError> {
        let created = self
            .client()
            .create_bucket()
            .bucket(bucket)
            .set_create_bucket_configuration(self.location())
            .customize()
            .interceptor(self.metered(Class::Put))
            .send()
            .await;
        match created {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|error| error.is_bucket_already_owned_by_you()) =>
            {
                Ok(())
            }
            Err(error) => Err(Place { bucket, key: "" }.error(error)),
        }
    }

    fn location(&self) -> Option<CreateBucketConfiguration> {
        let region = self.connection.region.as_str();
        (region != REGION_UNNAMED).then(|| {
            CreateBucketConfiguration::builder()
                .location_constraint(BucketLocationConstraint::from(region))
                .build()
        })
    }
}

fn rule(prefix: &str, days: u32) -> LifecycleRule {
    let days = i32::try_from(days).unwrap_or(i32::MAX);
    LifecycleRule::builder()
        .id(format!("mayfly {prefix}"))
        .status(ExpirationStatus::Enabled)
        .filter(LifecycleRuleFilter::builder().prefix(prefix).build())
        .expiration(LifecycleExpiration::builder().days(days).build())
        .abort_incomplete_multipart_upload(
            AbortIncompleteMultipartUpload::builder()
                .days_after_initiation(days)
                .build(),
        )
        .build()
        .expect("it has a status")
}
