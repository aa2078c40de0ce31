//! Four answers to one question: Mayfly's, and those of DataFusion, DuckDB and PostgreSQL. Where two of the three agree against Mayfly,
//! Mayfly is wrong. DataFusion alone proves nothing, for Mayfly is built on it.

use crate::alike::{self, Nearness, Row};
use crate::client::QueryFailure;
use crate::judges::Ruling;
use crate::table::Table;
use std::fmt::Write;

/// What one of the three says, or why it says nothing.
pub struct Opinion {
    pub who: &'static str,
    pub answer: Result<Ruling, String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Right,
    /// All who know better: the names of those who say otherwise, though not enough of them agree.
    Open(String),
    /// With the four answers.
    Wrong(String),
}

/// A clear word that memory is short is right where memory is short.
pub fn is_memory(failure: &QueryFailure) -> bool {
    failure.name.contains("MEMORY")
}

/// Whether the order of rows counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Counts,
    IsOpen,
}

pub fn verdict(reply: &Result<Table, QueryFailure>, opinions: &[Opinion], order: Order) -> Verdict {
    let answered: Vec<(&str, &Ruling)> = opinions
        .iter()
        .filter_map(|opinion| Some((opinion.who, opinion.answer.as_ref().ok()?)))
        .collect();
    let against: Vec<&(&str, &Ruling)> = match reply {
        Ok(table) => answered
            .iter()
            .filter(|(_, ruling)| !same(&table.types, &table.rows, ruling, order))
            .collect(),
        Err(_) => answered.iter().collect(),
    };
    let agree = against.iter().enumerate().any(|(at, (_, one))| {
        let mut others = against[at + 1..].iter();
        others.any(|(_, other)| same(&one.types, &one.rows, other, order))
    });
    let is_refused = reply.is_err() && against.len() < 2;
    let outvoted = reply.is_ok() && answered.len() - against.len() >= against.len();
    match () {
        () if agree => Verdict::Wrong(told(reply, opinions, order)),
        () if against.is_empty() || is_refused => Verdict::Right,
        // The others and Mayfly against one: his fault, or his rule.
        () if outvoted && against.iter().all(|(who, _)| *who == "datafusion") => Verdict::Right,
        () => Verdict::Open(told(reply, opinions, order)),
    }
}

fn same(types: &[String], rows: &[Row], ruling: &Ruling, order: Order) -> bool {
    difference(types, rows, ruling, order).is_none()
}

fn difference(types: &[String], rows: &[Row], ruling: &Ruling, order: Order) -> Option<String> {
    let compare = match order {
        Order::Counts => alike::ordered,
        Order::IsOpen => alike::unordered,
    };
    compare(types, Nearness::Value, rows, &ruling.rows)
}

/// The four answers: Mayfly's first rows, and how each of the others differs from them.
fn told(reply: &Result<Table, QueryFailure>, opinions: &[Opinion], order: Order) -> String {
    let mut text = match reply {
        Ok(table) => format!("    mayfly: {}", cut(&table.rows)),
        Err(failure) => format!("    mayfly: {}: {}", failure.name, failure.message),
    };
    for Opinion { who, answer } in opinions {
        let differs = |ruling: &Ruling| match reply {
            Ok(table) => difference(&table.types, &table.rows, ruling, order).unwrap_or_else(|| "the same".to_owned()),
            Err(_) => cut(&ruling.rows),
        };
        let _ = match answer {
            Ok(ruling) => write!(text, "\n    {who}: {}", differs(ruling)),
            Err(error) => write!(text, "\n    {who}: refuses: {error}"),
        };
    }
    text
}

fn cut(rows: &[Row]) -> String {
    let mut sorted: Vec<&Row> = rows.iter().collect();
    sorted.sort();
    let shown: Vec<String> = sorted.iter().take(6).map(|row| alike::shown(row)).collect();
    format!("{} rows: {}", rows.len(), shown.join("; "))
}

#[cfg(test)]
mod tests;
