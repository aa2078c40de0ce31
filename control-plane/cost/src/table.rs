//! A bill as an aligned table for terminals. Widths are counted in characters; every row has the same columns.

use crate::bill::{Bill, BillLine};
use crate::price::Unit;
use mayfly_protocol::PicoDollars;
use std::fmt;

const COLUMNS: usize = 5;
type Row = [String; COLUMNS];

impl fmt::Display for Bill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = rows(self);
        let widths = widths(&rows);
        let rule = "─".repeat(widths.iter().sum::<usize>() + 2 * (COLUMNS - 1));
        for (at, row) in rows.iter().enumerate() {
            if at == 1 || at + 1 == rows.len() {
                writeln!(f, "{rule}")?;
            }
            write_row(f, row, &widths)?;
        }
        write_notes(self, f)
    }
}

fn rows(bill: &Bill) -> Vec<Row> {
    let header = ["stage", "resource", "quantity", "unit price", "amount"].map(str::to_owned);
    let mut rows = vec![header];
    for (at, line) in bill.lines.iter().enumerate() {
        let repeated = at > 0 && bill.lines[at - 1].stage == line.stage;
        rows.push(row(line, repeated));
    }
    let mark = if bill.is_bounded() { "≤ " } else { "" };
    let total = format!("{mark}{}", aligned(bill.total));
    rows.push(["total".to_owned(), String::new(), String::new(), String::new(), total]);
    rows
}

fn row(line: &BillLine, repeated: bool) -> Row {
    let stage = line.stage.map_or("coordinator".to_owned(), |stage| stage.to_string());
    let mark = if line.bounded { "≤ " } else { "" };
    [
        if repeated { String::new() } else { stage },
        line.resource.to_string(),
        quantity(line),
        line.unit_price.to_string(),
        format!("{mark}{}", aligned(line.amount)),
    ]
}

/// All twelve digits, so that points stand under points.
fn aligned(amount: PicoDollars) -> String {
    let (dollars, fraction) = (amount.0 / PicoDollars::PER_DOLLAR, amount.0 % PicoDollars::PER_DOLLAR);
    format!("${dollars}.{fraction:012}")
}

/// Compute in GB-s with three digits, rounded up like the amount; requests as they are.
fn quantity(line: &BillLine) -> String {
    match line.unit_price.unit {
        Unit::Request => line.quantity.to_string(),
        unit => {
            let thousandths = (line.quantity * 1_000).div_ceil(unit.quantities());
            format!("{}.{:03} {}", thousandths / 1_000, thousandths % 1_000, unit.name())
        }
    }
}

fn widths(rows: &[Row]) -> [usize; COLUMNS] {
    let widest = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    std::array::from_fn(|column| widest(column).unwrap_or(0))
}

/// Words to the left, numbers to the right.
fn write_row(f: &mut fmt::Formatter<'_>, row: &Row, widths: &[usize; COLUMNS]) -> fmt::Result {
    write!(f, "{:<w0$}  {:<w1$}", row[0], row[1], w0 = widths[0], w1 = widths[1])?;
    for column in 2..COLUMNS {
        write!(f, "  {:>width$}", row[column], width = widths[column])?;
    }
    writeln!(f)
}

fn write_notes(bill: &Bill, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    writeln!(
        f,
        "{} {} list prices of {}",
        bill.region, bill.architecture, bill.prices_read
    )?;
    if bill.is_bounded() {
        writeln!(f, "≤ the outcome of an attempt was not seen; it is billed at its bound")?;
    }
    match &bill.comparison {
        Some(comparison) => writeln!(f, "{comparison}"),
        None => Ok(()),
    }
}
