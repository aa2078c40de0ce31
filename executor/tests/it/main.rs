//! Stages cut by hand, run task by task through `execute` against the emulator's S3, and compared with DataFusion in one process.

mod answers;
mod cloud;
mod cutter;
mod faults;
mod limits;
#[path = "../../../fragment/tests/it/split_table.rs"]
mod split_table;
