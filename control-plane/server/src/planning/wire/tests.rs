//! What a planner answers arrives as it was said.

use super::{Ask, Ended, Said, read, written};
use crate::planning::frame::Frame;
use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use mayfly_plan::{Planned, Session, SessionChange};
use mayfly_protocol::{ErrorCode, QueryError, S3Meter, SourceLocation};
use std::sync::Arc;

/// What the server hears when a planner says so.
fn heard(planned: Result<Planned, QueryError>) -> Result<Planned, QueryError> {
    let requests = S3Meter {
        gets: 3,
        ..S3Meter::default()
    };
    let (ended, arrow) = Ended::new(planned, requests, 7).unwrap();
    let text = written(&Said::Ended(Box::new(ended)));
    match read(&Frame::of(text)).unwrap() {
        Said::Ended(ended) => {
            assert_eq!((ended.requests, ended.memory_bytes), (requests, 7));
            ended.planned(&arrow).unwrap()
        }
        Said::LookedUp(_) | Said::Asked(_) => panic!("it is an end"),
    }
}

#[test]
fn rows_arrive_with_their_schema_also_when_there_are_none() {
    let column: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None]));
    let batch = RecordBatch::try_from_iter([("n", column)]).unwrap();
    for sent in [vec![], vec![batch.clone()], vec![batch.clone(), batch.slice(1, 1)]] {
        let planned = Planned::Rows {
            schema: batch.schema(),
            columns: vec!["N".to_owned()],
            batches: sent.clone(),
        };
        match heard(Ok(planned)) {
            Ok(Planned::Rows {
                schema,
                columns,
                batches,
            }) => {
                assert_eq!((schema, columns, batches), (batch.schema(), vec!["N".to_owned()], sent));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn changes_and_errors_arrive_as_they_were_sent() {
    let session = vec![SessionChange::SetSchema("s".to_owned())];
    let update = Planned::Update {
        update_type: "USE".into(),
        session: session.clone(),
    };
    match heard(Ok(update)) {
        Ok(Planned::Update {
            update_type,
            session: arrived,
        }) => assert_eq!((update_type.as_ref(), arrived), ("USE", session)),
        other => panic!("{other:?}"),
    }
    let place = SourceLocation { line: 2, column: 3 };
    let error = QueryError::new(ErrorCode::ColumnNotFound, "no 'x'")
        .at(Some(place))
        .hint("y");
    assert_eq!(heard(Err(error.clone())).err(), Some(error));
}

#[test]
fn an_ask_carries_the_session() {
    let ask = Ask {
        sql: "SELECT 'ä'".to_owned(),
        session: Session {
            time_zone: Some("Europe/Berlin".to_owned()),
            ..Session::default()
        },
        memory_bytes_max: 9,
    };
    let arrived: Ask = read(&Frame::of(written(&ask))).unwrap();
    assert_eq!(
        (arrived.sql, arrived.session, arrived.memory_bytes_max),
        (ask.sql, ask.session, 9)
    );
}
