//! Random queries, each as a user would run it and forced to many tasks: equal to in-process DataFusion. Two variables make a campaign of
//! it: `MAYFLY_TEST_RANDOM_QUERIES`, and `MAYFLY_TEST_RANDOM_SEED` of the first; a query that goes wrong is printed with its own.

use datafusion::prelude::{ParquetReadOptions, SessionContext};
use mayfly_end_to_end::client::Client;
use mayfly_end_to_end::oracle;
use mayfly_end_to_end::random::{self, tables};
use mayfly_end_to_end::server::Server;
use mayfly_end_to_end::table::Table;
use std::path::Path;

const QUERIES: u64 = 120;
const SEED: u64 = 1;

/// Of the tables' rows.
const ROWS_SEED: u64 = 7;

/// Partitions of the oracle whose answer is the expected one.
const PARTITIONS: usize = 4;

fn variable(name: &str, otherwise: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.map_or(otherwise, |text| text.parse().expect("a whole number"))
}

async fn server(files: &Path) -> (Server, Client) {
    tables::write(files, ROWS_SEED).await.expect("written");
    let server = Server::start(&["--mount", &format!("random={}", files.display())]);
    let client = Client::new(&server.url, "random");
    client.query("CREATE SCHEMA random").await.expect("created");
    for table in &tables::TABLES {
        let (name, location) = (table.name, format!("s3://random/{}/", table.name));
        let sql = format!("CREATE EXTERNAL TABLE {name} STORED AS PARQUET LOCATION '{location}'");
        client.query(&sql).await.expect("created");
    }
    (server, client)
}

async fn context(files: &Path, partitions: usize) -> SessionContext {
    let config = datafusion::prelude::SessionConfig::new().with_target_partitions(partitions);
    let context = SessionContext::new_with_config(config);
    for table in &tables::TABLES {
        let path = format!("{}/{}/", files.display(), table.name);
        let read = context.register_parquet(table.name, path, ParquetReadOptions::default());
        read.await.expect("the table reads");
    }
    context
}

/// Oracles of several numbers of partitions. What they disagree on has more than one answer, or meets a fault of DataFusion's.
struct Oracles(Vec<SessionContext>);

impl Oracles {
    async fn new(files: &Path) -> Oracles {
        let mut contexts = Vec::new();
        for partitions in [PARTITIONS, 1, 3] {
            contexts.push(context(files, partitions).await);
        }
        Oracles(contexts)
    }

    async fn expected(&self, sql: &str) -> Option<Table> {
        oracle::try_answer(&self.0[0], sql).await.ok()
    }

    async fn agree(&self, sql: &str, expected: &Table) -> bool {
        for context in &self.0[1..] {
            match oracle::try_answer(context, sql).await {
                Ok(other) if other.difference(expected).is_none() => {}
                _ => return false,
            }
        }
        true
    }
}

/// What came of the queries.
#[derive(Default)]
struct Outcome {
    answered: u64,
    /// Runs that differ from the oracle where the oracle differs from itself.
    open: u64,
    wrong: Vec<String>,
}

impl Outcome {
    async fn ask(&mut self, oracles: &Oracles, clients: &[(&str, Client)], seed: u64) {
        let sql = random::query(seed);
        let Some(expected) = oracles.expected(&sql).await else {
            return;
        };
        self.answered += 1;
        for (mode, client) in clients {
            let wrong = match client.query(&sql).await {
                Ok(answer) => answer.table.difference(&expected),
                Err(failure) => Some(format!("{failure:?}")),
            };
            match wrong {
                None => {}
                Some(wrong) if oracles.agree(&sql, &expected).await => {
                    println!("seed {seed} {mode}: {wrong}\n    {sql}");
                    self.wrong.push(format!("seed {seed} {mode}"));
                }
                Some(_) => self.open += 1,
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn random_queries_are_answered_as_in_process() {
    let files = tempfile::tempdir().expect("a folder");
    let (_server, client) = server(files.path()).await;
    let oracles = Oracles::new(files.path()).await;
    let forced = client.clone().with("target_task_bytes", 1).with("target_partitions", 3);
    let clients = [("default", client), ("forced", forced)];
    let queries = variable("MAYFLY_TEST_RANDOM_QUERIES", QUERIES);
    let first = variable("MAYFLY_TEST_RANDOM_SEED", SEED);
    let mut outcome = Outcome::default();
    for seed in first..first + queries {
        outcome.ask(&oracles, &clients, seed).await;
    }
    let Outcome { answered, open, wrong } = outcome;
    println!(
        "{queries} queries from seed {first}: {answered} answered by the oracle, {open} runs left open, {} wrong",
        wrong.len()
    );
    assert!(answered * 10 >= queries * 9, "the oracle refuses too many");
    assert!(open * 50 <= queries, "too many queries have no one answer");
    assert!(wrong.is_empty(), "{wrong:?}");
}
