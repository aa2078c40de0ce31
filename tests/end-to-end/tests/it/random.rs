//! Random queries, each as a user would run it, forced to many tasks, and with hardly any memory: judged by DataFusion, DuckDB and
//! PostgreSQL. Variables make a campaign of it: `MAYFLY_TEST_RANDOM_QUERIES`, `MAYFLY_TEST_RANDOM_SEED` of the first, and
//! `MAYFLY_TEST_RANDOM_MODES=tiny` for memory alone; a query that goes wrong is printed with its seed and the four answers.

use datafusion::prelude::{ParquetReadOptions, SessionContext};
use mayfly_end_to_end::client::Client;
use mayfly_end_to_end::judges::{Judge, Judges, Place, Ruling};
use mayfly_end_to_end::oracle;
use mayfly_end_to_end::random::{self, Dialect, tables};
use mayfly_end_to_end::server::Server;
use mayfly_end_to_end::verdict::{Opinion, Order, Verdict, is_memory, verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const QUERIES: u64 = 120;
const SEED: u64 = 1;

/// Of the tables' rows.
const ROWS_SEED: u64 = 7;

const SCHEMA: &str = "random";

/// Partitions of in-process DataFusion.
const PARTITIONS: usize = 4;

/// Seeds that Mayfly refuses, each with its reason. The list may only shrink.
const REFUSED: &str = include_str!("random_refused.txt");

fn refused() -> BTreeSet<u64> {
    let seed = |line: &str| line.split_whitespace().next()?.parse().ok();
    REFUSED.lines().filter_map(seed).collect()
}

fn variable(name: &str, otherwise: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.map_or(otherwise, |text| text.parse().expect("a whole number"))
}

async fn server(files: &Path) -> (Server, Client) {
    tables::write(files, ROWS_SEED).await.expect("written");
    let server = Server::start(&["--mount", &format!("random={}", files.display())]);
    let client = Client::new(&server.url, SCHEMA);
    client.query("CREATE SCHEMA random").await.expect("created");
    for table in &tables::TABLES {
        let (name, location) = (table.name, format!("s3://random/{}/", table.name));
        let sql = format!("CREATE EXTERNAL TABLE {name} STORED AS PARQUET LOCATION '{location}'");
        client.query(&sql).await.expect("created");
    }
    (server, client)
}

async fn context(files: &Path) -> SessionContext {
    let config = datafusion::prelude::SessionConfig::new().with_target_partitions(PARTITIONS);
    let context = mayfly_plan::in_process::context(config);
    for table in &tables::TABLES {
        let path = format!("{}/{}/", files.display(), table.name);
        let read = context.register_parquet(table.name, path, ParquetReadOptions::default());
        read.await.expect("the table reads");
    }
    context
}

/// The three who are asked.
struct Bench {
    datafusion: SessionContext,
    judges: Judges,
}

impl Bench {
    async fn new(files: &Path) -> Bench {
        let judges = Judges::start();
        for table in &tables::TABLES {
            let folder = files.join(table.name);
            let place = Place {
                schema: SCHEMA,
                table: table.name,
                folder: &folder,
            };
            let left_out = judges.read(place).expect("the judges read it");
            assert!(left_out.is_empty(), "{left_out:?} of {}", table.name);
        }
        Bench {
            datafusion: context(files).await,
            judges,
        }
    }

    async fn opinions(&self, seed: u64) -> Vec<Opinion> {
        let sql = random::query(seed, Dialect::Mayfly);
        let table = oracle::try_answer(&self.datafusion, &sql).await;
        let ruling = table.map(|table| Ruling {
            types: table.types,
            rows: table.rows,
        });
        let mut opinions = vec![Opinion {
            who: "datafusion",
            answer: ruling.map_err(|error| error.to_string().lines().next().unwrap_or_default().to_owned()),
        }];
        for (judge, dialect) in [(Judge::DuckDb, Dialect::DuckDb), (Judge::Postgres, Dialect::Postgres)] {
            let sql = random::query(seed, dialect);
            opinions.push(Opinion {
                who: judge.name(),
                answer: self.judges.ask(judge, SCHEMA, &sql),
            });
        }
        opinions
    }
}

/// What came of the queries.
#[derive(Default)]
struct Outcome {
    /// Queries that each of the three answered.
    answered: BTreeMap<&'static str, u64>,
    right: u64,
    /// Runs that one says otherwise about, and not two.
    open: u64,
    short_of_memory: u64,
    /// Runs of seeds on the list.
    refused: u64,
    wrong: Vec<String>,
}

impl Outcome {
    async fn ask(&mut self, bench: &Bench, modes: &[Mode], seed: u64) {
        let opinions = bench.opinions(seed).await;
        for opinion in opinions.iter().filter(|opinion| opinion.answer.is_ok()) {
            *self.answered.entry(opinion.who).or_default() += 1;
        }
        let sql = random::query(seed, Dialect::Mayfly);
        let (is_listed, refused) = (refused().contains(&seed), self.refused);
        for mode in modes {
            let client = mode.client(seed);
            let reply = client.query(&sql).await.map(|answer| answer.table);
            if mode.is_tiny && reply.as_ref().is_err_and(is_memory) {
                self.short_of_memory += 1;
                continue;
            }
            match verdict(&reply, &opinions, Order::IsOpen) {
                Verdict::Right => self.right += 1,
                Verdict::Open(answers) => {
                    println!("OPEN seed {seed} {}\n{answers}\n    {sql}", mode.name);
                    self.open += 1;
                }
                Verdict::Wrong(_) if is_listed && reply.is_err() => self.refused += 1,
                Verdict::Wrong(answers) => {
                    println!("WRONG seed {seed} {}\n{answers}\n    {sql}", mode.name);
                    self.wrong.push(format!("seed {seed} {}", mode.name));
                }
            }
        }
        if is_listed && self.refused == refused {
            self.wrong
                .push(format!("seed {seed} is answered: take it from random_refused.txt"));
        }
    }
}

struct Mode {
    name: &'static str,
    client: Client,
    is_tiny: bool,
}

impl Mode {
    /// With 2 to 16 MB where memory is to be short.
    fn client(&self, seed: u64) -> Client {
        let client = self.client.clone();
        match self.is_tiny {
            true => client.with("max_task_memory", format!("{}MB", 2 + seed % 15)),
            false => client,
        }
    }
}

fn modes(client: &Client) -> Vec<Mode> {
    let forced = client.clone().with("target_task_bytes", 1).with("target_partitions", 3);
    let mode = |name, client: &Client, is_tiny| Mode {
        name,
        client: client.clone(),
        is_tiny,
    };
    let mut modes = vec![
        mode("default", client, false),
        mode("forced", &forced, false),
        mode("tiny", client, true),
    ];
    if std::env::var("MAYFLY_TEST_RANDOM_MODES").is_ok_and(|modes| modes == "tiny") {
        modes.push(mode("tiny and forced", &forced, true));
        modes.retain(|mode| mode.is_tiny);
    }
    modes
}

#[tokio::test(flavor = "multi_thread")]
async fn random_queries_are_answered_as_judges_say() {
    let files = tempfile::tempdir().expect("a folder");
    let (_server, client) = server(files.path()).await;
    let bench = Bench::new(files.path()).await;
    let modes = modes(&client);
    let queries = variable("MAYFLY_TEST_RANDOM_QUERIES", QUERIES);
    let first = variable("MAYFLY_TEST_RANDOM_SEED", SEED);
    let mut outcome = Outcome::default();
    for seed in first..first + queries {
        outcome.ask(&bench, &modes, seed).await;
    }
    let Outcome { answered, wrong, .. } = &outcome;
    println!(
        "{queries} queries from seed {first}, answered by {answered:?}; runs: {} right, {} open, {} short of memory, {} refused as listed, {} wrong",
        outcome.right,
        outcome.open,
        outcome.short_of_memory,
        outcome.refused,
        wrong.len()
    );
    for judge in Judge::ALL {
        let count = answered.get(judge.name()).copied().unwrap_or_default();
        assert!(count * 10 >= queries * 7, "{judge} answers only {count} of {queries}");
    }
    assert!(outcome.open * 20 <= queries, "too many runs are left open");
    assert!(wrong.is_empty(), "{wrong:?}");
}
