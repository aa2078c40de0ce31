//! Multipart uploads in progress, and the objects that their parts make. What outlives the process is written by store.rs.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use md5::{Digest, Md5};
use s3s::dto::CompletedPart;
use s3s::{S3Error, S3Result, s3_error};

use super::object::{About, Checksums, Object, Segment};
use super::receive::Received;

/// Every part but the last must have at least this size, as on AWS.
const PART_BYTES_MIN: u64 = 5 << 20;
pub(crate) const PART_NUMBER_MAX: i32 = 10_000;

pub(crate) struct Uploads(Mutex<BTreeMap<String, Upload>>);

#[derive(Clone, Debug)]
pub(crate) struct Upload {
    pub bucket: String,
    pub key: String,
    pub initiated_ms: u64,
    /// Headers and metadata of the object to be.
    pub about: About,
    pub parts: BTreeMap<i32, Part>,
}

#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub segment: Segment,
    pub md5: [u8; 16],
    pub checksums: Checksums,
    pub modified_ms: u64,
}

impl Part {
    pub fn new(received: Received, modified_ms: u64) -> Part {
        Part {
            segment: received.segment,
            md5: received.md5,
            checksums: received.checksums,
            modified_ms,
        }
    }

    pub fn etag(&self) -> String {
        hex::encode(self.md5)
    }
}

impl Uploads {
    pub fn new(restored: BTreeMap<String, Upload>) -> Uploads {
        Uploads(Mutex::new(restored))
    }

    pub fn insert(&self, id: String, upload: Upload) {
        self.lock().insert(id, upload);
    }

    pub fn check(&self, id: &str, bucket: &str, key: &str) -> S3Result<()> {
        find(&mut self.lock(), id, bucket, key).map(|_| ())
    }

    pub fn get(&self, id: &str, bucket: &str, key: &str) -> S3Result<Upload> {
        find(&mut self.lock(), id, bucket, key).cloned()
    }

    /// Adds a part and gives the one whose number it takes.
    pub fn add(&self, id: &str, bucket: &str, key: &str, number: i32, part: Part) -> S3Result<Option<Part>> {
        Ok(find(&mut self.lock(), id, bucket, key)?.parts.insert(number, part))
    }

    pub fn remove(&self, id: &str, bucket: &str, key: &str) -> S3Result<Upload> {
        let mut uploads = self.lock();
        find(&mut uploads, id, bucket, key)?;
        Ok(uploads.remove(id).expect("it was found above"))
    }

    /// Uploads of a bucket, by key.
    pub fn list(&self, bucket: &str, prefix: &str) -> Vec<(String, Upload)> {
        let uploads = self.lock();
        let mine = uploads
            .iter()
            .filter(|(_, upload)| upload.bucket == bucket && upload.key.starts_with(prefix));
        let mut mine: Vec<_> = mine.map(|(id, upload)| (id.clone(), upload.clone())).collect();
        mine.sort_by(|(a_id, a), (b_id, b)| (&a.key, a_id).cmp(&(&b.key, b_id)));
        mine
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Upload>> {
        self.0.lock().expect("no holder of the uploads lock panics")
    }
}

fn find<'u>(uploads: &'u mut BTreeMap<String, Upload>, id: &str, bucket: &str, key: &str) -> S3Result<&'u mut Upload> {
    let upload = uploads
        .get_mut(id)
        .filter(|upload| upload.bucket == bucket && upload.key == key);
    upload.ok_or_else(|| {
        s3_error!(
            NoSuchUpload,
            "The specified upload does not exist. It may have been completed or aborted."
        )
    })
}

impl Upload {
    /// The object that the listed parts make. Numbers must rise but may have gaps; parts that are not listed are left out.
    pub fn complete(&self, listed: &[CompletedPart], modified_ms: u64) -> S3Result<Object> {
        if listed.is_empty() {
            return Err(s3_error!(MalformedXML, "You must specify at least one part"));
        }
        let numbers: Vec<i32> = listed.iter().filter_map(|part| part.part_number).collect();
        if numbers.len() != listed.len() || !numbers.is_sorted_by(|a, b| a < b) {
            return Err(s3_error!(
                InvalidPartOrder,
                "The list of parts was not in ascending order."
            ));
        }
        let parts = listed
            .iter()
            .map(|part| self.part(part))
            .collect::<S3Result<Vec<_>>>()?;
        if parts[..parts.len() - 1]
            .iter()
            .any(|part| part.segment.size < PART_BYTES_MIN)
        {
            return Err(s3_error!(
                EntityTooSmall,
                "Your proposed upload is smaller than the minimum allowed size"
            ));
        }
        let about = About {
            size: parts.iter().map(|part| part.segment.size).sum(),
            etag: etag(&parts),
            modified_ms,
            ..self.about.clone()
        };
        Ok(Object {
            segments: parts.iter().map(|part| part.segment.clone()).collect(),
            about,
        })
    }

    fn part(&self, listed: &CompletedPart) -> S3Result<&Part> {
        let part = listed
            .part_number
            .and_then(|number| self.parts.get(&number))
            .ok_or_else(invalid_part)?;
        let claimed = Checksums {
            crc32: listed.checksum_crc32.clone(),
            crc32c: listed.checksum_crc32c.clone(),
            crc64nvme: listed.checksum_crc64nvme.clone(),
            sha1: listed.checksum_sha1.clone(),
            sha256: listed.checksum_sha256.clone(),
        };
        let same = listed.e_tag.as_ref().is_some_and(|etag| etag.value() == part.etag());
        if same && claimed.agrees_with(&part.checksums) {
            Ok(part)
        } else {
            Err(invalid_part())
        }
    }
}

fn invalid_part() -> S3Error {
    s3_error!(
        InvalidPart,
        "One or more of the specified parts could not be found or its entity tag did not match."
    )
}

/// MD5 of the parts' MD5s, and their number.
fn etag(parts: &[&Part]) -> String {
    let mut hash = Md5::new();
    parts.iter().for_each(|part| hash.update(part.md5));
    format!("{}-{}", hex::encode(hash.finalize()), parts.len())
}
