//! Transcripts: a script of events goes in, the script with the scheduler's commands between its lines comes out.

mod alternatives;
mod bounds;
mod ends;
mod enough;
mod harness;
mod life;
mod losses;
mod regroup;
mod resume;
mod retries;
mod sharing;
mod stragglers;
mod turns;

pub(crate) use harness::check;
