//! A suite of sqllogictest files that is not in this repository, such as DataFusion's own: its statements make tables, which become Parquet
//! files; each query then runs on those files in process, by Mayfly as a user would run it, and by Mayfly forced to many tasks. Results that
//! the suite states are not looked at: the oracle is DataFusion of the same version, as everywhere.
//!
//! `cargo run --release -p mayfly-end-to-end --example suite -- FOLDER [NAME…]`, from the folder that paths in the suite start at.

mod records;

use datafusion::common::Result;
use datafusion::dataframe::DataFrameWriteOptions;
use datafusion::logical_expr::TableType;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use mayfly_end_to_end::client::{Client, QueryFailure};
use mayfly_end_to_end::oracle;
use mayfly_end_to_end::server::{Executors, Server};
use mayfly_end_to_end::table::Table;
use records::Kind;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// One query may take so long, on either side.
const QUERY_WAIT: Duration = Duration::from_secs(30);

/// Answers that differ from one run to the next, or that tell of the engine instead of the data.
const OPEN: &[&str] = &[
    "random()",
    "uuid()",
    "now()",
    "current_",
    "explain",
    "show ",
    "describe ",
    "copy ",
    "insert ",
    "create ",
    "information_schema",
    "today()",
    "version()",
    "_metadata(",
    "input_file_name",
];

/// How the queries fared.
#[derive(Default)]
struct Tally {
    equal: usize,
    both_refuse: usize,
    /// The oracle itself answers otherwise with other partitions.
    open: usize,
    refused: usize,
    different: usize,
    /// Mayfly answers what the oracle does not.
    answered: usize,
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().expect("a folder of .slt files"));
    let names: Vec<String> = arguments.collect();
    let made = tempfile::tempdir().expect("a folder");
    let mount = format!("suite={}", made.path().display());
    let server = Server::start_with(Executors::Itself, &["--mount", &mount]);
    let mut tally = Tally::default();
    for (nth, file) in files(&folder, &names).iter().enumerate() {
        let mut world = World::new(&server, made.path(), nth).await;
        world.run(file, &mut tally).await;
    }
    println!(
        "{} equal, {} refused by both, {} open; {} refused by Mayfly alone, {} by the oracle alone, {} DIFFER",
        tally.equal, tally.both_refuse, tally.open, tally.refused, tally.answered, tally.different
    );
}

fn files(folder: &Path, names: &[String]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path if path.extension().is_some_and(|ending| ending == "slt") => found.push(path),
                _ => {}
            }
        }
    }
    let is_wanted = |path: &PathBuf| names.is_empty() || names.iter().any(|name| path.ends_with(name));
    found.retain(is_wanted);
    found.sort();
    found
}

/// One file's tables: as its statements make them, as the oracle reads them, as Mayfly reads them.
struct World {
    maker: SessionContext,
    oracle: SessionContext,
    client: Client,
    folder: PathBuf,
    schema: String,
    /// Which version of each table is exported.
    exported: BTreeMap<String, usize>,
    version: usize,
}

fn context(partitions: usize) -> SessionContext {
    let config = SessionConfig::new().with_information_schema(true);
    SessionContext::new_with_config(config.with_target_partitions(partitions))
}

impl World {
    async fn new(server: &Server, made: &Path, nth: usize) -> World {
        let schema = format!("f{nth}");
        let client = Client::new(&server.url, &schema);
        client.query(&format!("CREATE SCHEMA {schema}")).await.expect("created");
        World {
            maker: context(4),
            oracle: context(4),
            client,
            folder: made.join(&schema),
            schema,
            exported: BTreeMap::new(),
            version: 0,
        }
    }

    async fn run(&mut self, file: &Path, tally: &mut Tally) {
        for record in records::read(file) {
            match record.kind {
                Kind::Statement => self.make(&record.sql).await,
                Kind::Query if !is_open(&record.sql) => self.compare(&record.sql, &record.at, tally).await,
                Kind::Query => {}
            }
        }
    }

    /// What makes or changes tables, and nothing else.
    async fn make(&mut self, sql: &str) {
        let head = sql.trim_start().to_lowercase();
        if !["create ", "insert ", "drop ", "delete ", "update ", "copy "]
            .iter()
            .any(|verb| head.starts_with(verb))
        {
            return;
        }
        let Ok(frame) = self.maker.sql(sql).await else { return };
        if frame.collect().await.is_err() {
            return;
        }
        self.version += 1;
        if head.starts_with("create view") || head.starts_with("create or replace view") {
            self.export().await;
            // A view that either side refuses shows in the queries over it.
            if let Ok(frame) = self.oracle.sql(sql).await {
                let _ = frame.collect().await;
            }
            let _ = self.client.query(sql).await;
        } else {
            let changed = self
                .exported
                .keys()
                .filter(|table| head.contains(table.as_str()))
                .cloned()
                .collect::<Vec<_>>();
            for table in changed {
                self.exported.remove(&table);
            }
        }
    }

    /// Brings both sides up to what the maker has.
    async fn export(&mut self) {
        let schema = self
            .maker
            .catalog("datafusion")
            .and_then(|catalog| catalog.schema("public"));
        let tables = schema.map(|schema| schema.table_names()).unwrap_or_default();
        let gone = self
            .exported
            .keys()
            .filter(|table| !tables.contains(table))
            .cloned()
            .collect::<Vec<_>>();
        for table in gone {
            self.exported.remove(&table);
            let _ = self.oracle.deregister_table(format!("\"{table}\""));
            let _ = self.client.query(&format!("DROP TABLE IF EXISTS \"{table}\"")).await;
        }
        for table in tables {
            let known = self.exported.contains_key(&table);
            let provider = self.maker.table_provider(format!("\"{table}\"")).await;
            if known || !provider.is_ok_and(|provider| provider.table_type() == TableType::Base) {
                continue;
            }
            if let Err(error) = self.export_one(&table).await {
                println!("table {table} of {} is not exported: {error}", self.schema);
            }
            self.exported.insert(table, self.version);
        }
    }

    async fn export_one(&self, table: &str) -> Result<()> {
        let place = format!(
            "{}_{}",
            table.replace(|c: char| !c.is_ascii_alphanumeric(), "_"),
            self.version
        );
        let path = format!("{}/{place}/", self.folder.display());
        std::fs::create_dir_all(&path)?;
        let frame = self.maker.table(format!("\"{table}\"")).await?;
        let file = format!("{path}part.parquet");
        frame
            .write_parquet(&file, DataFrameWriteOptions::new().with_single_file_output(true), None)
            .await?;
        let name = format!("\"{table}\"");
        let _ = self.oracle.deregister_table(&name);
        self.oracle
            .register_parquet(&name, &path, ParquetReadOptions::default())
            .await?;
        let _ = self.client.query(&format!("DROP TABLE IF EXISTS {name}")).await;
        let sql = format!(
            "CREATE EXTERNAL TABLE {name} STORED AS PARQUET LOCATION 's3://suite/{}/{place}/'",
            self.schema
        );
        if let Err(failure) = self.client.query(&sql).await {
            println!("table {table} of {}: {}", self.schema, failure.message);
        }
        Ok(())
    }

    async fn compare(&mut self, sql: &str, at: &str, tally: &mut Tally) {
        self.export().await;
        let expected = within(oracle::try_answer(&self.oracle, sql)).await;
        let forced = self
            .client
            .clone()
            .with("target_task_bytes", 1)
            .with("target_partitions", 3);
        for (mode, client) in [("default", self.client.clone()), ("forced", forced)] {
            let got = tokio::time::timeout(QUERY_WAIT, client.query(sql)).await;
            let got = got.unwrap_or_else(|_| Err(no_end())).map(|answer| answer.table);
            match (got, &expected) {
                (Err(_), Err(_)) => tally.both_refuse += 1,
                (Ok(_), Err(error)) => {
                    tally.answered += 1;
                    println!("{at} {mode}: the oracle refuses: {}", first_line(error));
                }
                (Err(failure), Ok(_)) => {
                    tally.refused += 1;
                    println!(
                        "{at} {mode}: REFUSED {}: {}\n    {sql}",
                        failure.name,
                        first_line(&failure.message)
                    );
                }
                (Ok(got), Ok(expected)) => self.judge(sql, at, mode, &got, expected, tally).await,
            }
        }
    }

    async fn judge(&self, sql: &str, at: &str, mode: &str, got: &Table, expected: &Table, tally: &mut Tally) {
        let Some(difference) = difference(got, expected) else {
            tally.equal += 1;
            return;
        };
        for partitions in [1, 2, 7] {
            let other = self.oracle_with(partitions).await;
            let other = within(oracle::try_answer(&other, sql)).await;
            if !other.is_ok_and(|other| difference_is_none(&other, expected)) {
                tally.open += 1;
                return;
            }
        }
        tally.different += 1;
        println!("{at} {mode}: DIFFERS {difference}\n    {sql}");
    }

    async fn oracle_with(&self, partitions: usize) -> SessionContext {
        let mut state = self.oracle.state();
        state.config_mut().options_mut().execution.target_partitions = partitions;
        SessionContext::new_with_state(state)
    }
}

fn difference_is_none(a: &Table, b: &Table) -> bool {
    difference(a, b).is_none()
}

/// Types that the client of these tests does not read are compared by the number of rows alone.
fn difference(got: &Table, expected: &Table) -> Option<String> {
    let is_read = |name: &String| !name.starts_with("untranslated");
    let kept: Vec<usize> = (0..expected.types.len())
        .filter(|at| is_read(&expected.types[*at]))
        .collect();
    if got.types.len() != expected.types.len() {
        return Some(format!(
            "{} columns, expected {}",
            got.types.len(),
            expected.types.len()
        ));
    }
    narrowed(got, &kept).difference(&narrowed(expected, &kept))
}

fn narrowed(table: &Table, kept: &[usize]) -> Table {
    let pick = |row: &Vec<Option<String>>| kept.iter().map(|at| row[*at].clone()).collect();
    Table {
        columns: kept.iter().map(|at| table.columns[*at].clone()).collect(),
        types: kept.iter().map(|at| table.types[*at].clone()).collect(),
        rows: table.rows.iter().map(pick).collect(),
    }
}

async fn within(answer: impl Future<Output = Result<Table>>) -> std::result::Result<Table, String> {
    match tokio::time::timeout(QUERY_WAIT, answer).await {
        Ok(Ok(table)) => Ok(table),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no end in sight".to_owned()),
    }
}

fn no_end() -> QueryFailure {
    QueryFailure {
        name: "NO_END".to_owned(),
        message: "no end in sight".to_owned(),
        location: None,
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn is_open(sql: &str) -> bool {
    let sql = sql.to_lowercase();
    OPEN.iter().any(|word| sql.contains(word))
}
