//! Plain writes: one PUT. Conditional ones stand in `conditional`, large ones in `upload`.

use crate::error::Place;
use crate::meter::Class;
use crate::{Store, StoreError};
use bytes::Bytes;

/// What a PUT may carry besides its bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct PutExtras<'a> {
    pub(crate) if_match: Option<&'a str>,
    pub(crate) if_none_match: bool,
    pub(crate) writer: Option<&'a str>,
}

impl Store {
    /// Writes the object, whatever was there. Returns its ETag.
    pub async fn put(&self, bucket: &str, key: &str, bytes: Bytes) -> Result<String, StoreError> {
        self.put_with(bucket, key, bytes, PutExtras::default()).await
    }

    pub(crate) async fn put_with(
        &self,
        bucket: &str,
        key: &str,
        bytes: Bytes,
        extras: PutExtras<'_>,
    ) -> Result<String, StoreError> {
        let mut request = self
            .client()
            .put_object()
            .bucket(bucket)
            .key(key)
            .set_if_match(extras.if_match.map(str::to_owned))
            .set_if_none_match(extras.if_none_match.then(|| "*".to_owned()))
            .body(bytes.into());
        if let Some(writer) = extras.writer {
            request = request.metadata(crate::conditional::WRITER, writer);
        }
        let answer = request
            .customize()
            .interceptor(self.metered(Class::Put))
            .send()
            .await
            .map_err(|error| Place { bucket, key }.error(error))?;
        Ok(answer.e_tag().unwrap_or_default().to_owned())
    }
}
