//! Trino's functions and operators: `tests/sql/trino_functions.tsv` has an example of each with the answer that Trino documents. Mayfly
//! answers so, or refuses by the name in the last column; a row that is answered so loses that name, so that the column only becomes
//! emptier.

use mayfly_end_to_end::alike::{self, Nearness};
use mayfly_end_to_end::client::{Client, QueryFailure};
use mayfly_end_to_end::server::Server;
use mayfly_end_to_end::table::Table;
use mayfly_end_to_end::tpch;

const TABLE: &str = "tests/sql/trino_functions.tsv";

/// What answers otherwise each time.
const ANY: &str = "*";

/// In the last column: another answer than Trino's, of which `docs/values.md` tells.
const DIFFERS: &str = "differs";

struct Example<'a> {
    name: &'a str,
    sql: &'a str,
    /// As `alike` compares it.
    documented: &'a str,
    /// The error's name while there is no answer.
    refused: &'a str,
}

fn examples(text: &str) -> Vec<Example<'_>> {
    let example = |line| {
        let cells: Vec<&str> = str::split(line, '\t').collect();
        match cells[..] {
            [name, sql, documented, refused] => Example {
                name,
                sql,
                documented,
                refused,
            },
            _ => panic!("not name, SQL, answer and refusal: {line}"),
        }
    };
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(example).collect()
}

/// What is wrong with an answer, or nothing.
fn wrong(example: &Example<'_>, reply: &Result<Table, QueryFailure>) -> Option<String> {
    match reply {
        Ok(table) if example.refused.is_empty() => differs(example, table),
        Ok(table) => match differs(example, table) {
            None => Some(format!("is answered: take {} from its row", example.refused)),
            Some(_) if example.refused == DIFFERS => None,
            Some(wrong) => Some(wrong),
        },
        Err(failure) if failure.name == example.refused => None,
        Err(failure) => Some(format!("{}: {}", failure.name, failure.message)),
    }
}

fn differs(example: &Example<'_>, table: &Table) -> Option<String> {
    let cell = match example.documented {
        "NULL" => None,
        "(empty)" => Some(String::new()),
        text => Some(text.to_owned()),
    };
    match example.documented {
        ANY => table.rows.is_empty().then(|| "no row".to_owned()),
        _ => alike::unordered(&table.types, Nearness::Text, &table.rows, &[vec![cell]]),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn documented_examples_of_functions_are_answered_or_refused_by_name() {
    let text = std::fs::read_to_string(tpch::root().join(TABLE)).expect("the table reads");
    let server = Server::start(&[]);
    let client = Client::new(&server.url, "default");
    let (mut failures, mut answered) = (Vec::new(), 0);
    let examples = examples(&text);
    for example in &examples {
        let reply = client.query(example.sql).await.map(|answer| answer.table);
        answered += usize::from(reply.is_ok());
        if let Some(wrong) = wrong(example, &reply) {
            failures.push(format!("{}: {wrong}\n    {}", example.name, example.sql));
        }
    }
    println!("{answered} of {} examples are answered as documented", examples.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
