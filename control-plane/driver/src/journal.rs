//! The journal of a query in S3: numbered objects, each created if absent. Reads and writes records; what they mean, and what follows from
//! the outcome of a write, is `schedule`'s.

use crate::DriverSettings;
use crate::clock::wall;
use crate::handle::Journaled;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use mayfly_protocol::journal::{Entry, Record};
use mayfly_protocol::{Meter, QueryId, TenantId, envelope, key};
use mayfly_schedule::journal::{Appender, Put, Role, Standing, Step};
use mayfly_store::{Created, Store, StoreError};
use std::time::{Duration, Instant};

/// Records that are read at once.
const READS_MAX: usize = 16;

#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another coordinator owns the query now, or it has ended.
    #[error("fenced at {key}: another coordinator owns the query")]
    Fenced { key: String },
    #[error("cannot write or read {key}")]
    Store {
        key: String,
        #[source]
        cause: StoreError,
    },
    /// The object is no record: left where it is, for a person.
    #[error("{key} is no journal record: {message}")]
    Unreadable { key: String, message: String },
}

/// The writing end. One per query and writer.
pub struct Journal {
    store: Store,
    bucket: String,
    tenant: TenantId,
    query: QueryId,
    /// Drawn anew for each query that is started or resumed: no two writers make equal records.
    writer: String,
    appender: Appender,
    /// What was appended through this one.
    pub written: Journaled,
}

/// What a request said.
enum Answer {
    Created,
    Exists,
    Conflict,
    Unknown(StoreError),
    Absent,
    Found(Box<Record>),
}

impl Answer {
    fn put(&self) -> Put<'_> {
        match self {
            Answer::Created => Put::Created,
            Answer::Exists => Put::Exists,
            Answer::Conflict => Put::Conflict,
            Answer::Unknown(_) => Put::Unknown,
            Answer::Absent => Put::Absent,
            Answer::Found(record) => Put::Found(record),
        }
    }
}

impl Journal {
    /// A journal whose next record has number `next`; 0 for a query that nobody has accepted yet.
    pub fn new(store: Store, settings: &DriverSettings, query: QueryId, role: Role, next: u32) -> Journal {
        Journal {
            store,
            bucket: settings.bucket.clone(),
            tenant: settings.tenant.clone(),
            query,
            writer: uuid::Uuid::new_v4().to_string(),
            appender: Appender::new(role, next),
            written: Journaled::default(),
        }
    }

    /// Appends one record durably, trying for so long at least, and tells which cancels of others came before it.
    /// `spent` as in [`Record::spent`].
    pub async fn append(
        &mut self,
        entries: Vec<Entry>,
        spent: Option<Meter>,
        within: Duration,
    ) -> Result<Vec<Record>, JournalError> {
        let start = Instant::now();
        let record = Record {
            writer: self.writer.clone(),
            written_at: wall(),
            entries,
            spent: spent.map(Box::new),
        };
        let heard = self.append_record(&record, within).await?;
        self.written.records += 1;
        self.written.took += start.elapsed();
        Ok(heard)
    }

    async fn append_record(&mut self, record: &Record, within: Duration) -> Result<Vec<Record>, JournalError> {
        let bytes: Bytes = envelope::seal(record).into();
        // Unique to this record: it is what tells our own write, whose answer was lost, from a rival's.
        let mark = uuid::Uuid::new_v4().to_string();
        let (until, mut heard) = (Instant::now() + within, Vec::new());
        let mut answer = self.put(&bytes, &mark).await?;
        loop {
            let step = self.appender.judge(record, answer.put());
            match (step, answer) {
                (Step::Done, _) => return Ok(heard),
                (Step::Fenced, _) => return Err(JournalError::Fenced { key: self.key() }),
                (Step::Retry { .. } | Step::ReadBack { .. }, Answer::Unknown(cause)) if Instant::now() > until => {
                    return Err(self.failed(cause));
                }
                (Step::Next, Answer::Found(cancel)) => {
                    heard.push(*cancel);
                    answer = self.put(&bytes, &mark).await?;
                }
                (Step::Retry { after_ms }, _) => {
                    tokio::time::sleep(Duration::from_millis(after_ms)).await;
                    answer = self.put(&bytes, &mark).await?;
                }
                (Step::ReadBack { after_ms }, _) => {
                    tokio::time::sleep(Duration::from_millis(after_ms)).await;
                    answer = self.read_back().await?;
                }
                (Step::Next, _) => unreachable!("only a record that was found is gone past"),
            }
        }
    }

    fn key(&self) -> String {
        key::journal(&self.tenant, &self.query, self.appender.sequence())
    }

    fn failed(&self, cause: StoreError) -> JournalError {
        JournalError::Store { key: self.key(), cause }
    }

    async fn put(&self, bytes: &Bytes, mark: &str) -> Result<Answer, JournalError> {
        let key = self.key();
        let put = self.store.put_if_absent(&self.bucket, &key, bytes.clone(), mark);
        match put.await {
            Ok(Created::Ours { .. }) => Ok(Answer::Created),
            Ok(Created::Theirs) => Ok(Answer::Exists),
            Err(StoreError::Conflict { .. }) => Ok(Answer::Conflict),
            Err(cause) if cause.is_transient() => Ok(Answer::Unknown(cause)),
            Err(cause) => Err(self.failed(cause)),
        }
    }

    async fn read_back(&self) -> Result<Answer, JournalError> {
        match record(&self.store, &self.bucket, &self.key()).await {
            Ok(record) => Ok(Answer::Found(Box::new(record))),
            Err(JournalError::Store {
                cause: StoreError::NotFound { .. },
                ..
            }) => Ok(Answer::Absent),
            Err(JournalError::Store { cause, .. }) if cause.is_transient() => Ok(Answer::Unknown(cause)),
            Err(error) => Err(error),
        }
    }
}

/// Takes in what was appended since; all, into an empty standing.
pub async fn read_on(
    store: &Store,
    settings: &DriverSettings,
    query: &QueryId,
    standing: &mut Standing,
) -> Result<(), JournalError> {
    let (bucket, prefix) = (&settings.bucket, key::journal_prefix(&settings.tenant, query));
    let listed = store.list(bucket, &prefix).await;
    let listed = listed.map_err(|cause| JournalError::Store {
        key: prefix.clone(),
        cause,
    })?;
    // Records are never deleted one by one: as many as there are, they are numbered from 0.
    let new = standing.next..listed.len() as u32;
    let keys = new.map(|sequence| key::journal(&settings.tenant, query, sequence));
    let records = stream::iter(keys).map(|key| async move { record(store, bucket, &key).await });
    let records: Vec<Record> = records.buffered(READS_MAX).try_collect().await?;
    records.into_iter().for_each(|record| standing.read(record));
    Ok(())
}

async fn record(store: &Store, bucket: &str, key: &str) -> Result<Record, JournalError> {
    let key = key.to_owned();
    match store.get(bucket, &key).await {
        Ok(object) => envelope::open(&object.bytes).map_err(|error| JournalError::Unreadable {
            key,
            message: error.to_string(),
        }),
        Err(cause) => Err(JournalError::Store { key, cause }),
    }
}
