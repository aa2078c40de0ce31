//! Tests of `busy`.

use super::*;
use std::thread::sleep;

const STEP: Duration = Duration::from_millis(20);

#[test]
fn overlapping_reads_count_once() {
    let busy = Arc::new(Busy::default());
    let start = Instant::now();
    let (first, second) = (busy.begin(), busy.begin());
    sleep(STEP);
    drop(first);
    assert!(busy.total() >= STEP);
    drop(second);
    let total = busy.total();
    assert!(total >= STEP && total <= start.elapsed(), "{total:?}");
    sleep(STEP);
    assert_eq!(busy.total(), total, "the clock stands while nothing is read");
}
