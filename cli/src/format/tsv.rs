//! Tab-separated values: one line per row whatever the cells hold.

use super::{Sink, cell};
use crate::client::Column;
use serde_json::value::RawValue;
use std::io::{self, Write};

const NULL: &str = "\\N";

pub struct Tsv;

impl Sink for Tsv {
    fn begin(&mut self, columns: &[Column], out: &mut dyn Write) -> io::Result<()> {
        line(columns.iter().map(|column| escape(&column.name)), out)
    }

    fn row(&mut self, row: &[&RawValue], out: &mut dyn Write) -> io::Result<()> {
        line(
            row.iter()
                .map(|token| cell::text(token).map_or_else(|| NULL.to_owned(), |text| escape(&text))),
            out,
        )
    }

    fn end(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

fn line(fields: impl Iterator<Item = String>, out: &mut dyn Write) -> io::Result<()> {
    let fields: Vec<_> = fields.collect();
    writeln!(out, "{}", fields.join("\t"))
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\t' => escaped.push_str("\\t"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\\' => escaped.push_str("\\\\"),
            other => escaped.push(other),
        }
    }
    escaped
}
