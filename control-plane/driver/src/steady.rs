//! The time that requests to Lambda and SQS are signed with: what the wall clock showed when this process began, and what has passed since.
//! A wall clock that is set afterwards changes nothing. S3 is left out: its clients are executors' too, whose process may stand still for long.

use aws_smithy_async::time::TimeSource;
use std::sync::OnceLock;
use std::time::{Instant, SystemTime};

static START: OnceLock<(Instant, SystemTime)> = OnceLock::new();

#[derive(Clone, Copy, Debug)]
pub(crate) struct SteadyTime;

impl TimeSource for SteadyTime {
    fn now(&self) -> SystemTime {
        let now = Instant::now();
        let (began, shown) = *START.get_or_init(|| (now, SystemTime::now()));
        shown + now.saturating_duration_since(began)
    }
}
