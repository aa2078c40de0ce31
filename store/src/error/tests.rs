//! Tests of `error`.

use super::{StoreError, apart};

#[test]
fn how_far_a_clock_is_off_is_said_in_hours_and_minutes() {
    let check = |ahead_s, text: &str| assert_eq!(apart(ahead_s), text);
    check(3_600, "1 h 0 min ahead of");
    check(-1_000, "16 min behind");
    check(90_061, "25 h 1 min ahead of");
    check(-7_230, "2 h 0 min behind");
}

#[test]
fn a_clock_that_is_off_is_named() {
    let error = StoreError::ClockOff {
        bucket: "b".to_owned(),
        key: String::new(),
        ahead_s: -3_600,
    };
    assert!(
        error.to_string().contains("clock is 1 h 0 min behind its own"),
        "{error}"
    );
    assert!(!error.is_transient(), "asking again does not set a clock");
}
