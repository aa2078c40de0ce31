//! Statements and queries of a sqllogictest file, in order, without the results it states. `include` is followed, `halt` heeded; conditions
//! on engines, labels and sorting are passed over.

use std::path::Path;

pub struct Record {
    /// `file:line` of its head.
    pub at: String,
    pub kind: Kind,
    pub sql: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Statement,
    Query,
}

/// Nothing of a file that cannot be read.
pub fn read(file: &Path) -> Vec<Record> {
    let mut records = Vec::new();
    append(file, &mut records);
    records
}

fn append(file: &Path, records: &mut Vec<Record>) {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let mut lines = (1..).zip(text.lines());
    while let Some((line, head)) = lines.next() {
        let mut words = head.split_whitespace();
        let kind = match (words.next(), words.next()) {
            (Some("halt"), _) => return,
            (Some("include"), Some(path)) => {
                append(&file.with_file_name("").join(path), records);
                continue;
            }
            (Some("statement"), _) => Kind::Statement,
            (Some("query"), _) => Kind::Query,
            _ => continue,
        };
        let sql: Vec<&str> = lines
            .by_ref()
            .map(|(_, line)| line)
            .take_while(|line| !is_end(line))
            .collect();
        records.push(Record {
            at: format!("{}:{line}", file.display()),
            kind,
            sql: sql.join("\n"),
        });
    }
}

/// Results follow a line of dashes, if any are stated; they look like no head of a record.
fn is_end(line: &str) -> bool {
    line.trim().is_empty() || line == "----"
}
