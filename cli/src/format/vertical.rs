//! One column a line, for rows that are wider than the screen.

use super::{Sink, cell};
use crate::client::Column;
use serde_json::value::RawValue;
use std::io::{self, Write};
use unicode_width::UnicodeWidthStr;

#[derive(Default)]
pub struct Vertical {
    /// Names padded to one width.
    names: Vec<String>,
    rows: u64,
}

impl Sink for Vertical {
    fn begin(&mut self, columns: &[Column], _: &mut dyn Write) -> io::Result<()> {
        let width = columns.iter().map(|column| column.name.width()).max().unwrap_or(0);
        let pad = |name: &str| format!("{name}{}", " ".repeat(width - name.width()));
        self.names = columns.iter().map(|column| pad(&column.name)).collect();
        Ok(())
    }

    fn row(&mut self, row: &[&RawValue], out: &mut dyn Write) -> io::Result<()> {
        self.rows += 1;
        writeln!(out, "-[ RECORD {} ]-", self.rows)?;
        let mut cells = self.names.iter().zip(row);
        cells.try_for_each(|(name, token)| writeln!(out, "{name} | {}", cell::visible(token)))
    }

    fn end(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}
