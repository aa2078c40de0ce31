//! Buckets: is it there, and if not, make it. For local clouds and first starts; a deployment's buckets are made by `infra`.

use crate::error::Place;
use crate::meter::Class;
use crate::{Store, StoreError};
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};

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
