//! The objects of a task's splits as DataFusion's readers of text see them: only these, and only at the planned versions.

use super::reader::{ScanMeter, SplitError, name};
use async_trait::async_trait;
use futures::stream::{BoxStream, StreamExt};
use mayfly_protocol::Split;
use mayfly_store::{Store, StoreError};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

const NAME: &str = "splits";

/// Where a reader finds the split's object.
pub fn path(split: &Split) -> Path {
    Path::from(format!("{}/{}", split.bucket, split.key))
}

/// A store that reads and does nothing else.
pub struct PinnedStore {
    splits: BTreeMap<Path, Split>,
    store: Store,
    meter: Arc<ScanMeter>,
}

impl PinnedStore {
    pub fn new<'a>(splits: impl Iterator<Item = &'a Split>, store: Store, meter: Arc<ScanMeter>) -> PinnedStore {
        PinnedStore {
            splits: splits.map(|split| (path(split), split.clone())).collect(),
            store,
            meter,
        }
    }
}

impl fmt::Debug for PinnedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)
    }
}

impl fmt::Display for PinnedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)
    }
}

#[async_trait]
impl ObjectStore for PinnedStore {
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let unknown = || Error::NotFound {
            path: location.to_string(),
            source: "no split of the task lies there".into(),
        };
        let split = self.splits.get(location).ok_or_else(unknown)?;
        let pinned = GetOptions {
            if_match: Some(split.etag.clone()),
            ..options
        };
        // A key may hold what a path may not; parsing keeps it as it is.
        let key = Path::parse(&split.key).unwrap_or_else(|_| Path::from(split.key.as_str()));
        let read = self.store.object_store(&split.bucket).get_opts(&key, pinned).await;
        let result = read.map_err(|cause| named(split, cause))?;
        Ok(self.counted(split, result))
    }

    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        Err(refused())
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Err(refused())
    }

    fn delete_stream(&self, _: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        futures::stream::once(async { Err(refused()) }).boxed()
    }

    fn list(&self, _: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        futures::stream::once(async { Err(refused()) }).boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        Err(refused())
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(refused())
    }
}

impl PinnedStore {
    /// The same answer; its bytes count as scanned when they arrive.
    fn counted(&self, split: &Split, result: GetResult) -> GetResult {
        self.meter.opened_text(name(split));
        let (meta, range, attributes) = (result.meta.clone(), result.range.clone(), result.attributes.clone());
        let (meter, split) = (Arc::clone(&self.meter), split.clone());
        let counted = result.into_stream().map(move |bytes| match bytes {
            Ok(bytes) => {
                meter.read(bytes.len());
                Ok(bytes)
            }
            Err(cause) => Err(named(&split, cause)),
        });
        GetResult {
            payload: GetResultPayload::Stream(counted.boxed()),
            meta,
            range,
            attributes,
        }
    }
}

/// The store's error under the name of the split's file.
fn named(split: &Split, cause: Error) -> Error {
    let file = name(split);
    let source = match cause {
        Error::Generic { source, .. }
        | Error::NotFound { source, .. }
        | Error::Precondition { source, .. }
        | Error::PermissionDenied { source, .. } => source,
        other => return other,
    };
    match source.downcast::<StoreError>() {
        Ok(cause) => Error::Generic {
            store: NAME,
            source: Box::new(SplitError::Store { file, cause: *cause }),
        },
        Err(source) => Error::Generic { store: NAME, source },
    }
}

fn refused() -> Error {
    Error::NotSupported {
        source: "splits can only be read".into(),
    }
}
