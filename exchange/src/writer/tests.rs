//! The writer against its bounds: memory, disk, rows, order. Objects on S3 are tested in `tests/it`.

use super::*;
use crate::sample;
use crate::{BatchStream, ReadSettings, read};
use futures::TryStreamExt;
use mayfly_protocol::spec::PartitionSlice;
use mayfly_protocol::{
    AttemptId, InputBinding, InputRead, Nonce, Output, OutputLocation, OutputSpec, PartitionRange, ProducerSlice,
    SliceSource, StageId,
};
use mayfly_store::{AccessKey, S3Settings, Store};
use rand::Rng;

fn settings(partitions: u32, memory_bytes_max: usize) -> WriterSettings {
    WriterSettings {
        partitions,
        memory_bytes_max,
        spill_folder: std::env::temp_dir(),
        spill_bytes_max: 1 << 30,
    }
}

/// A store that is never asked: these outputs stay inline.
async fn nowhere() -> Store {
    Store::connect(&S3Settings {
        endpoint: Some("http://127.0.0.1:9".to_owned()),
        access_key: Some(AccessKey::new("nobody", "nothing")),
        ..S3Settings::default()
    })
    .await
}

fn attempt() -> AttemptId {
    "q1/s0/t0/a0".parse().expect("spelled right")
}

async fn publish_inline(writer: Writer, partitions: u32) -> Output {
    let spec = OutputSpec {
        bucket: "none".to_owned(),
        key_prefix: "none".to_owned(),
        partitions,
        inline_bytes_max: u64::MAX,
    };
    let output = writer.publish(&nowhere().await, &spec, Nonce(1), &attempt()).await;
    output.expect("an inline output needs no store")
}

fn bind(output: &Output, read: InputRead) -> InputBinding {
    let OutputLocation::Inline { bytes } = &output.location else {
        panic!("not inline")
    };
    let slice = |partition: &mayfly_protocol::PartitionEntry| PartitionSlice {
        len_bytes: partition.len_bytes,
        rows: partition.rows,
        digest: partition.digest,
    };
    InputBinding {
        input: 0,
        stage: StageId::new(0),
        read,
        partitions: PartitionRange::new(0, output.partitions.len() as u32),
        producers: PartitionRange::new(0, 1),
        slices: vec![ProducerSlice {
            producer: attempt().task,
            source: SliceSource::Inline { bytes: bytes.clone() },
            partitions: output.partitions.iter().map(slice).collect(),
        }],
    }
}

async fn collect(streams: Vec<BatchStream>) -> Vec<Vec<RecordBatch>> {
    let collect = |stream: BatchStream| stream.try_collect::<Vec<_>>();
    let all = futures::future::try_join_all(streams.into_iter().map(collect)).await;
    all.expect("sound")
}

#[tokio::test]
async fn rows_come_back_by_partition_in_order_whatever_the_memory() {
    for seed in 0..60 {
        let mut random = sample::random(seed);
        let schema = sample::random_schema(&mut random);
        let partitions = random.random_range(1..40);
        let memory = [0, 10_000, 200_000, 1 << 26][seed as usize % 4];
        let mut writer = Writer::new(schema.clone(), settings(partitions, memory)).expect("types that travel");
        let mut expected = vec![Vec::new(); partitions as usize];
        for _ in 0..random.random_range(0..5) {
            let rows = if memory == 0 { 50 } else { random.random_range(0..3_000) };
            let batch = sample::batch(&schema, rows, &mut random);
            let whose: Vec<u32> = (0..rows).map(|_| random.random_range(0..partitions)).collect();
            for (partition, expected) in expected.iter_mut().enumerate() {
                expected.push(sample::share(&batch, &whose, partition as u32));
            }
            writer.scatter(&batch, &whose).expect("fits");
            let partition = random.random_range(0..partitions);
            expected[partition as usize].push(batch.clone());
            writer.push(partition, batch).expect("fits");
        }
        let output = publish_inline(writer, partitions).await;
        let binding = bind(&output, InputRead::Partitions);
        let streams = read(
            &nowhere().await,
            "none",
            &binding,
            schema.clone(),
            partitions,
            ReadSettings::default(),
        );
        for (partition, (read, expected)) in collect(streams).await.iter().zip(expected).enumerate() {
            let (read, expected) = (sample::joined(&schema, read), sample::joined(&schema, &expected));
            assert_eq!(
                output.partitions[partition].rows,
                expected.num_rows() as u64,
                "seed={seed}"
            );
            assert_eq!(read, expected, "seed={seed} partition={partition} {schema}");
        }
    }
}

/// Memory stays within the bound, plus the one piece that was just added, however many partitions there are.
#[test]
fn memory_is_bounded_whatever_the_fan_out() {
    const MEMORY: usize = 4 << 20;
    for partitions in [1, 16, 512, 4_096] {
        let mut random = sample::random(u64::from(partitions));
        let schema = sample::schema_of(&[arrow::datatypes::DataType::Int64, arrow::datatypes::DataType::Utf8View]);
        let mut writer = Writer::new(schema.clone(), settings(partitions, MEMORY)).expect("types that travel");
        let mut peak = 0;
        for _ in 0..100 {
            let batch = sample::batch(&schema, 8_192, &mut random);
            let whose: Vec<u32> = (0..8_192).map(|_| random.random_range(0..partitions)).collect();
            writer.scatter(&batch, &whose).expect("fits");
            peak = peak.max(writer.buffered_bytes());
        }
        assert!(peak <= MEMORY, "{partitions} partitions took {peak} bytes");
        assert!(writer.spilled_bytes() > 0, "{partitions} partitions never spilled");
    }
}

#[test]
fn a_full_disk_is_told_apart() {
    let mut random = sample::random(20);
    let schema = sample::schema_of(&[arrow::datatypes::DataType::Float64]);
    let settings = WriterSettings {
        spill_bytes_max: 100_000,
        ..settings(8, 50_000)
    };
    let mut writer = Writer::new(schema.clone(), settings).expect("types that travel");
    let error = (0..100).find_map(|_| {
        let batch = sample::batch(&schema, 8_192, &mut random);
        let whose: Vec<u32> = (0..8_192).map(|_| random.random_range(0..8)).collect();
        writer.scatter(&batch, &whose).err()
    });
    assert!(
        matches!(error, Some(ExchangeError::SpillFull { bytes_max: 100_000 })),
        "{error:?}"
    );
    assert!(writer.spilled_bytes() <= 100_000);
}

#[test]
fn a_missing_spill_folder_is_an_error_with_its_cause() {
    let schema = sample::schema_of(&[arrow::datatypes::DataType::Float64]);
    let settings = WriterSettings {
        spill_folder: "/no/such/folder".into(),
        ..settings(1, 0)
    };
    let mut writer = Writer::new(schema.clone(), settings).expect("types that travel");
    let error = writer.push(0, sample::batch(&schema, 10, &mut sample::random(21)));
    assert!(matches!(error, Err(ExchangeError::Spill(_))));
}

#[test]
fn a_row_beyond_the_bound_is_refused_and_others_are_cut() {
    let schema = sample::schema_of(&[arrow::datatypes::DataType::Utf8]);
    let texts = |lengths: &[usize]| {
        let texts = lengths.iter().map(|length| Some("x".repeat(*length)));
        let texts: arrow::array::StringArray = texts.collect();
        RecordBatch::try_new(schema.clone(), vec![std::sync::Arc::new(texts)]).expect("one column")
    };
    let mut writer = Writer::new(schema.clone(), settings(1, 1 << 20)).expect("types that travel");
    writer.encoder = BlockEncoder::with_bound(10_000);
    writer.push(0, texts(&[6_000; 7])).expect("fits when cut");
    writer.flush().expect("fits when cut");
    assert_eq!(writer.blocks.index()[0].rows, 7);
    writer.push(0, texts(&[10, 12_000, 10])).expect("is only held");
    let error = writer.flush().expect_err("a row of 12,000 bytes");
    assert!(
        matches!(
            error,
            ExchangeError::RowTooLarge {
                bytes: 12_000..,
                bytes_max: 10_000
            }
        ),
        "{error}"
    );
}

#[test]
fn a_partition_that_is_not_there_is_an_error() {
    let schema = sample::schema_of(&[arrow::datatypes::DataType::Int64]);
    let batch = sample::batch(&schema, 2, &mut sample::random(22));
    let mut writer = Writer::new(schema, settings(4, 1 << 20)).expect("types that travel");
    for error in [writer.scatter(&batch, &[0, 4]), writer.push(4, batch.clone())] {
        let error = error.expect_err("partition 4 of 4");
        assert_eq!(error.to_string(), "partition 4 of 4");
    }
}

#[test]
fn shares_keep_row_order_within_a_partition() {
    let shares = shares(&[2, 0, 2, 1, 0, 2], 4);
    assert_eq!(shares.counts, [(0, 2), (1, 1), (2, 3)]);
    assert_eq!(shares.order, [1, 4, 3, 0, 2, 5]);
}

/// Slices of one large batch weigh what they hold, so that they do not force a block each.
#[tokio::test]
async fn slices_of_a_large_batch_fill_blocks() {
    let schema = sample::schema_of(&[arrow::datatypes::DataType::Int64, arrow::datatypes::DataType::Utf8View]);
    let large = sample::batch(&schema, 81_920, &mut sample::random(23));
    let mut writer = Writer::new(schema, settings(64, 64 << 20)).expect("types that travel");
    let whose: Vec<u32> = (0..8_192).map(|row| row % 64).collect();
    for nth in 0..10 {
        writer.scatter(&large.slice(nth * 8_192, 8_192), &whose).expect("fits");
    }
    assert!(
        writer.blocks.index().iter().all(|partition| partition.rows == 0),
        "flushed too early"
    );
}
