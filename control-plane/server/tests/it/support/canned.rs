//! An engine that knows a few words instead of SQL.

use super::every_type;
use super::fake_query::FakeQuery;
use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use mayfly_protocol::journal::Request;
use mayfly_protocol::{EpochMs, ErrorCode, QueryError, QueryId, SourceLocation};
use mayfly_server::Engine;
use mayfly_server::engine::{Answer, Columns, Pages, Position, Recovered, RowBatches, SessionChange, Submission};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const BATCH_ROWS: i64 = 1000;

#[derive(Default)]
pub struct Canned {
    /// When each query was accepted, and its memo.
    pub kept: Mutex<BTreeMap<QueryId, (EpochMs, String)>>,
    pub submitted: Mutex<Vec<Request>>,
    /// Times that it was asked for a query of others.
    pub looked_up: AtomicUsize,
    /// Times that it was asked whether it is ready, and what it says: not, or nothing at all.
    pub asked: AtomicUsize,
    pub is_out: AtomicBool,
    pub is_silent: AtomicBool,
    pub running: Mutex<Option<Arc<FakeQuery>>>,
}

impl Canned {
    pub fn submissions(&self) -> usize {
        self.submitted.lock().unwrap().len()
    }

    pub fn lookups(&self) -> usize {
        self.looked_up.load(Ordering::SeqCst)
    }

    pub fn query(&self) -> Arc<FakeQuery> {
        self.running.lock().unwrap().clone().expect("a query was started")
    }

    fn run(&self, batches: Vec<RecordBatch>) -> Answer {
        let columns = Columns::of(batches[0].schema());
        let query = Arc::new(FakeQuery::new(Arc::new(RowBatches(batches))));
        *self.running.lock().unwrap() = Some(query.clone());
        Answer::Query {
            columns,
            plan: "Stage 0\n  canned".to_owned(),
            query,
        }
    }
}

#[async_trait]
impl Engine for Canned {
    async fn submit(&self, id: QueryId, request: Request, memo: String, stop: CancellationToken) -> Submission {
        self.kept.lock().unwrap().insert(id, (request.accepted_at, memo));
        self.submitted.lock().unwrap().push(request.clone());
        let words: Vec<&str> = request.sql.split_whitespace().collect();
        let answer = match words.as_slice() {
            ["rows", count] => rows(numbers(count.parse().unwrap())),
            ["query", count] => self.run(numbers(count.parse().unwrap())),
            ["types"] => rows(vec![every_type::batch()]),
            ["empty"] => rows(vec![RecordBatch::new_empty(numbers(1)[0].schema())]),
            ["wide", bytes] => rows(vec![text(&"x".repeat(bytes.parse().unwrap()))]),
            ["many", count] => Answer::Rows {
                columns: Columns::of(every_type::plain_schema()),
                rows: Arc::new(every_type::Generated::new(count.parse().unwrap())),
            },
            ["torn"] => Answer::Rows {
                columns: Columns::of(numbers(1)[0].schema()),
                rows: Arc::new(Torn(numbers(2000))),
            },
            ["use"] => use_everything(),
            ["slow", ms] => {
                let slow = tokio::time::sleep(Duration::from_millis(ms.parse().unwrap()));
                tokio::select! {
                    () = slow => {}
                    () = stop.cancelled() => {}
                }
                rows(numbers(1))
            }
            ["panic"] => panic!("the planner panics, as the test asked"),
            ["union"] => Answer::Rows {
                columns: Columns::of(every_type::union_schema()),
                rows: Arc::new(RowBatches(vec![])),
            },
            ["SELECT", number] if number.parse::<i64>().is_ok() => rows(vec![numbers_from(number.parse().unwrap(), 1)]),
            _ => {
                return Submission {
                    answer: Err(syntax_error(&request.sql)),
                    bill: None,
                };
            }
        };
        Submission::of(answer)
    }

    async fn recover(&self, id: &QueryId) -> Result<Option<Recovered>, QueryError> {
        self.looked_up.fetch_add(1, Ordering::SeqCst);
        let Some(kept) = self.kept.lock().unwrap().get(id).cloned() else {
            return Ok(None);
        };
        let query = self.query();
        let answer = Answer::Query {
            columns: Columns::of(schema()),
            plan: String::new(),
            query,
        };
        Ok(Some(Recovered {
            accepted_at: kept.0,
            memo: kept.1,
            answer: Ok(answer),
        }))
    }

    async fn is_ready(&self) -> bool {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.is_silent.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        !self.is_out.load(Ordering::SeqCst)
    }
}

fn syntax_error(sql: &str) -> QueryError {
    let error = QueryError::new(
        ErrorCode::SyntaxError,
        format!("mismatched input '{sql}'. Expecting: a known word"),
    );
    error.at(Some(SourceLocation { line: 1, column: 8 }))
}

fn rows(batches: Vec<RecordBatch>) -> Answer {
    Answer::Rows {
        columns: Columns::of(batches[0].schema()),
        rows: Arc::new(RowBatches(batches)),
    }
}

/// `n` and its text, in batches of a thousand.
pub fn numbers(count: i64) -> Vec<RecordBatch> {
    let starts = (0..count).step_by(BATCH_ROWS as usize);
    starts
        .map(|start| numbers_from(start, BATCH_ROWS.min(count - start)))
        .collect()
}

fn numbers_from(start: i64, count: i64) -> RecordBatch {
    let numbers: Vec<i64> = (start..start + count).collect();
    let texts: Vec<String> = numbers.iter().map(|number| format!("row {number}")).collect();
    let number: ArrayRef = Arc::new(Int64Array::from(numbers));
    let text: ArrayRef = Arc::new(StringArray::from(texts));
    RecordBatch::try_from_iter([("n", number), ("text", text)]).unwrap()
}

fn text(value: &str) -> RecordBatch {
    let array: ArrayRef = Arc::new(StringArray::from(vec![value]));
    RecordBatch::try_from_iter([("text", array)]).unwrap()
}

fn use_everything() -> Answer {
    let changes = vec![
        SessionChange::SetCatalog("lake".to_owned()),
        SessionChange::SetSchema("tpch".to_owned()),
        SessionChange::SetProperty {
            key: "a".to_owned(),
            value: "x, y=z".to_owned(),
        },
        SessionChange::SetProperty {
            key: "b".to_owned(),
            value: "2".to_owned(),
        },
        SessionChange::ResetProperty { key: "c".to_owned() },
    ];
    Answer::Update {
        update_type: "USE".to_owned(),
        changes,
    }
}

/// Rows of which the second batch cannot be read.
struct Torn(Vec<RecordBatch>);

#[async_trait]
impl Pages for Torn {
    async fn next_batch(&self, position: &mut Position) -> Result<Option<RecordBatch>, QueryError> {
        let index: usize = position.get()?;
        position.set(&(index + 1))?;
        match index {
            0 => Ok(Some(self.0[0].clone())),
            _ => Err(QueryError::new(ErrorCode::S3Error, "result object is gone")),
        }
    }
}

/// Where a test wants the schema alone.
pub fn schema() -> SchemaRef {
    numbers(1)[0].schema()
}
