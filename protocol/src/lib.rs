//! The nouns that two processes must agree on: ids, stages, tasks, reports, failures, meters, money, limits.
//!
//! Everything here is plain data with one spelling. It leaves out what only one side knows: prices (see `cost`), decisions (see
//! `schedule`), bytes of shuffle objects (see `exchange`), and plans, which travel as opaque bytes (see `fragment`).
//! What crosses a process boundary goes through [`envelope`], which carries a version and has golden bytes.

pub mod digest;
pub mod env;
pub mod envelope;
pub mod error_code;
pub mod failure;
pub mod format;
pub mod function;
pub mod graph;
pub mod id;
pub mod journal;
pub mod key;
pub mod limits;
pub mod meter;
pub mod money;
pub mod report;
pub mod secret;
pub mod spec;
pub mod split;
pub mod time;

mod base64_bytes;

pub use digest::{Digest, PartitionDigest};
pub use error_code::{ErrorCode, ErrorType};
pub use failure::{Failure, QueryError, SourceLocation};
pub use format::{Compression, CsvFormat, FileFormat, JsonFormat};
pub use function::FunctionSize;
pub use graph::{
    Alternative, Exchange, ExchangeKind, InputRead, InputShare, PlanBytes, Regroup, Stage, StageGraph, StageInput,
    TaskTemplate, Written, dropped_by, reads_once,
};
pub use id::{AttemptId, Nonce, QueryId, StageId, TaskId, TenantId};
pub use journal::QueryLimits;
pub use meter::{Meter, S3Meter};
pub use money::PicoDollars;
pub use report::{Output, OutputLocation, PartitionEntry, TaskReport, TaskStatistics};
pub use secret::{AccessKey, Secret};
pub use spec::{InputBinding, OutputSpec, PartitionRange, ProducerSlice, ScanBinding, SliceSource, TaskSpec};
pub use split::{FileRange, Split};
pub use time::EpochMs;
