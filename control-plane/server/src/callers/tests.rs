//! Tests of `callers`.

use super::{Caller, Callers};

fn caller(text: &str) -> Caller {
    Caller::of(text.parse().expect("an address"))
}

#[test]
fn a_caller_is_an_address_or_a_site() {
    assert_eq!(caller("10.0.0.1"), caller("::ffff:10.0.0.1"));
    assert_ne!(caller("10.0.0.1"), caller("10.0.0.2"));
    assert_eq!(caller("2001:db8:1:2::1"), caller("2001:db8:1:2:ffff::9"));
    assert_ne!(caller("2001:db8:1:2::1"), caller("2001:db8:1:3::1"));
}

#[tokio::test]
async fn the_connection_that_was_idle_for_longest_makes_room() {
    let callers = Callers::new(3);
    let greedy = caller("10.0.0.1");
    let held: Vec<_> = (0..3).map(|_| callers.admit(greedy).expect("there is room")).collect();
    let working = held[0].line.work();
    let fourth = callers.admit(greedy).expect("one is idle");
    held[1].line.closed().await;
    assert!(held[2].line.is_open() && held[0].line.is_open() && fourth.line.is_open());
    drop(working);
    // It has just been idle for the shortest time.
    let fifth = callers.admit(greedy).expect("one is idle");
    held[2].line.closed().await;
    assert!(held[0].line.is_open() && fifth.line.is_open());
}

#[test]
fn a_caller_at_work_on_all_is_refused_and_others_are_not() {
    let callers = Callers::new(2);
    let held: Vec<_> = (0..2).filter_map(|_| callers.admit(caller("10.0.0.1"))).collect();
    let working: Vec<_> = held.iter().map(|held| held.line.work()).collect();
    assert!(callers.admit(caller("10.0.0.1")).is_none());
    assert!(callers.admit(caller("10.0.0.2")).is_some());
    drop(working);
    drop(held);
    assert!(callers.lock().is_empty(), "nothing is kept of who is gone");
}
