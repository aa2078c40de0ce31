//! A suite that is not in this repository, such as DataFusion's own, DuckDB's, SQLite's or PostgreSQL's: its statements make tables, which
//! become Parquet files; each query then runs over those files by Mayfly as a user would run it, and by Mayfly forced to many tasks.
//!
//! `suite FOLDER [NAME…]`: sqllogictest files judged by DataFusion of the same version, whatever results they state.
//! `suite --judge duckdb FOLDER [NAME…]`: sqllogictest files whose tables DuckDB makes, judged by it and by the results they state.
//! `suite --judge postgres FOLDER [NAME…]`: the same with PostgreSQL; files that end in `.sql` are scripts for `psql`, in the order given.
//! `--every N` asks only each N-th query of a file.
//!
//! `cargo build --release --workspace --bins --example suite`, then, from the folder that paths in the suite start at,
//! `…/target/release/examples/suite …`.

mod court;
mod ledger;
mod psql;
mod records;
mod script;
mod tally;
mod world;

use court::Court;
use ledger::Ledger;
use mayfly_end_to_end::judges::{Judge, Judges};
use mayfly_end_to_end::server::{Executors, Server};
use records::Kind;
use std::path::{Path, PathBuf};
use tally::Tally;
use world::World;

/// What no query has whose answer stays the same from one run to the next and tells of the data instead of the engine; and what is none.
const LEFT_OUT: &[&str] = &[
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

#[tokio::main]
async fn main() {
    let Arguments {
        judge,
        every,
        folder,
        names,
    } = Arguments::read();
    let made = tempfile::tempdir().expect("a folder");
    let mount = format!("{}={}", world::BUCKET, made.path().display());
    let server = Server::start_with(Executors::Itself, &["--mount", &mount]);
    if let Some(judge) = judge {
        return judged(&server, made.path(), judge, every, &files(&folder, &names)).await;
    }
    let mut tally = Tally::default();
    for (nth, file) in files(&folder, &names).iter().enumerate() {
        let mut world = World::new(&server, made.path(), nth).await;
        run(&mut world, file, &mut tally).await;
    }
    println!("{tally}");
}

struct Arguments {
    judge: Option<Judge>,
    every: usize,
    folder: PathBuf,
    names: Vec<String>,
}

impl Arguments {
    fn read() -> Arguments {
        let mut plain = Vec::new();
        let (mut judge, mut every) = (None, 1);
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            match word.as_str() {
                "--judge" => {
                    let name = words.next().unwrap_or_default();
                    let known = Judge::ALL.into_iter().find(|judge| judge.name() == name);
                    judge = Some(known.expect("--judge duckdb, or postgres"));
                }
                "--every" => every = words.next().and_then(|text| text.parse().ok()).expect("--every NUMBER"),
                _ => plain.push(word),
            }
        }
        assert!(!plain.is_empty(), "a folder of files is wanted");
        let folder = PathBuf::from(plain.remove(0));
        Arguments {
            judge,
            every,
            folder,
            names: plain,
        }
    }
}

/// Each sqllogictest file has a schema of its own; scripts for `psql` build on those before them.
async fn judged(server: &Server, made: &Path, judge: Judge, every: usize, files: &[PathBuf]) {
    let judges = Judges::start();
    let mut ledger = Ledger::default();
    let mut scripts = Court::new(&judges, judge, server, made, "scripts").await;
    for (nth, file) in files.iter().enumerate() {
        let text = String::from_utf8_lossy(&std::fs::read(file).expect("readable")).into_owned();
        if file.extension().is_some_and(|ending| ending == "sql") {
            let folder = file.parent().and_then(Path::parent).unwrap_or(Path::new(".."));
            for (line, sql) in psql::statements(&text, folder) {
                let stated = None;
                let record = script::Record {
                    line,
                    is_query: is_query(&sql),
                    sql,
                    stated,
                };
                take(&mut scripts, &record, file, &mut ledger).await;
            }
            continue;
        }
        let mut court = Court::new(&judges, judge, server, made, &format!("f{nth}")).await;
        let script = script::read(&text);
        for (why, count) in script.left_out {
            ledger.leave_out(&why, count);
        }
        for (nth, record) in script.records.iter().enumerate() {
            if !record.is_query || nth % every == 0 {
                take(&mut court, record, file, &mut ledger).await;
            }
        }
    }
    println!("{ledger}");
}

async fn take(court: &mut Court<'_>, record: &script::Record, file: &Path, ledger: &mut Ledger) {
    let script::Record { line, sql, stated, .. } = record;
    if !record.is_query && !is_query(sql) {
        return court.make(sql).await;
    }
    if is_left_out(sql) {
        return ledger.leave_out("a query that tells of the session or the clock", 1);
    }
    let lacking = court.export(sql).await;
    match lacking.is_empty() {
        true => {
            let at = format!("{}:{line}", file.display());
            ledger.compare(court, sql, stated.as_ref(), &at).await;
        }
        false => ledger.leave_out("a query over a table that Parquet does not hold", 1),
    }
}

fn is_query(sql: &str) -> bool {
    let head = sql
        .trim_start_matches(|c: char| c == '(' || c.is_whitespace())
        .to_lowercase();
    let is_query = ["select", "with", "values", "table"]
        .iter()
        .any(|word| head.starts_with(word));
    is_query && !head.contains(" into ")
}

/// The folder's files in order, those within its folders too; only those of the names, if there are any.
fn files(folder: &Path, names: &[String]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
            match entry.path() {
                path if path.is_dir() => folders.push(path),
                path if path
                    .extension()
                    .is_some_and(|ending| ending == "slt" || ending == "test" || ending == "sql") =>
                {
                    found.push(path);
                }
                _ => {}
            }
        }
    }
    let is_wanted = |path: &PathBuf| names.is_empty() || names.iter().any(|name| path.ends_with(name));
    found.retain(is_wanted);
    found.sort();
    // Scripts in the order in which they are named.
    found.sort_by_key(|path| names.iter().position(|name| path.ends_with(name)));
    found
}

async fn run(world: &mut World, file: &Path, tally: &mut Tally) {
    for record in records::read(file) {
        match record.kind {
            Kind::Statement => world.make(&record.sql).await,
            Kind::Query if !is_left_out(&record.sql) => {
                world.export().await;
                tally.compare(world, &record.sql, &record.at).await;
            }
            Kind::Query => {}
        }
    }
}

fn is_left_out(sql: &str) -> bool {
    let sql = sql.to_lowercase();
    LEFT_OUT.iter().any(|word| sql.contains(word))
}
