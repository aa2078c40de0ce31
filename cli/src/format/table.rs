//! An aligned table. Widths come from the first rows; later rows that are wider push their line out rather than being cut.
//!
//! ```text
//!  l_returnflag | sum_qty
//! --------------+-------------
//!  A            | 37734107.00
//! ```

use super::{Sink, cell};
use crate::client::Column;
use serde_json::value::RawValue;
use std::io::{self, Write};
use unicode_width::UnicodeWidthStr;

/// Rows that are held back to find the widths.
const MEASURED_ROWS_MAX: usize = 1_000;
/// A column is padded to no more than this: one long text must not push the rest off the screen in every row.
const WIDTH_MAX: usize = 60;

#[derive(Default)]
pub struct Table {
    columns: Vec<Head>,
    held: Vec<Vec<String>>,
    is_open: bool,
    /// A plan is text of many lines, no table.
    is_plan: bool,
}

/// The one column of what EXPLAIN answers.
const PLAN: &str = "Query Plan";

struct Head {
    name: String,
    is_number: bool,
    width: usize,
}

impl Sink for Table {
    fn begin(&mut self, columns: &[Column], _: &mut dyn Write) -> io::Result<()> {
        self.columns = columns.iter().map(head).collect();
        self.is_plan = matches!(columns, [only] if only.name == PLAN);
        Ok(())
    }

    fn row(&mut self, row: &[&RawValue], out: &mut dyn Write) -> io::Result<()> {
        if self.is_plan {
            let plan = row.first().and_then(|token| cell::text(token)).unwrap_or_default();
            return writeln!(out, "{}", cell::lines(plan.trim_end()));
        }
        let cells: Vec<_> = row.iter().map(|token| cell::visible(token).into_owned()).collect();
        if self.is_open {
            return self.line(&cells, out);
        }
        self.held.push(cells);
        match self.held.len() >= MEASURED_ROWS_MAX {
            true => self.open(out),
            false => Ok(()),
        }
    }

    fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        match self.is_open || self.is_plan {
            true => Ok(()),
            false => self.open(out),
        }
    }
}

impl Table {
    /// Fixes the widths, then prints the head and the rows held back.
    fn open(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.is_open = true;
        let held = std::mem::take(&mut self.held);
        for (n, column) in self.columns.iter_mut().enumerate() {
            let cells = held.iter().filter_map(|row| row.get(n));
            let widest = cells.map(|cell| cell.width()).max().unwrap_or(0);
            column.width = column.width.max(widest.min(WIDTH_MAX));
        }
        let names: Vec<_> = self.columns.iter().map(|column| column.name.clone()).collect();
        self.line(&names, out)?;
        let rules: Vec<_> = self.columns.iter().map(|column| "-".repeat(column.width + 2)).collect();
        writeln!(out, "{}", rules.join("+"))?;
        held.iter().try_for_each(|row| self.line(row, out))
    }

    fn line(&self, cells: &[String], out: &mut dyn Write) -> io::Result<()> {
        let padded: Vec<_> = self
            .columns
            .iter()
            .zip(cells)
            .map(|(column, cell)| pad(column, cell))
            .collect();
        writeln!(out, "{}", padded.join("|").trim_end())
    }
}

fn head(column: &Column) -> Head {
    Head {
        name: column.name.clone(),
        is_number: cell::is_number(column),
        width: column.name.width(),
    }
}

fn pad(column: &Head, cell: &str) -> String {
    let blanks = " ".repeat(column.width.saturating_sub(cell.width()));
    match column.is_number {
        true => format!(" {blanks}{cell} "),
        false => format!(" {cell}{blanks} "),
    }
}
