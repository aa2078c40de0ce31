//! Multipart uploads in the index log, so that they outlive the process.

use s3s::S3Result;

use super::{Store, file_record};
use crate::s3::log::{PartRecord, Record};
use crate::s3::upload::{Part, Upload};

impl Store {
    /// Begins a multipart upload and gives its id.
    pub fn create_upload(&self, upload: Upload) -> S3Result<String> {
        let id = uuid::Uuid::new_v4().simple().to_string();
        let mut index = self.write();
        index.stored(&upload.bucket)?;
        index.append(&Record::CreateUpload {
            id: id.clone(),
            bucket: upload.bucket.clone(),
            key: upload.key.clone(),
            initiated_ms: upload.initiated_ms,
            about: upload.about.clone(),
        })?;
        self.uploads.insert(id.clone(), upload);
        Ok(id)
    }

    /// Adds a part, in place of an earlier one of that number.
    pub fn add_part(&self, id: &str, bucket: &str, key: &str, number: i32, part: Part) -> S3Result<()> {
        let replaced = {
            let mut index = self.write();
            self.uploads.check(id, bucket, key)?;
            index.append(&Record::AddPart {
                id: id.to_owned(),
                number,
                part: part_record(&part),
            })?;
            part.segment.file.link();
            self.uploads.add(id, bucket, key, number, part)?
        };
        // Outside the lock: the last holder of a replaced part removes its file.
        replaced.inspect(|replaced| replaced.segment.file.unlink());
        Ok(())
    }

    /// Forgets an upload that was completed or aborted.
    pub fn end_upload(&self, id: &str, bucket: &str, key: &str) -> S3Result<()> {
        let ended = {
            let mut index = self.write();
            self.uploads.check(id, bucket, key)?;
            index.append(&Record::EndUpload { id: id.to_owned() })?;
            self.uploads.remove(id, bucket, key)?
        };
        ended.parts.values().for_each(|part| part.segment.file.unlink());
        Ok(())
    }
}

fn part_record(part: &Part) -> PartRecord {
    PartRecord {
        file: file_record(&part.segment),
        md5: part.md5,
        checksums: part.checksums.clone(),
        modified_ms: part.modified_ms,
    }
}
