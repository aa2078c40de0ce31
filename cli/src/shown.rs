//! Quantities as people read them, and whether there is a terminal to colour. Never used for data on stdout.

use indicatif::DecimalBytes;
use mayfly_protocol::PicoDollars;
use std::io::{self, IsTerminal};
use std::time::Duration;

/// `74 ms`, `8.1 s`, `2 min 03 s`.
pub fn duration(duration: Duration) -> String {
    match duration.as_millis() {
        ms @ 0..1_000 => format!("{ms} ms"),
        ms @ 1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        ms => format!("{} min {:02} s", ms / 60_000, ms % 60_000 / 1_000),
    }
}

/// `1.20 GB`, in powers of a thousand.
pub fn bytes(bytes: u64) -> String {
    DecimalBytes(bytes).to_string()
}

/// `1 row`, `1,000 rows`.
pub fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(number))
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let first = (digits.len() - 1) % 3 + 1;
    let mut text = digits[..first].to_owned();
    for start in (first..digits.len()).step_by(3) {
        text.push(',');
        text.push_str(&digits[start..start + 3]);
    }
    text
}

/// Dollars to six places, or to two significant digits where that is finer: `$0.000412`, `$0.00000041`, `$0`. Rounds half up.
pub fn dollars(amount: PicoDollars) -> String {
    if amount == PicoDollars::ZERO {
        return "$0".to_owned();
    }
    const PLACES: usize = 12;
    let digits = amount.0.to_string().len();
    let places = (PLACES + 2).saturating_sub(digits).clamp(6, PLACES);
    let unit = 10_u128.pow((PLACES - places) as u32);
    let rounded = (amount.0 + unit / 2) / unit;
    let whole = 10_u128.pow(places as u32);
    format!("${}.{:0places$}", rounded / whole, rounded % whole)
}

/// Bold red on a terminal that wants colour, plain elsewhere.
pub fn emphasis(text: &str) -> String {
    if is_coloured() {
        format!("\u{1b}[1;31m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}

/// `NO_COLOR` (any value but empty) wins, then `CLICOLOR_FORCE`, then whether stderr is a terminal.
fn is_coloured() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !is_set("NO_COLOR") && (is_set("CLICOLOR_FORCE") || io::stderr().is_terminal())
}

#[cfg(test)]
mod tests;
