//! S3 on a bad day: retries are made and counted, lost answers are recognised, broken bodies are resumed.

use crate::meter::classes;
use crate::proxy::{Fault, Proxy};
use crate::world::{BUCKET, World, noise, settings_for};
use bytes::Bytes;
use mayfly_store::{Created, Store, StoreError, UPLOAD_PART_BYTES_MIN};

async fn start() -> (World, Proxy, Store) {
    let world = World::start().await;
    let proxy = Proxy::start(&world.emulator.endpoints().s3).await;
    let store = Store::connect(&settings_for(&proxy.url)).await;
    (world, proxy, store)
}

#[tokio::test]
async fn five_refusals_are_survived_and_counted_and_six_are_not() {
    let (world, proxy, store) = start().await;
    let before = classes(&world.emulator.counts());
    proxy.plan(&[Fault::Refuse; 5]);
    store.put(BUCKET, "k", noise(1_000, 1)).await.expect("the sixth try");
    let meter = store.meter();
    assert_eq!((meter.puts, meter.errors), (1, 5));
    let after = classes(&world.emulator.counts());
    assert_eq!(after[1] - before[1], 1, "only the sixth reached S3");

    proxy.plan(&[Fault::Refuse; 6]);
    let error = store.get(BUCKET, "k").await.expect_err("six refusals");
    assert!(error.is_transient(), "{error}");
    assert_eq!((store.meter().gets, store.meter().errors), (0, 11));
}

#[tokio::test]
async fn our_own_lost_write_is_not_taken_for_a_rivals() {
    let (_world, proxy, store) = start().await;
    for lost in [1, 3, 6] {
        let key = format!("k{lost}");
        proxy.plan(&vec![Fault::LoseAnswer; lost]);
        let created = store.put_if_absent(BUCKET, &key, Bytes::from_static(b"v"), &key).await;
        assert!(
            matches!(created.expect("decided"), Created::Ours { .. }),
            "{lost} answers lost"
        );
    }
    store.put(BUCKET, "theirs", Bytes::new()).await.expect("writes");
    proxy.plan(&[Fault::LoseAnswer; 2]);
    let created = store.put_if_absent(BUCKET, "theirs", Bytes::new(), "w").await;
    assert_eq!(created.expect("decided"), Created::Theirs);
}

#[tokio::test]
async fn our_own_lost_replacement_is_recognised() {
    let (_world, proxy, store) = start().await;
    let etag = store.put(BUCKET, "k", Bytes::from_static(b"1")).await.expect("writes");
    proxy.plan(&[Fault::LoseAnswer]);
    let replaced = store.put_if_match(BUCKET, "k", Bytes::from_static(b"2"), &etag).await;
    assert!(replaced.expect("decided").is_some());
}

#[tokio::test]
async fn a_completion_whose_answer_was_lost_is_complete() {
    let (_world, proxy, store) = start().await;
    let mut upload = store.upload(BUCKET, "large").await.expect("begins");
    upload.part(noise(UPLOAD_PART_BYTES_MIN, 1)).await.expect("sends");
    upload.part(noise(100, 1)).await.expect("sends");
    // The parts may still be under way; only the last of these answers is the completion's.
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    proxy.plan(&[Fault::LoseAnswer]);
    let etag = upload.complete().await.expect("completed all the same");
    assert_eq!(store.head(BUCKET, "large").await.expect("there").etag, etag);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_resumed_on_the_same_object() {
    let (_world, proxy, store) = start().await;
    let bytes = noise(300_000, 5);
    let etag = store.put(BUCKET, "k", bytes.clone()).await.expect("writes");
    proxy.plan(&[Fault::BreakBody, Fault::BreakBody]);
    assert_eq!(store.get(BUCKET, "k").await.expect("resumed twice").bytes, bytes);
    assert_eq!(store.meter().gets, 3);
    assert_eq!(store.meter().bytes_read, 300_000, "nothing is fetched twice");
    proxy.plan(&[Fault::BreakBody]);
    let part = store.get_range(BUCKET, "k", 1_000..200_000, Some(&etag)).await;
    assert_eq!(part.expect("resumed"), bytes.slice(1_000..200_000));
    proxy.plan(&[Fault::BreakBody; 10]);
    let error = store.get(BUCKET, "k").await.expect_err("never whole");
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
}

#[tokio::test]
async fn dropped_connections_are_not_used_again() {
    let (_world, proxy, store) = start().await;
    store.put(BUCKET, "k", noise(10, 1)).await.expect("writes");
    store.get(BUCKET, "k").await.expect("reads");
    assert_eq!(proxy.connections(), 1, "connections are pooled");
    let fork = store.fork();
    store.drop_connections();
    fork.get(BUCKET, "k").await.expect("reads");
    assert_eq!(proxy.connections(), 2, "forks share the pool and its end");
    store.get(BUCKET, "k").await.expect("reads");
    assert_eq!(proxy.connections(), 2);
}
