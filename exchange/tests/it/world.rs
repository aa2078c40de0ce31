//! An emulator with one bucket, tasks that write, and bindings as the scheduler would make them.

use arrow::array::{Int64Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use futures::TryStreamExt;
use local_emulator::{Emulator, FaultRule, FaultSettings, S3Fault, Settings};
use mayfly_exchange::{BatchStream, ExchangeError, Writer, WriterSettings};
use mayfly_protocol::key;
use mayfly_protocol::spec::PartitionSlice;
use mayfly_protocol::{
    AttemptId, InputBinding, InputRead, Nonce, Output, OutputLocation, OutputSpec, PartitionRange, ProducerSlice,
    SliceSource, StageId, TaskId, TenantId,
};
use mayfly_store::{AccessKey, S3Settings, Store};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use std::sync::Arc;
use tempfile::TempDir;

pub const BUCKET: &str = "mayfly";

pub struct World {
    pub store: Store,
    emulator: Emulator,
    folder: TempDir,
}

impl World {
    pub async fn start() -> World {
        let folder = tempfile::tempdir().expect("a temp folder");
        let settings = Settings::new(folder.path().join("data"), folder.path().join("scratch"));
        let credentials = settings.credentials.clone();
        let emulator = Emulator::start(settings).await.expect("the emulator starts");
        let settings = S3Settings {
            endpoint: Some(emulator.endpoints().s3),
            access_key: Some(AccessKey::new(credentials.access_key_id, credentials.secret_access_key)),
            ..S3Settings::default()
        };
        let store = Store::connect(&settings).await;
        store.ensure_bucket(BUCKET).await.expect("a new bucket");
        World {
            store: store.fork(),
            emulator,
            folder,
        }
    }

    /// So many GETs of shuffle objects have a bit flipped; all of them without a number.
    pub fn flip_answers(&self, count_max: Option<u64>, seed: u64) {
        let flip = FaultRule {
            count_max,
            ..FaultRule::always(S3Fault::FlipBit, "mayfly/x/")
        };
        self.emulator.set_faults(FaultSettings {
            seed,
            s3: vec![flip],
            ..FaultSettings::default()
        });
    }

    pub fn writer(&self, schema: arrow::datatypes::SchemaRef, partitions: u32, memory_bytes_max: usize) -> Writer {
        let settings = WriterSettings {
            partitions,
            memory_bytes_max,
            spill_folder: self.folder.path().to_owned(),
            spill_bytes_max: 1 << 32,
        };
        Writer::new(schema, settings).expect("types that travel")
    }

    /// Publishes as task `index` of stage 1.
    pub async fn publish(&self, writer: Writer, index: u32, partitions: u32, inline_bytes_max: u64) -> Output {
        let attempt = attempt(index);
        let spec = OutputSpec {
            bucket: BUCKET.to_owned(),
            key_prefix: key::output_prefix(&TenantId::default(), &attempt),
            partitions,
            inline_bytes_max,
        };
        let output = writer
            .publish(&self.store, &spec, Nonce(u64::from(index)), &attempt)
            .await;
        output.expect("publishes")
    }
}

pub fn task(index: u32) -> TaskId {
    let stage = StageId::new(1);
    TaskId { stage, index }
}

pub fn attempt(index: u32) -> AttemptId {
    AttemptId {
        query: "20261120_151209_00042_k3x9a".parse().expect("spelled right"),
        task: task(index),
        epoch: 1,
        number: 0,
    }
}

pub fn random(seed: u64) -> SmallRng {
    SmallRng::seed_from_u64(seed)
}

/// Rows that remember where they were written, with text that does not compress well.
pub fn batch(start: i64, rows: usize, random: &mut SmallRng) -> RecordBatch {
    let ids: Int64Array = (start..start + rows as i64).map(Some).collect();
    let text = |_| {
        let noise: [u64; 4] = random.random();
        Some(format!(
            "{:016x}{:016x}{:016x}{:016x}",
            noise[0], noise[1], noise[2], noise[3]
        ))
    };
    let texts: StringArray = (0..rows).map(text).collect();
    let texts = cast(&texts, &DataType::Utf8View).expect("text becomes a view");
    RecordBatch::try_from_iter([("id", Arc::new(ids) as _), ("text", texts)]).expect("columns of one length")
}

/// What the scheduler would bind to a consumer of the partitions.
pub fn bind(outputs: &[Output], read: InputRead, partitions: PartitionRange) -> InputBinding {
    let slices = outputs
        .iter()
        .enumerate()
        .map(|(index, output)| slice(index as u32, output, partitions));
    InputBinding {
        input: 0,
        stage: StageId::new(1),
        read,
        partitions,
        producers: PartitionRange::new(0, outputs.len() as u32),
        slices: slices.collect(),
    }
}

fn slice(index: u32, output: &Output, range: PartitionRange) -> ProducerSlice {
    let (start, end) = (range.start as usize, range.end as usize);
    let before: u64 = output.partitions[..start]
        .iter()
        .map(|partition| partition.len_bytes)
        .sum();
    let mine = &output.partitions[start..end];
    let len_bytes: u64 = mine.iter().map(|partition| partition.len_bytes).sum();
    let source = match &output.location {
        _ if len_bytes == 0 => SliceSource::Empty,
        OutputLocation::Inline { bytes } => SliceSource::Inline {
            bytes: bytes[before as usize..(before + len_bytes) as usize].to_vec(),
        },
        OutputLocation::Object {
            key, etag, data_offset, ..
        } => SliceSource::Object {
            key: key.clone(),
            etag: etag.clone(),
            offset: data_offset + before,
        },
    };
    let partition = |entry: &mayfly_protocol::PartitionEntry| PartitionSlice {
        len_bytes: entry.len_bytes,
        rows: entry.rows,
        digest: entry.digest,
    };
    ProducerSlice {
        producer: task(index),
        source,
        partitions: mine.iter().map(partition).collect(),
    }
}

pub async fn collect(streams: Vec<BatchStream>) -> Result<Vec<Vec<RecordBatch>>, ExchangeError> {
    let collect = |stream: BatchStream| stream.try_collect::<Vec<_>>();
    futures::future::try_join_all(streams.into_iter().map(collect)).await
}

/// The ids of the first column, in order.
pub fn ids(batches: &[RecordBatch]) -> Vec<i64> {
    let column = |batch: &RecordBatch| {
        let ids = batch.column(0).as_any().downcast_ref::<Int64Array>();
        ids.expect("ids come first").values().to_vec()
    };
    batches.iter().flat_map(column).collect()
}
