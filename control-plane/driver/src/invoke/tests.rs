//! Tests of `invoke`.

use super::classify::{crashed, refused};
use super::report_line::ReportLine;
use aws_credential_types::Credentials;
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::{BehaviorVersion, Region};
use mayfly_protocol::FunctionSize;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

const WARM: &str = "START RequestId: 1 Version: $LATEST\nEND RequestId: 1\nREPORT RequestId: 1\tDuration: 12.34 ms\tBilled Duration: 13 ms\tMemory Size: 1769 MB\tMax Memory Used: 64 MB\t\n";

fn used(memory_used_mb: u64) -> Option<ReportLine> {
    Some(ReportLine {
        billed_ms: 5,
        memory_mb: 1_769,
        memory_used_mb,
        cold: false,
    })
}

#[test]
fn a_report_line_gives_time_memory_and_warmth() {
    let line = ReportLine::find(WARM).expect("it stands there");
    assert_eq!(
        line,
        ReportLine {
            billed_ms: 13,
            memory_mb: 1_769,
            memory_used_mb: 64,
            cold: false
        }
    );
    let cold = ReportLine::find(&WARM.replace("64 MB", "64 MB\tInit Duration: 16.50 ms")).expect("it stands there");
    assert_eq!((cold.cold, cold.meter().billed_mb_ms), (true, 13 * 1_769));
    assert_eq!(ReportLine::find("REPORT RequestId: 1"), None);
}

#[test]
fn how_a_function_died_decides_what_is_next() {
    let check = |payload: &str, line, class: &str| {
        assert_eq!(
            crashed(payload.as_bytes(), line, FunctionSize::One).class(),
            class,
            "{payload}"
        );
    };
    let killed = r#"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: 1 Error: Runtime exited with error: signal: killed"}"#;
    check(killed, used(1_769), "needs_memory");
    check(killed, used(64), "environment_lost");
    check(killed, None, "environment_lost");
    check(&killed.replace("signal: killed", "exit status 101"), used(64), "broken");
    check(
        r#"{"errorType":"Sandbox.Timedout","errorMessage":"Task timed out after 1.00 seconds"}"#,
        used(64),
        "timed_out",
    );
    check("not json", None, "broken");
}

/// What an Invoke at that address is called, if its answer fails.
async fn refusal(url: &str) -> (&'static str, bool) {
    let config = aws_sdk_lambda::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(url)
        .retry_config(RetryConfig::disabled())
        .credentials_provider(Credentials::from_keys("id", "secret", None));
    let client = aws_sdk_lambda::Client::from_conf(config.build());
    let error = client
        .invoke()
        .function_name("f")
        .send()
        .await
        .expect_err("nothing answers");
    let (failure, started) = refused(&error);
    (failure.class(), started)
}

/// Reads so much of a request, then hangs up.
async fn hangs_up_after(bytes: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut read = vec![0; bytes];
            let _ = stream.read_exact(&mut read).await;
        }
    });
    url
}

#[tokio::test]
async fn what_was_never_sent_has_not_started_and_what_was_sent_may_have() {
    assert_eq!(refusal("http://127.0.0.1:9").await, ("unreachable", false), "refused");
    assert_eq!(
        refusal("http://nowhere.invalid:9").await,
        ("unreachable", false),
        "no such name"
    );
    assert_eq!(
        refusal("https://127.0.0.1:9").await,
        ("unreachable", false),
        "refused over TLS"
    );
    assert_eq!(
        refusal(&hangs_up_after(100).await).await,
        ("environment_lost", true),
        "cut"
    );
}
