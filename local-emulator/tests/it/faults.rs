//! Faults as a client sees them. Each is switched on alone, strikes what it names and nothing else, and is counted by its rule.

use std::time::{Duration, Instant};

use aws_sdk_s3::config::ResponseChecksumValidation;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use local_emulator::{FaultRule, FaultSettings, LatencyProfile, S3Fault};

use crate::common::{World, http, start, start_with};

fn s3_fault(fault: S3Fault) -> FaultSettings {
    FaultSettings {
        seed: 5,
        s3: vec![FaultRule::always(fault, "bucket/struck/")],
        ..FaultSettings::default()
    }
}

async fn world() -> (World, aws_sdk_s3::Client) {
    let world = start().await;
    let s3 = world.s3();
    s3.create_bucket().bucket("bucket").send().await.unwrap();
    for key in ["struck/a", "spared/a"] {
        put(&s3, key, "old").await.unwrap();
    }
    (world, s3)
}

/// The error's code, or `-` where the answer itself was lost.
async fn put(s3: &aws_sdk_s3::Client, key: &str, body: &str) -> Result<(), String> {
    let body = ByteStream::from(body.as_bytes().to_vec());
    let sent = s3.put_object().bucket("bucket").key(key).body(body).send().await;
    sent.map(drop).map_err(|error| error.code().unwrap_or("-").to_owned())
}

async fn get(s3: &aws_sdk_s3::Client, key: &str) -> Result<Vec<u8>, String> {
    let got = s3.get_object().bucket("bucket").key(key).send().await;
    let got = got.map_err(|error| error.code().unwrap_or("-").to_owned())?;
    let body = got.body.collect().await.map_err(|_| "body".to_owned())?;
    Ok(body.to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_fail_before_or_after_they_are_applied() {
    let cases = [
        (S3Fault::SlowDown, "SlowDown", "old"),
        (S3Fault::InternalError, "InternalError", "old"),
        (S3Fault::DiskFull, "InternalError", "old"),
        (S3Fault::Reset, "-", "old"),
        (S3Fault::AppliedButError, "InternalError", "new"),
        (S3Fault::AppliedButReset, "-", "new"),
    ];
    for (fault, code, left) in cases {
        let (world, s3) = world().await;
        world.emulator.set_faults(s3_fault(fault.clone()));
        assert_eq!(put(&s3, "struck/a", "new").await, Err(code.to_owned()), "{fault:?}");
        assert_eq!(put(&s3, "spared/a", "new").await, Ok(()), "{fault:?}");
        world.emulator.set_faults(FaultSettings::default());
        assert_eq!(get(&s3, "struck/a").await.unwrap(), left.as_bytes(), "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_are_cut_bent_and_slow() {
    let (world, s3) = world().await;
    let body: String = "0123456789".repeat(10_000);
    for key in ["struck/b", "spared/b"] {
        put(&s3, key, &body).await.unwrap();
    }
    world.emulator.set_faults(s3_fault(S3Fault::Truncate));
    assert_eq!(get(&s3, "struck/b").await, Err("body".to_owned()));
    assert_eq!(get(&s3, "spared/b").await.unwrap(), body.as_bytes());

    world.emulator.set_faults(s3_fault(S3Fault::FlipBit));
    assert_eq!(
        get(&s3, "struck/b").await,
        Err("body".to_owned()),
        "the client verifies checksums"
    );
    let trusting = s3.config().to_builder();
    let trusting = trusting.response_checksum_validation(ResponseChecksumValidation::WhenRequired);
    let bent = get(&aws_sdk_s3::Client::from_conf(trusting.build()), "struck/b")
        .await
        .unwrap();
    let bits: u32 = bent
        .iter()
        .zip(body.as_bytes())
        .map(|(a, b)| (a ^ b).count_ones())
        .sum();
    assert_eq!((bent.len(), bits), (body.len(), 1));

    let bytes_per_s = 500_000;
    world.emulator.set_faults(s3_fault(S3Fault::Slow { bytes_per_s }));
    let since = Instant::now();
    assert_eq!(get(&s3, "struck/b").await.unwrap(), body.as_bytes());
    assert!(since.elapsed() >= Duration::from_millis(200), "100 kB at 500 kB/s");
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_set_and_counted_over_http() {
    let (world, s3) = world().await;
    let page = format!("{}/_emulator/faults", world.emulator.endpoints().lambda);
    let rules = r#"{"seed": 1, "s3": [{"fault": "slow_down", "target": "bucket/struck/", "count_max": 2}]}"#;
    assert_eq!(http("PUT", &page, rules).await.0, 200);
    for expected in [Err("SlowDown".to_owned()), Err("SlowDown".to_owned()), Ok(())] {
        assert_eq!(put(&s3, "struck/a", "new").await, expected);
    }
    let (_, shown) = http("GET", &page, "").await;
    assert!(shown.contains(r#""fired":2"#), "{shown}");
    let (status, message) = http("PUT", &page, r#"{"s3": [{"fault": "nosuch"}]}"#).await;
    assert_eq!(status, 400, "{message}");
    assert!(
        message.contains("slow_down"),
        "the message lists what there is: {message}"
    );
    assert_eq!(http("DELETE", &page, "").await.0, 200);
    assert!(!http("GET", &page, "").await.1.contains("fired"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_aws_profile_makes_requests_wait() {
    let world = start_with(|settings| settings.latency = LatencyProfile::Aws).await;
    let s3 = world.s3();
    let since = Instant::now();
    for _ in 0..5 {
        let _ = s3.list_buckets().send().await.unwrap();
    }
    // The fastest write or listing ever drawn is 22 ms, on the fastest day two thirds of it.
    assert!(since.elapsed() >= Duration::from_millis(5 * 14));
}
