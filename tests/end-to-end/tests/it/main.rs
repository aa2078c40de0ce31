//! The whole product through its door: real processes, the wire, the clients that people use.

mod adaptive;
mod analyze_table;
mod cases;
mod clients;
mod command_line;
mod coordinators;
mod double_entry;
mod errors;
mod executor_programs;
mod executors;
mod explain_analyze;
mod faults;
mod hostile;
mod judged;
mod limits;
mod memory;
mod planners;
mod random;
mod results;
mod sql;
mod stores;
mod support;
mod tables;
mod tpcds;
mod tpch;
mod views;
