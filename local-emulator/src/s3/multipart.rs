//! Multipart uploads: create, part, complete, abort, and their listings.

use s3s::dto::*;
use s3s::{S3Request, S3Result, s3_error};

use super::adapter::Adapter;
use super::body::body;
use super::bucket::owner;
use super::condition::{ReadCondition, WriteCondition};
use super::digest::Claim;
use super::object::{About, Headers};
use super::put::{stored_encoding, stored_metadata};
use super::receive::receive;
use super::store::internal;
use super::upload::{PART_NUMBER_MAX, Part as UploadedPart, Upload};
use super::{now_ms, timestamp};

/// Items of one ListParts or ListMultipartUploads.
const PAGE_ITEMS_MAX: i32 = 1000;

impl Adapter {
    pub(super) fn create_upload(&self, input: CreateMultipartUploadInput) -> S3Result<CreateMultipartUploadOutput> {
        self.store.check_writable(&input.bucket)?;
        let headers = Headers {
            content_type: input.content_type,
            content_encoding: stored_encoding(input.content_encoding),
            content_language: input.content_language,
            content_disposition: input.content_disposition,
            cache_control: input.cache_control,
        };
        let metadata = stored_metadata(input.metadata)?;
        let upload_id = self.store.create_upload(Upload {
            bucket: input.bucket.clone(),
            key: input.key.clone(),
            initiated_ms: now_ms(),
            about: About {
                headers,
                metadata,
                ..About::default()
            },
            parts: Default::default(),
        })?;
        Ok(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(upload_id),
            checksum_algorithm: input.checksum_algorithm,
            checksum_type: input.checksum_type,
            ..Default::default()
        })
    }

    pub(super) async fn add_part(&self, request: S3Request<UploadPartInput>) -> S3Result<UploadPartOutput> {
        let input = request.input;
        self.store.uploads.check(&input.upload_id, &input.bucket, &input.key)?;
        check_part_number(input.part_number)?;
        let claim = Claim::new(&request.headers, input.content_md5, request.trailing_headers);
        let received = receive(&self.store, input.body, input.content_length, claim).await?;
        let part = UploadedPart::new(received, now_ms());
        let output = UploadPartOutput {
            checksum_crc32: part.checksums.crc32.clone(),
            checksum_crc32c: part.checksums.crc32c.clone(),
            checksum_crc64nvme: part.checksums.crc64nvme.clone(),
            checksum_sha1: part.checksums.sha1.clone(),
            checksum_sha256: part.checksums.sha256.clone(),
            e_tag: Some(ETag::Strong(part.etag())),
            ..Default::default()
        };
        self.store
            .add_part(&input.upload_id, &input.bucket, &input.key, input.part_number, part)?;
        Ok(output)
    }

    /// A part whose bytes another object has.
    pub(super) async fn copy_part(&self, input: UploadPartCopyInput) -> S3Result<UploadPartCopyOutput> {
        self.store.uploads.check(&input.upload_id, &input.bucket, &input.key)?;
        check_part_number(input.part_number)?;
        let condition = ReadCondition {
            if_match: input.copy_source_if_match,
            if_none_match: input.copy_source_if_none_match,
            if_modified_since: input.copy_source_if_modified_since,
            if_unmodified_since: input.copy_source_if_unmodified_since,
        };
        let source = self.copy_source(&input.copy_source, &condition)?;
        let size = source.about.size;
        let bytes = match &input.copy_source_range {
            None => 0..size,
            Some(range) => Range::parse(range)
                .ok()
                .and_then(|range| range.check(size).ok())
                .ok_or_else(|| s3_error!(InvalidRange, "The requested range is not satisfiable"))?,
        };
        let length = i64::try_from(bytes.end - bytes.start).ok();
        let copied = body(&source, bytes).map_err(internal)?;
        let received = receive(&self.store, Some(copied), length, Claim::default()).await?;
        let part = UploadedPart::new(received, now_ms());
        let result = CopyPartResult {
            e_tag: Some(ETag::Strong(part.etag())),
            last_modified: Some(timestamp(part.modified_ms)),
            ..Default::default()
        };
        self.store
            .add_part(&input.upload_id, &input.bucket, &input.key, input.part_number, part)?;
        Ok(UploadPartCopyOutput {
            copy_part_result: Some(result),
            ..Default::default()
        })
    }

    pub(super) fn complete_upload(
        &self,
        input: CompleteMultipartUploadInput,
    ) -> S3Result<CompleteMultipartUploadOutput> {
        let upload = self.store.uploads.get(&input.upload_id, &input.bucket, &input.key)?;
        let listed = input
            .multipart_upload
            .and_then(|upload| upload.parts)
            .unwrap_or_default();
        let object = upload.complete(&listed, now_ms())?;
        let condition = WriteCondition {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
        };
        let object = self.store.put(&input.bucket, &input.key, object, &condition)?;
        // A rival that completed the same upload a moment ago made the same object: not an error.
        let _ = self.store.end_upload(&input.upload_id, &input.bucket, &input.key);
        Ok(CompleteMultipartUploadOutput {
            location: Some(format!("/{}/{}", input.bucket, input.key)),
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag: Some(ETag::Strong(object.about.etag.clone())),
            ..Default::default()
        })
    }

    pub(super) fn abort_upload(&self, input: AbortMultipartUploadInput) -> S3Result<AbortMultipartUploadOutput> {
        self.store.end_upload(&input.upload_id, &input.bucket, &input.key)?;
        Ok(AbortMultipartUploadOutput::default())
    }

    pub(super) fn parts(&self, input: ListPartsInput) -> S3Result<ListPartsOutput> {
        let upload = self.store.uploads.get(&input.upload_id, &input.bucket, &input.key)?;
        let marker = input.part_number_marker.unwrap_or(0);
        let items_max = input.max_parts.unwrap_or(PAGE_ITEMS_MAX).clamp(0, PAGE_ITEMS_MAX);
        let mut rest = upload.parts.range(marker + 1..);
        let parts: Vec<Part> = rest
            .by_ref()
            .take(items_max as usize)
            .map(|(number, part)| shown(*number, part))
            .collect();
        let is_truncated = rest.next().is_some();
        Ok(ListPartsOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(input.upload_id),
            part_number_marker: Some(marker),
            next_part_number_marker: parts.last().and_then(|part| part.part_number),
            max_parts: Some(items_max),
            is_truncated: Some(is_truncated),
            parts: Some(parts),
            owner: Some(owner()),
            ..Default::default()
        })
    }

    pub(super) fn uploads(&self, input: ListMultipartUploadsInput) -> S3Result<ListMultipartUploadsOutput> {
        self.store.check_bucket(&input.bucket)?;
        let after = (
            input.key_marker.clone().unwrap_or_default(),
            input.upload_id_marker.clone(),
        );
        let is_behind = |id: &String, key: &String| match &after {
            (marker, Some(id_marker)) => (key, id) > (marker, id_marker),
            (marker, None) => key > marker,
        };
        let items_max = input.max_uploads.unwrap_or(PAGE_ITEMS_MAX).clamp(0, PAGE_ITEMS_MAX);
        let all = self
            .store
            .uploads
            .list(&input.bucket, input.prefix.as_deref().unwrap_or(""));
        let mut rest = all.into_iter().filter(|(id, upload)| is_behind(id, &upload.key));
        let uploads: Vec<MultipartUpload> = rest.by_ref().take(items_max as usize).map(in_progress).collect();
        let is_truncated = rest.next().is_some();
        let last = uploads.last().filter(|_| is_truncated);
        Ok(ListMultipartUploadsOutput {
            next_key_marker: last.and_then(|last| last.key.clone()),
            next_upload_id_marker: last.and_then(|last| last.upload_id.clone()),
            bucket: Some(input.bucket),
            prefix: input.prefix,
            key_marker: input.key_marker,
            upload_id_marker: input.upload_id_marker,
            max_uploads: Some(items_max),
            is_truncated: Some(is_truncated),
            uploads: Some(uploads),
            ..Default::default()
        })
    }
}

fn check_part_number(number: i32) -> S3Result<()> {
    if (1..=PART_NUMBER_MAX).contains(&number) {
        return Ok(());
    }
    Err(s3_error!(
        InvalidArgument,
        "Part number must be an integer between 1 and {PART_NUMBER_MAX}"
    ))
}

fn shown(number: i32, part: &UploadedPart) -> Part {
    Part {
        part_number: Some(number),
        size: Some(part.segment.size as i64),
        e_tag: Some(ETag::Strong(part.etag())),
        last_modified: Some(timestamp(part.modified_ms)),
        checksum_crc32: part.checksums.crc32.clone(),
        checksum_crc32c: part.checksums.crc32c.clone(),
        checksum_crc64nvme: part.checksums.crc64nvme.clone(),
        checksum_sha1: part.checksums.sha1.clone(),
        checksum_sha256: part.checksums.sha256.clone(),
    }
}

fn in_progress((id, upload): (String, Upload)) -> MultipartUpload {
    MultipartUpload {
        upload_id: Some(id),
        key: Some(upload.key),
        initiated: Some(timestamp(upload.initiated_ms)),
        owner: Some(owner()),
        ..Default::default()
    }
}
