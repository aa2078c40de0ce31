//! Tokens and pages: checklist items 10, and the rules for older, unknown and large pages.

use super::support::http::next;
use super::support::{bench, settings, start};
use http::StatusCode;
use mayfly_server::ServerSettings;
use std::time::Duration;

/// The URI of another page of the same query.
fn at(uri: &str, token: &str) -> String {
    format!("{}/{token}", uri.rsplit_once('/').unwrap().0)
}

#[tokio::test]
async fn the_same_token_gives_the_same_bytes() {
    let bench = bench().await;
    let first = bench.client.submit("rows 5000").await;
    let one = bench.client.get(&format!("{first}?targetResultSize=1kB")).await;
    let two = bench.client.get(&format!("{first}?targetResultSize=64kB")).await;
    assert_eq!(one.bytes, two.bytes);
    assert_eq!(bench.engine.submissions(), 1);
}

#[tokio::test]
async fn two_polls_at_once_get_one_page() {
    let bench = bench().await;
    let uri = bench.client.submit("slow 50").await;
    let (one, two) = tokio::join!(bench.client.get(&uri), bench.client.get(&uri));
    assert_eq!(one.bytes, two.bytes);
    assert_eq!(bench.engine.submissions(), 1);
}

#[tokio::test]
async fn an_older_page_can_be_read_again() {
    let bench = bench().await;
    let first = bench.client.submit("rows 5000").await;
    let small = |uri: &str| format!("{uri}?targetResultSize=1kB");
    let page = bench.client.get(&small(&first)).await.json();
    let second = bench.client.get(&small(&next(&page).unwrap())).await.json();
    bench.client.get(&small(&next(&second).unwrap())).await;
    let again = bench.client.get(&first).await;
    assert_eq!(again.status, StatusCode::OK);
    assert_eq!(again.json()["data"], page["data"]);
    assert_eq!(again.json()["nextUri"], page["nextUri"]);
}

#[tokio::test]
async fn unknown_pages_and_foreign_secrets_are_404() {
    let bench = bench().await;
    let uri = bench.client.submit("rows 1").await;
    let swapped = uri.replace(uri.split('/').nth_back(1).unwrap(), &"0".repeat(32));
    for wrong in [
        at(&uri, "7"),
        at(&uri, "x"),
        at(&uri, "-1"),
        swapped,
        "/v1/statement/queued/q/s/1".to_owned(),
    ] {
        assert_eq!(bench.client.get(&wrong).await.status, StatusCode::NOT_FOUND, "{wrong}");
        assert_eq!(
            bench.client.head(&wrong.replace("/7", "/x")).await.status,
            StatusCode::NOT_FOUND,
            "{wrong}"
        );
    }
    assert_eq!(bench.client.get(&at(&uri, "0")).await.status, StatusCode::GONE);
    assert_eq!(bench.engine.submissions(), 0);
}

#[tokio::test]
async fn after_the_end_there_is_nothing() {
    let bench = bench().await;
    let uri = bench.client.submit("rows 1").await;
    let page = bench.client.get(&uri).await.json();
    assert!(next(&page).is_none());
    assert_eq!(bench.client.get(&at(&uri, "2")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        bench.client.get(&uri).await.json()["data"],
        page["data"],
        "the last page stays"
    );
}

#[tokio::test]
async fn a_status_page_that_is_past_is_gone() {
    let bench = bench().await;
    let first = bench.client.submit("query 1").await;
    let second = next(&bench.client.get(&first).await.json()).unwrap();
    bench.client.get(&second).await;
    assert_eq!(bench.client.get(&first).await.status, StatusCode::GONE);
}

#[tokio::test]
async fn pages_are_about_as_large_as_asked_for() {
    let bench = bench().await;
    let first = bench.client.post("rows 20000").await.json();
    let fetched = bench.client.follow(first, "?targetResultSize=10kB").await;
    let numbers: Vec<i64> = fetched.rows.iter().map(|row| row[0].as_i64().unwrap()).collect();
    assert_eq!(numbers, (0..20_000).collect::<Vec<i64>>());
    for page in &fetched.pages[1..fetched.pages.len() - 1] {
        let length = page["data"].to_string().len();
        assert!((10_240..10_400).contains(&length), "{length}");
    }
}

#[tokio::test]
async fn a_size_beyond_the_bound_is_capped() {
    let bench = bench().await;
    let first = bench.client.post("wide 17000000").await.json();
    let fetched = bench.client.follow(first, "?targetResultSize=128MB").await;
    assert_eq!(
        fetched.rows[0][0].as_str().unwrap().len(),
        17_000_000,
        "a row is never split"
    );
    let first = bench.client.post("rows 5").await.json();
    let uri = next(&first).unwrap();
    for nonsense in ["targetResultSize=huge", "maxWait=soon"] {
        assert_eq!(
            bench.client.get(&format!("{uri}?{nonsense}")).await.status,
            StatusCode::BAD_REQUEST,
            "{nonsense}"
        );
    }
}

#[tokio::test]
async fn rows_are_forgotten_after_a_while() {
    let rows_age_max = Duration::from_millis(40);
    let bench = start(ServerSettings {
        rows_age_max,
        ..settings()
    })
    .await;
    let uri = bench.client.submit("query 3").await;
    bench.client.get(&uri).await;
    let query = bench.engine.query();
    query.becomes(mayfly_server::engine::State::Finished);
    let page = bench.client.get(&at(&uri, "2")).await.json();
    assert_eq!(page["data"].as_array().unwrap().len(), 3);
    assert_eq!(query.releases.load(std::sync::atomic::Ordering::SeqCst), 0);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(bench.client.get(&at(&uri, "2")).await.status, StatusCode::GONE);
    assert_eq!(query.releases.load(std::sync::atomic::Ordering::SeqCst), 1);
}
