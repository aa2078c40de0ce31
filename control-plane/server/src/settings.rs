//! What an operator may choose about the HTTP side, and the bounds that nobody chooses.

use serde::Serialize;
use std::net::SocketAddr;
use std::time::Duration;

/// Bytes of a request's head, beyond which it is answered 431.
pub const HEAD_BYTES_MAX: usize = 32 * 1024;
/// Bytes of a request's body, beyond which it is answered 413.
pub const BODY_BYTES_MAX: usize = 2 * 1024 * 1024;
/// A head or body that is not complete by then closes its connection; so does an idle connection.
pub const REQUEST_READ_DURATION_MAX: Duration = Duration::from_secs(10);
/// Rows of one page in bytes, when the client does not say.
pub const PAGE_BYTES_DEFAULT: usize = 1024 * 1024;
/// Rows of one page in bytes, whatever the client says (Trino allows 128 MB). A page ends with the row that reaches it.
pub const PAGE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// One encoded row.
pub const ROW_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Pages of one query whose start is remembered, so that they can be read again; older ones are answered 410.
pub const PAGES_REMEMBERED_MAX: usize = 1024;
/// A poll with nothing to show is held this long at first, doubling up to [`POLL_DURATION_MAX`]: clients ask again without a pause.
pub const POLL_DURATION_MIN: Duration = Duration::from_millis(100);
pub const POLL_DURATION_MAX: Duration = Duration::from_secs(1);

#[derive(Clone, Debug)]
pub struct ServerSettings {
    pub listen: SocketAddr,
    /// Names by which clients may call us, besides addresses and `localhost`.
    pub names: Vec<String>,
    /// Open connections; more wait in the listen queue.
    pub connections_max: usize,
    /// Of those, from one address: for one more, the one that has been idle for longest is closed.
    pub connections_per_client_max: usize,
    /// Queries that are registered or running; more are refused with QUERY_QUEUE_FULL.
    pub queries_max: usize,
    /// Without a poll or heartbeat for this long a query is canceled, and a registration forgotten.
    pub client_timeout: Duration,
    /// Registrations of one user that wait for their first poll, and bytes of everybody's; the oldest make room for new ones.
    pub registered_max: usize,
    pub registered_bytes_max: usize,
    /// Ended queries that can still be looked at, by count and by age.
    pub ended_max: usize,
    pub ended_age_max: Duration,
    /// How long the rows of an ended query can be asked for again.
    pub rows_age_max: Duration,
    /// Bytes of rows that ended queries hold in memory to show them again; the oldest let go of theirs first.
    pub ended_bytes_max: usize,
    /// How long a query may run; `query_max_run_time` can only lower it.
    pub run_duration_max: Duration,
    /// Builds URIs from `X-Forwarded-Proto`, `-Host` and `-Port`: only behind a proxy that sets them.
    pub trusts_forwarded: bool,
    /// Compresses answers for clients that accept gzip.
    pub gzip: bool,
    /// Name of the price book that bills are made with.
    pub price_book: String,
    /// Where the local cloud is, when there is one.
    pub local: Option<LocalInfo>,
}

/// Where the local cloud's S3 is. Anyone may read this.
#[derive(Clone, Debug, Serialize)]
pub struct LocalInfo {
    pub s3_endpoint: String,
    pub bucket: String,
    /// The emulator's, which open nothing but the local cloud.
    #[serde(flatten)]
    pub keys: Option<LocalKeys>,
    pub region: String,
}

/// Credentials that everybody knows.
#[derive(Clone, Debug, Serialize)]
pub struct LocalKeys {
    pub access_key_id: String,
    pub secret_access_key: String,
}

impl ServerSettings {
    pub fn new(listen: SocketAddr) -> ServerSettings {
        ServerSettings {
            listen,
            names: Vec::new(),
            connections_max: 4096,
            connections_per_client_max: 1024,
            queries_max: 1000,
            client_timeout: Duration::from_secs(300),
            registered_max: 100,
            registered_bytes_max: 64 * 1024 * 1024,
            ended_max: 200,
            ended_age_max: Duration::from_secs(900),
            rows_age_max: Duration::from_secs(60),
            ended_bytes_max: 64 * 1024 * 1024,
            run_duration_max: Duration::from_secs(3600),
            trusts_forwarded: false,
            gzip: true,
            price_book: String::new(),
            local: None,
        }
    }
}
