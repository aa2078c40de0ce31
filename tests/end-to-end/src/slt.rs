//! The files of `tests/sql/*.slt`: sqllogictest's notation without results, for the oracle gives them. Knows `query [rowsort|nosort]`,
//! and `#` comments; a record ends at an empty line. `# by rule: …` before a record says why other databases answer otherwise.

use crate::tpch;

/// One query of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where it begins, from 1.
    pub line: usize,
    pub sql: String,
    /// Whether the order of rows counts.
    pub is_ordered: bool,
    /// Whether other databases have another rule here.
    pub differs_by_rule: bool,
}

/// The records of `tests/sql/{name}.slt`.
pub fn records(name: &str) -> Vec<Record> {
    let path = tpch::root().join(format!("tests/sql/{name}.slt"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    let records = parse(&text);
    assert!(!records.is_empty(), "{name} has no query");
    records
}

fn parse(text: &str) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    let (mut is_inside, mut differs_by_rule) = (false, false);
    for (line, content) in (1..).zip(text.lines()) {
        match content.trim() {
            "" => is_inside = false,
            comment if comment.starts_with('#') => differs_by_rule |= comment.starts_with("# by rule: "),
            sql if is_inside => {
                let record = records.last_mut().expect("a record was begun");
                record.sql = format!("{} {sql}", record.sql).trim().to_owned();
            }
            head => {
                let is_ordered = match head {
                    "query" | "query rowsort" => false,
                    "query nosort" => true,
                    other => panic!("line {line}: a record begins with `query`, not `{other}`"),
                };
                records.push(Record {
                    line,
                    sql: String::new(),
                    is_ordered,
                    differs_by_rule: std::mem::take(&mut differs_by_rule),
                });
                is_inside = true;
            }
        }
    }
    records
}
