//! Sizes as Trino's clients write them, in powers of two: `16MB`. Durations are everybody's.

use mayfly_plan::quantity::amount;
pub use mayfly_plan::quantity::duration;

const SIZE_UNITS: [(&str, f64); 5] = [
    ("B", 1.0),
    ("kB", 1024.0),
    ("MB", 1_048_576.0),
    ("GB", 1_073_741_824.0),
    ("TB", 1_099_511_627_776.0),
];

/// Rounded down; a fraction of a byte holds nothing.
pub fn bytes(text: &str) -> Option<usize> {
    Some(amount(text, &SIZE_UNITS)? as usize)
}

#[cfg(test)]
mod tests;
