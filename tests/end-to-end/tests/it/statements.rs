//! Trino's statements and clauses: `tests/sql/trino_statements.tsv` has an example of each with what it answers, or the name of the error
//! that refuses it. Nothing that is not done is accepted.

use mayfly_end_to_end::client::{Client, QueryFailure};
use mayfly_end_to_end::server::Server;
use mayfly_end_to_end::table::Table;
use mayfly_end_to_end::tpch;
use std::path::Path;

const TABLE: &str = "tests/sql/trino_statements.tsv";

/// What answers otherwise each time, or at length.
const ANY: &str = "*";

const FILES: [(&str, &str, &str); 3] = [
    (
        "nation",
        "nationkey BIGINT, name VARCHAR, regionkey BIGINT",
        "nationkey,name,regionkey\n0,ALGERIA,0\n1,ARGENTINA,1\n2,BRAZIL,1\n3,CHINA,2\n",
    ),
    (
        "region",
        "regionkey BIGINT, name VARCHAR",
        "regionkey,name\n0,AFRICA\n1,AMERICA\n2,ASIA\n",
    ),
    (
        "orders",
        "orderkey BIGINT, custkey BIGINT, totalprice DOUBLE, orderdate DATE",
        "orderkey,custkey,totalprice,orderdate\n1,7,10.5,1996-01-02\n2,7,20.0,1996-01-03\n",
    ),
];

async fn tables(folder: &Path) -> (Server, Client) {
    for (name, _, rows) in FILES {
        std::fs::create_dir(folder.join(name)).expect("a folder");
        std::fs::write(folder.join(name).join("part.csv"), rows).expect("a file");
    }
    let server = Server::start(&["--mount", &format!("trino={}", folder.display())]);
    let client = Client::new(&server.url, "tiny");
    client.query("CREATE SCHEMA tiny").await.expect("created");
    for (name, columns, _) in FILES {
        let sql = format!(
            "CREATE EXTERNAL TABLE {name} ({columns}) STORED AS CSV LOCATION 's3://trino/{name}/' OPTIONS ('format.has_header' 'true')"
        );
        client.query(&sql).await.expect("created");
    }
    (server, client)
}

/// Rows as one text, in the order of their texts.
fn outcome(reply: Result<Table, QueryFailure>) -> String {
    let cell = |cell: &Option<String>| cell.clone().unwrap_or_else(|| "NULL".to_owned());
    match reply {
        Ok(table) => {
            let row = |row: &Vec<Option<String>>| row.iter().map(cell).collect::<Vec<_>>().join(" ");
            let mut rows: Vec<String> = table.rows.iter().map(row).collect();
            rows.sort();
            rows.join("; ")
        }
        Err(failure) => failure.name,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_of_trino_are_answered_or_refused_by_name() {
    let text = std::fs::read_to_string(tpch::root().join(TABLE)).expect("the table reads");
    let folder = tempfile::tempdir().expect("a folder");
    let (_server, client) = tables(folder.path()).await;
    let mut failures = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let cells: Vec<&str> = line.split('\t').collect();
        let [name, sql, wanted] = cells[..] else {
            panic!("not name, SQL and outcome: {line}");
        };
        let reply = client.query(sql).await.map(|answer| answer.table);
        let is_answer = reply.is_ok();
        let outcome = outcome(reply);
        if !(outcome == wanted || (wanted == ANY && is_answer)) {
            failures.push(format!("{name}\t{sql}\t{outcome}"));
        }
    }
    assert!(
        failures.is_empty(),
        "{} of them:\n{}",
        failures.len(),
        failures.join("\n")
    );
}
