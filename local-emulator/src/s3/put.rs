//! PUT, COPY and DELETE of objects.

use std::collections::BTreeMap;
use std::sync::Arc;

use s3s::dto::*;
use s3s::{S3Request, S3Result, s3_error};

use super::adapter::Adapter;
use super::condition::{ReadCondition, WriteCondition};
use super::digest::Claim;
use super::object::{About, Headers, Object};
use super::receive::receive;
use super::{now_ms, timestamp, timestamp_in_seconds};

/// Bytes of names and values, without the prefix of the headers.
const METADATA_BYTES_MAX: usize = 2 << 10;
/// Keys of one DeleteObjects.
const DELETE_KEYS_MAX: usize = 1000;

impl Adapter {
    pub(super) async fn put(&self, request: S3Request<PutObjectInput>) -> S3Result<PutObjectOutput> {
        let input = request.input;
        self.store.check_writable(&input.bucket)?;
        let metadata = stored_metadata(input.metadata)?;
        let claim = Claim::new(&request.headers, input.content_md5, request.trailing_headers);
        let received = receive(&self.store, input.body, input.content_length, claim).await?;
        let about = About {
            size: received.segment.size,
            etag: hex::encode(received.md5),
            modified_ms: now_ms(),
            headers: Headers {
                content_type: input.content_type,
                content_encoding: stored_encoding(input.content_encoding),
                content_language: input.content_language,
                content_disposition: input.content_disposition,
                cache_control: input.cache_control,
            },
            metadata,
            checksums: received.checksums,
        };
        let condition = WriteCondition {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
        };
        let object = Object {
            segments: vec![received.segment],
            about,
        };
        let object = self.store.put(&input.bucket, &input.key, object, &condition)?;
        let about = &object.about;
        Ok(PutObjectOutput {
            checksum_crc32: about.checksums.crc32.clone(),
            checksum_crc32c: about.checksums.crc32c.clone(),
            checksum_crc64nvme: about.checksums.crc64nvme.clone(),
            checksum_sha1: about.checksums.sha1.clone(),
            checksum_sha256: about.checksums.sha256.clone(),
            e_tag: Some(ETag::Strong(about.etag.clone())),
            ..Default::default()
        })
    }

    /// Copies no byte: the copy shares the source's data files.
    pub(super) fn copy(&self, input: CopyObjectInput) -> S3Result<CopyObjectOutput> {
        let condition = ReadCondition {
            if_match: input.copy_source_if_match,
            if_none_match: input.copy_source_if_none_match,
            if_modified_since: input.copy_source_if_modified_since,
            if_unmodified_since: input.copy_source_if_unmodified_since,
        };
        let source = self.copy_source(&input.copy_source, &condition)?;
        if source.segments.iter().any(|segment| segment.file.id().is_none()) {
            return Err(s3_error!(NotImplemented, "a mounted folder cannot be a copy's source"));
        }
        let mut about = About {
            modified_ms: now_ms(),
            ..source.about.clone()
        };
        if input
            .metadata_directive
            .is_some_and(|directive| directive.as_str() == MetadataDirective::REPLACE)
        {
            about.metadata = stored_metadata(input.metadata)?;
            about.headers = Headers {
                content_type: input.content_type,
                content_encoding: stored_encoding(input.content_encoding),
                content_language: input.content_language,
                content_disposition: input.content_disposition,
                cache_control: input.cache_control,
            };
        }
        let copy = Object {
            segments: source.segments.clone(),
            about,
        };
        let copy = self
            .store
            .put(&input.bucket, &input.key, copy, &WriteCondition::default())?;
        let result = CopyObjectResult {
            e_tag: Some(ETag::Strong(copy.about.etag.clone())),
            last_modified: Some(timestamp(copy.about.modified_ms)),
            ..Default::default()
        };
        Ok(CopyObjectOutput {
            copy_object_result: Some(result),
            ..Default::default()
        })
    }

    /// What a copy reads, if it is as the copy demands.
    pub(super) fn copy_source(&self, place: &CopySource, condition: &ReadCondition) -> S3Result<Arc<Object>> {
        let CopySource::Bucket {
            bucket,
            key,
            version_id: None,
        } = place
        else {
            return Err(s3_error!(
                NotImplemented,
                "a copy's source must be a bucket and a key, without a version"
            ));
        };
        let source = self.store.object(bucket, key)?;
        condition
            .check(&source.about.etag, &timestamp_in_seconds(source.about.modified_ms))
            .map_err(|mut error| {
                // A copy's failed condition is 412, also where a read would say 304.
                error.set_code(s3s::S3ErrorCode::PreconditionFailed);
                error
            })?;
        Ok(source)
    }

    pub(super) fn delete(&self, input: DeleteObjectInput) -> S3Result<DeleteObjectOutput> {
        let condition = WriteCondition {
            if_match: input.if_match,
            if_none_match: None,
        };
        self.store.delete(&input.bucket, &input.key, &condition)?;
        Ok(DeleteObjectOutput::default())
    }

    pub(super) fn delete_many(&self, input: DeleteObjectsInput) -> S3Result<DeleteObjectsOutput> {
        self.store.check_writable(&input.bucket)?;
        if input.delete.objects.is_empty() || input.delete.objects.len() > DELETE_KEYS_MAX {
            return Err(s3_error!(
                MalformedXML,
                "between 1 and {DELETE_KEYS_MAX} keys can be deleted at once"
            ));
        }
        let (mut deleted, mut errors) = (Vec::new(), Vec::new());
        for object in input.delete.objects {
            let condition = WriteCondition {
                if_match: object.e_tag.map(ETagCondition::ETag),
                if_none_match: None,
            };
            match self.store.delete(&input.bucket, &object.key, &condition) {
                Ok(()) => deleted.push(DeletedObject {
                    key: Some(object.key),
                    ..Default::default()
                }),
                Err(error) => errors.push(Error {
                    code: Some(error.code().as_str().to_owned()),
                    key: Some(object.key),
                    message: error.message().map(str::to_owned),
                    ..Default::default()
                }),
            }
        }
        let deleted = Some(deleted).filter(|_| !input.delete.quiet.unwrap_or(false));
        Ok(DeleteObjectsOutput {
            deleted,
            errors: Some(errors),
            ..Default::default()
        })
    }
}

/// `aws-chunked` tells how the body travelled, not what it is, and is not kept.
pub(super) fn stored_encoding(encoding: Option<String>) -> Option<String> {
    let encoding = encoding?;
    let kept: Vec<&str> = encoding
        .split(',')
        .map(str::trim)
        .filter(|name| *name != "aws-chunked")
        .collect();
    Some(kept.join(",")).filter(|kept| !kept.is_empty())
}

/// What a user says of an object, within S3's bound.
pub(super) fn stored_metadata(given: Option<Metadata>) -> S3Result<BTreeMap<String, String>> {
    let given: BTreeMap<String, String> = given.unwrap_or_default().into_iter().collect();
    let bytes: usize = given.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > METADATA_BYTES_MAX {
        return Err(s3_error!(
            MetadataTooLarge,
            "Your metadata headers exceed the maximum allowed metadata size"
        ));
    }
    Ok(given)
}
