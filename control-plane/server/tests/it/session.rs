//! What a client brings in headers and takes home in headers: checklist items 11, 12, 14.

use super::support::http::next;
use super::support::{bench, settings, start};
use mayfly_server::ServerSettings;

#[tokio::test]
async fn the_request_reaches_the_engine() {
    let bench = bench().await;
    let headers = [
        ("x-trino-source", "dbt"),
        ("x-trino-catalog", "lake"),
        ("x-trino-schema", "tpch"),
        (
            "x-trino-session",
            "target_task_bytes=1MB,query_max_run_time=5m,query_priority=1",
        ),
        ("x-trino-session", "target_partitions=3"),
        ("x-trino-session", ""),
    ];
    let first = bench.client.post_with("rows 1", &headers).await.json();
    bench.client.follow(first, "").await;
    let request = bench.engine.submitted.lock().unwrap()[0].clone();
    assert_eq!((request.sql.as_str(), request.user.as_str()), ("rows 1", "ann"));
    assert_eq!(request.source.as_deref(), Some("dbt"));
    assert_eq!(
        (request.catalog.as_deref(), request.schema.as_deref()),
        (Some("lake"), Some("tpch"))
    );
    let session: Vec<String> = request
        .session
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    assert_eq!(
        session,
        [
            "query_max_run_time=5m",
            "query_priority=1",
            "target_partitions=3",
            "target_task_bytes=1MB"
        ],
        "the planner judges all of it"
    );
    // Executors stop a second before the deadline: they have all of the time.
    assert_eq!(request.deadline.since(request.accepted_at).as_secs(), 301);
}

#[tokio::test]
async fn changes_come_back_as_headers() {
    let bench = bench().await;
    let uri = bench.client.submit("use").await;
    let answer = bench.client.get(&uri).await;
    assert_eq!(answer.header("x-trino-set-catalog"), Some("lake"));
    assert_eq!(answer.header("x-trino-set-schema"), Some("tpch"));
    let set: Vec<&str> = answer
        .headers
        .get_all("x-trino-set-session")
        .iter()
        .map(|value| value.to_str().unwrap())
        .collect();
    assert_eq!(set, ["a=x%2C+y%3Dz", "b=2"]);
    assert_eq!(answer.header("x-trino-clear-session"), Some("c"));
    let page = answer.json();
    assert_eq!(page["updateType"], "USE");
    assert_eq!(page["columns"].to_string(), "[]");
    assert!(page.get("data").is_none() && next(&page).is_none());
}

#[tokio::test]
async fn a_statement_is_prepared_run_and_forgotten() {
    let bench = bench().await;
    let uri = bench.client.submit("PREPARE q FROM SELECT ?").await;
    let answer = bench.client.get(&uri).await;
    assert_eq!(answer.header("x-trino-added-prepare"), Some("q=SELECT+%3F"));
    assert_eq!(answer.json()["updateType"], "PREPARE");

    let prepared = [("x-trino-prepared-statement", "q=SELECT+%3F")];
    let first = bench.client.post_with("EXECUTE q USING 42", &prepared).await.json();
    let fetched = bench.client.follow(first, "").await;
    assert_eq!(fetched.rows[0][0], 42);

    let uri = bench.client.submit("DEALLOCATE PREPARE q").await;
    let answer = bench.client.get(&uri).await;
    assert_eq!(answer.header("x-trino-deallocated-prepare"), Some("q"));
    assert_eq!(answer.json()["updateType"], "DEALLOCATE");
}

#[tokio::test]
async fn execute_immediate_as_python_probes_it() {
    let bench = bench().await;
    assert_eq!(bench.client.fetch("EXECUTE IMMEDIATE 'SELECT 1'").await.rows[0][0], 1);
    assert_eq!(
        bench.client.fetch("EXECUTE IMMEDIATE 'SELECT ?' USING 7").await.rows[0][0],
        7
    );
    let refused = bench.client.fetch("EXECUTE IMMEDIATE 'SELECT ?'").await;
    assert_eq!(refused.last()["error"]["errorName"], "INVALID_ARGUMENTS");
}

#[tokio::test]
async fn properties_of_the_server_are_checked_at_once() {
    let bench = bench().await;
    for (property, name) in [
        ("cost_warning=maybe", "cost_warning"),
        ("query_max_run_time=x", "query_max_run_time"),
    ] {
        let page = bench
            .client
            .post_with("rows 1", &[("x-trino-session", property)])
            .await
            .json();
        assert_eq!(page["error"]["errorName"], "INVALID_SESSION_PROPERTY");
        assert!(page["error"]["message"].as_str().unwrap().contains(name));
        assert!(next(&page).is_none());
    }
}

#[tokio::test]
async fn addresses_follow_the_host_header() {
    let bench = start(ServerSettings {
        names: vec!["sql.example.com".to_owned()],
        ..settings()
    })
    .await;
    let page = bench
        .client
        .post_with("rows 1", &[("host", "sql.example.com:81")])
        .await
        .json();
    assert!(
        page["nextUri"]
            .as_str()
            .unwrap()
            .starts_with("http://sql.example.com:81/v1/statement/")
    );
    assert!(
        page["infoUri"]
            .as_str()
            .unwrap()
            .starts_with("http://sql.example.com:81/v1/query/")
    );
}
