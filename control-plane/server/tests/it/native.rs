//! The native API: info, queries, bills.

use super::support::http::next;
use super::support::{bench, settings, start};
use http::StatusCode;
use mayfly_cost::{Architecture, PriceBook, bill};
use mayfly_protocol::{Meter, S3Meter, StageId};
use mayfly_server::engine::State;
use mayfly_server::{LocalInfo, LocalKeys, ServerSettings};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

#[tokio::test]
async fn the_server_says_what_it_is() {
    let bench = bench().await;
    let info = bench.client.get("/v1/info").await.json();
    assert!(
        info["nodeVersion"]["version"].as_str().unwrap().parse::<u32>().is_ok(),
        "tools compare it as a number"
    );
    assert_eq!(
        (&info["environment"], &info["starting"]),
        (&"mayfly".into(), &false.into())
    );
    assert_eq!(bench.client.get("/v1/info/state").await.text(), "\"ACTIVE\"");
    assert!(bench.client.get("/").await.text().starts_with("Mayfly "));
    assert_eq!(bench.client.get("/nowhere").await.status, StatusCode::NOT_FOUND);
}

/// The state that a server says, as an engine that says so makes it.
async fn state(is_out: bool, is_silent: bool) -> String {
    let bench = bench().await;
    bench.engine.is_out.store(is_out, Ordering::SeqCst);
    bench.engine.is_silent.store(is_silent, Ordering::SeqCst);
    bench.client.get("/v1/info/state").await.text()
}

#[tokio::test]
async fn a_server_is_active_while_what_it_needs_answers() {
    assert_eq!(state(false, false).await, "\"ACTIVE\"");
    assert_eq!(state(true, false).await, "\"INACTIVE\"");
    assert_eq!(state(false, true).await, "\"INACTIVE\"");
}

#[tokio::test]
async fn many_who_ask_for_the_state_are_one_to_the_engine() {
    let bench = bench().await;
    let asking = (0..50).map(|_| bench.client.get("/v1/info/state"));
    for answer in futures::future::join_all(asking).await {
        assert_eq!(answer.text(), "\"ACTIVE\"");
    }
    let asked = bench.engine.asked.load(Ordering::SeqCst);
    assert!((1..10).contains(&asked), "{asked} times");
}

#[tokio::test]
async fn a_local_cloud_is_told_where_there_is_one() {
    let bench = bench().await;
    assert!(bench.client.get("/v1/mayfly/info").await.json()["local"].is_null());
    let local = LocalInfo {
        s3_endpoint: "http://127.0.0.1:9000".to_owned(),
        bucket: "mayfly".to_owned(),
        keys: Some(LocalKeys {
            access_key_id: "local".to_owned(),
            secret_access_key: "local-secret".to_owned(),
        }),
        region: "us-east-1".to_owned(),
    };
    let foreign = LocalInfo {
        keys: None,
        ..local.clone()
    };
    let price_book = "us-east-1 x86".to_owned();
    let bench = start(ServerSettings {
        local: Some(local),
        price_book,
        ..settings()
    })
    .await;
    let info = bench.client.get("/v1/mayfly/info").await.json();
    assert_eq!(info["local"]["s3_endpoint"], "http://127.0.0.1:9000");
    assert_eq!(info["local"]["bucket"], "mayfly");
    assert_eq!(info["local"]["secret_access_key"], "local-secret");
    assert_eq!(info["price_book"], "us-east-1 x86");
    let bench = start(ServerSettings {
        local: Some(foreign),
        ..settings()
    })
    .await;
    let info = bench.client.get("/v1/mayfly/info").await;
    assert_eq!(info.json()["local"]["bucket"], "mayfly");
    assert!(!info.text().contains("key"), "{}", info.text());
}

#[tokio::test]
async fn a_query_shows_plan_stages_and_bill() {
    let bench = bench().await;
    let headers = [
        ("x-trino-session", "cost_warning=true"),
        ("x-trino-client-tags", "team:a"),
    ];
    let first = bench.client.post_with("query 1", &headers).await.json();
    let path = format!("/v1/query/{}", first["id"].as_str().unwrap());
    assert_eq!(bench.client.get(&path).await.json()["state"], "QUEUED");

    let page = bench.client.get(&next(&first).unwrap()).await.json();
    let query = bench.engine.query();
    query.progress(4);
    let running = bench.client.get(&path).await.json();
    assert_eq!(
        (&running["state"], &running["session"]["user"]),
        (&"RUNNING".into(), &"ann".into())
    );
    assert_eq!(running["session"]["clientTags"][0], "team:a");
    assert_eq!(running["plan"], "Stage 0\n  canned");
    assert_eq!(
        (&running["stages"][0]["stage"], &running["stages"][0]["tasks_done"]),
        (&"s0".into(), &4.into())
    );
    assert!(running.get("bill").is_none());

    query.progress(10);
    query.status.send_modify(|status| status.bill = Some(a_bill()));
    query.becomes(State::Finished);
    let last = bench.client.get(&next(&page).unwrap()).await.json();
    let cost = &last["stats"]["mayfly"];
    assert_eq!(cost["costUsd"].as_f64().unwrap(), a_bill().total.as_dollars_f64());
    assert_eq!(cost["bill"]["total"], a_bill().total.0.to_string());
    assert_eq!(last["warnings"][0]["warningCode"]["name"], "MAYFLY_COST");
    let message = last["warnings"][0]["message"].as_str().unwrap();
    assert!(
        message.starts_with(&format!("cost {}: 10 invocations", a_bill().total)),
        "{message}"
    );

    let finished = bench.client.get(&path).await.json();
    assert_eq!(finished["state"], "FINISHED");
    assert_eq!(finished["bill"], cost["bill"]);
    assert_eq!(
        bench.client.get("/v1/query").await.json()[0]["costUsd"],
        cost["costUsd"]
    );
}

fn a_bill() -> mayfly_cost::Bill {
    let s3 = S3Meter {
        gets: 3,
        puts: 1,
        ..S3Meter::default()
    };
    let meter = Meter {
        invocations: 2,
        billed_mb_ms: 1_769_000,
        s3,
        ..Meter::default()
    };
    bill(
        &PriceBook::us_east_1(Architecture::X86_64),
        &BTreeMap::from([(Some(StageId::new(0)), meter)]),
    )
}

#[tokio::test]
async fn a_query_is_killed_by_id() {
    let bench = bench().await;
    let first = bench.client.post("query 1").await.json();
    let page = bench.client.get(&next(&first).unwrap()).await.json();
    let path = format!("/v1/query/{}", first["id"].as_str().unwrap());
    assert_eq!(bench.client.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(bench.engine.query().cancels.load(Ordering::SeqCst), 1);
    let last = bench.client.get(&next(&page).unwrap()).await.json();
    assert_eq!(last["error"]["message"], "query was killed");
    assert_eq!(
        bench.client.delete("/v1/query/unknown").await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        bench.client.get("/v1/query/unknown").await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(bench.client.get("/v1/query/N%00T").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_secret_is_not_in_the_native_view() {
    let bench = bench().await;
    let first = bench.client.post("query 1").await.json();
    let uri = next(&first).unwrap();
    let slug = uri.split('/').nth_back(1).unwrap();
    assert_eq!(slug.len(), 32);
    let path = format!("/v1/query/{}", first["id"].as_str().unwrap());
    for path in ["/v1/query", path.as_str()] {
        assert!(!bench.client.get(path).await.text().contains(slug), "{path}");
    }
}

#[tokio::test]
async fn ended_queries_are_kept_within_bounds() {
    let bench = start(ServerSettings {
        ended_max: 3,
        rows_age_max: Duration::from_millis(80),
        ..settings()
    })
    .await;
    for _ in 0..6 {
        bench.client.fetch("rows 1").await;
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(bench.client.get("/v1/query").await.json().as_array().unwrap().len(), 3);
    let ages = ServerSettings {
        ended_age_max: Duration::from_millis(60),
        rows_age_max: Duration::from_millis(30),
        ..settings()
    };
    let bench = start(ages).await;
    bench.client.fetch("rows 1").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(
        bench
            .client
            .get("/v1/query")
            .await
            .json()
            .as_array()
            .unwrap()
            .is_empty()
    );
}
