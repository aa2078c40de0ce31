//! Tasks write, tasks read, for many shapes: every row arrives once, where it belongs, in order.

use crate::world::{BUCKET, World, batch, bind, collect, ids, random};
use mayfly_exchange::{ReadSettings, read, read_footer};
use mayfly_protocol::{InputRead, Output, OutputLocation, PartitionRange};
use rand::Rng;

/// `expected[producer][partition]` ids in order.
async fn write(world: &World, producers: u32, partitions: u32, seed: u64) -> (Vec<Output>, Vec<Vec<Vec<i64>>>) {
    let mut random = random(seed);
    let (mut outputs, mut expected, mut next) = (Vec::new(), Vec::new(), 0);
    for producer in 0..producers {
        let memory = [20_000, 1 << 20, 64 << 20][producer as usize % 3];
        let mut writer = world.writer(batch(0, 1, &mut random).schema(), partitions, memory);
        let mut mine = vec![Vec::new(); partitions as usize];
        for _ in 0..random.random_range(0..4) {
            let rows = random.random_range(0..2_000);
            let rows = batch(next, rows, &mut random);
            let whose: Vec<u32> = (0..rows.num_rows())
                .map(|_| random.random_range(0..partitions))
                .collect();
            for (id, partition) in (next..).zip(&whose) {
                mine[*partition as usize].push(id);
            }
            next += rows.num_rows() as i64;
            writer.scatter(&rows, &whose).expect("fits");
        }
        let inline_bytes_max = [0, 50_000][random.random_range(0..2)];
        outputs.push(world.publish(writer, producer, partitions, inline_bytes_max).await);
        expected.push(mine);
    }
    (outputs, expected)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_arrives_once_in_its_partition_and_in_order() {
    let world = World::start().await;
    let schema = batch(0, 1, &mut random(0)).schema();
    for seed in 0..12 {
        let mut random = random(100 + seed);
        let (producers, partitions) = (random.random_range(1..6), random.random_range(1..20));
        let (outputs, expected) = write(&world, producers, partitions, seed).await;
        let start = random.random_range(0..partitions);
        let range = PartitionRange::new(start, random.random_range(start..=partitions));
        for local_partitions in [1, 3, 16] {
            let binding = bind(&outputs, InputRead::Partitions, range);
            let streams = read(
                &world.store,
                BUCKET,
                &binding,
                schema.clone(),
                local_partitions,
                ReadSettings::default(),
            );
            let streams = collect(streams).await.expect("sound");
            for (nth, batches) in streams.iter().enumerate() {
                let piece = range.piece(nth as u32, local_partitions);
                let piece = piece.start as usize..piece.end as usize;
                let rows = expected
                    .iter()
                    .flat_map(|mine| mine[piece.clone()].concat())
                    .collect::<Vec<_>>();
                assert_eq!(ids(batches), rows, "seed={seed} local={local_partitions} stream={nth}");
            }
        }
        let all = PartitionRange::new(0, partitions);
        let streams = read(
            &world.store,
            BUCKET,
            &bind(&outputs, InputRead::All, all),
            schema.clone(),
            4,
            ReadSettings::default(),
        );
        let everything: Vec<i64> = expected.iter().flat_map(|mine| mine.concat()).collect();
        assert_eq!(
            ids(&collect(streams).await.expect("sound").concat()),
            everything,
            "seed={seed}"
        );

        let streams = read(
            &world.store,
            BUCKET,
            &bind(&outputs, InputRead::Merge, all),
            schema.clone(),
            4,
            ReadSettings::default(),
        );
        for (mine, batches) in expected.iter().zip(collect(streams).await.expect("sound")) {
            assert_eq!(ids(&batches), mine.concat(), "seed={seed}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_describes_itself() {
    let world = World::start().await;
    let mut random = random(1);
    for partitions in [3, 2_000] {
        let mut writer = world.writer(batch(0, 1, &mut random).schema(), partitions, 1 << 20);
        let rows = batch(0, 5_000, &mut random);
        let whose: Vec<u32> = (0..5_000).map(|row| row % partitions).collect();
        writer.scatter(&rows, &whose).expect("fits");
        writer.pin(mayfly_protocol::Digest::of(b"inputs"));
        let output = world.publish(writer, 9, partitions, 0).await;
        let OutputLocation::Object {
            key, etag, size_bytes, ..
        } = &output.location
        else {
            panic!("inline although nothing may be")
        };
        let head = world.store.head(BUCKET, key).await.expect("published");
        assert_eq!((head.size_bytes, head.etag.as_str()), (*size_bytes, &**etag));
        let footer = read_footer(&world.store, BUCKET, key, *size_bytes)
            .await
            .expect("sound");
        assert_eq!(footer.partitions, output.partitions);
        assert_eq!(footer.attempt, crate::world::attempt(9));
        assert_eq!(footer.pin_digest, Some(mayfly_protocol::Digest::of(b"inputs")));
        assert_eq!(
            footer.location(key.to_string(), etag.to_string(), *size_bytes),
            output.location
        );
    }
}

#[tokio::test]
async fn two_runs_over_the_same_rows_have_the_same_digests() {
    let world = World::start().await;
    let mut outputs = Vec::new();
    for run in 0..2 {
        let mut random = random(5);
        let mut writer = world.writer(batch(0, 1, &mut random).schema(), 7, 1 << 20);
        let rows = batch(0, 3_000, &mut random);
        writer
            .scatter(&rows, &(0..3_000).map(|row| row % 7).collect::<Vec<_>>())
            .expect("fits");
        outputs.push(world.publish(writer, run, 7, 0).await);
    }
    assert_eq!(outputs[0].partitions, outputs[1].partitions);
    assert_ne!(outputs[0].location, outputs[1].location);
}

#[tokio::test]
async fn nothing_written_is_an_inline_output_of_zeros() {
    let world = World::start().await;
    let schema = batch(0, 1, &mut random(0)).schema();
    let output = world.publish(world.writer(schema.clone(), 3, 1 << 20), 0, 3, 0).await;
    assert_eq!(output.location, OutputLocation::Inline { bytes: Vec::new() });
    assert_eq!(output.partitions, vec![Default::default(); 3]);
    assert_eq!(world.store.meter(), Default::default(), "an empty output costs nothing");
    let binding = bind(&[output], InputRead::Partitions, PartitionRange::new(0, 3));
    let streams = read(&world.store, BUCKET, &binding, schema, 2, ReadSettings::default());
    assert!(collect(streams).await.expect("sound").concat().is_empty());
}
