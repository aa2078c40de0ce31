//! What an exchange costs: s PUT and s·r GET, and for large ranges one GET per 8 MiB.

use crate::world::{BUCKET, World, batch, bind, collect, ids, random};
use mayfly_exchange::{ReadSettings, read};
use mayfly_protocol::{InputRead, OutputLocation, PartitionRange};

#[tokio::test(flavor = "multi_thread")]
async fn a_shuffle_costs_a_put_per_producer_and_a_get_per_producer_and_reader() {
    const PRODUCERS: u32 = 4;
    const READERS: u32 = 3;
    const PARTITIONS: u32 = 12;
    let world = World::start().await;
    let mut random = random(1);
    let schema = batch(0, 1, &mut random).schema();
    let mut outputs = Vec::new();
    for producer in 0..PRODUCERS {
        let mut writer = world.writer(schema.clone(), PARTITIONS, 16 << 20);
        let rows = batch(0, 6_000, &mut random);
        writer
            .scatter(&rows, &(0..6_000).map(|row| row % PARTITIONS).collect::<Vec<_>>())
            .expect("fits");
        outputs.push(world.publish(writer, producer, PARTITIONS, 0).await);
    }
    let meter = world.store.meter();
    assert_eq!((meter.puts, meter.gets, meter.lists), (u64::from(PRODUCERS), 0, 0));
    let reader = world.store.fork();
    for nth in 0..READERS {
        let mine = PartitionRange::new(0, PARTITIONS).piece(nth, READERS);
        let binding = bind(&outputs, InputRead::Partitions, mine);
        let rows = collect(read(
            &reader,
            BUCKET,
            &binding,
            schema.clone(),
            1,
            ReadSettings::default(),
        ))
        .await;
        assert_eq!(ids(&rows.expect("sound").concat()).len(), 6_000 * 4 / 3);
    }
    let meter = reader.meter();
    assert_eq!((meter.puts, meter.gets), (0, u64::from(PRODUCERS * READERS)));
    let data: u64 = outputs.iter().map(|output| output.len_bytes()).sum();
    assert_eq!(
        meter.bytes_read, data,
        "every byte of data once, no byte of header or footer"
    );
}

/// Spilled, sent in parts of 16 MiB, read in ranges of at most 8 MiB.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_output_travels_in_parts() {
    const BATCHES: i64 = 60;
    let world = World::start().await;
    let mut random = random(2);
    let schema = batch(0, 1, &mut random).schema();
    let mut writer = world.writer(schema.clone(), 2, 8 << 20);
    for nth in 0..BATCHES {
        let rows = batch(nth * 10_000, 10_000, &mut random);
        writer.scatter(&rows, &vec![(nth % 2) as u32; 10_000]).expect("fits");
        assert!(writer.buffered_bytes() <= 8 << 20);
    }
    assert!(writer.spilled_bytes() > 16 << 20);
    let output = world.publish(writer, 0, 2, 0).await;
    let OutputLocation::Object { size_bytes, .. } = output.location else {
        panic!("inline although large")
    };
    let parts = size_bytes.div_ceil(16 << 20);
    assert!(parts >= 2);
    assert_eq!(world.store.meter().puts, parts + 2, "create, parts, complete");

    let settings = [
        ReadSettings::default(),
        ReadSettings {
            concurrent_gets_max: 1,
            ahead_bytes_max: 1,
        },
    ];
    for settings in settings {
        let reader = world.store.fork();
        let outputs = std::slice::from_ref(&output);
        let binding = bind(outputs, InputRead::Partitions, PartitionRange::new(0, 2));
        let rows = collect(read(&reader, BUCKET, &binding, schema.clone(), 2, settings))
            .await
            .expect("sound");
        for (partition, rows) in (0..).zip(&rows) {
            let expected = (0..BATCHES).filter(|nth| nth % 2 == partition);
            let expected: Vec<i64> = expected.flat_map(|nth| nth * 10_000..(nth + 1) * 10_000).collect();
            assert!(ids(rows) == expected, "partition {partition}");
        }
        let gets: u64 = output
            .partitions
            .iter()
            .map(|partition| partition.len_bytes.div_ceil(8 << 20))
            .sum();
        assert_eq!(reader.meter().gets, gets);
    }
}

/// A merge polls one stream while others wait: none may starve for what another holds.
#[tokio::test(flavor = "multi_thread")]
async fn streams_do_not_starve_each_other() {
    use futures::StreamExt;
    let world = World::start().await;
    let mut random = random(3);
    let schema = batch(0, 1, &mut random).schema();
    let mut outputs = Vec::new();
    for producer in 0..8 {
        let mut writer = world.writer(schema.clone(), 1, 64 << 20);
        (0..4).for_each(|nth| writer.push(0, batch(nth * 8_192, 8_192, &mut random)).expect("fits"));
        outputs.push(world.publish(writer, producer, 1, 0).await);
    }
    let settings = ReadSettings {
        concurrent_gets_max: 2,
        ahead_bytes_max: 1_000,
    };
    let binding = bind(&outputs, InputRead::Merge, PartitionRange::new(0, 1));
    let mut streams = read(&world.store, BUCKET, &binding, schema, 1, settings);
    assert_eq!(streams.len(), 8);
    let mut rows = 0;
    for stream in streams.iter_mut() {
        rows += stream.next().await.expect("rows").expect("sound").num_rows();
    }
    for mut stream in streams.into_iter().rev() {
        while let Some(batch) = stream.next().await {
            rows += batch.expect("sound").num_rows();
        }
    }
    assert_eq!(rows, 8 * 4 * 8_192);
}
