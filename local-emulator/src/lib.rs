//! S3, SQS and Lambda on loopback, in one process. It speaks the public wire of the three services and nothing else, so that a program
//! that works here works on AWS; what it enforces and what it only accounts for stands in `README.md`.

mod authorization;
mod control;
mod count;
mod emulator;
mod fault;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod host;
mod lambda;
mod s3;
mod serve;
mod settings;
mod sqs;
mod tls;

pub use count::{Counts, FunctionCounts, Kinds, LambdaCounts, S3Operation, SqsCounts, StatusClass};
pub use emulator::{Emulator, Endpoints};
pub use fault::{FaultRule, FaultSettings};
pub use lambda::{EventSettings, KillMoment, LambdaFault};
pub use s3::S3Fault;
pub use settings::{Credentials, FunctionSettings, LatencyProfile, Mount, RunAs, Secrets, Settings, StartError};
pub use sqs::SqsFault;
pub use tls::TlsSettings;
