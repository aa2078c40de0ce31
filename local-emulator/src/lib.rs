//! S3, SQS and Lambda on loopback. wip
mod authorization;
mod count;
mod s3;
mod serve;
mod settings;
pub use settings::*;
pub use count::*;
