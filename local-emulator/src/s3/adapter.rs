//! The operations of S3 that `s3s` dispatches to, one line each; their work stands in the files named after them. What is not here is
//! answered 501 `NotImplemented`.

use std::sync::Arc;

use async_trait::async_trait;
use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result};

use super::store::Store;

pub(crate) struct Adapter {
    pub(super) store: Arc<Store>,
    pub(super) region: String,
}

impl Adapter {
    pub fn new(store: Arc<Store>, region: String) -> Adapter {
        Adapter { store, region }
    }
}

type Request<T> = S3Request<T>;
type Answer<T> = S3Result<S3Response<T>>;

#[async_trait]
impl S3 for Adapter {
    async fn list_buckets(&self, request: Request<ListBucketsInput>) -> Answer<ListBucketsOutput> {
        Ok(S3Response::new(self.buckets(request.input)))
    }

    async fn create_bucket(&self, request: Request<CreateBucketInput>) -> Answer<CreateBucketOutput> {
        self.make_bucket(request.input).map(S3Response::new)
    }

    async fn head_bucket(&self, request: Request<HeadBucketInput>) -> Answer<HeadBucketOutput> {
        self.bucket(request.input).map(S3Response::new)
    }

    async fn get_bucket_location(&self, request: Request<GetBucketLocationInput>) -> Answer<GetBucketLocationOutput> {
        self.location(request.input).map(S3Response::new)
    }

    async fn delete_bucket(&self, request: Request<DeleteBucketInput>) -> Answer<DeleteBucketOutput> {
        self.remove_bucket(request.input).map(S3Response::new)
    }

    async fn put_bucket_lifecycle_configuration(
        &self,
        request: Request<PutBucketLifecycleConfigurationInput>,
    ) -> Answer<PutBucketLifecycleConfigurationOutput> {
        self.set_lifecycle(request.input).map(S3Response::new)
    }

    async fn get_bucket_lifecycle_configuration(
        &self,
        request: Request<GetBucketLifecycleConfigurationInput>,
    ) -> Answer<GetBucketLifecycleConfigurationOutput> {
        self.lifecycle(request.input).map(S3Response::new)
    }

    async fn delete_bucket_lifecycle(
        &self,
        request: Request<DeleteBucketLifecycleInput>,
    ) -> Answer<DeleteBucketLifecycleOutput> {
        self.remove_lifecycle(request.input).map(S3Response::new)
    }

    async fn list_objects(&self, request: Request<ListObjectsInput>) -> Answer<ListObjectsOutput> {
        self.list_v1(request.input).await.map(S3Response::new)
    }

    async fn list_objects_v2(&self, request: Request<ListObjectsV2Input>) -> Answer<ListObjectsV2Output> {
        self.list_v2(request.input).await.map(S3Response::new)
    }

    async fn get_object(&self, request: Request<GetObjectInput>) -> Answer<GetObjectOutput> {
        self.get(request.input).await
    }

    async fn head_object(&self, request: Request<HeadObjectInput>) -> Answer<HeadObjectOutput> {
        self.head(request.input).await
    }

    async fn put_object(&self, request: Request<PutObjectInput>) -> Answer<PutObjectOutput> {
        self.put(request).await.map(S3Response::new)
    }

    async fn copy_object(&self, request: Request<CopyObjectInput>) -> Answer<CopyObjectOutput> {
        self.copy(request.input).map(S3Response::new)
    }

    async fn delete_object(&self, request: Request<DeleteObjectInput>) -> Answer<DeleteObjectOutput> {
        self.delete(request.input).map(S3Response::new)
    }

    async fn delete_objects(&self, request: Request<DeleteObjectsInput>) -> Answer<DeleteObjectsOutput> {
        self.delete_many(request.input).map(S3Response::new)
    }

    async fn create_multipart_upload(
        &self,
        request: Request<CreateMultipartUploadInput>,
    ) -> Answer<CreateMultipartUploadOutput> {
        self.create_upload(request.input).map(S3Response::new)
    }

    async fn upload_part(&self, request: Request<UploadPartInput>) -> Answer<UploadPartOutput> {
        self.add_part(request).await.map(S3Response::new)
    }

    async fn upload_part_copy(&self, request: Request<UploadPartCopyInput>) -> Answer<UploadPartCopyOutput> {
        self.copy_part(request.input).await.map(S3Response::new)
    }

    async fn complete_multipart_upload(
        &self,
        request: Request<CompleteMultipartUploadInput>,
    ) -> Answer<CompleteMultipartUploadOutput> {
        self.complete_upload(request.input).map(S3Response::new)
    }

    async fn abort_multipart_upload(
        &self,
        request: Request<AbortMultipartUploadInput>,
    ) -> Answer<AbortMultipartUploadOutput> {
        self.abort_upload(request.input).map(S3Response::new)
    }

    async fn list_parts(&self, request: Request<ListPartsInput>) -> Answer<ListPartsOutput> {
        self.parts(request.input).map(S3Response::new)
    }

    async fn list_multipart_uploads(
        &self,
        request: Request<ListMultipartUploadsInput>,
    ) -> Answer<ListMultipartUploadsOutput> {
        self.uploads(request.input).map(S3Response::new)
    }
}
