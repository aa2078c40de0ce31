//! Rows as text on stdout: one sink per form. Sinks stream; what they hold back is bounded.
//!
//! | form | NULL | rows |
//! |---|---|---|
//! | `csv` | nothing between the commas; an empty text is `""` | RFC 4180 quoting, lines end in LF |
//! | `tsv` | `\N` | tab, line feed, carriage return and backslash as `\t \n \r \\` |
//! | `json`, `jsonl` | `null` | objects; in one array, or one a line |
//! | `table`, `vertical`, `markdown` | the word `NULL` | for eyes: control characters are made visible |
//! | `null` | | reads everything and prints nothing |

mod cell;
mod csv;
mod json;
mod markdown;
mod table;
mod tsv;
mod vertical;

pub use cell::text;

use crate::client::Column;
use clap::ValueEnum;
use serde_json::value::RawValue;
use std::io::{self, IsTerminal, Write};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormatName {
    Table,
    Csv,
    CsvNoheader,
    Tsv,
    Json,
    Jsonl,
    Markdown,
    Vertical,
    Null,
}

impl FormatName {
    /// For eyes on a terminal, for programs elsewhere.
    pub fn for_stdout() -> FormatName {
        match io::stdout().is_terminal() {
            true => FormatName::Table,
            false => FormatName::Csv,
        }
    }

    /// A sink for one result.
    pub fn sink(self) -> Box<dyn Sink> {
        match self {
            FormatName::Table => Box::new(table::Table::default()),
            FormatName::Csv => Box::new(csv::Csv { header: true }),
            FormatName::CsvNoheader => Box::new(csv::Csv { header: false }),
            FormatName::Tsv => Box::new(tsv::Tsv),
            FormatName::Json => Box::new(json::Json::array()),
            FormatName::Jsonl => Box::new(json::Json::lines()),
            FormatName::Markdown => Box::new(markdown::Markdown),
            FormatName::Vertical => Box::new(vertical::Vertical::default()),
            FormatName::Null => Box::new(Nothing),
        }
    }
}

/// Takes one result: the columns once, then rows, then the end. A result without columns (an update) reaches no sink.
pub trait Sink {
    fn begin(&mut self, columns: &[Column], out: &mut dyn Write) -> io::Result<()>;
    /// `row` has one JSON token per column.
    fn row(&mut self, row: &[&RawValue], out: &mut dyn Write) -> io::Result<()>;
    fn end(&mut self, out: &mut dyn Write) -> io::Result<()>;
}

struct Nothing;

impl Sink for Nothing {
    fn begin(&mut self, _: &[Column], _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
    fn row(&mut self, _: &[&RawValue], _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
    fn end(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
