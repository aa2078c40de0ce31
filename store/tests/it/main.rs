//! The store against the local emulator, which speaks S3's wire and keeps its own count; and against one that misbehaves.

mod adapter;
mod conditional;
mod faults;
mod lifecycle;
mod listing;
mod meter;
mod objects;
mod proxy;
mod world;
