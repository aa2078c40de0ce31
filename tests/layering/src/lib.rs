//! Holds the workspace to its layers: what `cargo metadata` says of each crate must be what the code map of `docs/architecture.md` says.
//! Tests only; the library is empty.

#[cfg(test)]
mod metadata;
#[cfg(test)]
mod page;
#[cfg(test)]
mod tests;
