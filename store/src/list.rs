//! Listing and deleting by prefix. Listings cost as much as PUTs; nothing on a query's good path needs one.

use crate::error::Place;
use crate::meter::Class;
use crate::{Store, StoreError};
use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};

/// Objects that one listing may return.
pub const LIST_MAX: usize = 1_000_000;

/// Keys in one DeleteObjects request: S3's bound.
const DELETE_MAX: usize = 1_000;

/// One object of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub key: String,
    pub size_bytes: u64,
    pub etag: String,
    pub(crate) last_modified: Option<DateTime>,
}

/// What one page asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct PageRequest {
    pub(crate) prefix: String,
    pub(crate) delimiter: Option<String>,
    pub(crate) start_after: Option<String>,
    pub(crate) token: Option<String>,
}

/// One page of a listing, up to 1,000 objects.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    pub(crate) objects: Vec<Listed>,
    pub(crate) prefixes: Vec<String>,
    pub(crate) next: Option<String>,
}

impl Store {
    /// Every object below the prefix, by key, in the order of its bytes. One request per 1,000.
    pub async fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<Listed>, StoreError> {
        self.list_all(bucket, prefix, None).await
    }

    /// The objects below the prefix whose keys have no further `/`: what lies deeper is not walked.
    pub async fn list_flat(&self, bucket: &str, prefix: &str) -> Result<Vec<Listed>, StoreError> {
        self.list_all(bucket, prefix, Some("/".to_owned())).await
    }

    async fn list_all(&self, bucket: &str, prefix: &str, delimiter: Option<String>) -> Result<Vec<Listed>, StoreError> {
        let mut request = PageRequest {
            prefix: prefix.to_owned(),
            delimiter,
            ..PageRequest::default()
        };
        let mut objects = Vec::new();
        loop {
            let page = self.list_page(bucket, request.clone()).await?;
            objects.extend(page.objects);
            if objects.len() > LIST_MAX {
                let message = format!("more than {LIST_MAX} objects");
                return Err(Place { bucket, key: prefix }.corrupt(message));
            }
            match page.next {
                Some(token) => request.token = Some(token),
                None => return Ok(objects),
            }
        }
    }

    pub(crate) async fn list_page(&self, bucket: &str, request: PageRequest) -> Result<Page, StoreError> {
        let place = Place {
            bucket,
            key: &request.prefix,
        };
        let answer = self
            .client()
            .list_objects_v2()
            .bucket(bucket)
            .prefix(&request.prefix)
            .set_delimiter(request.delimiter)
            .set_start_after(request.start_after)
            .set_continuation_token(request.token)
            .customize()
            .interceptor(self.metered(Class::List))
            .send()
            .await
            .map_err(|error| place.error(error))?;
        let objects = answer.contents().iter().map(|object| listed(place, object));
        let prefixes = answer.common_prefixes().iter().filter_map(|common| common.prefix());
        Ok(Page {
            prefixes: prefixes.map(str::to_owned).collect(),
            objects: objects.collect::<Result<_, _>>()?,
            next: answer.next_continuation_token().map(str::to_owned),
        })
    }

    /// Deletes the objects; one that does not exist is no error. One request per 1,000.
    pub async fn delete(&self, bucket: &str, keys: &[String]) -> Result<(), StoreError> {
        for some in keys.chunks(DELETE_MAX) {
            self.delete_some(bucket, some).await?;
        }
        Ok(())
    }

    async fn delete_some(&self, bucket: &str, keys: &[String]) -> Result<(), StoreError> {
        let place = Place { bucket, key: &keys[0] };
        let identify = |key: &String| ObjectIdentifier::builder().key(key).build();
        let keys = keys.iter().map(identify).collect::<Result<Vec<_>, _>>();
        let keys = keys.map_err(|error| place.other(error))?;
        let delete = Delete::builder().set_objects(Some(keys)).quiet(true).build();
        let answer = self
            .client()
            .delete_objects()
            .bucket(bucket)
            .delete(delete.map_err(|error| place.other(error))?)
            .customize()
            .interceptor(self.metered(Class::Delete))
            .send()
            .await
            .map_err(|error| place.error(error))?;
        answer.errors().first().map_or(Ok(()), |error| {
            let key = error.key().unwrap_or_default();
            let text = format!("{}: {}", error.code().unwrap_or("?"), error.message().unwrap_or("?"));
            Err(Place { bucket, key }.other(text))
        })
    }

    /// Deletes everything below the prefix but what is spared, and returns how many objects that was. Also what appears while it works.
    pub async fn delete_prefix(
        &self,
        bucket: &str,
        prefix: &str,
        is_spared: impl Fn(&str) -> bool,
    ) -> Result<u64, StoreError> {
        let mut deleted = 0;
        let mut request = PageRequest {
            prefix: prefix.to_owned(),
            ..PageRequest::default()
        };
        loop {
            let page = self.list_page(bucket, request.clone()).await?;
            let keys = page.objects.into_iter().map(|object| object.key);
            let keys: Vec<String> = keys.filter(|key| !is_spared(key)).collect();
            self.delete(bucket, &keys).await?;
            deleted += keys.len() as u64;
            match page.next {
                Some(token) => request.token = Some(token),
                None => return Ok(deleted),
            }
        }
    }
}

fn listed(place: Place<'_>, object: &aws_sdk_s3::types::Object) -> Result<Listed, StoreError> {
    let key = object
        .key()
        .ok_or_else(|| place.corrupt("a listed object without a key"))?;
    let size = object.size().and_then(|size| u64::try_from(size).ok());
    Ok(Listed {
        key: key.to_owned(),
        size_bytes: size.ok_or_else(|| place.corrupt("a listed object without a size"))?,
        etag: object.e_tag().unwrap_or_default().to_owned(),
        last_modified: object.last_modified().copied(),
    })
}
