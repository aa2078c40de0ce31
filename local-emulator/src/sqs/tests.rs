//! When a message may be received, with time as an argument.

use std::time::{Duration, Instant};

use super::digest::md5_of_attributes;
use super::messages::{Census, Change, Draft, Messages, Take};
use super::wire::AttributeValue;

const SECOND: Duration = Duration::from_secs(1);

fn draft(body: &str, delay: Duration) -> Draft {
    Draft {
        id: body.to_owned(),
        body: body.to_owned(),
        attributes: Default::default(),
        sent_ms: 0,
        delay,
    }
}

fn receive(messages: &mut Messages, now: Instant, visibility: Duration) -> Vec<(super::messages::Receipt, String)> {
    let take = Take {
        count_max: 10,
        visibility,
        receives_max: None,
        is_reversed: false,
    };
    let received = messages.receive(now, 0, take).unwrap();
    received
        .live
        .into_iter()
        .map(|(receipt, message)| (receipt, message.body))
        .collect()
}

#[test]
fn visibility() {
    let (mut messages, now) = (Messages::default(), Instant::now());
    messages.send(now, draft("a", Duration::ZERO));
    messages.send(now, draft("b", 2 * SECOND));
    assert_eq!(
        messages.census(now),
        Census {
            visible: 1,
            in_flight: 0,
            delayed: 1
        }
    );
    let first = receive(&mut messages, now, 5 * SECOND);
    assert_eq!(first.len(), 1);
    assert_eq!(messages.next_at(), Some(now + 2 * SECOND));
    assert_eq!(
        messages.census(now),
        Census {
            visible: 0,
            in_flight: 1,
            delayed: 1
        }
    );
    assert_eq!(receive(&mut messages, now + 2 * SECOND, 60 * SECOND)[0].1, "b");
    assert_eq!(receive(&mut messages, now + 4 * SECOND, SECOND), []);

    assert_eq!(
        messages.change_visibility(now + 4 * SECOND, first[0].0, 10 * SECOND),
        Change::Done
    );
    assert_eq!(receive(&mut messages, now + 13 * SECOND, SECOND), []);
    let second = receive(&mut messages, now + 14 * SECOND, SECOND);
    assert_eq!(second[0].1, "a");
    assert_eq!(
        messages.change_visibility(now + 14 * SECOND, first[0].0, SECOND),
        Change::NotInFlight,
        "stale"
    );
    messages.delete(first[0].0);
    assert_eq!(
        messages.census(now + 14 * SECOND).in_flight,
        2,
        "a stale receipt deletes nothing"
    );
    assert_eq!(
        messages.change_visibility(now + 15 * SECOND, second[0].0, SECOND),
        Change::NotInFlight,
        "visible again"
    );
    messages.delete(second[0].0);
    assert_eq!(
        messages.census(now + 15 * SECOND).visible,
        0,
        "a receipt deletes also after its time, until the next receive"
    );
}

#[test]
fn retention() {
    let (mut messages, now) = (Messages::default(), Instant::now());
    messages.send(now, draft("old", Duration::ZERO));
    messages.send(now + 5 * SECOND, draft("young", Duration::ZERO));
    messages.expire(now + 8 * SECOND, 7 * SECOND);
    assert_eq!(receive(&mut messages, now + 8 * SECOND, SECOND)[0].1, "young");
    assert_eq!(messages.census(now + 8 * SECOND).in_flight, 1);
}

#[test]
fn attribute_digest() {
    let value = |data_type: &str, string: Option<&str>, binary: Option<&str>| AttributeValue {
        data_type: data_type.to_owned(),
        string_value: string.map(str::to_owned),
        binary_value: binary.map(str::to_owned),
    };
    assert_eq!(md5_of_attributes(&Default::default()), None);
    // As boto3's own checker computes it: names sorted, lengths big-endian, 1 for text, 2 for bytes.
    let attributes = [
        ("timestamp".to_owned(), value("Number", Some("1493147359900"), None)),
        ("bin".to_owned(), value("Binary", None, Some("AAEC"))),
    ];
    assert_eq!(
        md5_of_attributes(&attributes.into()).as_deref(),
        Some("a394dc94dabc26ca968e544e171c13c9")
    );
    let one = [("timestamp".to_owned(), value("Number", Some("1493147359900"), None))];
    assert_eq!(
        md5_of_attributes(&one.into()).as_deref(),
        Some("235c5c510d26fb653d073faed50ae77c")
    );
}
