//! What a page holds: checklist items 1 to 4, 6, 7, 13, 14, 16 of the protocol.

use super::support::{bench, canned};
use expect_test::expect;
use http::StatusCode;
use serde_json::Value;

#[tokio::test]
async fn a_post_has_a_next_page_and_no_rows() {
    let bench = bench().await;
    let answer = bench.client.post("rows 3").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let page = answer.json();
    let id = page["id"].as_str().unwrap();
    assert!(
        page["nextUri"]
            .as_str()
            .unwrap()
            .starts_with(&format!("{}/v1/statement/queued/{id}/", bench.client.base))
    );
    assert_eq!(page["infoUri"], format!("{}/v1/query/{id}", bench.client.base));
    assert_eq!(page["stats"]["state"], "QUEUED");
    assert!(page.get("data").is_none() && page.get("columns").is_none() && page.get("error").is_none());
    assert_eq!(bench.engine.submissions(), 0, "nothing starts before the first poll");
}

#[tokio::test]
async fn an_id_has_the_form_that_people_paste() {
    let bench = bench().await;
    let ids = [
        bench.client.post("rows 1").await.json(),
        bench.client.post("rows 1").await.json(),
    ];
    let ids: Vec<&str> = ids.iter().map(|page| page["id"].as_str().unwrap()).collect();
    let shape = |id: &str| {
        id.chars()
            .map(|c| if c.is_ascii_digit() { '9' } else { c })
            .collect::<String>()
    };
    assert!(shape(ids[0]).starts_with("99999999_999999_99999_"), "{}", ids[0]);
    assert_eq!(ids[0].len(), 27);
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn rows_come_with_columns_and_an_end() {
    let bench = bench().await;
    let fetched = bench.client.fetch("rows 3").await;
    assert_eq!(
        Value::from(fetched.rows.clone()).to_string(),
        r#"[[0,"row 0"],[1,"row 1"],[2,"row 2"]]"#
    );
    let last = fetched.last();
    assert_eq!(last["stats"]["state"], "FINISHED");
    assert_eq!(
        last["columns"][0].to_string(),
        r#"{"name":"n","type":"bigint","typeSignature":{"arguments":[],"rawType":"bigint"}}"#
    );
    assert_eq!(last["warnings"].to_string(), "[]");
}

#[tokio::test]
async fn every_page_says_where_the_query_stands() {
    let bench = bench().await;
    for sql in ["rows 3", "empty", "use", "no such word", "panic", "torn"] {
        for page in bench.client.fetch(sql).await.pages {
            assert!(
                page["infoUri"].as_str().unwrap().contains(page["id"].as_str().unwrap()),
                "{sql}"
            );
            assert!(page["stats"]["state"].is_string(), "{sql}");
            assert!(
                page.get("data").is_none() || page.get("columns").is_some(),
                "{sql}: rows without columns"
            );
        }
    }
}

#[tokio::test]
async fn a_result_without_rows_has_columns() {
    let bench = bench().await;
    let fetched = bench.client.fetch("empty").await;
    assert!(fetched.rows.is_empty());
    assert_eq!(fetched.last()["columns"].as_array().unwrap().len(), 2);
    assert!(fetched.last().get("data").is_none());
}

#[tokio::test]
async fn every_type_in_one_row() {
    let bench = bench().await;
    let fetched = bench.client.fetch("types").await;
    let columns = fetched.last()["columns"].as_array().unwrap();
    let lines = columns.iter().enumerate().map(|(index, column)| {
        let name = column["name"].as_str().unwrap();
        assert!(column["typeSignature"]["arguments"].is_array(), "{name}");
        assert!(fetched.rows[1][index].is_null(), "{name}");
        format!("{name} {} {}", column["type"].as_str().unwrap(), fetched.rows[0][index])
    });
    expect![[r#"
        c_boolean boolean true
        c_tinyint tinyint -128
        c_smallint smallint -32768
        c_integer integer -2147483648
        c_bigint bigint 9223372036854775807
        c_unsigned decimal(20, 0) "18446744073709551615"
        c_real real 0.1
        c_double double 1.0
        c_nan double "NaN"
        c_infinity double "-Infinity"
        c_decimal decimal(10, 2) "1.50"
        c_varchar varchar "naïve \"🐝\""
        c_view varchar "a view of some length"
        c_dictionary varchar "word"
        c_varbinary varbinary "AP8="
        c_date date "2020-01-31"
        c_time time(6) "01:02:03.000004"
        c_timestamp_s timestamp(0) "2020-01-31 01:02:03"
        c_timestamp_us timestamp(6) "2020-01-31 01:02:03.456789"
        c_timestamp_ns timestamp(9) "2020-01-31 01:02:03.456789012"
        c_utc timestamp(3) with time zone "2020-01-31 01:02:03.456 UTC"
        c_zone timestamp(3) with time zone "2020-01-30 20:02:03.456 America/New_York"
        c_offset timestamp(3) with time zone "2020-01-31 06:32:03.456 +05:30"
        c_months interval year to month "-1-2"
        c_days interval day to second "2 03:04:05.678"
        c_array array(integer) [1,null]
        c_map map(bigint, varchar) {"1":"one"}
        c_row row(x bigint, "My y" double) [1,2.0]
        c_null unknown null"#]]
    .assert_eq(&lines.collect::<Vec<_>>().join("\n"));
}

#[tokio::test]
async fn a_client_without_precisions_gets_milliseconds() {
    let bench = bench().await;
    let headers = [("x-trino-user", "ann")];
    let first = bench
        .client
        .send(http::Method::POST, "/v1/statement", &headers, "types")
        .await
        .json();
    let fetched = bench.client.follow(first, "").await;
    let columns = fetched.last()["columns"].as_array().unwrap().clone();
    let shown = |name: &str| {
        let index = columns.iter().position(|column| column["name"] == name).unwrap();
        format!("{} {}", columns[index]["typeSignature"], fetched.rows[0][index])
    };
    assert_eq!(
        shown("c_timestamp_ns"),
        r#"{"arguments":[],"rawType":"timestamp"} "2020-01-31 01:02:03.457""#
    );
    assert_eq!(
        shown("c_utc"),
        r#"{"arguments":[],"rawType":"timestamp with time zone"} "2020-01-31 01:02:03.456 UTC""#
    );
}

#[tokio::test]
async fn an_error_has_its_code_and_place() {
    let bench = bench().await;
    let fetched = bench.client.fetch("nonsense").await;
    assert_eq!(fetched.last()["stats"]["state"], "FAILED");
    expect![[r#"
        {
          "errorCode": 1,
          "errorLocation": {
            "columnNumber": 8,
            "lineNumber": 1
          },
          "errorName": "SYNTAX_ERROR",
          "errorType": "USER_ERROR",
          "failureInfo": {
            "errorInfo": {
              "code": 1,
              "name": "SYNTAX_ERROR",
              "type": "USER_ERROR"
            },
            "errorLocation": {
              "columnNumber": 8,
              "lineNumber": 1
            },
            "message": "line 1:8: mismatched input 'nonsense'. Expecting: a known word",
            "stack": [],
            "suppressed": [],
            "type": "mayfly.SYNTAX_ERROR"
          },
          "message": "line 1:8: mismatched input 'nonsense'. Expecting: a known word"
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&fetched.last()["error"]).unwrap());
}

#[tokio::test]
async fn a_panicking_planner_fails_one_query() {
    let bench = bench().await;
    let fetched = bench.client.fetch("panic").await;
    assert_eq!(fetched.last()["error"]["errorName"], "GENERIC_INTERNAL_ERROR");
    assert_eq!(bench.client.fetch("rows 1").await.rows.len(), 1);
}

#[tokio::test]
async fn rows_that_cannot_be_read_fail_the_query() {
    let bench = bench().await;
    let first = bench.client.post("torn").await.json();
    let id = first["id"].as_str().unwrap().to_owned();
    let fetched = bench.client.follow(first, "?targetResultSize=1B").await;
    assert_eq!(
        fetched.rows.len(),
        999,
        "the page that would have looked behind the first batch failed"
    );
    assert_eq!(fetched.last()["error"]["errorName"], "MAYFLY_S3_ERROR");
    assert_eq!(fetched.last()["stats"]["state"], "FAILED");
    let info = bench.client.get(&format!("/v1/query/{id}")).await.json();
    assert_eq!(info["state"], "FAILED");
}

#[tokio::test]
async fn a_type_that_trino_lacks_is_named() {
    let bench = bench().await;
    let error = bench.client.fetch("union").await.last()["error"].clone();
    assert_eq!(error["errorName"], "NOT_SUPPORTED");
    assert!(error["message"].as_str().unwrap().contains("column 'u'"));
}

#[tokio::test]
async fn columns_may_share_a_name() {
    use mayfly_server::engine::Columns;
    use mayfly_server::types::{Precision, columns};
    let shown = Columns {
        names: vec!["a".into(), "a".into()],
        schema: canned::schema(),
    };
    let names: Vec<String> = columns(&shown, Precision::Exact)
        .unwrap()
        .into_iter()
        .map(|column| column.name)
        .collect();
    assert_eq!(names, ["a", "a"]);
}
