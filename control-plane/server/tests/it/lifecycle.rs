//! Starting once, waiting, canceling, being abandoned: checklist items 8, 9, 15, 20 to 22.

use super::support::http::next;
use super::support::{bench, settings, start};
use http::StatusCode;
use mayfly_protocol::{ErrorCode, QueryError};
use mayfly_server::ServerSettings;
use mayfly_server::engine::State;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_repeated_post_starts_nothing_twice() {
    let bench = bench().await;
    bench.client.post("rows 1").await;
    let second = bench.client.submit("rows 1").await;
    bench.client.get(&second).await;
    assert_eq!(bench.engine.submissions(), 1);
}

#[tokio::test]
async fn polls_are_held_longer_and_longer() {
    let bench = bench().await;
    let mut uri = bench.client.submit("query 1").await;
    let mut held_ms = Vec::new();
    for _ in 0..4 {
        let start = Instant::now();
        let page = bench.client.get(&uri).await.json();
        held_ms.push(start.elapsed().as_millis());
        uri = next(&page).unwrap();
    }
    for (held, least) in held_ms.iter().zip([100, 200, 400, 800]) {
        assert!((least..least + 90).contains(held), "{held_ms:?}");
    }
}

#[tokio::test]
async fn a_client_may_ask_for_a_shorter_hold() {
    let bench = bench().await;
    let uri = bench.client.submit("query 1").await;
    let start = Instant::now();
    bench.client.get(&format!("{uri}?maxWait=10ms")).await;
    assert!(start.elapsed() < Duration::from_millis(90));
}

#[tokio::test]
async fn a_poll_returns_when_the_query_ends() {
    let bench = bench().await;
    let uri = bench.client.submit("query 2").await;
    let second = next(&bench.client.get(&uri).await.json()).unwrap();
    let third = next(&bench.client.get(&second).await.json()).unwrap();
    assert!(third.contains("/executing/"));
    let query = bench.engine.query();
    let start = Instant::now();
    let end = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        query.becomes(State::Finished);
    };
    let (answer, ()) = tokio::join!(bench.client.get(&third), end);
    assert_eq!(answer.json()["data"].as_array().unwrap().len(), 2);
    assert!(start.elapsed() < Duration::from_millis(200), "{:?}", start.elapsed());
}

#[tokio::test]
async fn columns_are_known_before_rows() {
    let bench = bench().await;
    let uri = bench.client.submit("query 1").await;
    let page = bench.client.get(&uri).await.json();
    assert_eq!(page["stats"]["state"], "RUNNING");
    assert_eq!(page["columns"].as_array().unwrap().len(), 2);
    assert!(page.get("data").is_none());
}

#[tokio::test]
async fn figures_never_fall() {
    let bench = bench().await;
    let uri = bench.client.submit("query 1").await;
    let mut page = bench.client.get(&uri).await.json();
    let query = bench.engine.query();
    let mut done = Vec::new();
    for progress in [3, 7, 5, 6] {
        query.progress(progress);
        page = bench
            .client
            .get(&format!("{}?maxWait=1ms", next(&page).unwrap()))
            .await
            .json();
        let stats = &page["stats"];
        done.push(
            [
                &stats["completedSplits"],
                &stats["wallTimeMillis"],
                &stats["processedRows"],
            ]
            .map(|n| n.as_u64().unwrap()),
        );
        assert_eq!(stats["totalSplits"], 10);
    }
    assert_eq!(done, [[3, 300, 3000], [7, 700, 7000], [7, 700, 7000], [7, 700, 7000]]);
    assert_eq!(
        page["stats"]["mayfly"]["invocations"], 6,
        "the extension shows what is, not the largest so far"
    );
}

#[tokio::test]
async fn delete_cancels_and_is_always_204() {
    let bench = bench().await;
    let uri = bench.client.submit("query 1").await;
    let second = next(&bench.client.get(&uri).await.json()).unwrap();
    for _ in 0..2 {
        let answer = bench.client.delete(&second).await;
        assert_eq!((answer.status, answer.bytes.len()), (StatusCode::NO_CONTENT, 0));
    }
    assert_eq!(bench.engine.query().cancels.load(Ordering::SeqCst), 1);
    let page = bench.client.get(&second).await.json();
    assert_eq!(page["error"]["errorName"], "USER_CANCELED");
    assert!(next(&page).is_none());
    assert_eq!(bench.client.delete(&second).await.status, StatusCode::NO_CONTENT);
    assert_eq!(
        bench
            .client
            .delete("/v1/statement/queued/unknown/secret/1")
            .await
            .status,
        StatusCode::NO_CONTENT
    );
}

#[tokio::test]
async fn a_delete_with_a_wrong_secret_cancels_nothing() {
    let bench = bench().await;
    let uri = bench.client.submit("query 1").await;
    bench.client.get(&uri).await;
    let wrong = uri.replace(uri.split('/').nth_back(1).unwrap(), &"0".repeat(32));
    assert_eq!(bench.client.delete(&wrong).await.status, StatusCode::NO_CONTENT);
    assert_eq!(bench.engine.query().cancels.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn canceled_before_it_started_it_never_starts() {
    let bench = bench().await;
    let uri = bench.client.submit("query 1").await;
    bench.client.delete(&uri).await;
    let page = bench.client.get(&uri).await.json();
    assert_eq!(page["error"]["errorName"], "USER_CANCELED");
    assert_eq!(bench.engine.submissions(), 0);
}

#[tokio::test]
async fn canceled_while_planning_it_is_canceled_once_planned() {
    let bench = bench().await;
    let uri = bench.client.submit("slow 150").await;
    let second = next(&bench.client.get(&format!("{uri}?maxWait=1ms")).await.json()).unwrap();
    bench.client.delete(&second).await;
    let start = Instant::now();
    let page = bench.client.get(&second).await.json();
    assert_eq!(page["error"]["errorName"], "USER_CANCELED");
    assert!(start.elapsed() < Duration::from_millis(90));
}

#[tokio::test]
async fn a_cancel_after_the_end_changes_nothing() {
    let bench = bench().await;
    let uri = bench.client.submit("rows 1").await;
    let page = bench.client.get(&uri).await.json();
    bench.client.delete(&uri).await;
    let info = bench
        .client
        .get(&format!("/v1/query/{}", page["id"].as_str().unwrap()))
        .await
        .json();
    assert_eq!(info["state"], "FINISHED");
}

#[tokio::test]
async fn a_failing_query_fails_with_its_error() {
    let bench = bench().await;
    let uri = bench.client.submit("query 1").await;
    let second = next(&bench.client.get(&uri).await.json()).unwrap();
    let error = QueryError::new(ErrorCode::DivisionByZero, "division by zero");
    bench.engine.query().status.send_modify(|status| {
        status.state = State::Failed;
        status.error = Some(error);
    });
    let page = bench.client.get(&second).await.json();
    assert_eq!(page["error"]["errorName"], "DIVISION_BY_ZERO");
    assert_eq!(page["error"]["errorType"], "USER_ERROR");
}

#[tokio::test]
async fn nobody_polls_and_the_query_is_canceled() {
    let client_timeout = Duration::from_millis(150);
    let bench = start(ServerSettings {
        client_timeout,
        ..settings()
    })
    .await;
    let uri = bench.client.submit("query 1").await;
    let page = bench.client.get(&uri).await.json();
    let query = bench.engine.query();
    assert_eq!(query.cancels.load(Ordering::SeqCst), 0);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(query.cancels.load(Ordering::SeqCst), 1);
    let page = bench.client.get(&next(&page).unwrap()).await.json();
    assert_eq!(page["error"]["errorName"], "ABANDONED_QUERY");
}

#[tokio::test]
async fn heartbeats_and_open_polls_keep_it_alive() {
    let client_timeout = Duration::from_millis(200);
    let bench = start(ServerSettings {
        client_timeout,
        ..settings()
    })
    .await;
    let uri = bench.client.submit("query 1").await;
    let mut next_uri = next(&bench.client.get(&uri).await.json()).unwrap();
    for _ in 0..8 {
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert_eq!(bench.client.head(&next_uri).await.status, StatusCode::OK);
    }
    for _ in 0..3 {
        // The third of these is held for 400 ms and more, longer than the timeout.
        next_uri = next(&bench.client.get(&next_uri).await.json()).unwrap();
    }
    assert_eq!(bench.engine.query().cancels.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_heartbeat_starts_nothing() {
    let bench = bench().await;
    let uri = bench.client.submit("query 1").await;
    assert_eq!(bench.client.head(&uri).await.status, StatusCode::OK);
    assert_eq!(bench.engine.submissions(), 0);
}

#[tokio::test]
async fn registrations_expire() {
    let client_timeout = Duration::from_millis(50);
    let bench = start(ServerSettings {
        client_timeout,
        ..settings()
    })
    .await;
    let uri = bench.client.submit("query 1").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(bench.client.get(&uri).await.status, StatusCode::NOT_FOUND);
    assert_eq!(bench.client.get("/v1/query").await.json().as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn a_server_that_stops_lets_polls_end() {
    let bench = bench().await;
    let uri = bench.client.submit("query 1").await;
    let next_uri = next(&bench.client.get(&uri).await.json()).unwrap();
    let stop = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        bench.shutdown.cancel();
    };
    let (answer, ()) = tokio::join!(bench.client.get(&next_uri), stop);
    assert_eq!(answer.status, StatusCode::OK);
    tokio::time::timeout(Duration::from_secs(3), bench.server.stopped())
        .await
        .expect("stops in time");
}
