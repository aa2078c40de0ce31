//! The append machine, outcome by outcome, and what records say.

use super::{Appender, Put, Role, Standing, State, Step};
use mayfly_protocol::journal::{Accepted, Entry, Outcome, QueryLimits, Record, Request};
use mayfly_protocol::{EpochMs, Meter, StageGraph};
use std::collections::BTreeMap;
use std::time::Duration;

const LEASE: Duration = Duration::from_secs(60);

fn record(writer: &str, at: u64, entries: Vec<Entry>) -> Record {
    Record {
        writer: writer.to_owned(),
        written_at: EpochMs(at),
        entries,
        spent: None,
    }
}

fn epoch(epoch: u32) -> Entry {
    let coordinator = format!("c{epoch}");
    Entry::Epoch { epoch, coordinator }
}

fn finale() -> Entry {
    Entry::Final {
        outcome: Box::new(Outcome::Canceled),
        meter: Box::new(Meter::default()),
    }
}

fn accepted() -> Entry {
    Entry::Accepted(Box::new(Accepted {
        request: Request {
            sql: "SELECT 1".to_owned(),
            user: "ada".to_owned(),
            source: None,
            catalog: None,
            schema: None,
            session: BTreeMap::new(),
            time_zone: None,
            accepted_at: EpochMs(0),
            deadline: EpochMs(600_000),
        },
        limits: QueryLimits::default(),
        graph: StageGraph {
            stages: Vec::new(),
            settings: BTreeMap::new(),
            alternatives: Vec::new(),
        },
        presentation: String::new(),
    }))
}

fn beat() -> Record {
    record("us", 1_000, vec![Entry::Beat { epoch: 1 }])
}

#[test]
fn a_created_record_is_durable_and_the_next_one_has_the_next_number() {
    let mut appender = Appender::new(Role::Owner, 4);
    assert_eq!(appender.judge(&beat(), Put::Created), Step::Done);
    assert_eq!(appender.sequence(), 5);
}

#[test]
fn what_may_have_landed_is_read_back_and_our_own_record_is_no_rival() {
    for unclear in [Put::Exists, Put::Unknown] {
        let mut appender = Appender::new(Role::Owner, 4);
        assert!(matches!(appender.judge(&beat(), unclear), Step::ReadBack { .. }));
        assert_eq!(appender.judge(&beat(), Put::Found(&beat())), Step::Done);
        assert_eq!(appender.sequence(), 5);
    }
}

#[test]
fn what_has_not_landed_is_put_again_each_time_later() {
    let mut appender = Appender::new(Role::Owner, 4);
    for (put, after_ms) in [(Put::Conflict, 50), (Put::Absent, 100), (Put::Conflict, 200)] {
        assert_eq!(appender.judge(&beat(), put), Step::Retry { after_ms });
    }
    for _ in 0..100 {
        appender.judge(&beat(), Put::Conflict);
    }
    assert_eq!(appender.judge(&beat(), Put::Conflict), Step::Retry { after_ms: 5_000 });
    assert_eq!(appender.sequence(), 4);
}

#[test]
fn a_rivals_record_fences_and_so_does_an_earlier_one_of_the_same_writer() {
    let claim = record("them", 1_000, vec![epoch(2)]);
    let earlier = record("us", 999, vec![Entry::Beat { epoch: 1 }]);
    for rival in [claim, earlier] {
        let mut appender = Appender::new(Role::Owner, 4);
        assert_eq!(appender.judge(&beat(), Put::Found(&rival)), Step::Fenced);
    }
}

#[test]
fn a_cancel_from_elsewhere_fences_nobody() {
    let mut appender = Appender::new(Role::Owner, 4);
    let cancel = record("them", 1_000, vec![Entry::Cancel]);
    assert_eq!(appender.judge(&beat(), Put::Found(&cancel)), Step::Next);
    assert_eq!(appender.sequence(), 5);
}

#[test]
fn a_guest_goes_past_every_record_but_the_last() {
    let mut appender = Appender::new(Role::Guest, 4);
    let cancel = record("guest", 1_000, vec![Entry::Cancel]);
    let claim = record("them", 1_000, vec![epoch(2)]);
    let last = record("them", 1_000, vec![finale()]);
    assert_eq!(appender.judge(&cancel, Put::Found(&claim)), Step::Next);
    assert_eq!(appender.judge(&cancel, Put::Found(&last)), Step::Fenced);
}

fn read(records: Vec<Record>) -> Standing {
    let mut standing = Standing::default();
    records.into_iter().for_each(|record| standing.read(record));
    standing
}

#[test]
fn the_last_record_is_a_sign_of_life_for_one_lease() {
    let standing = read(vec![record("us", 5_000, vec![accepted(), epoch(1)])]);
    let until = EpochMs(65_000);
    assert_eq!(standing.state(EpochMs(64_999), LEASE), State::Owned { until });
    assert_eq!(standing.state(until, LEASE), State::Orphan);
    // A clock that is a little behind, and one that is no use.
    let until = EpochMs(63_000);
    assert_eq!(standing.state(EpochMs(3_000), LEASE), State::Owned { until });
    let absurd = read(vec![record("us", 900_000, vec![accepted(), epoch(1)])]);
    assert_eq!(absurd.state(EpochMs(5_000), LEASE), State::Orphan);
    assert_eq!(Standing::default().state(EpochMs(0), LEASE), State::Unknown);
}

#[test]
fn what_was_spent_outlives_records_of_those_who_do_not_know() {
    let spent = |invocations| {
        Some(Box::new(Meter {
            invocations,
            ..Meter::default()
        }))
    };
    let beat = |spent| Record {
        spent,
        ..record("a", 1, vec![Entry::Beat { epoch: 1 }])
    };
    let cancel = record("guest", 2, vec![Entry::Cancel]);
    let claim = record("b", 3, vec![epoch(2)]);
    let standing = read(vec![beat(spent(3)), beat(spent(5)), cancel, claim]);
    assert_eq!(standing.spent.invocations, 5);
}

#[test]
fn a_claim_takes_the_next_epoch_and_hands_over_what_counts() {
    let records = vec![
        record("a", 0, vec![accepted(), epoch(1)]),
        record("a", 1, vec![Entry::Beat { epoch: 1 }]),
        record("b", 2, vec![epoch(2)]),
        record("c", 3, vec![Entry::Cancel]),
    ];
    let standing = read(records);
    assert_eq!((standing.next, standing.epoch), (4, 2));
    assert_eq!(standing.claim("c3"), vec![epoch(3)]);
    let event = standing.resumed("q".parse().expect("an id"), Vec::new());
    let Some(crate::Event::Resumed { epoch: 3, entries, .. }) = event else {
        panic!("{event:?}")
    };
    assert_eq!(entries, vec![epoch(1), epoch(2), Entry::Cancel]);
    assert!(
        Standing::default()
            .resumed("q".parse().expect("an id"), Vec::new())
            .is_none()
    );
}

#[test]
fn after_the_final_record_nobody_takes_over() {
    let standing = read(vec![
        record("a", 0, vec![accepted(), epoch(1)]),
        record("a", 1, vec![finale()]),
    ]);
    assert_eq!(standing.state(EpochMs(900_000), LEASE), State::Ended);
}
