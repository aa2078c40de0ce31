//! Which of two bounds ends a planning, and what its error says.

use super::Deadline;
use mayfly_protocol::journal::Request;
use mayfly_protocol::{EpochMs, ErrorCode, limits};
use std::collections::BTreeMap;
use std::time::Duration;

fn at(now: u64, deadline: u64) -> Deadline {
    let request = Request {
        sql: String::new(),
        user: String::new(),
        source: None,
        catalog: None,
        schema: None,
        session: BTreeMap::new(),
        time_zone: None,
        accepted_at: EpochMs(1_000),
        deadline: EpochMs(deadline + limits::DEADLINE_MARGIN_MS),
    };
    Deadline::of(&request, EpochMs(now))
}

#[test]
fn the_shorter_of_both_bounds_holds_and_is_named() {
    let short = at(1_500, 6_000);
    assert_eq!(short.left, Duration::from_millis(4_500));
    let error = short.passed();
    assert_eq!(error.code, ErrorCode::ExceededTimeLimit);
    assert!(error.message.contains("the 5s of max_run_time"), "{error}");

    let long = at(1_500, 3_601_000);
    assert_eq!(long.left, Duration::from_secs(30));
    assert!(long.passed().message.contains("longer than 30s"), "{}", long.passed());
    assert_eq!(at(9_000, 6_000).left, Duration::ZERO);
}
