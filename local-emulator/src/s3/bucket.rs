//! Bucket operations: list, create, head, location, delete.

use s3s::S3Result;
use s3s::dto::*;

use super::adapter::Adapter;
use super::timestamp;

/// The region whose buckets have no location constraint.
const REGION_WITHOUT_CONSTRAINT: &str = "us-east-1";

impl Adapter {
    pub(super) fn buckets(&self, input: ListBucketsInput) -> ListBucketsOutput {
        let prefix = input.prefix.unwrap_or_default();
        let mine = self
            .store
            .buckets()
            .into_iter()
            .filter(|(name, _)| name.starts_with(&prefix));
        let bucket = |(name, created_ms)| Bucket {
            bucket_region: Some(self.region.clone()),
            creation_date: Some(timestamp(created_ms)),
            name: Some(name),
        };
        ListBucketsOutput {
            buckets: Some(mine.map(bucket).collect()),
            owner: Some(owner()),
            ..Default::default()
        }
    }

    pub(super) fn make_bucket(&self, input: CreateBucketInput) -> S3Result<CreateBucketOutput> {
        self.store.create_bucket(&input.bucket)?;
        Ok(CreateBucketOutput {
            location: Some(format!("/{}", input.bucket)),
        })
    }

    pub(super) fn bucket(&self, input: HeadBucketInput) -> S3Result<HeadBucketOutput> {
        self.store.check_bucket(&input.bucket)?;
        Ok(HeadBucketOutput {
            bucket_region: Some(self.region.clone()),
            ..Default::default()
        })
    }

    pub(super) fn location(&self, input: GetBucketLocationInput) -> S3Result<GetBucketLocationOutput> {
        self.store.check_bucket(&input.bucket)?;
        let region = Some(self.region.clone()).filter(|region| region != REGION_WITHOUT_CONSTRAINT);
        Ok(GetBucketLocationOutput {
            location_constraint: region.map(BucketLocationConstraint::from),
        })
    }

    pub(super) fn remove_bucket(&self, input: DeleteBucketInput) -> S3Result<DeleteBucketOutput> {
        self.store.delete_bucket(&input.bucket)?;
        Ok(DeleteBucketOutput::default())
    }
}

pub(super) fn owner() -> Owner {
    Owner {
        display_name: Some("emulator".to_owned()),
        id: Some("emulator".to_owned()),
    }
}
