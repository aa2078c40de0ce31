//! A script for PostgreSQL's `psql` as statements: quotes, dollar quotes and comments are heeded; its own commands, and rows that follow
//! a COPY, are left out.

/// Statements with the line they begin at.
pub fn statements(text: &str) -> Vec<(usize, String)> {
    let mut reader = Reader {
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

    fn end(&mut self) {
        self.drop(1);
        let sql = std::mem::take(&mut self.sql).trim().to_owned();
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
