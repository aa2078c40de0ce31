//! A table for documents in Markdown.

use super::{Sink, cell};
use crate::client::Column;
use serde_json::value::RawValue;
use std::io::{self, Write};

pub struct Markdown;

impl Sink for Markdown {
    fn begin(&mut self, columns: &[Column], out: &mut dyn Write) -> io::Result<()> {
        line(columns.iter().map(|column| escape(&column.name)), out)?;
        line(columns.iter().map(|column| rule(column).to_owned()), out)
    }

    fn row(&mut self, row: &[&RawValue], out: &mut dyn Write) -> io::Result<()> {
        line(row.iter().map(|token| escape(&cell::visible(token))), out)
    }

    fn end(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

fn rule(column: &Column) -> &'static str {
    if cell::is_number(column) { "---:" } else { "---" }
}

fn line(cells: impl Iterator<Item = String>, out: &mut dyn Write) -> io::Result<()> {
    let cells: Vec<_> = cells.collect();
    writeln!(out, "| {} |", cells.join(" | "))
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|")
}
