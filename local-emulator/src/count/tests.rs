use super::*;

fn counted() -> Counter {
    let counter = Counter::default();
    for (path, operation, status) in [
        ("b/x/1", S3Operation::Get, 200),
        ("b/x/2", S3Operation::Get, 404),
        ("b/x/2", S3Operation::Put, 200),
        ("b/x/2", S3Operation::Put, 503),
        ("b/top", S3Operation::Delete, 204),
        ("b", S3Operation::List, 200),
    ] {
        counter.s3("b", path, operation, StatusCode::from_u16(status).unwrap());
    }
    counter.sqs("SendMessage");
    counter.sqs_billed("jobs", 1);
    counter.sqs_billed("jobs", (64 << 10) + 1);
    counter.function("f \"quoted\"", |counts| counts.billed_ms = 7);
    counter
}

#[test]
fn requests_are_billed_by_class_and_prefix() {
    let billed = counted().counts().billed;
    let of = |tier1, tier2, free| S3Billed { tier1, tier2, free };
    let s3: Vec<_> = billed
        .s3
        .iter()
        .map(|(prefix, billed)| (prefix.as_str(), *billed))
        .collect();
    assert_eq!(s3, [("b", of(1, 0, 0)), ("b/", of(0, 0, 1)), ("b/x/", of(1, 2, 1))]);
    assert_eq!(billed.sqs["jobs"], 3, "a request of more than 64 KiB is charged as two");
}

#[test]
fn prefixes_are_bounded() {
    let mut billed = Billed::default();
    for n in 0..5_000 {
        billed.s3(&format!("b/{n}/key"), S3Operation::Get, StatusClass::Success);
    }
    assert_eq!(billed.s3.len(), 1001);
    let all: u64 = billed.s3.values().map(|billed| billed.tier2).sum();
    assert_eq!((all, billed.s3["(others)"].tier2), (5_000, 4_000));
}

/// Name, labels and value of each line, by the rules of the format; anything else is a failure.
fn parse(text: &str) -> Vec<(String, String, f64)> {
    let is_name = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':');
    let mut families = std::collections::BTreeSet::new();
    let mut samples = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# ") {
            let mut words = rest.split(' ');
            assert!(matches!(words.next(), Some("HELP" | "TYPE")), "{line}");
            families.insert(words.next().unwrap().to_owned());
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        assert!(is_name(name) && families.contains(name), "{line}");
        samples.push((
            name.to_owned(),
            labels.strip_suffix('}').unwrap().to_owned(),
            value.parse().unwrap(),
        ));
    }
    assert!(text.ends_with('\n'));
    samples
}

#[test]
fn metrics_are_in_prometheus_text() {
    let samples = parse(&counted().counts().metrics());
    let value = |name: &str, labels: &str| {
        let found = samples.iter().find(|(n, l, _)| n == name && l == labels);
        found.unwrap_or_else(|| panic!("{name}{{{labels}}} of {samples:?}")).2
    };
    let put = r#"bucket="b",operation="PUT",status="5xx""#;
    assert_eq!(value("emulator_s3_requests_total", put), 1.0);
    assert_eq!(
        value("emulator_s3_billed_requests_total", r#"prefix="b/x/",class="tier2""#),
        2.0
    );
    assert_eq!(
        value(
            "emulator_lambda_billed_milliseconds_total",
            r#"function="f \"quoted\"""#
        ),
        7.0
    );
    assert_eq!(value("emulator_lambda_in_flight", ""), 0.0);
}

#[test]
fn a_reset_keeps_what_is_in_flight() {
    let counter = counted();
    counter.in_flight(2);
    counter.reset();
    let counts = counter.counts();
    assert!(counts.s3.is_empty() && counts.billed == Billed::default() && counts.lambda.functions.is_empty());
    assert_eq!((counts.lambda.in_flight, counts.lambda.concurrency_peak), (2, 2));
}
