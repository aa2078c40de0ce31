//! A script for PostgreSQL's `psql` as statements: quotes, dollar quotes and comments are heeded, and variables that `\set` makes; its
//! other commands, and rows that follow a COPY, are left out.

use std::collections::BTreeMap;
use std::path::Path;

/// Statements with the line they begin at. `folder`: beside which the script's data lies.
pub fn statements(text: &str, folder: &Path) -> Vec<(usize, String)> {
    let place = folder.canonicalize().unwrap_or_default().display().to_string();
    let mut reader = Reader {
        variables: BTreeMap::from([("abs_srcdir".to_owned(), place)]),
        rest: text,
        line: 1,
        statements: Vec::new(),
        sql: String::new(),
        begun: 1,
    };
    while !reader.rest.is_empty() {
        reader.step();
    }
    reader.statements
}

struct Reader<'a> {
    variables: BTreeMap<String, String>,
    rest: &'a str,
    line: usize,
    statements: Vec<(usize, String)>,
    sql: String,
    begun: usize,
}

impl Reader<'_> {
    fn step(&mut self) {
        let rest = self.rest;
        match rest.as_bytes()[0] {
            b'-' if rest.starts_with("--") => self.drop_until("\n"),
            b'/' if rest.starts_with("/*") => self.drop_until("*/"),
            b'\\' => {
                self.command(rest.lines().next().unwrap_or_default());
                self.drop_until("\n");
                self.sql.clear();
            }
            b'\'' => self.keep_quoted("'"),
            b'"' => self.keep_quoted("\""),
            b'$' => self.keep_dollars(),
            b';' => self.end(),
            _ => {
                let length = rest.chars().next().map_or(1, char::len_utf8);
                self.keep(length);
            }
        }
    }

    /// `\set NAME VALUE…`: values are joined, and may be variables themselves.
    fn command(&mut self, line: &str) {
        let mut words = line.split_whitespace();
        if let (Some("\\set"), Some(name)) = (words.next(), words.next()) {
            let value = |word: &str| match word.strip_prefix(':') {
                Some(name) => self.variables.get(name).cloned().unwrap_or_default(),
                None => word.trim_matches('\'').to_owned(),
            };
            let value: String = words.map(value).collect();
            self.variables.insert(name.to_owned(), value);
        }
    }

    fn end(&mut self) {
        self.drop(1);
        let mut sql = std::mem::take(&mut self.sql).trim().to_owned();
        for (name, value) in &self.variables {
            sql = sql.replace(&format!(":'{name}'"), &format!("'{value}'"));
        }
        if is_copy(&sql) {
            self.drop_until("\n\\.");
        } else if !sql.is_empty() {
            self.statements.push((self.begun, sql));
        }
    }

    fn drop(&mut self, length: usize) {
        let (gone, rest) = self.rest.split_at(length);
        self.line += gone.matches('\n').count();
        self.rest = rest;
    }

    fn keep(&mut self, length: usize) {
        if self.sql.trim().is_empty() {
            self.begun = self.line;
        }
        self.sql.push_str(&self.rest[..length]);
        self.drop(length);
    }

    fn drop_until(&mut self, end: &str) {
        let length = self.rest.find(end).map_or(self.rest.len(), |at| at + end.len());
        self.drop(length);
    }

    fn keep_quoted(&mut self, quote: &str) {
        let end = self.rest[1..].find(quote);
        self.keep(end.map_or(self.rest.len(), |at| at + 2));
    }

    /// A text between two like `$tags$`, or a lone dollar.
    fn keep_dollars(&mut self) {
        let tag = self.rest[1..].find('$').map(|at| &self.rest[..at + 2]);
        let is_tag = |tag: &str| tag[1..tag.len() - 1].chars().all(|c| c.is_alphanumeric() || c == '_');
        match tag.filter(|tag| is_tag(tag)) {
            Some(tag) => {
                let from = tag.len();
                let end = self.rest[from..].find(tag);
                self.keep(end.map_or(self.rest.len(), |at| from + at + tag.len()));
            }
            None => self.keep(1),
        }
    }
}

fn is_copy(sql: &str) -> bool {
    let sql = sql.to_lowercase();
    sql.starts_with("copy ") && sql.contains("from stdin")
}
