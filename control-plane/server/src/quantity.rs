//! Durations and sizes as Trino's clients write them: `1s`, `30.00s`, `5m`, `16MB`.

use std::time::Duration;

const TIME_UNITS: [(&str, f64); 7] = [
    ("ns", 1e-9),
    ("us", 1e-6),
    ("ms", 1e-3),
    ("s", 1.0),
    ("m", 60.0),
    ("h", 3600.0),
    ("d", 86_400.0),
];

const SIZE_UNITS: [(&str, f64); 5] = [
    ("B", 1.0),
    ("kB", 1024.0),
    ("MB", 1_048_576.0),
    ("GB", 1_073_741_824.0),
    ("TB", 1_099_511_627_776.0),
];

pub fn duration(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(amount(text, &TIME_UNITS)?).ok()
}

/// Rounded down; a fraction of a byte holds nothing.
pub fn bytes(text: &str) -> Option<usize> {
    Some(amount(text, &SIZE_UNITS)? as usize)
}

fn amount(text: &str, units: &[(&str, f64)]) -> Option<f64> {
    let text = text.trim();
    let split = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(split);
    let number: f64 = number.trim().parse().ok()?;
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    (number.is_finite() && number >= 0.0).then_some(number * factor)
}

#[cfg(test)]
mod tests;
