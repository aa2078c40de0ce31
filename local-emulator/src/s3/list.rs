//! ListObjectsV2 and its older sister: tokens, markers, url-encoding.

use std::fmt::Write;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use s3s::dto::*;
use s3s::{S3Result, s3_error};

use super::adapter::Adapter;
use super::bucket::owner;
use super::listing::{PAGE_ITEMS_MAX, Page, PageRequest, Start};
use super::object::About;
use super::timestamp;

impl Adapter {
    pub(super) async fn list_v2(&self, input: ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
        let start = match (&input.continuation_token, &input.start_after) {
            (Some(token), _) => from_token(token)?,
            (None, Some(key)) if !key.is_empty() => Start::AfterKey(key.clone()),
            _ => Start::First,
        };
        let items_max = items_max(input.max_keys)?;
        let page = self
            .page(&input.bucket, &input.prefix, &input.delimiter, start, items_max)
            .await?;
        let spell = Spelling::of(&input.encoding_type);
        let owner = input.fetch_owner.unwrap_or(false).then(owner);
        Ok(ListObjectsV2Output {
            key_count: Some((page.keys.len() + page.common_prefixes.len()) as i32),
            is_truncated: Some(page.next.is_some()),
            next_continuation_token: page.next.as_ref().map(to_token),
            contents: Some(contents(&page, spell, owner)),
            common_prefixes: Some(common_prefixes(&page, spell)),
            name: Some(input.bucket),
            prefix: Some(spell.text(input.prefix.unwrap_or_default())),
            delimiter: input.delimiter.map(|delimiter| spell.text(delimiter)),
            start_after: input.start_after.map(|key| spell.text(key)),
            continuation_token: input.continuation_token,
            max_keys: Some(items_max as i32),
            encoding_type: input.encoding_type,
            ..Default::default()
        })
    }

    pub(super) async fn list_v1(&self, input: ListObjectsInput) -> S3Result<ListObjectsOutput> {
        let marker = input.marker.clone().unwrap_or_default();
        let ends_prefix = input
            .delimiter
            .as_deref()
            .is_some_and(|delimiter| !delimiter.is_empty() && marker.ends_with(delimiter));
        let start = match marker {
            marker if marker.is_empty() => Start::First,
            marker if ends_prefix => Start::AfterPrefix(marker),
            marker => Start::AfterKey(marker),
        };
        let items_max = items_max(input.max_keys)?;
        let page = self
            .page(&input.bucket, &input.prefix, &input.delimiter, start, items_max)
            .await?;
        let spell = Spelling::of(&input.encoding_type);
        let next_marker = page.next.clone().and_then(|next| match next {
            Start::AfterKey(name) | Start::AfterPrefix(name) => Some(spell.text(name)),
            Start::First => None,
        });
        Ok(ListObjectsOutput {
            is_truncated: Some(page.next.is_some()),
            contents: Some(contents(&page, spell, Some(owner()))),
            common_prefixes: Some(common_prefixes(&page, spell)),
            next_marker,
            name: Some(input.bucket),
            prefix: Some(spell.text(input.prefix.unwrap_or_default())),
            marker: Some(spell.text(input.marker.unwrap_or_default())),
            delimiter: input.delimiter.map(|delimiter| spell.text(delimiter)),
            max_keys: Some(items_max as i32),
            encoding_type: input.encoding_type,
            ..Default::default()
        })
    }

    async fn page(
        &self,
        bucket: &str,
        prefix: &Option<String>,
        delimiter: &Option<String>,
        start: Start,
        items_max: usize,
    ) -> S3Result<Page> {
        let request = PageRequest {
            prefix: prefix.clone().unwrap_or_default(),
            delimiter: delimiter.clone(),
            start,
            items_max,
        };
        let (store, bucket) = (self.store.clone(), bucket.to_owned());
        // A mounted folder is walked on disk.
        let listing = tokio::task::spawn_blocking(move || store.list(&bucket, &request));
        listing.await.expect("listing does not panic")
    }
}

fn items_max(asked: Option<i32>) -> S3Result<usize> {
    let asked = usize::try_from(asked.unwrap_or(PAGE_ITEMS_MAX as i32));
    let asked = asked.map_err(|_| {
        s3_error!(
            InvalidArgument,
            "Argument max-keys must be an integer between 0 and 2147483647"
        )
    })?;
    Ok(asked.min(PAGE_ITEMS_MAX))
}

/// Whether names are shown as they are or percent-encoded, as `encoding-type=url` asks.
#[derive(Clone, Copy)]
enum Spelling {
    Plain,
    Url,
}

impl Spelling {
    fn of(asked: &Option<EncodingType>) -> Spelling {
        match asked {
            Some(kind) if kind.as_str() == EncodingType::URL => Spelling::Url,
            _ => Spelling::Plain,
        }
    }

    fn text(self, text: String) -> String {
        match self {
            Spelling::Plain => text,
            Spelling::Url => percent_encoded(&text),
        }
    }
}

fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => encoded.push(byte.into()),
            _ => write!(encoded, "%{byte:02X}").expect("a string takes everything"),
        }
    }
    encoded
}

fn contents(page: &Page, spell: Spelling, owner: Option<Owner>) -> Vec<Object> {
    let object = |(key, about): &(String, About)| Object {
        key: Some(spell.text(key.clone())),
        e_tag: Some(ETag::Strong(about.etag.clone())),
        last_modified: Some(timestamp(about.modified_ms)),
        size: Some(about.size as i64),
        storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
        owner: owner.clone(),
        ..Default::default()
    };
    page.keys.iter().map(object).collect()
}

fn common_prefixes(page: &Page, spell: Spelling) -> Vec<CommonPrefix> {
    page.common_prefixes
        .iter()
        .map(|prefix| CommonPrefix {
            prefix: Some(spell.text(prefix.clone())),
        })
        .collect()
}

/// Opaque to clients; the first letter tells a key from a common prefix.
fn to_token(start: &Start) -> String {
    let text = match start {
        Start::First => String::new(),
        Start::AfterKey(key) => format!("k{key}"),
        Start::AfterPrefix(prefix) => format!("p{prefix}"),
    };
    BASE64_URL_SAFE_NO_PAD.encode(text)
}

fn from_token(token: &str) -> S3Result<Start> {
    let text = BASE64_URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let start = text.as_deref().and_then(|text| match text.split_at_checked(1)? {
        ("k", key) => Some(Start::AfterKey(key.to_owned())),
        ("p", prefix) => Some(Start::AfterPrefix(prefix.to_owned())),
        _ => None,
    });
    start.ok_or_else(|| s3_error!(InvalidArgument, "The continuation token provided is incorrect"))
}
