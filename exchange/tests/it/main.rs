//! The exchange over S3's wire, on the local emulator: what is written is read, for how many requests, and what is damaged is named.

mod damage;
mod requests;
mod results;
mod round_trip;
mod world;
