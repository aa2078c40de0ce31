//! One statement against a scripted server.

use super::*;
use crate::arguments::ProgressMode;
use crate::client::Session;
use crate::client::stub::{self, QUERY, Script};
use crate::format::FormatName;
use serde_json::{Value, json};
use std::io;

struct Ended {
    result: Result<(), Failure>,
    ran: Ran,
    out: String,
    deletes: u32,
}

async fn run(scripts: Vec<Script>, stop: &CancellationToken) -> Ended {
    let (server, seen) = stub::serve(scripts).await;
    let mut client = Client::new(&server, Session::default());
    let (mut out, mut ran) = (Vec::new(), Ran::default());
    let mut sink = FormatName::Csv.sink();
    let mut run = Run {
        client: &mut client,
        sink: sink.as_mut(),
        out: &mut out,
        progress: &mut Progress::new(ProgressMode::Never),
        stop,
        origin: Origin {
            text: "SELECT a\nFROM t".to_owned(),
            ..Origin::default()
        },
    };
    let result = run.run("SELECT a\nFROM t", &mut ran).await;
    let deletes = seen.lock().unwrap().deletes;
    Ended {
        result,
        ran,
        out: String::from_utf8(out).unwrap(),
        deletes,
    }
}

fn rows(rows: Value) -> Script {
    Script::Page(json!({"columns": [{"name": "a", "type": "integer"}], "data": rows, "stats": {"state": "RUNNING"}}))
}

#[tokio::test]
async fn rows_of_all_pages_reach_the_sink() {
    let last = Script::Page(json!({"stats": {"state": "FINISHED", "mayfly": {"costUsd": 0.25}}}));
    let ended = run(
        vec![
            Script::Page(json!({})),
            rows(json!([[1], [2]])),
            rows(json!([[3]])),
            last,
        ],
        &CancellationToken::new(),
    )
    .await;
    ended.result.unwrap();
    assert_eq!(ended.out, "a\n1\n2\n3\n");
    assert_eq!((ended.ran.query.as_str(), ended.ran.rows, ended.deletes), (QUERY, 3, 0));
    assert_eq!(ended.ran.stats.cost().unwrap().to_string(), "$0.25");
}

#[tokio::test]
async fn a_result_without_rows_has_its_header() {
    let ended = run(vec![rows(json!([]))], &CancellationToken::new()).await;
    assert_eq!(ended.out, "a\n");
}

#[tokio::test]
async fn a_query_that_fails_before_its_first_row_prints_nothing() {
    let error = json!({"message": "no", "errorName": "GENERIC_INTERNAL_ERROR"});
    let ended = run(
        vec![rows(json!([])), Script::Page(json!({"error": error}))],
        &CancellationToken::new(),
    )
    .await;
    assert!(matches!(ended.result, Err(Failure::Query(_))));
    assert_eq!(ended.out, "");
}

#[tokio::test]
async fn an_update_prints_nothing() {
    let columns = json!([{"name": "result", "type": "boolean"}]);
    let page = Script::Page(json!({"updateType": "CREATE TABLE", "columns": columns, "data": [[true]]}));
    let ended = run(vec![page], &CancellationToken::new()).await;
    ended.result.unwrap();
    assert_eq!(
        (ended.out.as_str(), ended.ran.update_type.as_deref()),
        ("", Some("CREATE TABLE"))
    );
}

#[tokio::test]
async fn an_error_is_shown_at_its_place() {
    let error = json!({"message": "line 2:6: Table 't' does not exist", "errorName": "TABLE_NOT_FOUND",
        "errorLocation": {"lineNumber": 2, "columnNumber": 6}});
    let ended = run(
        vec![rows(json!([[1]])), Script::Page(json!({"error": error}))],
        &CancellationToken::new(),
    )
    .await;
    let text = ended.result.unwrap_err().to_string();
    let expected =
        format!("line 2:6: Table 't' does not exist\n  2 | FROM t\n           ^\nTABLE_NOT_FOUND, query {QUERY}");
    assert_eq!(text, expected);
    assert_eq!(ended.deletes, 0);
}

#[tokio::test]
async fn a_stop_cancels_the_query_and_waits_for_its_end() {
    let stop = CancellationToken::new();
    let later = stop.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        later.cancel();
    });
    let ended = run(vec![rows(json!([[1]])), Script::Hang], &stop).await;
    assert!(matches!(ended.result, Err(Failure::Canceled)));
    assert_eq!((ended.out.as_str(), ended.deletes), ("a\n1\n", 1));
}

#[tokio::test]
async fn a_closed_pipe_cancels_the_query_and_is_no_error() {
    let (server, seen) = stub::serve(vec![rows(json!([[1]])), Script::Hang]).await;
    let mut client = Client::new(&server, Session::default());
    let mut sink = FormatName::Csv.sink();
    let mut run = Run {
        client: &mut client,
        sink: sink.as_mut(),
        out: &mut Closed,
        progress: &mut Progress::new(ProgressMode::Never),
        stop: &CancellationToken::new(),
        origin: Origin {
            text: "SELECT a\nFROM t".to_owned(),
            ..Origin::default()
        },
    };
    let ended = run.run("SELECT 1", &mut Ran::default()).await;
    assert!(matches!(ended, Err(Failure::PipeClosed)));
    assert_eq!(seen.lock().unwrap().deletes, 1);
}

struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
