//! The only lock there is: one winner, known to be the winner.

use crate::world::{BUCKET, World, settings_for};
use bytes::Bytes;
use mayfly_store::{Created, Store, StoreError};

#[tokio::test]
async fn of_many_creators_one_wins_and_all_know() {
    let world = World::start().await;
    for round in 0..5 {
        let key = format!("race/{round}");
        let create = |writer: usize| {
            let (store, key) = (world.store.clone(), key.clone());
            tokio::spawn(async move {
                let name = format!("writer {writer}");
                store
                    .put_if_absent(BUCKET, &key, Bytes::from(name.clone()), &name)
                    .await
            })
        };
        let racers: Vec<_> = (0..32).map(create).collect();
        let mut winners = Vec::new();
        for (writer, racer) in racers.into_iter().enumerate() {
            let created = racer.await.expect("no panic").expect("decided");
            if created != Created::Theirs {
                winners.push(format!("writer {writer}"));
            }
        }
        let object = world.store.get(BUCKET, &key).await.expect("somebody won");
        assert_eq!(winners, [String::from_utf8_lossy(&object.bytes)], "round {round}");
    }
}

#[tokio::test]
async fn the_same_writer_creates_once_however_often_it_asks() {
    let world = World::start().await;
    let create = || world.store.put_if_absent(BUCKET, "k", Bytes::from_static(b"v"), "me");
    let first = create().await.expect("decided");
    assert!(matches!(first, Created::Ours { .. }));
    assert_eq!(
        create().await.expect("decided"),
        first,
        "a repeated request is an echo, not a rival"
    );
    let other = world
        .store
        .put_if_absent(BUCKET, "k", Bytes::from_static(b"w"), "other")
        .await;
    assert_eq!(other.expect("decided"), Created::Theirs);
}

#[tokio::test]
async fn a_replacement_needs_the_object_it_replaces() {
    let world = World::start().await;
    let store = &world.store;
    let first = store.put(BUCKET, "k", Bytes::from_static(b"1")).await.expect("writes");
    let replace = |bytes: &'static [u8], etag| store.put_if_match(BUCKET, "k", Bytes::from_static(bytes), etag);
    let second = replace(b"2", &first)
        .await
        .expect("decided")
        .expect("unchanged until now");
    assert_eq!(replace(b"3", &first).await.expect("decided"), None);
    assert!(replace(b"4", &second).await.expect("decided").is_some());
    let missing = store.put_if_match(BUCKET, "missing", Bytes::new(), &first).await;
    assert_eq!(missing.expect("decided"), None);
    assert_eq!(store.get(BUCKET, "k").await.expect("reads").bytes, "4");
}

#[tokio::test]
async fn a_good_store_passes_the_probe_and_keeps_nothing_of_it() {
    let world = World::start().await;
    world.store.probe(BUCKET, "probes/").await.expect("conditions hold");
    assert_eq!(world.store.list(BUCKET, "").await.expect("lists"), []);
    let error = world.store.probe("nowhere", "").await.expect_err("no bucket");
    assert!(matches!(error, StoreError::NoBucket { .. }), "{error}");
}

#[tokio::test]
async fn a_store_that_ignores_conditions_is_found_out() {
    let yes_man = crate::proxy::YesMan::start().await;
    let store = Store::connect(&settings_for(&yes_man.url)).await;
    let error = store.probe(BUCKET, "").await.expect_err("both creators won");
    assert!(matches!(error, StoreError::IgnoresConditions { .. }), "{error}");
}
