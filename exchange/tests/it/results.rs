//! Results page by page: in order, from any place, again and again.

use crate::world::{BUCKET, World, batch, ids, random};
use mayfly_exchange::{ExchangeError, Position, ResultReader};
use mayfly_protocol::OutputLocation;

const ROWS: usize = 200_000;

/// Three outputs: a large object, nothing, and a tiny inline one.
async fn start() -> (World, ResultReader, Vec<i64>) {
    let world = World::start().await;
    let mut random = random(1);
    let schema = batch(0, 1, &mut random).schema();
    let mut outputs = Vec::new();
    for (index, (start, rows)) in [(0, ROWS), (0, 0), (ROWS as i64, 10)].into_iter().enumerate() {
        let mut writer = world.writer(schema.clone(), 1, 4 << 20);
        if rows > 0 {
            writer.push(0, batch(start, rows, &mut random)).expect("fits");
        }
        outputs.push(world.publish(writer, index as u32, 1, 2_000).await);
    }
    assert!(matches!(outputs[2].location, OutputLocation::Inline { .. }));
    let reader = ResultReader::new(world.store.fork(), BUCKET.to_owned(), outputs, schema);
    (world, reader, (0..ROWS as i64 + 10).collect())
}

#[tokio::test]
async fn a_result_is_read_in_order_in_large_gets() {
    let (world, reader, expected) = start().await;
    let mut at = Position::default();
    let mut rows = Vec::new();
    while let Some(batch) = reader.next_batch(&mut at).await.expect("sound") {
        rows.push(batch);
    }
    assert_eq!(ids(&rows), expected);
    assert_eq!(reader.rows(), expected.len() as u64);
    assert!(
        reader.next_batch(&mut at).await.expect("sound").is_none(),
        "the end stays the end"
    );
    assert!(rows.iter().all(|batch| batch.num_rows() <= 8_192));
    drop(world);
}

#[tokio::test]
async fn any_place_can_be_read_again_also_by_another_reader() {
    let (world, reader, expected) = start().await;
    let mut at = Position::default();
    let mut pages = Vec::new();
    let mut read = 0;
    while read < expected.len() {
        let place = at;
        let batch = reader
            .next_batch(&mut at)
            .await
            .expect("sound")
            .expect("not yet at the end");
        let rows = batch.num_rows().min(3_000);
        pages.push((place, read, rows));
        read += rows;
        if rows < batch.num_rows() {
            at = place.skip(rows as u32);
        }
    }
    let json = serde_json::to_string(&pages).expect("positions travel as JSON");
    let pages: Vec<(Position, usize, usize)> = serde_json::from_str(&json).expect("and back");
    for (mut place, start, rows) in pages.into_iter().rev() {
        let batch = reader.next_batch(&mut place).await.expect("sound").expect("rows");
        assert_eq!(ids(&[batch.slice(0, rows)]), expected[start..start + rows]);
    }
    drop(world);
}

#[tokio::test]
async fn a_place_that_is_none_and_an_object_that_is_gone_are_errors() {
    let (world, reader, _) = start().await;
    let mut nowhere = Position {
        offset: 5,
        ..Position::default()
    };
    let error = reader
        .next_batch(&mut nowhere)
        .await
        .expect_err("no block starts there");
    assert!(matches!(error, ExchangeError::ResultCorrupt { .. }), "{error}");
    for listed in world.store.list(BUCKET, "x/").await.expect("lists") {
        world.store.delete(BUCKET, &[listed.key]).await.expect("deletes");
    }
    let error = reader.next_batch(&mut Position::default().skip(1)).await;
    let error = error.expect_err("what was fetched starts behind this place");
    assert!(matches!(error, ExchangeError::ResultLost { .. }), "{error}");
    let mut far = Position {
        offset: 9 << 20,
        ..Position::default()
    };
    let error = reader.next_batch(&mut far).await.expect_err("gone");
    assert!(matches!(error, ExchangeError::ResultLost { .. }), "{error}");
}

/// Bits flipped in what S3 answers, not in what it holds: each is asked for again.
#[tokio::test]
async fn a_flipped_bit_in_an_answer_is_asked_for_again() {
    for seed in 0..4 {
        let (world, reader, expected) = start().await;
        world.flip_answers(Some(2), seed);
        let (mut at, mut rows) = (Position::default(), Vec::new());
        while let Some(batch) = reader.next_batch(&mut at).await.expect("sound the third time") {
            rows.push(batch);
        }
        assert_eq!(ids(&rows), expected, "seed {seed}");
    }
}

#[tokio::test]
async fn an_answer_that_stays_flipped_is_corrupt_and_the_place_stays() {
    let (world, reader, _) = start().await;
    world.flip_answers(None, 7);
    let mut at = Position::default();
    let mut result = Ok(None);
    // A flip in the part of the window that is not looked at yet hurts later.
    for _ in 0..100 {
        result = reader.next_batch(&mut at).await;
        if result.is_err() {
            break;
        }
    }
    assert!(matches!(result, Err(ExchangeError::ResultCorrupt { .. })), "{result:?}");
    world.flip_answers(Some(0), 0);
    assert!(reader.next_batch(&mut at).await.expect("sound again").is_some());
}
