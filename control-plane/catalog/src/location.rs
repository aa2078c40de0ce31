//! Where a table may lie. Everything here is decided on the text alone: a refused location causes no request.

use crate::error;
use mayfly_protocol::{QueryError, key};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A folder (or one file) in a bucket. `prefix` has no leading and no trailing slash; it is empty for a whole bucket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Location {
    pub bucket: String,
    pub prefix: String,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

impl Location {
    /// The prefix that the location's objects share.
    pub fn folder(&self) -> String {
        if self.prefix.is_empty() {
            String::new()
        } else {
            format!("{}/", self.prefix)
        }
    }

    /// `s3://bucket/key`, as messages name a file.
    pub fn file(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.bucket)
    }

    fn within(&self, other: &Location) -> bool {
        let inside = other.prefix.is_empty() || self.prefix == other.prefix;
        self.bucket == other.bucket && (inside || self.prefix.starts_with(&other.folder()))
    }
}

/// The allow-list: buckets and prefixes in which tables may lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locations {
    any: bool,
    allowed: Vec<Location>,
    /// What texts of a query stand for that are no locations: paths of this machine.
    meanings: BTreeMap<String, String>,
}

impl Locations {
    /// Every bucket that the credentials reach. For a local cloud.
    pub fn any() -> Locations {
        Locations {
            any: true,
            allowed: Vec::new(),
            meanings: BTreeMap::new(),
        }
    }

    /// The same, where a query may name places by these texts too.
    pub fn with_meanings(self, meanings: BTreeMap<String, String>) -> Locations {
        Locations { meanings, ..self }
    }

    /// The location that a text stands for: mostly itself.
    pub(crate) fn meaning<'a>(&'a self, text: &'a str) -> &'a str {
        self.meanings.get(text).map_or(text, String::as_str)
    }

    /// `*`, or a list like `s3://bucket, s3://other/prefix`, separated by commas. Refuses what is not a location.
    pub fn parse(text: &str) -> Result<Locations, QueryError> {
        let entries = || text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        if entries().any(|entry| entry == "*") {
            return Ok(Locations::any());
        }
        let allowed = entries().map(plain).collect::<Result<_, _>>()?;
        Ok(Locations {
            any: false,
            allowed,
            meanings: BTreeMap::new(),
        })
    }

    /// The location that `text` names, if a table may lie there. `control` is the bucket with the queries' own objects.
    pub fn check(&self, text: &str, control: &str) -> Result<Location, QueryError> {
        let location = parse(text)?;
        if location.bucket == control && key::is_private(&location.prefix) {
            return Err(error::not_allowed(text, "it holds Mayfly's own objects"));
        }
        if self.any || self.allowed.iter().any(|allowed| location.within(allowed)) {
            Ok(location)
        } else {
            Err(error::not_allowed(text, "it is not on the list of allowed locations"))
        }
    }
}

/// An entry of the allow-list. There are no patterns, and what looks like one is refused.
fn plain(text: &str) -> Result<Location, QueryError> {
    match text.chars().find(|c| is_special(*c)) {
        Some(c) => Err(error::not_allowed(text, &format!("it contains {c:?}"))),
        None => parse(text),
    }
}

/// Reads `s3://bucket/prefix`. No form of encoding is understood, so that no two texts can name one place: `%41` is three characters.
fn parse(text: &str) -> Result<Location, QueryError> {
    let refuse = |why: &str| error::not_allowed(text, why);
    let rest = text
        .strip_prefix("s3://")
        .ok_or_else(|| refuse("only s3://bucket/prefix is"))?;
    if let Some(c) = rest.chars().find(|c| forbidden(*c)) {
        return Err(refuse(&format!("it contains {c:?}")));
    }
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if !is_bucket(bucket) {
        return Err(refuse("its bucket is not one that S3 can have"));
    }
    let prefix = prefix.trim_end_matches('/');
    if !prefix.is_empty() && !prefix.split('/').all(is_plain) {
        return Err(refuse("its path is not plain"));
    }
    Ok(Location {
        bucket: bucket.to_owned(),
        prefix: prefix.to_owned(),
    })
}

/// A name, and no step to elsewhere, whichever program resolves it.
fn is_plain(segment: &str) -> bool {
    let dots = segment.to_ascii_lowercase().replace("%2e", ".");
    let is_step = |part: &str| matches!(part, "." | "..");
    !segment.is_empty() && !dots.split('\\').any(is_step)
}

/// Characters that nobody sees.
fn forbidden(c: char) -> bool {
    c.is_control() || c.is_whitespace() && c != ' '
}

/// Characters with a second meaning elsewhere.
fn is_special(c: char) -> bool {
    matches!(c, '%' | '\\' | '?' | '#' | '*' | '@' | '"' | '<' | '>')
}

/// S3's own rules for bucket names, near enough to keep hosts, ports and users out.
fn is_bucket(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.');
    let ends = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let bytes = name.as_bytes();
    (3..=63).contains(&bytes.len())
        && bytes.iter().all(|b| allowed(*b))
        && ends(bytes.first())
        && ends(bytes.last())
        && !name.contains("..")
}

#[cfg(test)]
mod tests;
