//! The emulator's own bill, over HTTP: as JSON, as Prometheus text, and reset.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::common::{World, start};
use aws_sdk_s3::primitives::ByteStream;

async fn page(world: &World, method: &str, page: &str) -> String {
    let address = world
        .emulator
        .endpoints()
        .lambda
        .trim_start_matches("http://")
        .to_owned();
    let request = format!("{method} /_emulator/{page} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    let exchange = move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    };
    tokio::task::spawn_blocking(exchange).await.unwrap()
}

/// Strict: HELP, then TYPE, then samples of that metric alone, each once, labels quoted, values whole.
fn samples(text: &str) -> std::collections::BTreeMap<String, u64> {
    let (mut help, mut current, mut samples) = (String::new(), String::new(), std::collections::BTreeMap::new());
    assert!(text.ends_with('\n'));
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest.split(' ').next().unwrap().to_owned();
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(name, help, "HELP stands before TYPE");
            assert!(matches!(kind, "counter" | "gauge"), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            current = name.to_owned();
        } else {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let labels = series
                .strip_prefix(&current)
                .unwrap_or_else(|| panic!("{line} is not of {current}"));
            if !labels.is_empty() {
                let labels = labels
                    .strip_prefix('{')
                    .and_then(|labels| labels.strip_suffix('}'))
                    .unwrap();
                for label in labels.split("\",") {
                    let (name, _) = label.split_once("=\"").unwrap();
                    assert!(
                        name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
                        "{line}"
                    );
                }
            }
            let value = value.parse().unwrap();
            assert_eq!(samples.insert(series.to_owned(), value), None, "twice: {series}");
        }
    }
    samples
}

#[tokio::test]
async fn requests_are_counted_by_prefix_and_by_64_kib() {
    let world = start().await;
    let (s3, sqs) = (world.s3(), world.sqs());
    s3.create_bucket()
        .bucket("bills")
        .send()
        .await
        .unwrap_or_else(|error| panic!("{error:?}"));
    for key in ["a/1", "a/2", "c/d/e", "plain"] {
        let body = ByteStream::from_static(b"x");
        s3.put_object()
            .bucket("bills")
            .key(key)
            .body(body)
            .send()
            .await
            .unwrap();
    }
    let url = sqs
        .create_queue()
        .queue_name("jobs")
        .send()
        .await
        .unwrap()
        .queue_url
        .unwrap();
    for bytes in [1, 64 << 10, (64 << 10) + 1] {
        let send = sqs.send_message().queue_url(&url).message_body("x".repeat(bytes));
        send.send().await.unwrap();
    }
    let receive = sqs.receive_message().queue_url(&url).max_number_of_messages(10);
    assert_eq!(receive.send().await.unwrap().messages().len(), 3);

    let counts: serde_json::Value = serde_json::from_str(&page(&world, "GET", "counts").await).unwrap();
    assert_eq!(counts["s3_prefixes"]["bills"]["a"]["PUT"]["2xx"], 2);
    assert_eq!(counts["s3_prefixes"]["bills"]["c"]["PUT"]["2xx"], 1);
    assert_eq!(counts["s3_prefixes"]["bills"][""]["PUT"]["2xx"], 1);
    assert_eq!(counts["sqs_queues"]["jobs"]["SendMessage"]["requests"], 3);
    assert_eq!(
        counts["sqs_queues"]["jobs"]["SendMessage"]["billed_requests"],
        1 + 1 + 2
    );
    assert_eq!(
        counts["sqs_queues"]["jobs"]["ReceiveMessage"]["billed_requests"], 3,
        "128 KiB and 2 bytes"
    );

    let metrics = samples(&page(&world, "GET", "metrics").await);
    assert_eq!(
        metrics[r#"emulator_s3_prefix_requests_total{bucket="bills",prefix="a",operation="PUT",status="2xx"}"#],
        2
    );
    assert_eq!(
        metrics[r#"emulator_s3_requests_total{bucket="bills",operation="PUT",status="2xx"}"#],
        4
    );
    assert_eq!(
        metrics[r#"emulator_sqs_billed_requests_total{queue="jobs",action="SendMessage"}"#],
        4
    );
    assert_eq!(metrics["emulator_lambda_in_flight"], 0);

    let reset: serde_json::Value = serde_json::from_str(&page(&world, "DELETE", "counts").await).unwrap();
    assert_eq!(reset["sqs"], serde_json::json!({}));
    assert!(world.emulator.counts().s3.is_empty());
}
