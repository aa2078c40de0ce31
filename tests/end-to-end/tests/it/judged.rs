//! The files of `tests/sql/*.slt` before DuckDB and PostgreSQL: where two of them and DataFusion agree against Mayfly, Mayfly is wrong. How
//! Mayfly answers when forced to many tasks is in `sql`.

use crate::sql;
use crate::support::SCHEMA;
use datafusion::prelude::SessionContext;
use mayfly_end_to_end::judges::{Judge, Judges, Place, Ruling};
use mayfly_end_to_end::slt::{self, Record};
use mayfly_end_to_end::translate::translate;
use mayfly_end_to_end::verdict::{Opinion, Order, Verdict, verdict};
use mayfly_end_to_end::{odd, oracle, tpch};
use std::path::Path;

const FILES: [&str; 11] = [
    "aggregates",
    "empty_and_narrow",
    "joins",
    "order_and_limit",
    "recursion",
    "sets",
    "subqueries",
    "table_functions",
    "types",
    "values_and_unnest",
    "windows",
];

fn read(judges: &Judges, folder: &Path, tables: &[&str]) {
    for table in tables {
        let folder = folder.join(table);
        let place = Place {
            schema: SCHEMA,
            table,
            folder: &folder,
        };
        judges.read(place).expect("the judges read it");
    }
}

async fn opinions(judges: &Judges, datafusion: &SessionContext, sql: &str) -> Vec<Opinion> {
    let table = oracle::try_answer(datafusion, sql).await;
    let ruling = table.map(|table| Ruling {
        types: table.types,
        rows: table.rows,
    });
    let mut opinions = vec![Opinion {
        who: "datafusion",
        answer: ruling.map_err(|error| error.to_string()),
    }];
    opinions.extend(Judge::ALL.map(|judge| Opinion {
        who: judge.name(),
        answer: judges.ask(judge, SCHEMA, &translate(judge, sql)),
    }));
    opinions
}

#[tokio::test(flavor = "multi_thread")]
async fn no_two_judges_agree_against_mayfly() {
    let (cloud, datafusion) = sql::cloud().await;
    let judges = Judges::start();
    read(&judges, &cloud.files, &tpch::TABLES);
    read(&judges, &odd::files().await, &odd::TABLES);
    let (mut wrong, mut judged, mut count) = (Vec::new(), [0; 2], 0);
    for name in FILES {
        for record in slt::records(name).iter().filter(|record| !record.differs_by_rule) {
            let Record { sql, line, .. } = record;
            let opinions = opinions(&judges, &datafusion, sql).await;
            for (at, opinion) in opinions[1..].iter().enumerate() {
                judged[at] += u32::from(opinion.answer.is_ok());
                if let Err(error) = &opinion.answer {
                    println!("{name}.slt:{line}: {} refuses: {error}", opinion.who);
                }
            }
            count += 1;
            let reply = cloud.client.query(sql).await.map(|answer| answer.table);
            let order = if record.is_ordered {
                Order::Counts
            } else {
                Order::IsOpen
            };
            match verdict(&reply, &opinions, order) {
                Verdict::Right => {}
                Verdict::Open(answers) => println!("{name}.slt:{line}: open\n{answers}\n    {sql}"),
                Verdict::Wrong(answers) => wrong.push(format!("{name}.slt:{line}\n{answers}\n    {sql}")),
            }
        }
    }
    println!(
        "{count} queries, of which DuckDB judged {} and PostgreSQL {}",
        judged[0], judged[1]
    );
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
