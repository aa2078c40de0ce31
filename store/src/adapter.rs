//! `object_store::ObjectStore` on the same client and meter, for DataFusion's readers. Leaves out tags, attributes and versions: what it
//! cannot do it refuses.

mod multipart;

use crate::conditional::Created;
use crate::error::Place;
use crate::list::{Listed, PageRequest};
use crate::meter::Class;
use crate::read::{Conditions, Facts, Wanted};
use crate::{Store, StoreError};
use async_trait::async_trait;
use aws_sdk_s3::primitives::DateTime;
use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, Error, GetOptions, GetRange, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

const NAME: &str = "mayfly-store";

/// Keys deleted by one request of `delete_stream`.
const DELETE_CHUNK: usize = 1_000;

impl Store {
    /// The bucket as DataFusion wants to see it. Requests count on this handle's meter.
    pub fn object_store(&self, bucket: &str) -> Arc<dyn ObjectStore> {
        Arc::new(Adapter {
            store: self.clone(),
            bucket: bucket.to_owned(),
        })
    }
}

#[derive(Clone, Debug)]
struct Adapter {
    store: Store,
    bucket: String,
}

impl fmt::Display for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{NAME}(s3://{})", self.bucket)
    }
}

#[async_trait]
impl ObjectStore for Adapter {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let (bucket, key, bytes) = (self.bucket.as_str(), location.as_ref(), Bytes::from(payload));
        let e_tag = match options.mode {
            PutMode::Overwrite => self.store.put(bucket, key, bytes).await.map_err(translate)?,
            PutMode::Create => self.create(key, bytes).await?,
            PutMode::Update(version) => {
                let etag = version.e_tag.unwrap_or_default();
                let replaced = self.store.put_if_match(bucket, key, bytes, &etag).await;
                let replaced = replaced.map_err(translate)?;
                replaced.ok_or_else(|| translate(self.changed(key)))?
            }
        };
        Ok(PutResult {
            e_tag: Some(e_tag),
            version: None,
        })
    }

    async fn put_multipart_opts(&self, location: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        let upload = self.store.upload(&self.bucket, location.as_ref()).await;
        Ok(Box::new(multipart::Parts::new(upload.map_err(translate)?)))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        if options.version.is_some() || options.if_modified_since.is_some() || options.if_unmodified_since.is_some() {
            return Err(unsupported("reads by version or date"));
        }
        let conditions = Conditions {
            if_match: options.if_match,
            if_none_match: options.if_none_match,
        };
        if options.head {
            let facts = self.store.facts(&self.bucket, location.as_ref(), conditions).await;
            return Ok(whole(
                location,
                facts.map_err(translate)?,
                futures::stream::empty().boxed(),
            ));
        }
        let wanted = wanted(options.range)?;
        let key = location.as_ref();
        let opened = self.store.open(&self.bucket, key, wanted, conditions).await;
        let opened = opened.map_err(translate)?;
        let facts = opened.facts.clone();
        let body = self.store.body(&self.bucket, key, opened).map_err(translate);
        Ok(whole(location, facts, body.boxed()))
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let get = |range: Range<u64>| async move {
            self.store
                .get_range(&self.bucket, location.as_ref(), range, None)
                .await
                .map_err(translate)
        };
        object_store::coalesce_ranges(ranges, get, object_store::OBJECT_STORE_COALESCE_DEFAULT).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let adapter = self.clone();
        locations
            .try_chunks(DELETE_CHUNK)
            .map_err(|error| error.1)
            .and_then(move |paths| {
                let adapter = adapter.clone();
                async move {
                    let keys: Vec<String> = paths.iter().map(|path| path.to_string()).collect();
                    adapter.store.delete(&adapter.bucket, &keys).await.map_err(translate)?;
                    Ok(futures::stream::iter(paths).map(Ok))
                }
            })
            .try_flatten()
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.pages(prefix, None, None)
            .map_ok(|page| futures::stream::iter(page.objects).map(meta_of))
            .try_flatten()
            .boxed()
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        self.pages(prefix, None, Some(offset.to_string()))
            .map_ok(|page| futures::stream::iter(page.objects).map(meta_of))
            .try_flatten()
            .boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let pages = self.pages(prefix, Some("/".to_owned()), None);
        let mut pages = std::pin::pin!(pages);
        let mut result = ListResult {
            common_prefixes: Vec::new(),
            objects: Vec::new(),
        };
        while let Some(page) = pages.try_next().await? {
            for prefix in page.prefixes {
                result.common_prefixes.push(Path::parse(prefix)?);
            }
            for object in page.objects {
                result.objects.push(meta_of(object)?);
            }
        }
        Ok(result)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        if options.mode != CopyMode::Overwrite {
            return Err(unsupported("copies that create"));
        }
        self.copy_object(from.as_ref(), to.as_ref()).await.map_err(translate)
    }
}

impl Adapter {
    async fn create(&self, key: &str, bytes: Bytes) -> Result<String> {
        let writer = uuid::Uuid::new_v4().to_string();
        let created = self.store.put_if_absent(&self.bucket, key, bytes, &writer).await;
        match created.map_err(translate)? {
            Created::Ours { etag } => Ok(etag),
            Created::Theirs => Err(Error::AlreadyExists {
                path: key.to_owned(),
                source: "another created it first".into(),
            }),
        }
    }

    async fn copy_object(&self, from: &str, to: &str) -> Result<(), StoreError> {
        let source = Path::from_iter([self.bucket.as_str()]).to_string() + "/" + &encode(from);
        self.store
            .client()
            .copy_object()
            .bucket(&self.bucket)
            .key(to)
            .copy_source(source)
            .customize()
            .interceptor(self.store.metered(Class::Put))
            .send()
            .await
            .map(drop)
            .map_err(|error| self.place(from).error(error))
    }

    /// Pages of a listing, fetched as they are asked for.
    fn pages(
        &self,
        prefix: Option<&Path>,
        delimiter: Option<String>,
        start_after: Option<String>,
    ) -> impl futures::Stream<Item = Result<crate::list::Page>> + Send + 'static {
        let request = PageRequest {
            prefix: folder(prefix),
            delimiter,
            start_after,
            token: None,
        };
        let adapter = self.clone();
        futures::stream::try_unfold(Some(request), move |request| {
            let adapter = adapter.clone();
            async move {
                let Some(request) = request else { return Ok(None) };
                let page = adapter.store.list_page(&adapter.bucket, request.clone()).await;
                let page = page.map_err(translate)?;
                let token = page.next.clone();
                let next = token.map(|token| PageRequest {
                    token: Some(token),
                    ..request
                });
                Ok(Some((page, next)))
            }
        })
    }

    fn place<'a>(&'a self, key: &'a str) -> Place<'a> {
        Place {
            bucket: &self.bucket,
            key,
        }
    }

    fn changed(&self, key: &str) -> StoreError {
        StoreError::Changed {
            bucket: self.bucket.clone(),
            key: key.to_owned(),
        }
    }
}

/// ObjectStore prefixes are whole path segments.
fn folder(prefix: Option<&Path>) -> String {
    match prefix {
        Some(path) if !path.as_ref().is_empty() => format!("{path}/"),
        _ => String::new(),
    }
}

fn wanted(range: Option<GetRange>) -> Result<Wanted> {
    match range {
        None => Ok(Wanted::All),
        Some(GetRange::Bounded(range)) if range.is_empty() => Err(unsupported("empty ranges")),
        Some(GetRange::Bounded(range)) => Ok(Wanted::Range(range)),
        Some(GetRange::Offset(start)) => Ok(Wanted::From(start)),
        Some(GetRange::Suffix(length)) => Ok(Wanted::Last(length)),
    }
}

fn whole(location: &Path, facts: Facts, body: BoxStream<'static, Result<Bytes>>) -> GetResult {
    GetResult {
        payload: GetResultPayload::Stream(body),
        meta: ObjectMeta {
            location: location.clone(),
            last_modified: date(facts.last_modified),
            size: facts.size_bytes,
            e_tag: Some(facts.etag),
            version: None,
        },
        range: facts.range,
        attributes: Default::default(),
    }
}

fn meta_of(object: Listed) -> Result<ObjectMeta> {
    Ok(ObjectMeta {
        location: Path::parse(&object.key)?,
        last_modified: date(object.last_modified),
        size: object.size_bytes,
        e_tag: Some(object.etag),
        version: None,
    })
}

fn date(date: Option<DateTime>) -> chrono::DateTime<chrono::Utc> {
    date.and_then(|date| chrono::DateTime::from_timestamp(date.secs(), date.subsec_nanos()))
        .unwrap_or_default()
}

/// A copy's source travels in a header and must be percent-encoded, slashes excepted.
fn encode(key: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte);
    key.bytes()
        .map(|byte| {
            if plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

fn unsupported(what: &str) -> Error {
    Error::NotSupported {
        source: format!("{NAME} has no {what}").into(),
    }
}

/// The store's errors in ObjectStore's words; the cause stays a [`StoreError`], for whoever classifies it further up.
fn translate(error: StoreError) -> Error {
    let path = match &error {
        StoreError::NotFound { key, .. } | StoreError::Changed { key, .. } | StoreError::Denied { key, .. } => {
            key.clone()
        }
        _ => String::new(),
    };
    let source = Box::new(error);
    match *source {
        StoreError::NotFound { .. } => Error::NotFound { path, source },
        StoreError::Changed { .. } => Error::Precondition { path, source },
        StoreError::Denied { .. } => Error::PermissionDenied { path, source },
        _ => Error::Generic { store: NAME, source },
    }
}
