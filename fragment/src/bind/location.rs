//! Which buckets and prefixes an executor may read tables from. The planner checks too; this is the second door.

use crate::error::FragmentError;

/// An allow-list: `*`, or `bucket` and `bucket/prefix` separated by commas. Empty allows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedLocations {
    any: bool,
    /// Bucket and prefix; a prefix ends in `/` or is empty.
    places: Vec<(String, String)>,
}

impl AllowedLocations {
    pub fn any() -> AllowedLocations {
        AllowedLocations {
            any: true,
            places: Vec::new(),
        }
    }

    pub fn parse(text: &str) -> AllowedLocations {
        let mut allowed = AllowedLocations::default();
        for place in text.split(',').map(str::trim).filter(|place| !place.is_empty()) {
            if place == "*" {
                allowed.any = true;
                continue;
            }
            let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
            let prefix = prefix.trim_end_matches('/');
            let prefix = if prefix.is_empty() {
                String::new()
            } else {
                format!("{prefix}/")
            };
            allowed.places.push((bucket.to_owned(), prefix));
        }
        allowed
    }

    /// Refuses what is not listed, and keys that a careless server could resolve to another place.
    pub fn check(&self, bucket: &str, key: &str) -> Result<(), FragmentError> {
        let listed = |(place, prefix): &(String, String)| place == bucket && key.starts_with(prefix.as_str());
        let plain = key.split('/').all(|part| part != ".." && part != ".");
        if plain && (self.any || self.places.iter().any(listed)) {
            return Ok(());
        }
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        Err(FragmentError::Location { bucket, key })
    }
}
