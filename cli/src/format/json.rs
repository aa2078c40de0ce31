//! Rows as JSON objects whose members are the tokens of the wire: in one array, or one object a line.

use super::Sink;
use crate::client::Column;
use serde_json::value::RawValue;
use std::collections::BTreeSet;
use std::io::{self, Write};

/// What stands around the objects.
struct Frame {
    open: &'static str,
    between: &'static str,
    close: &'static str,
}

const ARRAY: Frame = Frame {
    open: "[",
    between: ",\n ",
    close: "]\n",
};
const LINES: Frame = Frame {
    open: "",
    between: "\n",
    close: "",
};

pub struct Json {
    frame: &'static Frame,
    /// Names as JSON texts, each once.
    names: Vec<String>,
    has_rows: bool,
}

impl Json {
    pub fn array() -> Json {
        Json::framed(&ARRAY)
    }

    pub fn lines() -> Json {
        Json::framed(&LINES)
    }

    fn framed(frame: &'static Frame) -> Json {
        Json {
            frame,
            names: Vec::new(),
            has_rows: false,
        }
    }
}

impl Sink for Json {
    fn begin(&mut self, columns: &[Column], out: &mut dyn Write) -> io::Result<()> {
        self.names = distinct(columns);
        out.write_all(self.frame.open.as_bytes())
    }

    fn row(&mut self, row: &[&RawValue], out: &mut dyn Write) -> io::Result<()> {
        if self.has_rows {
            out.write_all(self.frame.between.as_bytes())?;
        }
        self.has_rows = true;
        for (n, (name, token)) in self.names.iter().zip(row).enumerate() {
            write!(out, "{}{name}:{token}", if n == 0 { "{" } else { "," })?;
        }
        out.write_all(if self.names.is_empty() { b"{}" } else { b"}" })
    }

    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let last = if self.has_rows && self.frame.close.is_empty() {
            self.frame.between
        } else {
            self.frame.close
        };
        out.write_all(last.as_bytes())
    }
}

/// SQL allows two columns of one name; an object would keep only one of them. The second `a` becomes `a_2`.
fn distinct(columns: &[Column]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let mut names = Vec::new();
    for column in columns {
        let numbered = (2..).map(|n| format!("{}_{n}", column.name));
        let mut spellings = std::iter::once(column.name.clone()).chain(numbered);
        let name = spellings
            .find(|name| !taken.contains(name))
            .expect("numbers do not run out");
        names.push(serde_json::Value::from(name.as_str()).to_string());
        taken.insert(name);
    }
    names
}
