//! Plans from SQL through the codec and the writer's driver, without any S3.

mod codec;
mod driver;
mod golden;
mod nodes;
mod split_table;
