//! A client goes on at another server, which has never heard of its query.

use super::support::http::next;
use super::support::{Bench, bench, settings};
use http::StatusCode;
use mayfly_server::engine::State;
use mayfly_server::serve;
use tokio_util::sync::CancellationToken;

/// A second server over the first one's engine; its own clients only.
async fn another(bench: &Bench) -> super::support::Client {
    let server = serve(settings(), bench.engine.clone(), CancellationToken::new())
        .await
        .unwrap();
    super::support::Client::new(server.addr)
}

/// The URI without its server.
fn path(uri: &str) -> String {
    let at = uri.find("/v1/").expect("a path of ours");
    uri[at..].to_owned()
}

#[tokio::test]
async fn a_query_that_runs_is_polled_at_another_server() {
    let bench = bench().await;
    let uri = bench.client.submit("query 2500").await;
    let page = bench.client.get(&format!("{uri}?maxWait=10ms")).await.json();
    let other = another(&bench).await;
    let running = other
        .get(&format!("{}?maxWait=10ms", path(&next(&page).unwrap())))
        .await
        .json();
    assert_eq!(running["stats"]["state"], "RUNNING");
    bench.engine.query().becomes(State::Finished);
    let fetched = other.follow(running, "").await;
    assert_eq!(fetched.rows.len(), 2500);
    assert_eq!(bench.engine.submissions(), 1, "it is not run again");
}

#[tokio::test]
async fn rows_go_on_where_the_client_stands() {
    let bench = bench().await;
    let uri = bench.client.submit("query 5000").await;
    let small = "?targetResultSize=16kB";
    bench.client.get(&format!("{uri}?maxWait=10ms")).await;
    bench.engine.query().becomes(State::Finished);
    let mut page = bench.client.get(&format!("{uri}{small}")).await.json();
    let mut rows = Vec::new();
    let mut pages = 0;
    while let Some(uri) = next(&page) {
        // Each page at a server of its own.
        let other = another(&bench).await;
        page = other.get(&format!("{}{small}", path(&uri))).await.json();
        rows.extend(page["data"].as_array().cloned().unwrap_or_default());
        pages += 1;
    }
    let numbers: Vec<i64> = rows.iter().map(|row| row[0].as_i64().unwrap()).collect();
    assert_eq!(numbers, (0..5000).collect::<Vec<_>>());
    assert!(pages > 5, "{pages} pages");
}

#[tokio::test]
async fn a_stranger_recovers_nothing() {
    let bench = bench().await;
    let uri = bench.client.submit("query 10").await;
    let page = bench.client.get(&format!("{uri}?maxWait=10ms")).await.json();
    let uri = path(&next(&page).unwrap());
    let other = another(&bench).await;
    let slug = uri.split('/').nth_back(1).unwrap();
    for wrong in [
        uri.replace(slug, &"0".repeat(32)),
        format!("{uri}.%21"),
        uri.replace("/executing/", "/executing/2"),
    ] {
        assert_eq!(other.get(&wrong).await.status, StatusCode::NOT_FOUND, "{wrong}");
    }
    assert_eq!(other.get(&uri).await.status, StatusCode::OK);
    other.delete(&uri).await;
    assert_eq!(
        bench.engine.query().cancels.load(std::sync::atomic::Ordering::SeqCst),
        1
    );
}

/// Each lookup is a request to S3 that nobody pays for.
#[tokio::test]
async fn ids_and_secrets_that_cannot_be_ours_are_looked_up_nowhere() {
    let bench = bench().await;
    let slug = "0".repeat(32);
    for wrong in [
        "/v1/statement/queued/x/x/1".to_owned(),
        format!("/v1/statement/queued/x/{slug}/1"),
        "/v1/statement/queued/20261120_151209_00042_k3x9a/x/1".to_owned(),
        format!("/v1/statement/queued/20261120_151209_00042_k3x9a_2/{slug}/1"),
        format!("/v1/statement/queued/20261120_151209_00042_k3x9a/{}/1", "G".repeat(32)),
    ] {
        assert_eq!(bench.client.get(&wrong).await.status, StatusCode::NOT_FOUND, "{wrong}");
        bench.client.delete(&wrong).await;
    }
    assert_eq!(bench.engine.lookups(), 0);
}

#[tokio::test]
async fn a_client_that_guesses_has_one_lookup_at_a_time() {
    let bench = bench().await;
    let guesses = (0..20).map(|guess| {
        format!(
            "/v1/statement/queued/20261120_151209_{guess:05}_k3x9a/{}/1",
            "0".repeat(32)
        )
    });
    let answers = guesses.map(|guess| {
        let client = super::support::Client::new(bench.server.addr);
        tokio::spawn(async move { client.get(&guess).await.status })
    });
    let answers: Vec<_> = answers.collect();
    tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
    let lookups = bench.engine.lookups();
    assert!((1..=4).contains(&lookups), "{lookups} lookups");
    // Who has a query here waits for none of them.
    let uri = bench.client.submit("query 10").await;
    assert_eq!(
        bench.client.get(&format!("{uri}?maxWait=10ms")).await.status,
        StatusCode::OK
    );
    answers.iter().for_each(|answer| answer.abort());
}
