//! One query before Mayfly and before a judge or a file's stated results, what came of it, and how often each came.

use crate::court::Court;
use crate::script::Stated;
use mayfly_end_to_end::alike::{self, Nearness, Row};
use mayfly_end_to_end::client::{Client, QueryFailure};
use mayfly_end_to_end::judges::Ruling;
use mayfly_end_to_end::table::Table;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

const QUERY_WAIT: Duration = Duration::from_secs(30);

/// Reasons that are shown, the most frequent first.
const REASONS_SHOWN: usize = 60;

#[derive(Default)]
pub struct Ledger {
    /// Runs that answered as the judge does, or as the file states.
    right: usize,
    both_refuse: usize,
    /// Mayfly answers what the judge does not.
    answered: usize,
    wrong: usize,
    refused: usize,
    reasons: BTreeMap<String, usize>,
    /// Queries over tables that did not get here whole; words of scripts that cannot run.
    pub left_out: BTreeMap<String, usize>,
}

impl Ledger {
    pub fn leave_out(&mut self, why: &str, count: usize) {
        *self.left_out.entry(why.to_owned()).or_default() += count;
    }

    /// Runs the query as it is and forced to many tasks.
    pub async fn compare(&mut self, court: &Court<'_>, sql: &str, stated: Option<&Stated>, at: &str) {
        let ruling = court.ask(sql);
        let client = court.client.clone();
        let forced = client.with("target_task_bytes", 1).with("target_partitions", 3);
        for (mode, client) in [("default", &court.client), ("forced", &forced)] {
            let reply = reply(client, sql).await;
            self.enter(&reply, &ruling, stated, &format!("{at} {mode}"), sql);
        }
    }

    fn enter(&mut self, reply: &Reply, ruling: &Result<Ruling, String>, stated: Option<&Stated>, at: &str, sql: &str) {
        match (reply, ruling) {
            (Err(_), Err(_)) => self.both_refuse += 1,
            (Ok(_), Err(error)) => {
                self.answered += 1;
                println!("{at}: ANSWERED what the judge refuses: {error}\n    {sql}");
            }
            (Err(failure), Ok(_)) => {
                self.refused += 1;
                let reason = format!("{}: {}", failure.name, reason(&failure.message));
                println!("{at}: REFUSED {}: {}\n    {sql}", failure.name, failure.message);
                *self.reasons.entry(reason).or_default() += 1;
            }
            (Ok(table), Ok(ruling)) => match difference(table, ruling, stated) {
                None => self.right += 1,
                Some(difference) => {
                    self.wrong += 1;
                    println!("{at}: WRONG {difference}\n    {sql}");
                }
            },
        }
    }
}

type Reply = Result<Table, QueryFailure>;

async fn reply(client: &Client, sql: &str) -> Reply {
    let answer = tokio::time::timeout(QUERY_WAIT, client.query(sql)).await;
    let no_end = QueryFailure {
        name: "NO_END".to_owned(),
        message: format!("no end in {QUERY_WAIT:?}"),
        location: None,
    };
    answer.unwrap_or(Err(no_end)).map(|answer| answer.table)
}

/// Right is what the judge answers now, or what the file states.
fn difference(table: &Table, ruling: &Ruling, stated: Option<&Stated>) -> Option<String> {
    let wrong = alike::unordered(&table.types, Nearness::Value, &table.rows, &ruling.rows)?;
    let stated = stated.map(|stated| rows(stated, table));
    let as_stated = stated.is_some_and(|rows| {
        let difference = alike::unordered(&table.types, Nearness::Value, &table.rows, &rows);
        difference.is_none()
    });
    (!as_stated).then_some(wrong)
}

/// Results as rows: one a line, or one value a line.
fn rows(stated: &Stated, table: &Table) -> Vec<Row> {
    let cell = |(text, kind): (&str, &String)| match (text, kind.as_str()) {
        ("NULL", _) => None,
        ("(empty)", _) => Some(String::new()),
        ("1", "boolean") => Some("true".to_owned()),
        ("0", "boolean") => Some("false".to_owned()),
        (text, _) => Some(text.to_owned()),
    };
    let is_by_row = stated.columns == 1 || stated.lines.iter().any(|line| line.contains('\t'));
    let values: Vec<Vec<&str>> = match is_by_row {
        true => stated.lines.iter().map(|line| line.split('\t').collect()).collect(),
        false => {
            let lines: Vec<&str> = stated.lines.iter().map(String::as_str).collect();
            lines.chunks(stated.columns).map(<[&str]>::to_vec).collect()
        }
    };
    let row = |values: Vec<&str>| values.into_iter().zip(&table.types).map(cell).collect();
    values.into_iter().map(row).collect()
}

/// A message without what is particular to one query.
fn reason(message: &str) -> String {
    let first = message.lines().next().unwrap_or_default();
    let mut text = String::new();
    for (at, part) in first.split(['\'', '"', '`']).enumerate() {
        text.push_str(if at % 2 == 0 { part } else { "…" });
    }
    let digits = |c: char| if c.is_ascii_digit() { '0' } else { c };
    text.chars().map(digits).take(160).collect()
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let judged = self.right + self.wrong + self.refused;
        let mut reasons: Vec<(&String, &usize)> = self.reasons.iter().collect();
        reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        for (reason, count) in reasons.iter().take(REASONS_SHOWN) {
            writeln!(f, "{count:7} × {reason}")?;
        }
        for (why, count) in &self.left_out {
            writeln!(f, "{count:7} left out: {why}")?;
        }
        let share = 100.0 * self.right as f64 / judged.max(1) as f64;
        write!(
            f,
            "{} of {judged} runs right ({share:.2} %), {} WRONG, {} refused by Mayfly alone; {} refused by both, {} by the judge alone",
            self.right, self.wrong, self.refused, self.both_refuse, self.answered
        )
    }
}
