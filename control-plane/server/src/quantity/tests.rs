//! How clients write durations and sizes.

use super::{bytes, duration};
use std::time::Duration;

#[test]
fn durations_with_every_unit() {
    assert_eq!(duration("1s"), Some(Duration::from_secs(1)));
    assert_eq!(duration("30.00s"), Some(Duration::from_secs(30)));
    assert_eq!(duration("250ms"), Some(Duration::from_millis(250)));
    assert_eq!(duration("2.5m"), Some(Duration::from_secs(150)));
    assert_eq!(duration(" 100.00d "), Some(Duration::from_secs(8_640_000)));
}

#[test]
fn sizes_with_every_unit() {
    assert_eq!(bytes("16MB"), Some(16 * 1024 * 1024));
    assert_eq!(bytes("1.5kB"), Some(1536));
    assert_eq!(bytes("7B"), Some(7));
}

#[test]
fn nonsense_is_refused() {
    for text in ["", "s", "1", "-1s", "NaNs", "infs", "1 parsec", "1e400d", "1s2s"] {
        assert_eq!(duration(text), None, "{text}");
    }
    for text in ["", "12", "-1B", "1mb", "many"] {
        assert_eq!(bytes(text), None, "{text}");
    }
}
