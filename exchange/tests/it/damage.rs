//! Inputs that are gone, replaced or damaged: named with their producer, so that its task can run again; never read as rows.

use crate::world::{BUCKET, World, batch, bind, collect, random, task};
use bytes::Bytes;
use mayfly_exchange::{ExchangeError, ReadSettings, read};
use mayfly_protocol::{InputBinding, InputRead, Output, OutputLocation, PartitionRange, SliceSource};
use rand::Rng;

async fn publish(world: &World, inline_bytes_max: u64) -> Vec<Output> {
    let mut random = random(1);
    let mut outputs = Vec::new();
    for producer in 0..3 {
        let mut writer = world.writer(batch(0, 1, &mut random).schema(), 4, 1 << 20);
        let rows = batch(0, 400, &mut random);
        writer
            .scatter(&rows, &(0..400).map(|row| row % 4).collect::<Vec<_>>())
            .expect("fits");
        outputs.push(world.publish(writer, producer, 4, inline_bytes_max).await);
    }
    outputs
}

async fn attempt(world: &World, binding: &InputBinding) -> Result<usize, ExchangeError> {
    let schema = batch(0, 1, &mut random(0)).schema();
    let rows = collect(read(&world.store, BUCKET, binding, schema, 2, ReadSettings::default())).await?;
    Ok(rows.concat().iter().map(|batch| batch.num_rows()).sum())
}

fn whole(outputs: &[Output]) -> InputBinding {
    bind(outputs, InputRead::Partitions, PartitionRange::new(0, 4))
}

fn key_of(output: &Output) -> String {
    match &output.location {
        OutputLocation::Object { key, .. } => key.to_string(),
        OutputLocation::Inline { .. } => panic!("not an object"),
    }
}

#[tokio::test]
async fn a_deleted_or_replaced_object_is_lost_with_its_producer() {
    let world = World::start().await;
    let outputs = publish(&world, 0).await;
    let (replaced, deleted) = (key_of(&outputs[1]), key_of(&outputs[2]));
    let object = world.store.get(BUCKET, &replaced).await.expect("published");
    let mut other = object.bytes.to_vec();
    other.push(0);
    world
        .store
        .put(BUCKET, &replaced, other.into())
        .await
        .expect("replaces");
    let error = attempt(&world, &whole(&outputs)).await.expect_err("replaced");
    assert!(
        matches!(&error, ExchangeError::Lost { producer, key, .. } if *producer == task(1) && *key == replaced),
        "{error}"
    );
    world
        .store
        .put(BUCKET, &replaced, object.bytes)
        .await
        .expect("puts it back");
    world
        .store
        .delete(BUCKET, std::slice::from_ref(&deleted))
        .await
        .expect("deletes");
    let error = attempt(&world, &whole(&outputs)).await.expect_err("deleted");
    assert!(
        matches!(&error, ExchangeError::Lost { producer, key, .. } if *producer == task(2) && *key == deleted),
        "{error}"
    );
    assert!(!error.is_transient(), "asking again does not bring it back");
}

/// Bytes flipped in the data of an object, under an ETag that fits: the block's checksum is what finds it.
#[tokio::test]
async fn a_damaged_object_is_corrupt_and_none_of_its_damage_is_read() {
    let world = World::start().await;
    let outputs = publish(&world, 0).await;
    let key = key_of(&outputs[1]);
    let sound = world.store.get(BUCKET, &key).await.expect("published").bytes;
    assert_eq!(attempt(&world, &whole(&outputs)).await.expect("sound"), 1_200);
    let mut random = random(7);
    for nth in 0..100 {
        let mut binding = whole(&outputs);
        let SliceSource::Object { etag, offset, .. } = &mut binding.slices[1].source else {
            panic!("not an object")
        };
        let mut damaged = sound.to_vec();
        let data = *offset as usize..*offset as usize + outputs[1].len_bytes() as usize;
        damaged[random.random_range(data)] ^= 1 << random.random_range(0..8);
        *etag = world
            .store
            .put(BUCKET, &key, damaged.into())
            .await
            .expect("replaces")
            .into();
        let error = attempt(&world, &binding).await.expect_err("damaged");
        assert!(
            matches!(&error, ExchangeError::Corrupt { producer, .. } if *producer == task(1)),
            "{nth}: {error}"
        );
    }
    let mut binding = whole(&outputs);
    let SliceSource::Object { etag, .. } = &mut binding.slices[1].source else {
        panic!("not an object")
    };
    *etag = world
        .store
        .put(BUCKET, &key, sound.slice(..sound.len() / 2))
        .await
        .expect("truncates")
        .into();
    let error = attempt(&world, &binding).await.expect_err("truncated");
    assert!(
        matches!(&error, ExchangeError::Corrupt { producer, .. } if *producer == task(1)),
        "{error}"
    );
}

/// Sound blocks that are not the ones bound: swapped partitions, another count, another digest.
#[tokio::test]
async fn blocks_that_are_not_the_ones_bound_are_corrupt() {
    let world = World::start().await;
    let outputs = publish(&world, u64::MAX).await;
    let corrupt =
        |error: &ExchangeError| matches!(error, ExchangeError::Corrupt { producer, .. } if *producer == task(0));

    let mut binding = whole(&outputs);
    binding.slices[0].partitions[2].rows += 1;
    let error = attempt(&world, &binding).await.expect_err("a row is missing");
    assert!(corrupt(&error), "{error}");

    let mut binding = whole(&outputs);
    binding.slices[0].partitions[2].digest.0 ^= 1;
    let error = attempt(&world, &binding).await.expect_err("another digest");
    assert!(corrupt(&error), "{error}");

    let mut binding = whole(&outputs);
    binding.slices[0].partitions[0].len_bytes += 1;
    binding.slices[0].partitions[1].len_bytes -= 1;
    let error = attempt(&world, &binding).await.expect_err("another border");
    assert!(corrupt(&error), "{error}");

    let mut binding = whole(&outputs);
    let SliceSource::Inline { bytes } = &mut binding.slices[0].source else {
        panic!("not inline")
    };
    let cut = bytes.len() - 1;
    *bytes = Bytes::copy_from_slice(&bytes[..cut]).to_vec();
    attempt(&world, &binding).await.expect_err("a byte is missing");
}

#[tokio::test]
async fn a_reader_of_other_columns_is_told_so() {
    let world = World::start().await;
    let outputs = publish(&world, 0).await;
    let other = arrow::datatypes::Field::new("id", arrow::datatypes::DataType::Utf8, true);
    let schema = std::sync::Arc::new(arrow::datatypes::Schema::new(vec![other]));
    let binding = whole(&outputs);
    let error = collect(read(&world.store, BUCKET, &binding, schema, 1, ReadSettings::default())).await;
    let error = error.expect_err("other columns");
    assert!(matches!(error, ExchangeError::Schema { .. }), "{error}");
}
