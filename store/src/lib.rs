//! The one S3 client: conditional writes, ranged reads, multipart uploads, listings, and a meter that counts every HTTP attempt.
//!
//! Nobody else builds an S3 client. What lies in the objects is not known here (see `exchange`, `catalog`), prices are not known here
//! (see `cost`), and nothing is cached: a read is a request. [`Store::fork`] gives a handle with a fresh meter on the same connections,
//! so that each attempt and each query is billed for what it alone asked.

mod adapter;
mod bucket;
mod busy;
mod conditional;
mod connection;
mod error;
mod hedge;
mod list;
mod meter;
mod read;
mod settings;
mod skew;
mod upload;
mod write;

pub use conditional::Created;
pub use error::StoreError;
pub use list::{LIST_MAX, Listed};
pub use mayfly_protocol::AccessKey;
pub use read::{Head, Object};
pub use settings::S3Settings;
pub use upload::{UPLOAD_PART_BYTES_MIN, UPLOAD_PARTS_MAX, Upload};

use aws_sdk_s3::Client;
use mayfly_protocol::S3Meter;
use std::sync::Arc;
use std::time::Duration;

/// A handle on S3. Clones share connections and meter; [`Store::fork`] shares the connections alone.
#[derive(Clone, Debug)]
pub struct Store {
    connection: Arc<connection::Connection>,
    counters: Arc<meter::Counters>,
    busy: Arc<busy::Busy>,
}

impl Store {
    /// Builds the client. Makes no request, except to the credentials' own source where the settings hold none.
    pub async fn connect(settings: &S3Settings) -> Store {
        Store {
            connection: Arc::new(connection::Connection::open(settings).await),
            counters: Arc::default(),
            busy: Arc::default(),
        }
    }

    /// The same connections, a fresh meter.
    pub fn fork(&self) -> Store {
        Store {
            connection: Arc::clone(&self.connection),
            counters: Arc::default(),
            busy: Arc::default(),
        }
    }

    /// What this handle and its clones have asked so far. A request still under way counts as if it will be answered.
    pub fn meter(&self) -> S3Meter {
        self.counters.snapshot()
    }

    /// Counts what another process asked on behalf of the same work.
    pub fn count(&self, asked: S3Meter) {
        self.counters.add(asked);
    }

    /// How long at least one GET of this handle and its clones was under way, body included.
    pub fn reading(&self) -> Duration {
        self.busy.total()
    }

    /// Forgets pooled connections: after a thaw the other side has long closed them. Requests under way keep theirs.
    pub fn drop_connections(&self) {
        self.connection.reopen();
    }

    fn client(&self) -> Client {
        self.connection.client()
    }

    fn metered(&self, class: meter::Class) -> meter::Metered {
        meter::Metered::new(Arc::clone(&self.counters), class)
    }
}
