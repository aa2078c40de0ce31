//! The files of `tests/sql/cases`: sqllogictest's notation with results. A record ends at an empty line; `#` begins a comment.
//!
//! ```text
//! table ja (k BIGINT, x BIGINT)
//! VALUES (1, 10), (2, 20)
//!
//! query rowsort
//! SELECT k FROM ja
//! ----
//! 1
//!
//! skipif duckdb
//! statement error NUMERIC_VALUE_OUT_OF_RANGE
//! SELECT k + 9223372036854775807 FROM ja
//! ```
//!
//! Cells are parted by tabs; `NULL` and `(empty)` are what they say. `query` alone is `query rowsort`; `query nosort` heeds the order.

use crate::alike::Row;
use crate::judges::Judge;
use crate::tpch;
use std::collections::BTreeSet;
use std::path::PathBuf;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Of its head, from 1.
    pub line: usize,
    pub skipped: BTreeSet<Judge>,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Table {
        name: String,
        columns: String,
        /// Rows without the word VALUES; none for an empty table.
        values: String,
    },
    Query {
        sql: String,
        is_ordered: bool,
        rows: Vec<Row>,
    },
    /// Succeeds, and its rows are not looked at: `CREATE VIEW`.
    Made { sql: String },
    /// Fails with this name, and a message that has these words.
    Refused { sql: String, name: String, words: String },
}

/// Topics in order: the files' names without their ending.
pub fn topics() -> Vec<String> {
    let folder = folder();
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let names = entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    let topics = names.filter_map(|name| name.strip_suffix(".slt").map(str::to_owned));
    topics.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The cases of a topic, or what is wrong with its file.
pub fn read(topic: &str) -> Result<Vec<Case>, String> {
    let path = folder().join(format!("{topic}.slt"));
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    parse(&text)
}

fn folder() -> PathBuf {
    tpch::root().join("tests/sql/cases")
}

/// Lines of one record, without comments, and where they begin.
struct Block<'a> {
    line: usize,
    lines: Vec<&'a str>,
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut is_inside = false;
    for (line, content) in (1..).zip(text.lines()) {
        let is_comment = content.starts_with('#');
        match content.trim().is_empty() {
            true => is_inside = false,
            false if is_comment => {}
            false => {
                if !is_inside {
                    let lines = Vec::new();
                    blocks.push(Block { line, lines });
                }
                is_inside = true;
                let block: &mut Block<'_> = blocks.last_mut().expect("one was begun");
                block.lines.push(content);
            }
        }
    }
    blocks
}

pub(crate) fn parse(text: &str) -> Result<Vec<Case>, String> {
    let case = |block: Block<'_>| {
        let line = block.line;
        case(block).map_err(|wrong| format!("line {line}: {wrong}"))
    };
    blocks(text).into_iter().map(case).collect()
}

fn case(block: Block<'_>) -> Result<Case, String> {
    let mut lines = block.lines.as_slice();
    let mut skipped = BTreeSet::new();
    while let Some((first, rest)) = lines.split_first()
        && let Some(name) = first.strip_prefix("skipif ")
    {
        skipped.insert(judge(name.trim())?);
        lines = rest;
    }
    let (head, body) = lines.split_first().ok_or("skipif without a record")?;
    let kind = match head.split_once(' ').unwrap_or((head, "")) {
        ("table", _) => table(&lines.join("\n")),
        ("query", order) => query(order.trim(), body),
        ("statement", "ok") => Ok(Kind::Made { sql: statement(body) }),
        ("statement", expected) => refused(expected.trim(), body),
        _ => Err(format!("a record begins with table, query or statement, not `{head}`")),
    }?;
    Ok(Case {
        line: block.line,
        skipped,
        kind,
    })
}

fn judge(name: &str) -> Result<Judge, String> {
    let known = Judge::ALL.into_iter().find(|judge| judge.name() == name);
    known.ok_or_else(|| format!("no judge is called `{name}`"))
}

/// `table NAME (COLUMNS) [VALUES ROWS]`, on as many lines as one likes.
fn table(text: &str) -> Result<Kind, String> {
    let form = "a table is `table NAME (COLUMNS)` and `VALUES ROWS`";
    let text = text.trim_start_matches("table ").trim();
    let (name, rest) = text.split_once('(').ok_or(form)?;
    let end = closing(rest).ok_or(form)?;
    let (columns, values) = (&rest[..end], rest[end + 1..].trim().trim_end_matches(';'));
    let values = match values.is_empty() {
        true => "",
        false => values.strip_prefix("VALUES").ok_or(form)?,
    };
    Ok(Kind::Table {
        name: name.trim().to_owned(),
        columns: columns.to_owned(),
        values: values.trim().to_owned(),
    })
}

/// Where the parenthesis that is open at the beginning closes.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1;
    text.bytes().position(|byte| {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        depth == 0
    })
}

fn query(order: &str, body: &[&str]) -> Result<Kind, String> {
    let is_ordered = match order {
        "" | "rowsort" => false,
        "nosort" => true,
        other => return Err(format!("`query {other}`: rowsort or nosort")),
    };
    let dashes = body.iter().position(|line| line.trim_end() == "----");
    let dashes = dashes.ok_or("a query has its rows below a line of four dashes")?;
    Ok(Kind::Query {
        sql: statement(&body[..dashes]),
        is_ordered,
        rows: body[dashes + 1..].iter().map(|line| row(line)).collect(),
    })
}

fn refused(expected: &str, body: &[&str]) -> Result<Kind, String> {
    let expected = expected
        .strip_prefix("error ")
        .ok_or("`statement ok` or `statement error NAME [words of the message]`")?;
    let (name, words) = expected.split_once(' ').unwrap_or((expected, ""));
    Ok(Kind::Refused {
        sql: statement(body),
        name: name.to_owned(),
        words: words.trim().to_owned(),
    })
}

fn statement(lines: &[&str]) -> String {
    lines.join("\n").trim().trim_end_matches(';').to_owned()
}

fn row(line: &str) -> Row {
    let cell = |text: &str| match text {
        "NULL" => None,
        "(empty)" => Some(String::new()),
        text => Some(text.to_owned()),
    };
    line.split('\t').map(cell).collect()
}

#[cfg(test)]
mod tests;
