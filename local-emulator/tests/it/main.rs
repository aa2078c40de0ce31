//! The emulator through AWS's own clients and raw sockets, service by service.
#![allow(
    clippy::disallowed_methods,
    reason = "the emulator is tested with clients of its own"
)]

mod bill;
mod common;
mod faults;
mod lambda;
mod lambda_faults;
mod python;
mod s3;
mod s3_kill;
mod s3_restart;
mod sqs;
mod tls;
