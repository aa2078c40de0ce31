//! Faults as a client sees them. Each is switched on alone, strikes what it names and nothing else, and is counted by its rule.

use std::time::{Duration, Instant};

use aws_sdk_s3::config::ResponseChecksumValidation;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use local_emulator::{FaultRule, FaultSettings, LatencyProfile, S3Fault, SqsFault};

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

async fn bodies(sqs: &aws_sdk_sqs::Client, url: &str, wait_s: i32) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let request = sqs.receive_message().queue_url(url).max_number_of_messages(10);
        let received = request.wait_time_seconds(wait_s).send().await.unwrap();
        let messages = received.messages.unwrap_or_default();
        if messages.is_empty() {
            return all;
        }
        for message in messages {
            let handle = message.receipt_handle().unwrap();
            sqs.delete_message()
                .queue_url(url)
                .receipt_handle(handle)
                .send()
                .await
                .unwrap();
            all.push(message.body().unwrap().to_owned());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_dropped_doubled_and_late() {
    let world = start().await;
    let sqs = world.sqs();
    let created = sqs.create_queue().queue_name("jobs").send().await.unwrap();
    let url = created.queue_url.unwrap();
    let switch = |fault: Option<SqsFault>| {
        world.emulator.set_faults(FaultSettings {
            sqs: fault
                .map(|fault| FaultRule::always(fault, "jobs"))
                .into_iter()
                .collect(),
            ..FaultSettings::default()
        });
    };
    let send = async |fault: SqsFault, body: &str| {
        switch(Some(fault));
        sqs.send_message()
            .queue_url(&url)
            .message_body(body)
            .send()
            .await
            .unwrap();
        switch(None);
    };
    send(SqsFault::Drop, "dropped").await;
    assert!(bodies(&sqs, &url, 0).await.is_empty());
    send(SqsFault::Duplicate, "doubled").await;
    assert_eq!(
        bodies(&sqs, &url, 0).await,
        ["doubled", "doubled"],
        "deleting the one leaves the other"
    );
    send(SqsFault::Delay { ms: 300 }, "late").await;
    assert!(bodies(&sqs, &url, 0).await.is_empty());
    assert_eq!(bodies(&sqs, &url, 2).await, ["late"]);

    sqs.send_message()
        .queue_url(&url)
        .message_body("there")
        .send()
        .await
        .unwrap();
    switch(Some(SqsFault::EmptyReceive));
    assert!(bodies(&sqs, &url, 5).await.is_empty(), "empty and at once");
    switch(None);
    assert_eq!(bodies(&sqs, &url, 0).await, ["there"]);

    switch(Some(SqsFault::InternalError));
    let refused = sqs
        .send_message()
        .queue_url(&url)
        .message_body("x")
        .send()
        .await
        .unwrap_err();
    assert_eq!(refused.raw_response().map(|raw| raw.status().as_u16()), Some(500));
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_and_metrics_are_read_and_reset_over_http() {
    let (world, _s3) = world().await;
    let page = |name: &str| format!("{}/_emulator/{name}", world.emulator.endpoints().lambda);
    let (status, text) = http("GET", &page("metrics"), "").await;
    assert_eq!(status, 200);
    let line = r#"emulator_s3_billed_requests_total{prefix="bucket/struck/",class="tier1"} 1"#;
    assert!(text.lines().any(|found| found == line), "{text}");
    let (_, counts) = http("GET", &page("counts"), "").await;
    let counts: serde_json::Value = serde_json::from_str(&counts).unwrap();
    assert_eq!(counts["billed"]["s3"]["bucket/struck/"]["tier1"], 1, "{counts}");
    assert_eq!(http("DELETE", &page("counts"), "").await.0, 200);
    assert!(world.emulator.counts().s3.is_empty());
}
