//! The last line of a query.

use super::*;
use serde_json::json;

fn line(update_type: Option<&str>, ended: &Result<(), Failure>) -> String {
    let ran = Ran {
        query: "q1".to_owned(),
        rows: 1_000,
        stats: serde_json::from_value(json!({"physicalInputBytes": 1_200_000, "mayfly": {"costUsd": 0.000912}}))
            .unwrap(),
        update_type: update_type.map(str::to_owned),
        warnings: Vec::new(),
    };
    summary(&ran, ended, Duration::from_millis(8_149))
}

#[test]
fn says_what_became_of_the_statement() {
    assert_eq!(line(None, &Ok(())), "1,000 rows · 1.20 MB read · 8.1 s · $0.000912");
    assert_eq!(line(Some("USE"), &Ok(())), "USE · 1.20 MB read · 8.1 s · $0.000912");
    assert_eq!(
        line(None, &Err(Failure::Canceled)),
        "canceled · 1.20 MB read · 8.1 s · $0.000912"
    );
    assert_eq!(
        line(None, &Err(Failure::Broken(String::new()))),
        "failed · 1.20 MB read · 8.1 s · $0.000912"
    );
}
