//! The rules of the Runtime API and the platform's words, without a process.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use expect_test::expect;

use super::environment::{Environment, Event, Misuse};
use super::function::{Function, parts_of};
use super::outcome::{Answer, Exit, Outcome};
use super::output::{Output, TAIL_BYTES_MAX};
use super::report::{Report, Status};
use super::watchdog::Watchdog;
use crate::settings::FunctionSettings;

fn environment(timeout: Duration) -> (Arc<Environment>, tokio::sync::oneshot::Receiver<Result<(), Outcome>>) {
    let settings = FunctionSettings {
        memory_mb: 128,
        timeout,
        ..FunctionSettings::new("f", "/bin/sh")
    };
    let function = Arc::new(Function::new(settings, "eu-west-1").unwrap());
    let (output, _) = Output::new("f").unwrap();
    Environment::new(1, function, output, Arc::new(Watchdog::start()))
}

fn event(request_id: &str) -> Event {
    Event {
        request_id: request_id.to_owned(),
        payload: Bytes::from_static(b"{}"),
        deadline_ms: 1,
        trace_id: String::new(),
    }
}

#[tokio::test]
async fn what_may_follow_what() {
    let (environment, first) = environment(Duration::from_secs(5));
    let answer = || Answer::Response(Bytes::from_static(b"1"));
    assert_eq!(
        environment.answer("r1", answer()),
        Err(Misuse::WrongId),
        "nothing to answer yet"
    );
    let next = environment.next().unwrap();
    assert!(matches!(first.await, Ok(Ok(()))));
    assert_eq!(
        environment.next().err(),
        Some(Misuse::WrongState),
        "one call waits already"
    );
    assert_eq!(
        environment.init_error(Bytes::new()),
        Err(Misuse::WrongState),
        "init is over"
    );

    let invocation = tokio::spawn({
        let environment = environment.clone();
        async move { environment.invoke(event("r1")).await }
    });
    assert_eq!(next.await.unwrap().request_id, "r1");
    assert_eq!(environment.next().err(), Some(Misuse::WrongState), "not answered yet");
    assert_eq!(environment.answer("r0", answer()), Err(Misuse::WrongId));
    assert_eq!(environment.answer("r1", answer()), Ok(()));
    assert_eq!(
        environment.answer("r1", answer()),
        Err(Misuse::WrongState),
        "answered twice"
    );
    assert!(!environment.is_ready(), "it answered but is not back");
    let _next = environment.next().unwrap();
    assert!(matches!(
        invocation.await.unwrap(),
        Outcome::Answered(Answer::Response(_))
    ));
    assert!(environment.is_ready());
}

#[tokio::test]
async fn a_lost_connection_gets_its_event_again() {
    let (environment, _first) = environment(Duration::from_secs(5));
    drop(environment.next().unwrap());
    let invocation = tokio::spawn({
        let environment = environment.clone();
        async move { environment.invoke(event("r1")).await }
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(
        environment.answer("r1", Answer::TooLarge),
        Err(Misuse::WrongState),
        "it never had the event"
    );
    assert_eq!(environment.next().unwrap().await.unwrap().request_id, "r1");
    environment.answer("r1", Answer::TooLarge).unwrap();
    let _next = environment.next().unwrap();
    assert!(matches!(invocation.await.unwrap(), Outcome::Answered(Answer::TooLarge)));
}

#[tokio::test]
async fn an_answer_counts_though_the_runtime_never_comes_back() {
    let (environment, _first) = environment(Duration::from_millis(500));
    let _next = environment.next().unwrap();
    let invocation = tokio::spawn({
        let environment = environment.clone();
        async move { environment.invoke(event("r1")).await }
    });
    tokio::time::sleep(Duration::from_millis(10)).await;
    environment.answer("r1", Answer::Response(Bytes::new())).unwrap();
    assert!(matches!(invocation.await.unwrap(), Outcome::Answered(_)));
    assert_eq!(
        environment.next().err(),
        Some(Misuse::WrongState),
        "its time is up, it is not used again"
    );
}

#[test]
fn report_lines() {
    let report = |init, status, used| Report {
        request_id: "id".to_owned(),
        duration: Duration::from_micros(2_038),
        init,
        memory_mb: 128,
        memory_used_bytes: used,
        status,
    };
    let lines = [
        report(None, Status::Success, 30 << 20),
        report(Some(Duration::from_micros(13_914)), Status::Success, (30 << 20) + 1),
        report(None, Status::Timeout, 1),
        report(None, Status::Error("Runtime.OutOfMemory"), 600 << 20),
    ];
    let text: String = lines
        .iter()
        .map(|report| report.to_string().replace('\t', " → "))
        .collect();
    expect![[r#"
        END RequestId: id
        REPORT RequestId: id → Duration: 2.03 ms → Billed Duration: 3 ms → Memory Size: 128 MB → Max Memory Used: 30 MB → 
        END RequestId: id
        REPORT RequestId: id → Duration: 2.03 ms → Billed Duration: 16 ms → Memory Size: 128 MB → Max Memory Used: 31 MB → Init Duration: 13.91 ms → 
        END RequestId: id
        REPORT RequestId: id → Duration: 2.03 ms → Billed Duration: 3 ms → Memory Size: 128 MB → Max Memory Used: 1 MB → Status: timeout
        END RequestId: id
        REPORT RequestId: id → Duration: 2.03 ms → Billed Duration: 3 ms → Memory Size: 128 MB → Max Memory Used: 128 MB → Status: error → Error Type: Runtime.OutOfMemory
    "#]]
    .assert_eq(&text);
}

#[test]
fn payloads_of_failures() {
    let outcomes = [
        Outcome::TimedOut {
            after: Duration::from_millis(1500),
        },
        Outcome::Exited(Exit::Code(127)),
        Outcome::Exited(Exit::Code(0)),
        Outcome::Exited(Exit::Signal(11)),
        Outcome::Exited(Exit::OutOfMemory),
        Outcome::Answered(Answer::TooLarge),
    ];
    // Field by field: the order of fields hangs on a feature of serde_json that any crate of a workspace may switch on.
    let line = |outcome: &Outcome| {
        let payload: serde_json::Value = serde_json::from_slice(&outcome.payload("id")).unwrap();
        format!(
            "{}: {}\n",
            payload["errorType"].as_str().unwrap(),
            payload["errorMessage"].as_str().unwrap()
        )
    };
    expect![[r#"
        Sandbox.Timedout: RequestId: id Error: Task timed out after 1.50 seconds
        Runtime.ExitError: RequestId: id Error: Runtime exited with error: exit status 127
        Runtime.ExitError: RequestId: id Error: Runtime exited without providing a reason
        Runtime.ExitError: RequestId: id Error: Runtime exited with error: signal: segmentation fault
        Runtime.ExitError: RequestId: id Error: Runtime exited with error: signal: killed
        Function.ResponseSizeTooLarge: Response payload size exceeded maximum allowed payload size (6291556 bytes).
    "#]]
    .assert_eq(&outcomes.iter().map(line).collect::<String>());
}

#[test]
fn names_of_functions() {
    let cases = [
        ("f", None),
        ("f:$LATEST", Some("$LATEST")),
        ("f:7", Some("7")),
        ("000000000000:function:f", None),
        ("arn:aws:lambda:us-east-1:000000000000:function:f", None),
        ("arn:aws:lambda:us-east-1:000000000000:function:f:live", Some("live")),
    ];
    for (spelled, qualifier) in cases {
        assert_eq!(parts_of(spelled), ("f", qualifier), "{spelled}");
    }
}

#[tokio::test]
async fn a_tail_keeps_the_last_bytes_in_order() {
    use std::io::Write;
    let (output, mut writer) = Output::new("f").unwrap();
    writer.write_all(&[b'a'; 10_000]).unwrap();
    output.drain();
    output.note("START\n");
    writer.write_all(b"last words\n").unwrap();
    output.drain();
    output.note("END\n");
    let tail = output.tail();
    assert_eq!(tail.len(), TAIL_BYTES_MAX);
    assert!(tail.ends_with(b"aaSTART\nlast words\nEND\n"));
}
