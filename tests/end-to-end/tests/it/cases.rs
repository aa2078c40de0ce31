//! The files of `tests/sql/cases`: what each statement answers is written beside it. Mayfly answers so as a user runs it, forced to many
//! tasks, and with hardly any memory; and no judge that is not skipped says otherwise. `MAYFLY_TEST_CASES=joins,values` takes some topics.

use futures::future::join_all;
use mayfly_end_to_end::alike::{self, Nearness, Row};
use mayfly_end_to_end::cases::{self, Case, Kind};
use mayfly_end_to_end::client::{Client, QueryFailure};
use mayfly_end_to_end::judges::{Judge, Judges, Place, Ruling};
use mayfly_end_to_end::server::Server;
use mayfly_end_to_end::table::Table;
use mayfly_end_to_end::translate::translate;
use mayfly_end_to_end::verdict::is_memory;
use std::path::Path;

const BUCKET: &str = "cases";

type Reply = Result<Table, QueryFailure>;

/// One way of running a statement.
struct Mode {
    name: &'static str,
    client: Client,
    /// Where a clear memory error is an answer, too.
    is_tiny: bool,
}

fn modes(client: &Client) -> Vec<Mode> {
    let forced = |partitions: u32| {
        let client = client.clone().with("target_task_bytes", 1000);
        client.with("target_partitions", partitions)
    };
    let mode = |name, client, is_tiny| Mode { name, client, is_tiny };
    vec![
        mode("default", client.clone(), false),
        mode("forced, 1 partition", forced(1), false),
        mode("forced, 3 partitions", forced(3), false),
        mode("tiny memory", client.clone().with("max_task_memory", "4MB"), true),
    ]
}

/// A topic as it runs.
struct Topic<'a> {
    name: &'a str,
    folder: &'a Path,
    judges: &'a Judges,
    modes: Vec<Mode>,
    failures: Vec<String>,
}

impl Topic<'_> {
    async fn run(&mut self, case: &Case) {
        match &case.kind {
            Kind::Table { name, columns, values } => self.make_table(case, name, columns, values).await,
            Kind::Made { sql } => self.make(case, sql).await,
            Kind::Query { sql, is_ordered, rows } => self.query(case, sql, *is_ordered, rows).await,
            Kind::Refused { sql, name, words } => self.refused(case, sql, name, words).await,
        }
    }

    fn fail(&mut self, case: &Case, who: &str, wrong: &str, sql: &str) {
        let place = format!("{}.slt:{}", self.name, case.line);
        self.failures
            .push(format!("{place} {who}: {wrong}\n    {}", sql.replace('\n', "\n    ")));
    }

    async fn make_table(&mut self, case: &Case, table: &str, columns: &str, values: &str) {
        let folder = self.folder.join(self.name).join(table);
        let place = Place {
            schema: self.name,
            table,
            folder: &folder,
        };
        let made = self.judges.write(place, columns, values);
        if let Err(wrong) = made.and_then(|()| self.judges.read(place)) {
            return self.fail(case, "duckdb", &wrong, values);
        }
        let location = format!("s3://{BUCKET}/{}/{table}/", self.name);
        let sql = format!("CREATE EXTERNAL TABLE {table} STORED AS PARQUET LOCATION '{location}'");
        if let Err(failure) = self.modes[0].client.query(&sql).await {
            self.fail(case, "mayfly", &format!("{failure:?}"), &sql);
        }
    }

    async fn make(&mut self, case: &Case, sql: &str) {
        if let Err(failure) = self.modes[0].client.query(sql).await {
            self.fail(case, "mayfly", &format!("{failure:?}"), sql);
        }
        for judge in asked(case) {
            if let Err(wrong) = self.ask(judge, sql) {
                self.fail(case, judge.name(), &wrong, sql);
            }
        }
    }

    fn ask(&self, judge: Judge, sql: &str) -> Result<Ruling, String> {
        self.judges.ask(judge, self.name, &translate(judge, sql))
    }

    async fn replies(&self, sql: &str) -> Vec<Reply> {
        let ask = |mode: &Mode| {
            let client = mode.client.clone();
            let sql = sql.to_owned();
            async move { client.query(&sql).await.map(|answer| answer.table) }
        };
        join_all(self.modes.iter().map(ask)).await
    }

    async fn query(&mut self, case: &Case, sql: &str, is_ordered: bool, rows: &[Row]) {
        let replies = self.replies(sql).await;
        let types = types(&replies);
        let compare = |types: &[String], nearness, got: &[Row]| match is_ordered {
            true => alike::ordered(types, nearness, got, rows),
            false => alike::unordered(types, nearness, got, rows),
        };
        for (at, reply) in replies.into_iter().enumerate() {
            let Mode { name, is_tiny, .. } = self.modes[at];
            let wrong = match reply {
                Ok(got) => compare(&got.types, Nearness::Text, &got.rows),
                Err(failure) if is_tiny && is_memory(&failure) => None,
                Err(failure) => Some(format!("{}: {}", failure.name, failure.message)),
            };
            if let Some(wrong) = wrong {
                self.fail(case, name, &wrong, sql);
            }
        }
        for judge in asked(case) {
            let wrong = match self.ask(judge, sql) {
                Ok(ruling) => {
                    let types = types.as_ref().unwrap_or(&ruling.types);
                    compare(types, Nearness::Value, &ruling.rows)
                }
                Err(error) => Some(format!("it refuses: {error}")),
            };
            if let Some(wrong) = wrong {
                self.fail(
                    case,
                    judge.name(),
                    &format!("another answer than the file's: {wrong}"),
                    sql,
                );
            }
        }
    }

    async fn refused(&mut self, case: &Case, sql: &str, name: &str, words: &str) {
        for (at, reply) in self.replies(sql).await.into_iter().enumerate() {
            let mode = &self.modes[at];
            let is_right = match &reply {
                Ok(_) => false,
                Err(failure) if mode.is_tiny && is_memory(failure) => true,
                Err(failure) => failure.name == name && failure.message.contains(words),
            };
            if !is_right {
                let got = match reply {
                    Ok(table) => format!("{} rows", table.rows.len()),
                    Err(failure) => format!("{}: {}", failure.name, failure.message),
                };
                self.fail(case, mode.name, &format!("{got}, expected {name} {words}"), sql);
            }
        }
        for judge in asked(case).filter(|_| judges_know(name)) {
            if let Ok(ruling) = self.ask(judge, sql) {
                let wrong = format!("it answers {} rows", ruling.rows.len());
                self.fail(case, judge.name(), &wrong, sql);
            }
        }
    }
}

fn asked(case: &Case) -> impl Iterator<Item = Judge> {
    let skipped = case.skipped.clone();
    Judge::ALL.into_iter().filter(move |judge| !skipped.contains(judge))
}

fn types(replies: &[Reply]) -> Option<Vec<String>> {
    replies.iter().flatten().next().map(|table| table.types.clone())
}

/// Whether others refuse it, too: what Mayfly lacks or limits they may well do.
fn judges_know(name: &str) -> bool {
    let ours = ["NOT_SUPPORTED", "EXCEEDED_", "MAYFLY_"];
    !ours.iter().any(|start| name.starts_with(start))
}

fn wanted() -> Vec<String> {
    let topics = cases::topics();
    match std::env::var("MAYFLY_TEST_CASES") {
        Ok(names) => names.split(',').map(str::to_owned).collect(),
        Err(_) => topics,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_are_answered_as_written_and_no_judge_says_otherwise() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&["--mount", &format!("{BUCKET}={}", folder.path().display())]);
    let judges = Judges::start();
    let (mut failures, mut count) = (Vec::new(), 0);
    for name in &wanted() {
        let cases = match cases::read(name) {
            Ok(cases) => cases,
            Err(wrong) => {
                failures.push(format!("{name}.slt: {wrong}"));
                continue;
            }
        };
        let client = Client::new(&server.url, name);
        let sql = format!("CREATE SCHEMA {name}");
        client.query(&sql).await.expect("created");
        let mut topic = Topic {
            name,
            folder: folder.path(),
            judges: &judges,
            modes: modes(&client),
            failures: Vec::new(),
        };
        for case in &cases {
            topic.run(case).await;
        }
        count += cases.len();
        failures.append(&mut topic.failures);
    }
    let wrong = failures.len();
    assert!(
        failures.is_empty(),
        "{wrong} wrong of {count} cases:\n{}",
        failures.join("\n")
    );
}
