//! The client against a scripted server.

use super::stub::{self, Script};
use super::{Client, ClientError, Session};
use axum::http::StatusCode;
use serde_json::json;

fn session() -> Session {
    Session {
        user: "ada".to_owned(),
        source: "test".to_owned(),
        catalog: Some("lake".to_owned()),
        schema: Some("tpch_sf1".to_owned()),
        properties: [("target_task_bytes".to_owned(), "64 MB, or so".to_owned())].into(),
    }
}

async fn rows_of(scripts: Vec<Script>) -> Result<Vec<String>, ClientError> {
    let (server, _) = stub::serve(scripts).await;
    let mut session = session();
    let mut statement = Client::new(&server, session.clone()).submit("SELECT 1").await?;
    let mut rows = Vec::new();
    while let Some(page) = statement.next_page(&mut session).await? {
        rows.extend(page.rows().unwrap().iter().map(|row| format!("{row:?}")));
    }
    Ok(rows)
}

#[tokio::test]
async fn follows_pages_until_there_is_no_next() {
    let page = |n: u32| Script::Page(json!({"columns": [{"name": "a", "type": "integer"}], "data": [[n]]}));
    let rows = rows_of(vec![page(1), Script::Page(json!({})), page(2)]).await.unwrap();
    assert_eq!(rows, ["[RawValue(1)]", "[RawValue(2)]"]);
}

#[tokio::test]
async fn asks_again_when_the_server_is_busy() {
    let scripts = vec![
        Script::Busy(StatusCode::SERVICE_UNAVAILABLE),
        Script::Page(json!({"data": [[7]]})),
    ];
    assert_eq!(rows_of(scripts).await.unwrap(), ["[RawValue(7)]"]);
}

#[tokio::test]
async fn other_refusals_are_errors_without_the_page_address() {
    let error = rows_of(vec![Script::Busy(StatusCode::GONE)])
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.ends_with("answered 410 Gone: later") && !error.contains("executing"),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_connect_error() {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let client = Client::new(&format!("http://{free}").parse().unwrap(), session());
    assert!(matches!(
        client.submit("SELECT 1").await,
        Err(ClientError::Connect { .. })
    ));
}

#[tokio::test]
async fn sends_the_session_and_takes_over_its_changes() {
    let scripts = vec![
        Script::PageWith(json!({}), "x-trino-set-session", "target_partitions=3+%2B+1"),
        Script::PageWith(json!({}), "x-trino-set-schema", "other"),
        Script::PageWith(json!({}), "x-trino-clear-session", "target_task_bytes"),
    ];
    let (server, seen) = stub::serve(scripts).await;
    let mut client = Client::new(&server, session());
    let mut statement = client.submit("USE other").await.unwrap();
    while statement.next_page(&mut client.session).await.unwrap().is_some() {}
    assert_eq!(client.session.schema.as_deref(), Some("other"));
    assert_eq!(
        client.session.properties,
        [("target_partitions".to_owned(), "3 + 1".to_owned())].into()
    );
    client.submit("SELECT 1").await.unwrap();

    let seen = seen.lock().unwrap();
    let header = |n: usize, name: &str| seen.statements[n].1[name].to_str().unwrap().to_owned();
    assert_eq!(header(0, "x-trino-user"), "ada");
    assert_eq!(header(0, "x-trino-catalog"), "lake");
    assert_eq!(header(0, "x-trino-schema"), "tpch_sf1");
    assert_eq!(header(0, "x-trino-source"), "test");
    assert_eq!(header(0, "x-trino-session"), "target_task_bytes=64+MB%2C+or+so");
    assert_eq!(header(1, "x-trino-schema"), "other");
    assert_eq!(header(1, "x-trino-session"), "target_partitions=3+%2B+1");
}
