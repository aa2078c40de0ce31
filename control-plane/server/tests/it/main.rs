//! The protocol over real loopback HTTP, with canned answers behind the engine's port.

mod lifecycle;
mod limits;
mod native;
mod paging;
mod recovery;
mod results;
mod session;
mod support;
