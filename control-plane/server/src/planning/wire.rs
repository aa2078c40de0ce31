//! What a server asks of a planner, and what it hears back.

use super::frame::Frame;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use arrow::record_batch::RecordBatch;
use mayfly_plan::{Fragment, PlanText, Planned, PlannedQuery, Purpose, Session, SessionChange};
use mayfly_protocol::{QueryError, S3Meter, StageGraph};
use serde::{Deserialize, Serialize};
use std::io;

/// One statement.
#[derive(Debug, Serialize, Deserialize)]
pub struct Ask {
    pub sql: String,
    pub session: Session,
    /// Bytes that planning may take once the statement's tables are known.
    pub memory_bytes_max: u64,
}

/// What a planner says of its statement: that the tables are known, with what was asked of S3 for that, then how it ended.
#[derive(Debug, Serialize, Deserialize)]
pub enum Said {
    /// What was asked of S3 so far, now and then: a planner may end before its statement does.
    Asked(S3Meter),
    LookedUp(S3Meter),
    Ended(Box<Ended>),
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Ended {
    pub requests: S3Meter,
    /// Of the process, so that one that grew can be replaced.
    pub memory_bytes: u64,
    outcome: Result<Outcome, QueryError>,
}

/// [`Planned`] without its Arrow parts.
#[derive(Debug, Serialize, Deserialize)]
enum Outcome {
    Query(Query),
    Rows {
        columns: Vec<String>,
    },
    Update {
        update_type: String,
        session: Vec<SessionChange>,
    },
}

#[derive(Debug, Serialize, Deserialize)]
struct Query {
    graph: StageGraph,
    columns: Vec<String>,
    plan: String,
    fragments: Vec<Fragment>,
    purpose: Purpose,
    memory_bytes_max: Option<u64>,
    result_rows_max: Option<u64>,
}

impl Ended {
    /// With the Arrow part that belongs beside it.
    pub fn new(
        planned: Result<Planned, QueryError>,
        requests: S3Meter,
        memory_bytes: u64,
    ) -> Result<(Ended, Vec<u8>), ArrowError> {
        let (outcome, arrow) = match planned {
            Err(error) => (Err(error), Vec::new()),
            Ok(planned) => {
                let (outcome, arrow) = outcome(planned)?;
                (Ok(outcome), arrow)
            }
        };
        let ended = Ended {
            requests,
            memory_bytes,
            outcome,
        };
        Ok((ended, arrow))
    }

    /// The outcome itself. The outer error is a planner's that does not keep to this page.
    pub fn planned(self, arrow: &[u8]) -> Result<Result<Planned, QueryError>, ArrowError> {
        match self.outcome {
            Err(error) => Ok(Err(error)),
            Ok(outcome) => planned(outcome, arrow).map(Ok),
        }
    }
}

fn outcome(planned: Planned) -> Result<(Outcome, Vec<u8>), ArrowError> {
    Ok(match planned {
        Planned::Query(query) => {
            let arrow = stream(&query.schema, &[])?;
            let query = Query {
                graph: query.graph,
                columns: query.columns,
                plan: query.text.distributed,
                fragments: query.fragments,
                purpose: query.purpose,
                memory_bytes_max: query.memory_bytes_max,
                result_rows_max: query.result_rows_max,
            };
            (Outcome::Query(query), arrow)
        }
        Planned::Rows {
            schema,
            columns,
            batches,
        } => (Outcome::Rows { columns }, stream(&schema, &batches)?),
        Planned::Update { update_type, session } => {
            let update_type = update_type.into_owned();
            (Outcome::Update { update_type, session }, Vec::new())
        }
    })
}

fn planned(outcome: Outcome, arrow: &[u8]) -> Result<Planned, ArrowError> {
    Ok(match outcome {
        Outcome::Query(query) => Planned::Query(PlannedQuery {
            graph: query.graph,
            schema: batches(arrow)?.0,
            columns: query.columns,
            text: PlanText {
                distributed: query.plan,
                ..PlanText::default()
            },
            fragments: query.fragments,
            purpose: query.purpose,
            memory_bytes_max: query.memory_bytes_max,
            result_rows_max: query.result_rows_max,
        }),
        Outcome::Rows { columns } => {
            let (schema, batches) = batches(arrow)?;
            Planned::Rows {
                schema,
                columns,
                batches,
            }
        }
        Outcome::Update { update_type, session } => Planned::Update {
            update_type: update_type.into(),
            session,
        },
    })
}

fn stream(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<Vec<u8>, ArrowError> {
    let mut writer = StreamWriter::try_new(Vec::new(), schema)?;
    batches.iter().try_for_each(|batch| writer.write(batch))?;
    writer.finish()?;
    writer.into_inner()
}

fn batches(arrow: &[u8]) -> Result<(SchemaRef, Vec<RecordBatch>), ArrowError> {
    let reader = StreamReader::try_new(arrow, None)?;
    let schema = reader.schema();
    Ok((schema, reader.collect::<Result<_, _>>()?))
}

/// A message as a frame's text.
pub fn written(message: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(message).expect("texts, numbers and maps with texts for keys make JSON")
}

pub fn read<T: for<'de> Deserialize<'de>>(frame: &Frame) -> io::Result<T> {
    serde_json::from_slice(&frame.text).map_err(io::Error::other)
}

#[cfg(test)]
mod tests;
