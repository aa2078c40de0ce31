//! Planning as a user of the crate sees it: over real tables in an emulated S3, and run stage by stage in this process.

mod cluster;
mod oracle;
mod world;

mod answers;
mod bad_input;
mod broken_objects;
mod dropped;
mod join_order;
mod metadata;
mod pages;
mod pitfalls;
mod shapes;
mod show_create;
mod tpch;
mod without_tables;
