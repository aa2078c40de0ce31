//! Tests of `usage`.

use super::time_left;
use mayfly_protocol::{EpochMs, FunctionSize, TaskSpec};
use std::time::Duration;

/// An order that was sent at 1,000 s with a minute to go, read when the clock here shows so many seconds.
fn left(shown_s: u64) -> Duration {
    let mut spec = spec();
    spec.sent = Some(EpochMs(1_000_000));
    spec.deadline = EpochMs(1_060_000);
    time_left(&spec, EpochMs(shown_s * 1_000))
}

fn spec() -> TaskSpec {
    let json = serde_json::json!({
        "attempt": "q/s0/t0/a0", "plan": {"object": {"digest": "0".repeat(64), "key": "p"}}, "scans": [], "inputs": [],
        "output": {"bucket": "b", "key_prefix": "x/", "partitions": 1, "inline_bytes_max": 0}, "local_partitions": 1,
        "size": FunctionSize::One, "memory_bytes_max": null, "deadline": 1_060_000, "settings": {}, "pin_digest": "0".repeat(64),
    });
    serde_json::from_value(json).expect("a spec")
}

#[test]
fn what_an_order_was_underway_is_taken_off() {
    assert_eq!(left(1_000), Duration::from_secs(60));
    assert_eq!(left(1_004), Duration::from_secs(56));
}

#[test]
fn a_clock_that_is_off_takes_nothing_off_and_adds_nothing() {
    for shown_s in [0, 760, 990, 1_240, 4_600, 100_000] {
        assert_eq!(left(shown_s), Duration::from_secs(60), "at {shown_s} s");
    }
}

#[test]
fn an_order_that_does_not_say_when_it_was_sent_counts_by_the_wall_clock() {
    let spec = spec();
    assert_eq!(time_left(&spec, EpochMs(1_050_000)), Duration::from_secs(10));
    assert_eq!(time_left(&spec, EpochMs(2_000_000)), Duration::ZERO);
}
