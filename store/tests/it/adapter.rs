//! What DataFusion's readers ask of an ObjectStore.

use crate::world::{BUCKET, World, noise};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    Error, GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, WriteMultipart,
};
use std::sync::Arc;

async fn start() -> (World, Arc<dyn ObjectStore>) {
    let world = World::start().await;
    let objects = world.store.object_store(BUCKET);
    (world, objects)
}

#[tokio::test]
async fn reads_whole_ranged_and_conditional() {
    let (world, objects) = start().await;
    let bytes = noise(50_000, 1);
    let path = Path::from("folder/a.parquet");
    let put = objects
        .put(&path, PutPayload::from(bytes.clone()))
        .await
        .expect("writes");
    let got = objects.get(&path).await.expect("reads");
    assert_eq!(
        (got.meta.size, got.range.clone(), got.meta.e_tag.clone()),
        (50_000, 0..50_000, put.e_tag.clone())
    );
    assert_eq!(got.bytes().await.expect("reads"), bytes);
    assert_eq!(objects.get_range(&path, 7..9).await.expect("reads"), bytes.slice(7..9));
    for (range, expected) in [
        (GetRange::Bounded(49_000..60_000), 49_000..50_000),
        (GetRange::Offset(40_000), 40_000..50_000),
        (GetRange::Suffix(8), 49_992..50_000),
    ] {
        let options = GetOptions {
            range: Some(range),
            ..GetOptions::default()
        };
        let got = objects.get_opts(&path, options).await.expect("reads");
        assert_eq!((got.meta.size, got.range.clone()), (50_000, expected.clone()));
        let expected = bytes.slice(expected.start as usize..expected.end as usize);
        assert_eq!(got.bytes().await.expect("reads"), expected);
    }
    let before = world.store.meter().gets;
    let ranges = objects
        .get_ranges(&path, &[0..10, 20..30, 49_000..49_001])
        .await
        .expect("reads");
    assert_eq!(
        ranges,
        [bytes.slice(0..10), bytes.slice(20..30), bytes.slice(49_000..49_001)]
    );
    assert_eq!(world.store.meter().gets - before, 1, "near ranges are one request");

    let matching = |etag: &str| GetOptions {
        if_match: Some(etag.to_owned()),
        ..GetOptions::default()
    };
    let etag = put.e_tag.expect("S3 gives one");
    objects.get_opts(&path, matching(&etag)).await.expect("unchanged");
    let changed = objects.get_opts(&path, matching("\"other\"")).await;
    assert!(matches!(changed, Err(Error::Precondition { .. })), "{changed:?}");
}

#[tokio::test]
async fn heads_and_misses() {
    let (_world, objects) = start().await;
    let path = Path::from("a");
    objects
        .put(&path, PutPayload::from_static(b"12345"))
        .await
        .expect("writes");
    let meta = objects.head(&path).await.expect("heads");
    assert_eq!((meta.size, meta.location), (5, path));
    assert!(meta.last_modified.timestamp() > 1_700_000_000);
    let missing = objects.head(&Path::from("missing")).await;
    assert!(matches!(missing, Err(Error::NotFound { .. })), "{missing:?}");
    let missing = objects.get(&Path::from("missing")).await;
    assert!(matches!(missing, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn creates_updates_and_copies() {
    let (_world, objects) = start().await;
    let (path, copy) = (Path::from("a b+c"), Path::from("copies/ä"));
    let put = |mode: PutMode, text: &'static str| {
        objects.put_opts(&path, PutPayload::from_static(text.as_bytes()), PutOptions::from(mode))
    };
    let first = put(PutMode::Create, "1").await.expect("creates");
    let second = put(PutMode::Create, "2").await;
    assert!(matches!(second, Err(Error::AlreadyExists { .. })), "{second:?}");
    put(PutMode::Update(first.clone().into()), "3")
        .await
        .expect("unchanged until now");
    let stale = put(PutMode::Update(first.into()), "4").await;
    assert!(matches!(stale, Err(Error::Precondition { .. })), "{stale:?}");
    objects.copy(&path, &copy).await.expect("copies");
    let copied = objects.get(&copy).await.expect("reads");
    assert_eq!(copied.bytes().await.expect("reads"), "3");
    assert!(
        objects.copy_if_not_exists(&path, &Path::from("new")).await.is_err(),
        "refused rather than not kept"
    );
}

#[tokio::test]
async fn lists_by_segments_and_deletes_in_bulk() {
    let (_world, objects) = start().await;
    for key in ["t/a", "t/b/1", "t/b/2", "tt/c", "z"] {
        objects
            .put(&Path::from(key), PutPayload::from_static(b"v"))
            .await
            .expect("writes");
    }
    let keys = |prefix: Option<&'static str>| {
        let listed = objects.list(prefix.map(Path::from).as_ref());
        listed.map_ok(|meta| meta.location.to_string()).try_collect::<Vec<_>>()
    };
    assert_eq!(keys(Some("t")).await.expect("lists"), ["t/a", "t/b/1", "t/b/2"]);
    assert_eq!(keys(None).await.expect("lists").len(), 5);
    let level = objects
        .list_with_delimiter(Some(&Path::from("t")))
        .await
        .expect("lists");
    assert_eq!(level.common_prefixes, [Path::from("t/b")]);
    assert_eq!(level.objects.len(), 1);
    let later = objects.list_with_offset(Some(&Path::from("t")), &Path::from("t/b/1"));
    assert_eq!(later.count().await, 1);
    let doomed = objects
        .list(Some(&Path::from("t")))
        .map_ok(|meta| meta.location)
        .boxed();
    let deleted = objects.delete_stream(doomed).try_collect::<Vec<_>>().await;
    assert_eq!(deleted.expect("deletes").len(), 3);
    assert_eq!(keys(None).await.expect("lists"), ["tt/c", "z"]);
}

#[tokio::test]
async fn streams_a_multipart_upload() {
    let (_world, objects) = start().await;
    let (path, bytes) = (Path::from("large"), noise(13 << 20, 2));
    let upload = objects.put_multipart(&path).await.expect("begins");
    let mut writer = WriteMultipart::new(upload);
    bytes.chunks(100_000).for_each(|chunk| writer.write(chunk));
    let put = writer.finish().await.expect("completes");
    let got = objects.get(&path).await.expect("reads");
    assert_eq!(got.meta.e_tag, put.e_tag);
    assert!(got.bytes().await.expect("reads") == bytes);
    let mut upload = objects.put_multipart(&Path::from("given up")).await.expect("begins");
    upload.abort().await.expect("aborts");
}
