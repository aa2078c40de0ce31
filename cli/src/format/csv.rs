//! Comma-separated values after RFC 4180, but lines end in LF as every tool of this platform writes them.

use super::{Sink, cell};
use crate::client::Column;
use serde_json::value::RawValue;
use std::io::{self, Write};

pub struct Csv {
    pub header: bool,
}

impl Sink for Csv {
    fn begin(&mut self, columns: &[Column], out: &mut dyn Write) -> io::Result<()> {
        match self.header {
            true => line(columns.iter().map(|column| Some(column.name.as_str())), out),
            false => Ok(()),
        }
    }

    fn row(&mut self, row: &[&RawValue], out: &mut dyn Write) -> io::Result<()> {
        let cells: Vec<_> = row.iter().map(|token| cell::text(token)).collect();
        line(cells.iter().map(|cell| cell.as_deref()), out)
    }

    fn end(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

fn line<'a>(fields: impl Iterator<Item = Option<&'a str>>, out: &mut dyn Write) -> io::Result<()> {
    for (n, field) in fields.enumerate() {
        if n > 0 {
            out.write_all(b",")?;
        }
        field.map_or(Ok(()), |text| write_field(text, out))?;
    }
    out.write_all(b"\n")
}

/// An empty text is quoted, so that it is not taken for NULL.
fn write_field(text: &str, out: &mut dyn Write) -> io::Result<()> {
    let needs_quotes = text.is_empty() || text.bytes().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r'));
    match needs_quotes {
        true => write!(out, "\"{}\"", text.replace('"', "\"\"")),
        false => out.write_all(text.as_bytes()),
    }
}
