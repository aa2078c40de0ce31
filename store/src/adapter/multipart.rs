//! ObjectStore's multipart upload on ours: its part futures are polled by the caller, in any order.

use super::translate;
use crate::Upload;
use async_trait::async_trait;
use aws_sdk_s3::types::CompletedPart;
use bytes::Bytes;
use object_store::{MultipartUpload, PutPayload, PutResult, Result, UploadPart};
use std::sync::{Arc, Mutex, PoisonError};

/// Parts that have landed so far, filled in by the part futures.
type Landed = Arc<Mutex<Vec<CompletedPart>>>;

#[derive(Debug)]
pub(super) struct Parts {
    upload: Upload,
    landed: Landed,
}

impl Parts {
    pub(super) fn new(upload: Upload) -> Parts {
        Parts {
            upload,
            landed: Arc::default(),
        }
    }
}

#[async_trait]
impl MultipartUpload for Parts {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let part = self.upload.put_part(Bytes::from(data));
        let landed = Arc::clone(&self.landed);
        Box::pin(async move {
            let part = part.map_err(translate)?.await.map_err(translate)?;
            landed.lock().unwrap_or_else(PoisonError::into_inner).push(part);
            Ok(())
        })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let landed = std::mem::take(&mut *self.landed.lock().unwrap_or_else(PoisonError::into_inner));
        landed.into_iter().for_each(|part| self.upload.landed(part));
        let etag = self.upload.finish().await.map_err(translate)?;
        Ok(PutResult {
            e_tag: Some(etag),
            version: None,
        })
    }

    async fn abort(&mut self) -> Result<()> {
        self.upload.discard().await.map_err(translate)
    }
}
