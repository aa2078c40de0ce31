//! Which rule strikes, how often, by which seed, and how rules are written.

use super::*;

fn rule(fault: &'static str, probability: f64, target: &str, count_max: Option<u64>) -> FaultRule<&'static str> {
    FaultRule {
        fault,
        probability,
        target: target.to_owned(),
        count_max,
    }
}

#[test]
fn the_first_rule_that_fits_happens_until_it_is_spent() {
    let rules = vec![rule("a", 1.0, "bucket/x/", Some(2)), rule("b", 1.0, "", None)];
    let dice = Dice::new(rules, 7);
    let draws: Vec<_> = (0..3).map(|_| dice.draw("bucket/x/1", |_| true)).collect();
    assert_eq!(draws, [Some("a"), Some("a"), Some("b")]);
    assert_eq!(dice.draw("other", |fault| *fault == "a"), None);
    let fired: Vec<u64> = dice.drawn().iter().map(|drawn| drawn.fired).collect();
    assert_eq!(fired, [2, 1]);
}

#[test]
fn the_seed_says_when() {
    let draws = |seed| {
        let dice = Dice::new(vec![rule("a", 0.3, "", None)], seed);
        (0..1000)
            .map(|_| dice.draw("k", |_| true).is_some())
            .collect::<Vec<_>>()
    };
    assert_eq!(draws(1), draws(1));
    assert_ne!(draws(1), draws(2));
    let fired = draws(1).into_iter().filter(|fired| *fired).count();
    assert!((250..350).contains(&fired), "{fired} of 1000 at 0.3");
}

#[test]
fn settings_are_readable_json() {
    let text = r#"{
        "seed": 9,
        "s3": [{"fault": "slow_down", "probability": 0.1, "target": "bucket/x/"}, {"fault": {"slow": {"bytes_per_s": 1024}}}],
        "sqs": [{"fault": "drop", "count_max": 1}],
        "lambda": [{"fault": {"kill": {"moment": "before_response"}}}]
    }"#;
    let settings: FaultSettings = serde_json::from_str(text).unwrap();
    assert_eq!(settings.s3[0].fault, S3Fault::SlowDown);
    assert_eq!(settings.s3[1].fault, S3Fault::Slow { bytes_per_s: 1024 });
    assert_eq!(settings.sqs[0].count_max, Some(1));
    let again: FaultSettings = serde_json::from_str(&serde_json::to_string(&settings).unwrap()).unwrap();
    assert_eq!(again, settings);
    let wrong = serde_json::from_str::<FaultSettings>(r#"{"s3": [{"fault": "no_such"}]}"#).unwrap_err();
    assert!(wrong.to_string().contains("slow_down"), "{wrong}");
}
