//! A suite of sqllogictest files that is not in this repository, such as DataFusion's own: its statements make tables, which become Parquet
//! files; each query then runs on those files in process, by Mayfly as a user would run it, and by Mayfly forced to many tasks. Results that
//! the suite states are not looked at: the oracle is DataFusion of the same version, as everywhere.
//!
//! `cargo build --release --workspace --bins --example suite`, then, from the folder that paths in the suite start at,
//! `…/target/release/examples/suite FOLDER [NAME…]`.

mod records;
mod tally;
mod world;

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
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().expect("a folder of .slt files"));
    let names: Vec<String> = arguments.collect();
    let made = tempfile::tempdir().expect("a folder");
    let mount = format!("{}={}", world::BUCKET, made.path().display());
    let server = Server::start_with(Executors::Itself, &["--mount", &mount]);
    let mut tally = Tally::default();
    for (nth, file) in files(&folder, &names).iter().enumerate() {
        let mut world = World::new(&server, made.path(), nth).await;
        run(&mut world, file, &mut tally).await;
    }
    println!("{tally}");
}

/// The folder's files in order, those within its folders too; only those of the names, if there are any.
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
