//! Paths of this machine in a statement → read-only buckets of the local cloud that runs it.

use crate::exit::Failure;
use crate::statements::Statement;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Characters with which a wildcard begins.
const WILDCARDS: [char; 4] = ['*', '?', '[', '{'];

/// What the statements' paths need.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Paths {
    /// Buckets and the folders that they serve: those above the first wildcards.
    pub mounts: Vec<(String, PathBuf)>,
    /// Places in these buckets, by the texts that the statements have for them.
    pub places: BTreeMap<String, String>,
}

impl Paths {
    /// Of all statements. A folder that is not there is said here, where it has the name that the user gave it.
    pub fn of(statements: &[Statement<'_>]) -> Result<Paths, Failure> {
        let mut paths = Paths::default();
        let named = statements
            .iter()
            .flat_map(|statement| mayfly_plan::named_places(statement.sql));
        for text in named.filter(|text| is_path(text)) {
            paths.add(text)?;
        }
        Ok(paths)
    }

    fn add(&mut self, text: String) -> Result<(), Failure> {
        let path = text.strip_prefix("file://").unwrap_or(&text);
        let path = with_home(path);
        let (folder, rest) = parted(&path);
        let found = fs::canonicalize(folder);
        let folder = found.map_err(|error| Failure::Usage(format!("cannot read '{text}': {folder}: {error}")))?;
        let bucket = self.bucket(folder);
        self.places.insert(text, format!("s3://{bucket}/{rest}"));
        Ok(())
    }

    fn bucket(&mut self, folder: PathBuf) -> String {
        if let Some((bucket, _)) = self.mounts.iter().find(|(_, known)| *known == folder) {
            return bucket.clone();
        }
        let bucket = format!("local-{}", self.mounts.len() + 1);
        self.mounts.push((bucket.clone(), folder));
        bucket
    }

    /// The message with the paths of this machine where it names buckets.
    pub fn spelled(&self, message: &str) -> String {
        self.mounts
            .iter()
            .fold(message.to_owned(), |message, (bucket, folder)| {
                let folder = folder.display().to_string();
                message.replace(
                    &format!("s3://{bucket}/"),
                    &format!("{}/", folder.trim_end_matches('/')),
                )
            })
    }
}

fn is_path(text: &str) -> bool {
    text.starts_with("file://") || !text.contains("://")
}

fn with_home(path: &str) -> String {
    let home = std::env::var("HOME").unwrap_or_default();
    match path.strip_prefix("~/") {
        Some(below) if !home.is_empty() => format!("{home}/{below}"),
        _ => path.to_owned(),
    }
}

/// The folder, and what of the path lies below it.
fn parted(path: &str) -> (&str, &str) {
    let literal = path.find(WILDCARDS).map_or(path, |at| &path[..at]);
    if literal.len() == path.len() && Path::new(path).is_dir() {
        return (path, "");
    }
    match literal.rfind('/') {
        Some(0) => ("/", &path[1..]),
        Some(end) => (&path[..end], &path[end + 1..]),
        None => (".", path),
    }
}

#[cfg(test)]
mod tests;
