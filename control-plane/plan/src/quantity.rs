//! Durations and sizes as people write and read them: `30s`, `1.5h`, `64MiB`, `1.2 MB`.

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

const SIZE_UNITS: [(&str, u64); 8] = [
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("b", 1),
    ("", 1),
];

/// `30s`, `1.50m`: a number and one of ns, us, ms, s, m, h, d.
pub fn duration(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(amount(text, &TIME_UNITS)?).ok()
}

/// A number that is not negative and its unit, in units of one.
pub fn amount(text: &str, units: &[(&str, f64)]) -> Option<f64> {
    let text = text.trim();
    let split = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(split);
    let number: f64 = number.trim().parse().ok()?;
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    (number.is_finite() && number >= 0.0).then_some(number * factor)
}

/// `64MiB`, `1 MB`, `500000`: whole and more than nothing. Case does not matter.
pub fn bytes(text: &str) -> Option<u64> {
    let text = text.trim().to_lowercase();
    let (digits, factor) = SIZE_UNITS
        .iter()
        .find_map(|(unit, factor)| text.strip_suffix(unit).map(|digits| (digits.trim(), *factor)))?;
    let number: u64 = digits.parse().ok()?;
    number.checked_mul(factor).filter(|bytes| *bytes > 0)
}

/// Bytes in decimal units with one digit, rounded down.
pub fn size(bytes: u64) -> String {
    let tenths = |unit: u64| format!("{}.{}", bytes / unit, bytes % unit * 10 / unit);
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} kB", tenths(1_000)),
        1_000_000..1_000_000_000 => format!("{} MB", tenths(1_000_000)),
        _ => format!("{} GB", tenths(1_000_000_000)),
    }
}
