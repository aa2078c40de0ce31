//! What end-to-end tests and benches share: the real server as a process, a client of its wire, TPC-H files, and the oracle that
//! answers the same SQL in process. Uses no crate of ours: it sees what a user sees.

pub mod client;
pub mod elsewhere;
pub mod odd;
pub mod oracle;
pub mod proxy;
pub mod python;
pub mod random;
pub mod server;
pub mod slt;
pub mod table;
pub mod tpcds;
pub mod tpch;
