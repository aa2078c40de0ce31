//! An emulated S3 with tables in it, and a planner over them.

use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use local_emulator::{Emulator, FaultRule, FaultSettings, S3Fault, Settings};
use mayfly_catalog::{Catalog, Locations};
use mayfly_plan::{Planned, PlannedQuery, Planner, PlannerSettings, Session};
use mayfly_protocol::{EpochMs, FunctionSize, QueryError};
use mayfly_store::{AccessKey, S3Settings, Store};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator, PartSuppGenerator,
    RegionGenerator, SupplierGenerator,
};
use tpchgen_arrow::{
    CustomerArrow, LineItemArrow, NationArrow, OrderArrow, PartArrow, PartSuppArrow, RegionArrow, SupplierArrow,
};

pub const CONTROL: &str = "mayfly";
pub const DATA: &str = "data";

/// Everything a test needs; ends when dropped.
pub struct World {
    pub store: Store,
    pub planner: Planner,
    pub folder: TempDir,
    emulator: Emulator,
}

impl World {
    /// No table yet.
    pub async fn empty() -> World {
        let folder = TempDir::new().unwrap();
        let settings = Settings::new(folder.path().join("data"), folder.path().join("scratch"));
        let credentials = settings.credentials.clone();
        let emulator = Emulator::start(settings).await.unwrap();
        let store = Store::connect(&S3Settings {
            endpoint: Some(emulator.endpoints().s3),
            region: "us-east-1".to_owned(),
            access_key: Some(AccessKey::new(credentials.access_key_id, credentials.secret_access_key)),
            attempts_max: 3,
            request_timeout: Duration::from_secs(30),
        })
        .await;
        store.ensure_bucket(CONTROL).await.unwrap();
        store.ensure_bucket(DATA).await.unwrap();
        let planner = planner(&store, Locations::any());
        World {
            store,
            planner,
            folder,
            emulator,
        }
    }

    /// From now on S3 does this to what begins with `target`, so many times.
    pub fn fails(&self, fault: S3Fault, target: &str, times: u64) {
        let rule = FaultRule {
            count_max: Some(times),
            ..FaultRule::always(fault, target)
        };
        self.emulator.set_faults(FaultSettings {
            s3: vec![rule],
            ..FaultSettings::default()
        });
    }

    /// The eight tables of TPC-H at scale 0.01, in small row groups and several files.
    pub async fn tpch() -> World {
        let world = World::empty().await;
        for (name, batches, files) in tables(0.01) {
            world
                .table(
                    name,
                    &batches,
                    Layout {
                        files,
                        rows_per_group: 2_000,
                    },
                )
                .await;
        }
        world
    }

    /// Writes a table's files and creates it under its name.
    pub async fn table(&self, name: &str, batches: &[RecordBatch], layout: Layout) {
        self.files(name, batches, layout).await;
        self.run(&format!(
            "CREATE EXTERNAL TABLE {name} STORED AS PARQUET LOCATION 's3://{DATA}/{name}/'"
        ))
        .await
        .unwrap();
    }

    pub async fn files(&self, name: &str, batches: &[RecordBatch], layout: Layout) {
        let whole = arrow::compute::concat_batches(&batches[0].schema(), batches).unwrap();
        let rows = whole.num_rows().div_ceil(layout.files.max(1)).max(1);
        for file in 0..layout.files {
            let start = (file * rows).min(whole.num_rows());
            let part = whole.slice(start, rows.min(whole.num_rows() - start));
            let bytes = parquet(&part, layout.rows_per_group);
            self.store
                .put(DATA, &format!("{name}/part-{file:03}.parquet"), bytes)
                .await
                .unwrap();
        }
    }

    pub async fn run(&self, sql: &str) -> Result<Planned, QueryError> {
        self.run_in(sql, &session(&[])).await
    }

    pub async fn run_in(&self, sql: &str, session: &Session) -> Result<Planned, QueryError> {
        self.planner.plan(sql, session).await
    }

    /// Plans what must become stages.
    pub async fn query(&self, sql: &str, session: &Session) -> PlannedQuery {
        match self.planner.plan(sql, session).await {
            Ok(Planned::Query(query)) => query,
            Ok(other) => panic!("{sql} is not planned into stages but {other:?}"),
            Err(error) => panic!("{sql} is refused: {error}"),
        }
    }

    pub async fn error(&self, sql: &str) -> QueryError {
        match self.run(sql).await {
            Ok(planned) => panic!("{sql} is planned: {planned:?}"),
            Err(error) => error,
        }
    }

    /// What a statement without stages answers, as text.
    pub async fn rows(&self, sql: &str) -> String {
        self.rows_in(sql, &session(&[])).await
    }

    pub async fn rows_in(&self, sql: &str, session: &Session) -> String {
        match self.run_in(sql, session).await {
            Ok(Planned::Rows { batches, columns, .. }) => {
                let rows = arrow::util::pretty::pretty_format_batches(&batches)
                    .unwrap()
                    .to_string();
                let cells = rows.lines().skip(3).filter(|line| line.starts_with('|'));
                let cells: Vec<String> = cells.map(squeezed).collect();
                format!("{}\n{}", columns.join(" | "), cells.join("\n"))
            }
            Ok(other) => panic!("{sql} is not answered at once but {other:?}"),
            Err(error) => panic!("{sql} is refused: {error}"),
        }
    }
}

fn squeezed(line: &str) -> String {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    cells.join(" | ").trim_end().to_owned()
}

pub fn planner(store: &Store, allowed: Locations) -> Planner {
    let catalog = Arc::new(Catalog::new(store.clone(), CONTROL.to_owned(), allowed));
    Planner::new(catalog, PlannerSettings::for_size(FunctionSize::One, 2, 8))
}

/// How a table is written.
#[derive(Clone, Copy)]
pub struct Layout {
    pub files: usize,
    pub rows_per_group: usize,
}

/// A session with these properties.
pub fn session(properties: &[(&str, &str)]) -> Session {
    Session {
        properties: properties
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
        now: EpochMs(1_763_600_000_000),
        ..Session::default()
    }
}

/// Many small tasks at every stage.
pub fn forced(target_partitions: &str) -> Session {
    session(&[("target_task_bytes", "50kB"), ("target_partitions", target_partitions)])
}

pub fn parquet(batch: &RecordBatch, rows_per_group: usize) -> Bytes {
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(rows_per_group))
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    Bytes::from(writer.into_inner().unwrap())
}

/// Name, rows, number of files.
fn tables(scale: f64) -> Vec<(&'static str, Vec<RecordBatch>, usize)> {
    vec![
        ("region", all(RegionArrow::new(RegionGenerator::new(scale, 1, 1))), 1),
        ("nation", all(NationArrow::new(NationGenerator::new(scale, 1, 1))), 1),
        (
            "supplier",
            all(SupplierArrow::new(SupplierGenerator::new(scale, 1, 1))),
            1,
        ),
        ("part", all(PartArrow::new(PartGenerator::new(scale, 1, 1))), 2),
        (
            "partsupp",
            all(PartSuppArrow::new(PartSuppGenerator::new(scale, 1, 1))),
            2,
        ),
        (
            "customer",
            all(CustomerArrow::new(CustomerGenerator::new(scale, 1, 1))),
            2,
        ),
        ("orders", all(OrderArrow::new(OrderGenerator::new(scale, 1, 1))), 3),
        (
            "lineitem",
            all(LineItemArrow::new(LineItemGenerator::new(scale, 1, 1))),
            4,
        ),
    ]
}

fn all(batches: impl Iterator<Item = Result<RecordBatch, ArrowError>>) -> Vec<RecordBatch> {
    batches.collect::<Result<_, _>>().unwrap()
}

/// The 22 queries of TPC-H, by number.
pub fn tpch_queries() -> Vec<(u32, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/sql/tpch");
    (1..=22)
        .map(|number| {
            (
                number,
                std::fs::read_to_string(format!("{folder}/q{number:02}.sql")).unwrap(),
            )
        })
        .collect()
}
