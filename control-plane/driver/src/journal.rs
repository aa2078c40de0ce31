//! The journal of a query, as written by its coordinator: numbered objects, each created if absent.

use mayfly_protocol::journal::{Entry, Record, key};
use mayfly_protocol::{EpochMs, QueryId, TenantId, envelope};
use mayfly_store::{Created, Store, StoreError};

#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another coordinator wrote this record: it owns the query now.
    #[error("fenced at {key}: another coordinator owns the query")]
    Fenced { key: String },
    #[error("cannot write {key}")]
    Store {
        key: String,
        #[source]
        cause: StoreError,
    },
}

/// The writing end. One per query and coordinator.
pub struct Journal {
    store: Store,
    bucket: String,
    tenant: TenantId,
    query: QueryId,
    /// Names this coordinator, so that its own retried write is told from a rival's.
    writer: String,
    next: u32,
}

impl Journal {
    /// A journal whose next record has number `next`; 0 for a query that nobody has accepted yet.
    pub fn new(store: Store, bucket: String, tenant: TenantId, query: QueryId, writer: String, next: u32) -> Journal {
        Journal {
            store,
            bucket,
            tenant,
            query,
            writer,
            next,
        }
    }

    /// Appends an entry durably, or says that the query has another owner.
    pub async fn append(&mut self, now: EpochMs, entry: Entry) -> Result<(), JournalError> {
        let key = key(&self.tenant, &self.query, self.next);
        let record = Record {
            writer: self.writer.clone(),
            written_at: now,
            entry,
        };
        let bytes = envelope::seal(&record).into();
        match self.store.put_if_absent(&self.bucket, &key, bytes, &self.writer).await {
            Ok(Created::Ours { .. }) => {
                self.next += 1;
                Ok(())
            }
            Ok(Created::Theirs) => Err(JournalError::Fenced { key }),
            Err(cause) => Err(JournalError::Store { key, cause }),
        }
    }
}
