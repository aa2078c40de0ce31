//! What end-to-end tests and benches share: the real server as a process, a client of its wire, TPC-H files, the oracle that answers the
//! same SQL in process, and the judges that are other databases. Uses no crate of ours: it sees what a user sees.

pub mod alike;
pub mod bombs;
pub mod cases;
pub mod client;
pub mod clock;
pub mod elsewhere;
pub mod gate;
pub mod judges;
pub mod odd;
pub mod oracle;
pub mod proxy;
pub mod python;
pub mod random;
pub mod raw;
pub mod server;
pub mod slt;
pub mod stars;
pub mod table;
pub mod tpcds;
pub mod tpch;
pub mod translate;
pub mod verdict;
