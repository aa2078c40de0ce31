//! Quantities as people read them.

use super::*;

#[test]
fn durations() {
    let shown = [74, 8_149, 59_999, 123_456].map(|ms| duration(Duration::from_millis(ms)));
    assert_eq!(shown, ["74 ms", "8.1 s", "59.9 s", "2 min 03 s"]);
}

#[test]
fn counts() {
    let shown = [0, 1, 999, 1_000, 6_001_215].map(|number| count(number, "row"));
    assert_eq!(shown, ["0 rows", "1 row", "999 rows", "1,000 rows", "6,001,215 rows"]);
}

#[test]
fn amounts_keep_two_significant_digits() {
    let shown = [0, 4, 412_600, 28_793_400, 912_345_678, 1_234_567_890_123].map(|pico| dollars(PicoDollars(pico)));
    assert_eq!(
        shown,
        [
            "$0",
            "$0.000000000004",
            "$0.00000041",
            "$0.000029",
            "$0.000912",
            "$1.234568"
        ]
    );
}
