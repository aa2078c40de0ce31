//! The progress line.

use super::line;
use crate::client::Stats;
use serde_json::json;

#[test]
fn says_what_is_known() {
    let stats: Stats = serde_json::from_value(json!({
        "state": "RUNNING", "totalSplits": 72, "completedSplits": 41, "elapsedTimeMillis": 8149,
        "processedRows": 6001215, "physicalInputBytes": 1_200_000_000,
        "rootStage": {"done": false, "subStages": [{"done": true, "subStages": []}, {"done": false, "subStages": [{"done": true}]}]},
        "mayfly": {"costUsd": 0.000912},
    }))
    .unwrap();
    let expected = "running · 2/4 stages · 41/72 tasks · 6,001,215 rows · 1.20 GB · 8.1 s · $0.000912";
    assert_eq!(line(&stats), expected);
}

#[test]
fn leaves_out_what_is_not() {
    let stats: Stats = serde_json::from_value(json!({"state": "QUEUED", "rootStage": null, "unknown": 1})).unwrap();
    assert_eq!(line(&stats), "queued · 0 ms");
}
