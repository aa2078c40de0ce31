//! Double-entry bookkeeping: our count of requests equals the emulator's, class by class.

use crate::world::{BUCKET, World, noise};
use bytes::Bytes;
use local_emulator::{Counts, S3Operation};
use mayfly_protocol::S3Meter;
use mayfly_store::UPLOAD_PART_BYTES_MIN;

/// The emulator's book, summed into price classes.
pub fn classes(counts: &Counts) -> [u64; 4] {
    use S3Operation::*;
    let sum = |operations: &[S3Operation]| operations.iter().map(|operation| counts.s3_requests(*operation)).sum();
    [
        sum(&[Get, Head]),
        sum(&[
            Put,
            Copy,
            MultipartCreate,
            MultipartPart,
            MultipartComplete,
            CreateBucket,
        ]),
        sum(&[List]),
        sum(&[Delete, MultipartAbort]),
    ]
}

fn ours(meter: S3Meter) -> [u64; 4] {
    [meter.gets, meter.puts, meter.lists, meter.deletes]
}

#[tokio::test]
async fn our_book_is_the_emulators_book() {
    let world = World::start().await;
    let before = classes(&world.emulator.counts());
    let store = &world.store;
    let etag = store.put(BUCKET, "k", noise(1_000, 1)).await.expect("writes");
    store.get(BUCKET, "k").await.expect("reads");
    store.get_range(BUCKET, "k", 10..20, Some(&etag)).await.expect("reads");
    store.head(BUCKET, "k").await.expect("heads");
    store
        .get(BUCKET, "missing")
        .await
        .expect_err("costs a GET all the same");
    store
        .get_range(BUCKET, "k", 0..1, Some("\"other\""))
        .await
        .expect_err("so does a 412");
    store
        .put_if_absent(BUCKET, "new", Bytes::new(), "w")
        .await
        .expect("decided");
    store
        .put_if_absent(BUCKET, "new", Bytes::new(), "v")
        .await
        .expect("decided");
    store
        .put_if_match(BUCKET, "k", noise(10, 2), "\"other\"")
        .await
        .expect("decided");
    let mut upload = store.upload(BUCKET, "large").await.expect("begins");
    upload.part(noise(UPLOAD_PART_BYTES_MIN, 1)).await.expect("sends");
    upload.part(noise(1_000, 1)).await.expect("sends");
    upload.complete().await.expect("completes");
    store
        .upload(BUCKET, "none")
        .await
        .expect("begins")
        .abort()
        .await
        .expect("aborts");
    store.list(BUCKET, "").await.expect("lists");
    store.probe(BUCKET, "p/").await.expect("conditions hold");
    store.delete_prefix(BUCKET, "", |_| false).await.expect("deletes");
    store.ensure_bucket("second").await.expect("creates");
    store.ensure_bucket("second").await.expect("is there");

    let after = classes(&world.emulator.counts());
    let theirs: Vec<u64> = after.iter().zip(before).map(|(after, before)| after - before).collect();
    let meter = store.meter();
    assert_eq!(ours(meter).as_slice(), theirs);
    assert_eq!(meter.errors, 0);
    assert_eq!(meter.bytes_read, 1_000 + 10);
    assert!(
        meter.bytes_written >= 1_000 + 10 + UPLOAD_PART_BYTES_MIN as u64 + 1_000,
        "{meter:?}"
    );
}

#[tokio::test]
async fn a_fork_counts_for_itself_and_a_clone_does_not() {
    let world = World::start().await;
    let fork = world.store.fork();
    let clone = fork.clone();
    fork.put(BUCKET, "k", noise(10, 1)).await.expect("writes");
    clone.get(BUCKET, "k").await.expect("reads");
    assert_eq!(ours(fork.meter()), [1, 1, 0, 0]);
    assert_eq!(clone.meter(), fork.meter());
    assert_eq!(world.store.meter(), S3Meter::default());
}
