//! Multipart uploads: an object larger than one PUT should be, its parts under way in parallel. It appears whole or not at all.

use crate::error::Place;
use crate::meter::Class;
use crate::read::Conditions;
use crate::{Store, StoreError};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use tokio::task::JoinSet;

/// S3's bound: every part but the last is at least this long.
pub const UPLOAD_PART_BYTES_MIN: usize = 5 * 1024 * 1024;

/// S3's bound on the parts of one upload.
pub const UPLOAD_PARTS_MAX: i32 = 10_000;

/// Parts of one upload under way at a time; each holds its bytes in memory.
const PARTS_FLIGHT_MAX: usize = 4;

/// An upload under way. Dropped without [`Upload::complete`] or [`Upload::abort`] it leaves its parts to the bucket's lifecycle rule.
#[derive(Debug)]
pub struct Upload {
    target: Target,
    writer: String,
    parts: i32,
    flight: JoinSet<Result<CompletedPart, StoreError>>,
    done: Vec<CompletedPart>,
}

/// Where the parts go.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    store: Store,
    bucket: String,
    key: String,
    id: String,
}

impl Store {
    /// Begins an upload. Costs one PUT, and one more to complete it.
    pub async fn upload(&self, bucket: &str, key: &str) -> Result<Upload, StoreError> {
        let place = Place { bucket, key };
        let writer = uuid::Uuid::new_v4().to_string();
        let answer = self
            .client()
            .create_multipart_upload()
            .bucket(bucket)
            .key(key)
            .metadata(crate::conditional::WRITER, &writer)
            .customize()
            .interceptor(self.metered(Class::Put))
            .send()
            .await
            .map_err(|error| place.error(error))?;
        let id = answer
            .upload_id()
            .ok_or_else(|| place.corrupt("an upload without an id"))?;
        let target = Target {
            store: self.clone(),
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            id: id.to_owned(),
        };
        Ok(Upload {
            target,
            writer,
            parts: 0,
            flight: JoinSet::new(),
            done: Vec::new(),
        })
    }
}

impl Upload {
    /// Sends the next part. Returns once it is on its way and few enough others are; a failed part shows here or at the end.
    pub async fn part(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        while self.flight.len() >= PARTS_FLIGHT_MAX {
            self.join_one().await?;
        }
        let part = self.put_part(bytes)?;
        self.flight.spawn(part);
        Ok(())
    }

    /// The future that sends the next part; the caller polls it and hands its result to [`Upload::landed`].
    pub(crate) fn put_part(
        &mut self,
        bytes: Bytes,
    ) -> Result<impl Future<Output = Result<CompletedPart, StoreError>> + Send + 'static, StoreError> {
        if self.parts >= UPLOAD_PARTS_MAX {
            return Err(self.target.place().other(format!("more than {UPLOAD_PARTS_MAX} parts")));
        }
        self.parts += 1;
        Ok(self.target.clone().send(self.parts, bytes))
    }

    pub(crate) fn landed(&mut self, part: CompletedPart) {
        self.done.push(part);
    }

    /// Waits for every part and makes the object appear. Returns its ETag. A failure aborts the upload.
    pub async fn complete(mut self) -> Result<String, StoreError> {
        let completed = self.finish().await;
        if completed.is_err() {
            self.discard().await.ok();
        }
        completed
    }

    pub(crate) async fn finish(&mut self) -> Result<String, StoreError> {
        while !self.flight.is_empty() {
            self.join_one().await?;
        }
        self.done.sort_by_key(CompletedPart::part_number);
        match self.target.complete(self.done.clone()).await {
            Ok(etag) => Ok(etag),
            Err(error) => self.read_back(error).await,
        }
    }

    /// Removes the parts sent so far.
    pub async fn abort(mut self) -> Result<(), StoreError> {
        self.discard().await
    }

    pub(crate) async fn discard(&mut self) -> Result<(), StoreError> {
        self.flight.shutdown().await;
        self.target.abort().await
    }

    /// A completion whose answer was lost is refused when retried, since the upload is gone. Our name in the object tells.
    async fn read_back(&self, error: StoreError) -> Result<String, StoreError> {
        let Target { store, bucket, key, .. } = &self.target;
        match store.facts(bucket, key, Conditions::default()).await {
            Ok(facts) if facts.writer.as_deref() == Some(&self.writer) => Ok(facts.etag),
            _ => Err(error),
        }
    }

    async fn join_one(&mut self) -> Result<(), StoreError> {
        match self.flight.join_next().await {
            Some(Ok(part)) => self.done.push(part?),
            Some(Err(lost)) => return Err(self.target.place().unavailable(lost)),
            None => {}
        }
        Ok(())
    }
}

impl Target {
    fn place(&self) -> Place<'_> {
        Place {
            bucket: &self.bucket,
            key: &self.key,
        }
    }

    async fn send(self, number: i32, bytes: Bytes) -> Result<CompletedPart, StoreError> {
        let answer = self
            .store
            .client()
            .upload_part()
            .bucket(&self.bucket)
            .key(&self.key)
            .upload_id(&self.id)
            .part_number(number)
            .body(bytes.into())
            .customize()
            .interceptor(self.store.metered(Class::Put))
            .send()
            .await
            .map_err(|error| self.place().error(error))?;
        let part = CompletedPart::builder().part_number(number);
        Ok(part.set_e_tag(answer.e_tag().map(str::to_owned)).build())
    }

    async fn complete(&self, parts: Vec<CompletedPart>) -> Result<String, StoreError> {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let answer = self
            .store
            .client()
            .complete_multipart_upload()
            .bucket(&self.bucket)
            .key(&self.key)
            .upload_id(&self.id)
            .multipart_upload(parts)
            .customize()
            .interceptor(self.store.metered(Class::Put))
            .send()
            .await
            .map_err(|error| self.place().error(error))?;
        Ok(answer.e_tag().unwrap_or_default().to_owned())
    }

    async fn abort(&self) -> Result<(), StoreError> {
        self.store
            .client()
            .abort_multipart_upload()
            .bucket(&self.bucket)
            .key(&self.key)
            .upload_id(&self.id)
            .customize()
            .interceptor(self.store.metered(Class::Delete))
            .send()
            .await
            .map(drop)
            .map_err(|error| self.place().error(error))
    }
}
