//! GET and HEAD of an object: conditions, ranges, headers.

use std::ops::Range as Bytes;
use std::sync::Arc;

use http::{HeaderMap, HeaderValue, StatusCode};
use s3s::dto::*;
use s3s::{S3Error, S3Response, S3Result, s3_error};

use super::adapter::Adapter;
use super::body::body;
use super::condition::ReadCondition;
use super::object::{About, Object};
use super::store::internal;
use super::timestamp_in_seconds;

impl Adapter {
    pub(super) async fn get(&self, input: GetObjectInput) -> S3Result<S3Response<GetObjectOutput>> {
        let condition = ReadCondition {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
            if_modified_since: input.if_modified_since,
            if_unmodified_since: input.if_unmodified_since,
        };
        let object = self.find(&input.bucket, &input.key, &condition)?;
        let part = Part::of(&object, input.range, input.part_number)?;
        let whole = part.content_range.is_none();
        let about = &object.about;
        let checksums = about.checksums.clone();
        let shown = |checksum: Option<String>| checksum.filter(|_| whole && input.checksum_mode.is_some());
        let output = GetObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            body: Some(body(&object, part.bytes.clone()).map_err(internal)?),
            cache_control: about.headers.cache_control.clone(),
            checksum_crc32: shown(checksums.crc32),
            checksum_crc32c: shown(checksums.crc32c),
            checksum_crc64nvme: shown(checksums.crc64nvme),
            checksum_sha1: shown(checksums.sha1),
            checksum_sha256: shown(checksums.sha256),
            content_disposition: about.headers.content_disposition.clone(),
            content_encoding: about.headers.content_encoding.clone(),
            content_language: about.headers.content_language.clone(),
            content_length: Some((part.bytes.end - part.bytes.start) as i64),
            content_range: part.content_range.clone(),
            content_type: Some(content_type(about)),
            e_tag: Some(ETag::Strong(about.etag.clone())),
            last_modified: Some(timestamp_in_seconds(about.modified_ms)),
            metadata: metadata(about),
            parts_count: part.parts,
            ..Default::default()
        };
        Ok(part.response(output))
    }

    pub(super) async fn head(&self, input: HeadObjectInput) -> S3Result<S3Response<HeadObjectOutput>> {
        let condition = ReadCondition {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
            if_modified_since: input.if_modified_since,
            if_unmodified_since: input.if_unmodified_since,
        };
        let object = self.find(&input.bucket, &input.key, &condition)?;
        let part = Part::of(&object, input.range, input.part_number)?;
        let about = &object.about;
        let checksums = about.checksums.clone();
        let shown = |checksum: Option<String>| checksum.filter(|_| input.checksum_mode.is_some());
        let output = HeadObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            cache_control: about.headers.cache_control.clone(),
            checksum_crc32: shown(checksums.crc32),
            checksum_crc32c: shown(checksums.crc32c),
            checksum_crc64nvme: shown(checksums.crc64nvme),
            checksum_sha1: shown(checksums.sha1),
            checksum_sha256: shown(checksums.sha256),
            content_disposition: about.headers.content_disposition.clone(),
            content_encoding: about.headers.content_encoding.clone(),
            content_language: about.headers.content_language.clone(),
            content_length: Some((part.bytes.end - part.bytes.start) as i64),
            content_range: part.content_range.clone(),
            content_type: Some(content_type(about)),
            e_tag: Some(ETag::Strong(about.etag.clone())),
            last_modified: Some(timestamp_in_seconds(about.modified_ms)),
            metadata: metadata(about),
            parts_count: part.parts,
            ..Default::default()
        };
        Ok(part.response(output))
    }

    fn find(&self, bucket: &str, key: &str, condition: &ReadCondition) -> S3Result<Arc<Object>> {
        let object = self.store.object(bucket, key)?;
        condition.check(&object.about.etag, &timestamp_in_seconds(object.about.modified_ms))?;
        Ok(object)
    }
}

/// The piece of an object that a request asks for.
struct Part {
    bytes: Bytes<u64>,
    content_range: Option<String>,
    /// Told only when asked for by part number.
    parts: Option<i32>,
}

impl Part {
    fn of(object: &Object, range: Option<Range>, part_number: Option<i32>) -> S3Result<Part> {
        let size = object.about.size;
        match (range, part_number) {
            (Some(_), Some(_)) => Err(s3_error!(
                InvalidRequest,
                "Cannot specify both Range header and partNumber"
            )),
            (Some(range), None) => {
                let bytes = range.check(size).map_err(|_| not_satisfiable(size))?;
                Ok(Part::ranged(bytes, size, None))
            }
            (None, Some(number)) => {
                let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
                let bytes = index
                    .and_then(|index| part_bytes(object, index))
                    .ok_or_else(invalid_part_number)?;
                Ok(Part::ranged(bytes, size, Some(object.segments.len() as i32)))
            }
            (None, None) => Ok(Part {
                bytes: 0..size,
                content_range: None,
                parts: None,
            }),
        }
    }

    fn ranged(bytes: Bytes<u64>, size: u64, parts: Option<i32>) -> Part {
        // A suffix of an empty object is empty: no range can name it, so it is answered whole.
        let content_range = (!bytes.is_empty()).then(|| format!("bytes {}-{}/{size}", bytes.start, bytes.end - 1));
        Part {
            bytes,
            content_range,
            parts,
        }
    }

    fn response<T>(&self, output: T) -> S3Response<T> {
        match self.content_range {
            Some(_) => S3Response::with_status(output, StatusCode::PARTIAL_CONTENT),
            None => S3Response::new(output),
        }
    }
}

fn part_bytes(object: &Object, index: usize) -> Option<Bytes<u64>> {
    let size = object.segments.get(index)?.size;
    let start: u64 = object.segments[..index].iter().map(|segment| segment.size).sum();
    Some(start..start + size)
}

fn invalid_part_number() -> S3Error {
    let mut error = s3_error!(InvalidPart, "The requested partnumber is not satisfiable");
    error.set_status_code(StatusCode::RANGE_NOT_SATISFIABLE);
    error
}

fn not_satisfiable(size: u64) -> S3Error {
    let mut error = s3_error!(InvalidRange, "The requested range is not satisfiable");
    let mut headers = HeaderMap::new();
    let value = HeaderValue::from_str(&format!("bytes */{size}")).expect("digits fit a header");
    headers.insert(http::header::CONTENT_RANGE, value);
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    error.set_headers(headers);
    error
}

fn content_type(about: &About) -> String {
    about
        .headers
        .content_type
        .clone()
        .unwrap_or_else(|| "binary/octet-stream".to_owned())
}

fn metadata(about: &About) -> Option<Metadata> {
    let pairs = about.metadata.iter().map(|(name, value)| (name.clone(), value.clone()));
    (!about.metadata.is_empty()).then(|| pairs.collect())
}
