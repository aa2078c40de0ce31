//! What ends by age, and whose clock counts.

use crate::world::{BUCKET, settings_for};
use bytes::Bytes;
use local_emulator::{Emulator, Settings};
use mayfly_protocol::key::EXPIRING;
use mayfly_store::Store;
use std::time::{Duration, Instant};

const KEYS: [&str; 6] = [
    "x/t/00/q/s0/t0/1-0-a",
    "p/t/q/d",
    "j/t/q/0",
    "probe/p",
    "catalog/lake/t",
    "xx/y",
];

#[tokio::test]
async fn what_the_dead_leave_ends_by_age_and_catalog_and_tables_stay() {
    let folder = tempfile::tempdir().expect("a temp folder");
    let settings = Settings {
        lifecycle_day: Duration::from_millis(300),
        ..Settings::new(folder.path().join("data"), folder.path().join("scratch"))
    };
    let emulator = Emulator::start(settings).await.expect("the emulator starts");
    let store = Store::connect(&settings_for(&emulator.endpoints().s3)).await;
    store.ensure_bucket(BUCKET).await.expect("a new bucket");
    assert!(!store.has_lifecycle(BUCKET).await.expect("asked"));
    store.ensure_lifecycle(BUCKET, &EXPIRING).await.expect("set");
    assert!(store.has_lifecycle(BUCKET).await.expect("asked"));
    for key in KEYS {
        store.put(BUCKET, key, Bytes::from_static(b"rows")).await.expect("put");
    }
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        let left = store.list(BUCKET, "").await.expect("listed");
        let left: Vec<&str> = left.iter().map(|object| object.key.as_str()).collect();
        if left == ["catalog/lake/t", "xx/y"] {
            break;
        }
        assert!(Instant::now() < end, "{left:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Rules that somebody has set are his.
    store
        .ensure_lifecycle(BUCKET, &[("catalog/", 1)])
        .await
        .expect("left as they are");
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(store.get(BUCKET, "catalog/lake/t").await.is_ok());
}
