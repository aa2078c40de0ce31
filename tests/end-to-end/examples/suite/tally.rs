//! One query on both sides, what came of it, and how often each came.

use crate::world::World;
use datafusion::common::Result as DfResult;
use mayfly_end_to_end::client::Client;
use mayfly_end_to_end::oracle;
use mayfly_end_to_end::table::Table;
use std::fmt;
use std::time::Duration;

/// One query may take so long, on either side.
const QUERY_WAIT: Duration = Duration::from_secs(30);

/// How queries fared.
#[derive(Default)]
pub struct Tally {
    equal: usize,
    both_refuse: usize,
    /// The oracle itself answers otherwise with other partitions.
    open: usize,
    refused: usize,
    /// Mayfly answers what the oracle does not.
    answered: usize,
    different: usize,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} equal, {} refused by both, {} open; {} refused by Mayfly alone, {} by the oracle alone, {} DIFFER",
            self.equal, self.both_refuse, self.open, self.refused, self.answered, self.different
        )
    }
}

impl Tally {
    /// Runs the query as it is and forced to many tasks.
    pub async fn compare(&mut self, world: &World, sql: &str, at: &str) {
        let expected = expected(world, sql, 4).await;
        let client = world.client.clone();
        let forced = client.with("target_task_bytes", 1).with("target_partitions", 3);
        for (mode, client) in [("default", &world.client), ("forced", &forced)] {
            match (got(client, sql).await, &expected) {
                (Err(_), Err(_)) => self.both_refuse += 1,
                (Ok(_), Err(error)) => {
                    self.answered += 1;
                    println!("{at} {mode}: the oracle refuses: {error}");
                }
                (Err(error), Ok(_)) => {
                    self.refused += 1;
                    println!("{at} {mode}: REFUSED {error}\n    {sql}");
                }
                (Ok(got), Ok(expected)) => match difference(&got, expected) {
                    None => self.equal += 1,
                    Some(_) if is_open(world, sql, expected).await => self.open += 1,
                    Some(difference) => {
                        self.different += 1;
                        println!("{at} {mode}: DIFFERS {difference}\n    {sql}");
                    }
                },
            }
        }
    }
}

/// The oracle's answer, or the first line of why there is none.
async fn expected(world: &World, sql: &str, partitions: usize) -> Result<Table, String> {
    let context = world.oracle(partitions);
    let answer: Result<DfResult<Table>, _> = tokio::time::timeout(QUERY_WAIT, oracle::try_answer(&context, sql)).await;
    let answer = answer.map_err(|_| no_end())?;
    answer.map_err(|error| first_line(&error.to_string()))
}

async fn got(client: &Client, sql: &str) -> Result<Table, String> {
    let answer = tokio::time::timeout(QUERY_WAIT, client.query(sql)).await;
    let answer = answer.map_err(|_| no_end())?;
    let answer = answer.map_err(|failure| format!("{}: {}", failure.name, first_line(&failure.message)))?;
    Ok(answer.table)
}

/// Whether the oracle has more than one answer.
async fn is_open(world: &World, sql: &str, first: &Table) -> bool {
    for partitions in [1, 2, 7] {
        let other = expected(world, sql, partitions).await;
        if !other.is_ok_and(|other| difference(&other, first).is_none()) {
            return true;
        }
    }
    false
}

/// Columns whose types the client of these tests does not read are passed over.
fn difference(got: &Table, expected: &Table) -> Option<String> {
    let (found, wanted) = (got.types.len(), expected.types.len());
    if found != wanted {
        return Some(format!("{found} columns, expected {wanted}"));
    }
    let is_read = |at: &usize| !expected.types[*at].starts_with("untranslated");
    let kept: Vec<usize> = (0..wanted).filter(is_read).collect();
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

fn no_end() -> String {
    format!("no end in {QUERY_WAIT:?}")
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
