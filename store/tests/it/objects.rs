//! Objects whole and in part, large ones in parts, and how each failure is named.

use crate::world::{BUCKET, World, noise, settings_for};
use bytes::Bytes;
use mayfly_store::{AccessKey, S3Settings, Store, StoreError, UPLOAD_PART_BYTES_MIN};

#[tokio::test]
async fn an_object_is_read_as_it_was_written() {
    let world = World::start().await;
    let (store, bytes) = (&world.store, noise(100_000, 1));
    let etag = store.put(BUCKET, "a/b c+d%.bin", bytes.clone()).await.expect("writes");
    let object = store.get(BUCKET, "a/b c+d%.bin").await.expect("reads");
    assert_eq!((object.bytes, &object.etag), (bytes.clone(), &etag));
    let head = store.head(BUCKET, "a/b c+d%.bin").await.expect("heads");
    assert_eq!((head.size_bytes, &head.etag), (100_000, &etag));
    for range in [0..1, 99_999..100_000, 500..70_000, 0..100_000] {
        let part = store
            .get_range(BUCKET, "a/b c+d%.bin", range.clone(), Some(&etag))
            .await;
        let expected = bytes.slice(range.start as usize..range.end as usize);
        assert_eq!(part.expect("reads"), expected, "{range:?}");
    }
}

#[tokio::test]
async fn an_empty_range_and_an_empty_object_are_no_trouble() {
    let world = World::start().await;
    let store = &world.store;
    store.put(BUCKET, "empty", Bytes::new()).await.expect("writes");
    let before = store.meter();
    assert!(
        store
            .get_range(BUCKET, "missing", 5..5, None)
            .await
            .expect("asks nobody")
            .is_empty()
    );
    assert_eq!(store.meter(), before);
    assert!(store.get(BUCKET, "empty").await.expect("reads").bytes.is_empty());
}

#[tokio::test]
async fn each_failure_has_its_name() {
    let world = World::start().await;
    let store = &world.store;
    let etag = store.put(BUCKET, "k", noise(10, 1)).await.expect("writes");
    let missing = store.get(BUCKET, "none").await.expect_err("no object");
    assert!(
        matches!(&missing, StoreError::NotFound { key, .. } if key == "none"),
        "{missing}"
    );
    assert!(matches!(
        store.head(BUCKET, "none").await,
        Err(StoreError::NotFound { .. })
    ));
    assert!(matches!(
        store.get("nowhere", "k").await,
        Err(StoreError::NoBucket { .. })
    ));
    assert!(matches!(
        store.put("nowhere", "k", noise(1, 1)).await,
        Err(StoreError::NoBucket { .. })
    ));
    store.put(BUCKET, "k", noise(10, 2)).await.expect("overwrites");
    let changed = store
        .get_range(BUCKET, "k", 0..5, Some(&etag))
        .await
        .expect_err("another object by now");
    assert!(matches!(changed, StoreError::Changed { .. }), "{changed}");
    for range in [0..11, 8..12, 10..11] {
        let short = store
            .get_range(BUCKET, "k", range, None)
            .await
            .expect_err("a shorter object");
        assert!(matches!(short, StoreError::Corrupt { .. }), "{short}");
        assert!(!short.is_transient());
    }
}

#[tokio::test]
async fn wrong_credentials_are_denied() {
    let world = World::start().await;
    let stranger = Store::connect(&S3Settings {
        access_key: Some(AccessKey::new("stranger", "wrong")),
        ..settings_for(&world.emulator.endpoints().s3)
    })
    .await;
    let denied = stranger.get(BUCKET, "k").await.expect_err("a stranger");
    assert!(matches!(denied, StoreError::Denied { .. }), "{denied}");
}

#[tokio::test]
async fn nobody_there_is_unavailable() {
    let nobody = Store::connect(&S3Settings {
        attempts_max: 2,
        ..settings_for("http://127.0.0.1:9")
    })
    .await;
    let error = nobody.get(BUCKET, "k").await.expect_err("nobody listens");
    assert!(
        matches!(error, StoreError::Unavailable { .. }) && error.is_transient(),
        "{error}"
    );
    let meter = nobody.meter();
    assert_eq!((meter.gets, meter.errors), (0, 2), "an unanswered request is free");
}

#[tokio::test]
async fn an_upload_appears_whole_or_not_at_all() {
    let world = World::start().await;
    let (store, bytes) = (&world.store, noise(2 * UPLOAD_PART_BYTES_MIN + 1_234, 3));
    let mut upload = store.upload(BUCKET, "large").await.expect("begins");
    for part in [
        0..UPLOAD_PART_BYTES_MIN,
        UPLOAD_PART_BYTES_MIN..2 * UPLOAD_PART_BYTES_MIN,
    ] {
        upload.part(bytes.slice(part)).await.expect("sends");
    }
    upload
        .part(bytes.slice(2 * UPLOAD_PART_BYTES_MIN..))
        .await
        .expect("sends");
    assert!(matches!(
        store.head(BUCKET, "large").await,
        Err(StoreError::NotFound { .. })
    ));
    let etag = upload.complete().await.expect("completes");
    let object = store.get(BUCKET, "large").await.expect("reads");
    assert_eq!((object.bytes, object.etag), (bytes.clone(), etag));

    let mut upload = store.upload(BUCKET, "given up").await.expect("begins");
    upload.part(bytes.slice(..UPLOAD_PART_BYTES_MIN)).await.expect("sends");
    upload.abort().await.expect("aborts");
    assert!(matches!(
        store.head(BUCKET, "given up").await,
        Err(StoreError::NotFound { .. })
    ));
}

/// A reader that resumes, or runs in pieces, must not be slower than its bytes: a large object in one GET.
#[tokio::test]
async fn a_large_object_is_one_get() {
    let world = World::start().await;
    let store = &world.store;
    store.put(BUCKET, "k", noise(20 << 20, 4)).await.expect("writes");
    let reader = store.fork();
    assert_eq!(reader.get(BUCKET, "k").await.expect("reads").bytes.len(), 20 << 20);
    let meter = reader.meter();
    assert_eq!((meter.gets, meter.bytes_read), (1, 20 << 20));
}
