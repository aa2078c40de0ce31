//! Two databases that judge answers, DuckDB and PostgreSQL: one Python process holds both ([`Judges`]). What may differ between them and
//! Mayfly is not known here; see [`crate::alike`] and [`crate::dialect`].

use crate::{python, tpch};
use serde_json::{Value, json};
use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

const PACKAGES: [&str; 3] = ["duckdb==2.0.1", "psycopg[binary]==3.3.9", "pytz==2026.6"];

/// One statement of a judge may take so long.
const LIMIT_SECONDS: u32 = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Judge {
    DuckDb,
    Postgres,
}

impl Judge {
    pub const ALL: [Judge; 2] = [Judge::DuckDb, Judge::Postgres];

    pub fn name(self) -> &'static str {
        match self {
            Judge::DuckDb => "duckdb",
            Judge::Postgres => "postgres",
        }
    }
}

impl fmt::Display for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a judge answers: its own types' names, and cells as [`crate::alike`] compares them. `None` is NULL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    pub types: Vec<String>,
    pub rows: Vec<Vec<Option<String>>>,
}

/// A table by its place: `schema.table` of each judge, files in a folder.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub schema: &'a str,
    pub table: &'a str,
    pub folder: &'a Path,
}

/// Both judges, running. They stop when this is dropped, or when this process ends.
pub struct Judges {
    child: Child,
    pipes: Mutex<Pipes>,
}

struct Pipes {
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Judges {
    pub fn start() -> Judges {
        let script = tpch::root().join("tests/end-to-end/python/judges.py");
        let mut child = Command::new(python::with("python-judges", &PACKAGES))
            .arg(script)
            .arg(LIMIT_SECONDS.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        let output = child.stdout.take().expect("stdout is piped");
        let mut pipes = Pipes {
            input: child.stdin.take(),
            output: BufReader::new(output),
        };
        assert_eq!(pipes.line(), "ready", "the judges did not start; see above");
        let pipes = Mutex::new(pipes);
        Judges { child, pipes }
    }

    /// Writes rows (`VALUES` without its word, in DuckDB's SQL) to two Parquet files in the folder, alternating.
    pub fn write(&self, place: Place<'_>, columns: &str, values: &str) -> Result<(), String> {
        let Place { schema, table, folder } = place;
        let table = json!({"schema": schema, "table": table, "folder": folder, "columns": columns, "values": values});
        self.request(&json!({"op": "write", "table": table})).map(drop)
    }

    /// Gives the folder's Parquet files to both judges as a table. The columns that PostgreSQL has no type for, which it does not get.
    pub fn read(&self, place: Place<'_>) -> Result<Vec<String>, String> {
        let Place { schema, table, folder } = place;
        let table = json!({"schema": schema, "table": table, "folder": folder});
        let answer = self.request(&json!({"op": "read", "table": table}))?;
        Ok(texts(&answer["left_out"]))
    }

    /// Names of the tables that statements made in a judge's schema.
    pub fn tables(&self, judge: Judge, schema: &str) -> Result<Vec<String>, String> {
        let answer = self.request(&json!({"op": "tables", "judge": judge.name(), "schema": schema}))?;
        Ok(texts(&answer["tables"]))
    }

    /// Writes a judge's table to one Parquet file in the folder. The columns that it could not take along.
    pub fn export(&self, judge: Judge, place: Place<'_>) -> Result<Vec<String>, String> {
        let Place { schema, table, folder } = place;
        let table = json!({"schema": schema, "table": table, "folder": folder});
        let answer = self.request(&json!({"op": "export", "judge": judge.name(), "table": table}))?;
        Ok(texts(&answer["left_out"]))
    }

    pub fn ask(&self, judge: Judge, schema: &str, sql: &str) -> Result<Ruling, String> {
        let answer = self.request(&json!({"op": "ask", "judge": judge.name(), "schema": schema, "sql": sql}))?;
        let rows = answer["rows"].as_array().expect("an answer has rows");
        Ok(Ruling {
            types: texts(&answer["types"]),
            rows: rows.iter().map(cells).collect(),
        })
    }

    fn request(&self, request: &Value) -> Result<Value, String> {
        let mut pipes = self.pipes.lock().expect("no request panics");
        let input = pipes.input.as_mut().expect("open until dropped");
        writeln!(input, "{request}").expect("the judges live");
        let answer: Value = serde_json::from_str(&pipes.line()).expect("an answer is JSON");
        match answer["error"].as_str() {
            Some(error) => Err(error.lines().next().unwrap_or_default().to_owned()),
            None => Ok(answer),
        }
    }
}

impl Pipes {
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the judges write UTF-8");
        line.trim_end().to_owned()
    }
}

impl Drop for Judges {
    fn drop(&mut self) {
        // The end of its input ends it.
        self.pipes.get_mut().map(|pipes| pipes.input.take()).ok();
        let _ = self.child.wait();
    }
}

fn texts(list: &Value) -> Vec<String> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn cells(row: &Value) -> Vec<Option<String>> {
    let cells = row.as_array().expect("a row is an array");
    let text = |cell: &Value| match cell {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        list => Some(list.to_string()),
    };
    cells.iter().map(text).collect()
}
