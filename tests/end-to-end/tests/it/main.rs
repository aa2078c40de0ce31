//! The whole product through its door: real processes, the wire, the clients that people use.

mod another_user;
mod clients;
mod command_line;
mod errors;
mod executors;
mod results;
mod support;
mod tpch;
