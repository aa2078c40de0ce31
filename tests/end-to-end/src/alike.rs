//! Whether cells and rows of two engines say the same. Each engine has its own types' names and its own number of digits; a value has one
//! meaning. `docs/oracles.md` has the rules.

use std::collections::BTreeMap;

pub type Row = Vec<Option<String>>;

/// How near two answers must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nearness {
    /// As a client reads them: each digit of a decimal counts.
    Text,
    /// As values: engines give sums, means and quotients other types.
    Value,
}

/// What kind of value a column holds, by its type in the words of whichever engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Exact,
    Float,
    Instant,
    Nested,
    Other,
}

fn class(type_name: &str) -> Class {
    let name = type_name.to_lowercase();
    let word = name.split(['(', ' ']).next().unwrap_or_default();
    match word {
        "tinyint" | "smallint" | "integer" | "bigint" | "hugeint" | "decimal" => Class::Exact,
        "int2" | "int4" | "int8" | "numeric" => Class::Exact,
        "double" | "real" | "float" | "float4" | "float8" => Class::Float,
        "timestamp" | "timestamptz" | "date" | "time" => Class::Instant,
        "array" | "map" | "row" | "struct" => Class::Nested,
        list if list.ends_with("[]") => Class::Nested,
        _ => Class::Other,
    }
}

/// Relative: sums of doubles depend on the order of addition beyond that.
const FLOAT_TOLERANCE: f64 = 1e-9;
/// Of `real`, which has 24 bits.
const REAL_TOLERANCE: f64 = 1e-6;

/// A decimal of at least so many digits after the point may be a rounded one: engines give quotients and means various scales.
const ROUNDED_DIGITS: usize = 4;

fn cell(type_name: &str, nearness: Nearness, got: &str, want: &str) -> bool {
    if got == want {
        return true;
    }
    match class(type_name) {
        Class::Float if type_name == "real" => floats(got, want, REAL_TOLERANCE),
        Class::Float => floats(got, want, FLOAT_TOLERANCE),
        Class::Exact if nearness == Nearness::Value => exact(got, want),
        Class::Instant => instant(got) == instant(want),
        Class::Nested => nested(got) == nested(want),
        Class::Exact | Class::Other => false,
    }
}

fn floats(got: &str, want: &str, tolerance: f64) -> bool {
    match (got.parse::<f64>(), want.parse::<f64>()) {
        (Ok(got), Ok(want)) => {
            let near = tolerance * got.abs().max(want.abs()).max(f64::MIN_POSITIVE);
            // Nothing is near infinity: a share of it is infinite.
            let is_near = got.is_finite() && want.is_finite() && (got - want).abs() <= near;
            got == want || got.is_nan() && want.is_nan() || is_near
        }
        _ => false,
    }
}

/// Decimals of any scale. A text with an exponent, or one that is no number, comes of an engine that answers in doubles.
fn exact(got: &str, want: &str) -> bool {
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || b"-.".contains(&byte));
    if !is_plain(got) || !is_plain(want) {
        return floats(got, want, FLOAT_TOLERANCE);
    }
    if trimmed(got) == trimmed(want) {
        return true;
    }
    let (digits, others) = (digits_after_point(got), digits_after_point(want));
    let coarser = digits.min(others);
    // Of a double as it is printed, fifteen digits count.
    let is_double = digits.max(others) > 10 && floats(got, want, FLOAT_TOLERANCE);
    is_double || digits != others && coarser >= ROUNDED_DIGITS && within_rounding(got, want, coarser)
}

fn trimmed(number: &str) -> &str {
    let text = match number.contains('.') {
        true => number.trim_end_matches('0').trim_end_matches('.'),
        false => number,
    };
    if text == "-0" { "0" } else { text }
}

fn digits_after_point(number: &str) -> usize {
    number.split_once('.').map_or(0, |(_, digits)| digits.len())
}

fn within_rounding(got: &str, want: &str, digits: usize) -> bool {
    let half = 0.5 * 10f64.powi(-i32::try_from(digits).expect("few digits"));
    match (got.parse::<f64>(), want.parse::<f64>()) {
        (Ok(got), Ok(want)) => (got - want).abs() <= half * 1.000_001,
        _ => false,
    }
}

/// Without zeros at the end of a second's fraction; a day is its first instant.
fn instant(text: &str) -> String {
    let (text, zone) = text.strip_suffix(" UTC").map_or((text, ""), |text| (text, " UTC"));
    let text = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => text,
    };
    let text = text.strip_suffix(" 00:00:00").unwrap_or(text);
    format!("{text}{zone}")
}

/// Lists and rows as JSON has them, without what only punctuates.
fn nested(text: &str) -> String {
    let text = text.replace("null", "NULL");
    text.chars().filter(|c| !c.is_whitespace() && *c != '"').collect()
}

fn row(types: &[String], nearness: Nearness, got: &Row, want: &Row) -> bool {
    got.len() == want.len()
        && types.iter().zip(got.iter().zip(want)).all(|(kind, pair)| match pair {
            (None, None) => true,
            (Some(got), Some(want)) => cell(kind, nearness, got, want),
            _ => false,
        })
}

/// What differs first between rows whose order counts, or nothing. `types`: Trino's, of Mayfly's answer.
pub fn ordered(types: &[String], nearness: Nearness, got: &[Row], want: &[Row]) -> Option<String> {
    if got.len() != want.len() {
        return Some(lengths(got, want));
    }
    let at = got
        .iter()
        .zip(want)
        .position(|(got, want)| !row(types, nearness, got, want))?;
    Some(format!("row {at}: {}, expected {}", shown(&got[at]), shown(&want[at])))
}

/// What differs first between bags of rows, or nothing.
pub fn unordered(types: &[String], nearness: Nearness, got: &[Row], want: &[Row]) -> Option<String> {
    let (mut got_left, mut want_left) = without_equals(got, want);
    // What is left differs in the last digits, or differs.
    got_left.retain(|got| {
        let twin = want_left.iter().position(|want| row(types, nearness, got, want));
        twin.map(|at| want_left.swap_remove(at)).is_none()
    });
    let list = |rows: &[&Row]| rows.iter().take(3).map(|row| shown(row)).collect::<Vec<_>>().join("; ");
    match (got_left.is_empty(), want_left.is_empty()) {
        (true, true) => None,
        _ => Some(format!(
            "{}: too many: {}; missing: {}",
            lengths(got, want),
            list(&got_left),
            list(&want_left)
        )),
    }
}

fn lengths(got: &[Row], want: &[Row]) -> String {
    format!("{} rows, expected {}", got.len(), want.len())
}

/// Both bags without what is equal to the letter.
fn without_equals<'a>(got: &'a [Row], want: &'a [Row]) -> (Vec<&'a Row>, Vec<&'a Row>) {
    let mut counts: BTreeMap<&Row, usize> = BTreeMap::new();
    for row in want {
        *counts.entry(row).or_default() += 1;
    }
    let mut got_left = Vec::new();
    for row in got {
        match counts.get_mut(row) {
            Some(count) if *count > 0 => *count -= 1,
            _ => got_left.push(row),
        }
    }
    let left = counts
        .into_iter()
        .flat_map(|(row, count)| std::iter::repeat_n(row, count));
    (got_left, left.collect())
}

/// A row as files of cases write it, with bars for tabs.
pub fn shown(row: &Row) -> String {
    let cells = row.iter().map(|cell| match cell.as_deref() {
        None => "NULL",
        Some("") => "(empty)",
        Some(text) => text,
    });
    cells.collect::<Vec<_>>().join(" | ")
}

#[cfg(test)]
mod tests;
