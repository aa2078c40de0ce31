//! Holds the workspace to its layers: which crate may use which, read from `cargo metadata`. The table is the one of
//! `docs/architecture.md`. Tests only; the library is empty.

#[cfg(test)]
mod metadata;
#[cfg(test)]
mod tests;
