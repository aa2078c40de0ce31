//! Tests of `hedge`.

use super::*;
use std::cell::Cell;

/// The answers of one request and its twin: what, after how long.
async fn asked(hedging: &Hedging, answers: [(Result<u32, &'static str>, u64); 2]) -> (Result<u32, &'static str>, u32) {
    let sent = Cell::new(0_usize);
    let twins = Cell::new(0);
    let send = || {
        let (answer, after_ms) = answers[sent.replace(sent.get() + 1)];
        async move {
            tokio::time::sleep(Duration::from_millis(after_ms)).await;
            answer
        }
    };
    let retried = AtomicBool::new(false);
    let answer = hedging.first(send, &retried, || twins.set(twins.get() + 1)).await;
    (answer, twins.get())
}

#[tokio::test]
async fn a_late_answer_is_overtaken_by_its_twin() {
    let hedging = Hedging::default();
    assert_eq!(asked(&hedging, [(Ok(1), 1), (Ok(2), 0)]).await, (Ok(1), 0), "in time");
    assert_eq!(asked(&hedging, [(Ok(1), 60_000), (Ok(2), 10)]).await, (Ok(2), 1));
}

#[tokio::test]
async fn an_error_counts_when_both_have_failed() {
    let late = Hedging::default;
    assert_eq!(asked(&late(), [(Err("a"), 300), (Ok(2), 400)]).await, (Ok(2), 1));
    assert_eq!(asked(&late(), [(Ok(1), 400), (Err("b"), 10)]).await, (Ok(1), 1));
    assert_eq!(asked(&late(), [(Err("a"), 300), (Err("b"), 400)]).await, (Err("b"), 1));
    assert_eq!(
        asked(&late(), [(Err("a"), 1), (Ok(2), 0)]).await,
        (Err("a"), 0),
        "failing is not being late"
    );
}

#[tokio::test]
async fn what_is_retried_gets_no_twin() {
    let send = || async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        Ok::<_, ()>(1)
    };
    let retried = AtomicBool::new(true);
    let answer = Hedging::default().first(send, &retried, || panic!("a twin")).await;
    assert_eq!(answer, Ok(1));
}

#[test]
fn twins_are_few() {
    let hedging = Hedging::default();
    let late = |_: &u32| {
        hedging.note(Duration::from_millis(500));
        hedging.spend()
    };
    assert_eq!((0..1_000).filter(late).count(), 21, "one at first, and 2 %");
}

#[test]
fn patience_is_what_nearly_all_needed() {
    let hedging = Hedging::default();
    assert_eq!(hedging.patience(), PATIENCE_FIRST);
    (0..980).for_each(|_| hedging.note(Duration::from_millis(300)));
    (0..20).for_each(|_| hedging.note(Duration::from_millis(3_000)));
    let patience = hedging.patience().as_millis();
    assert!((3_000..3_600).contains(&patience), "{patience} ms");
    (0..1_500).for_each(|_| hedging.note(Duration::from_millis(300)));
    let patience = hedging.patience().as_millis();
    assert!((300..360).contains(&patience), "{patience} ms");
    (0..60_000).for_each(|_| hedging.note(Duration::from_millis(2)));
    assert_eq!(hedging.patience(), PATIENCE_MIN);
}

#[test]
fn every_latency_has_a_bucket_that_reaches_it() {
    for ms in [0, 1, 2, 9, 50, 77, 1_000, 60_000] {
        let latency = Duration::from_millis(ms);
        assert!(reach(bucket(latency)) + Duration::from_micros(1) >= latency, "{ms}");
    }
    assert_eq!(bucket(Duration::from_secs(1_000_000)), BUCKETS - 1);
}
