//! Listings over several pages, and deletes by the thousand.

use crate::world::{BUCKET, World};
use bytes::Bytes;
use futures::StreamExt;

#[tokio::test]
async fn listings_and_deletes_span_pages() {
    const OBJECTS: usize = 1_050;
    let world = World::start().await;
    let store = &world.store;
    let put = |nth: usize| async move {
        let key = format!("x/{nth:05}");
        store.put(BUCKET, &key, Bytes::from_static(b"v")).await.expect("writes")
    };
    futures::stream::iter(0..OBJECTS)
        .map(put)
        .buffered(16)
        .collect::<Vec<_>>()
        .await;
    store
        .put(BUCKET, "y", Bytes::from_static(b"stays"))
        .await
        .expect("writes");

    let lister = store.fork();
    store
        .put(BUCKET, "x/spared", Bytes::from_static(b"stays, too"))
        .await
        .expect("writes");
    let listed = lister.list(BUCKET, "x/").await.expect("lists");
    let keys: Vec<&str> = listed.iter().map(|object| object.key.as_str()).collect();
    assert_eq!(keys.len(), OBJECTS + 1);
    assert!(keys.is_sorted() && keys[0] == "x/00000" && listed[0].size_bytes == 1);
    assert_eq!(lister.meter().lists, 2);

    let remover = store.fork();
    assert_eq!(
        remover
            .delete_prefix(BUCKET, "x/", |key| key.ends_with("spared"))
            .await
            .expect("deletes"),
        OBJECTS as u64
    );
    assert_eq!(remover.meter().deletes, 2);
    let left = store.list(BUCKET, "").await.expect("lists");
    assert_eq!(left.len(), 2);
    store
        .delete(BUCKET, &["missing".to_owned()])
        .await
        .expect("deleting nothing is no error");
    store.delete(BUCKET, &[]).await.expect("nor is deleting no thing");
}
