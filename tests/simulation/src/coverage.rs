//! What happened how often over a campaign. A simulation in which a fault or a recovery never happens proves nothing about it.

use std::collections::BTreeMap;
use std::fmt;

/// Counts by name: `fault …`, `branch …` (the scheduler's own counters), `end …`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    counts: BTreeMap<String, u64>,
}

impl Coverage {
    /// Something happened.
    pub fn hit(&mut self, name: &str) {
        self.add(name, 1);
    }

    pub fn add(&mut self, name: &str, times: u64) {
        match self.counts.get_mut(name) {
            Some(count) => *count += times,
            None => {
                self.counts.insert(name.to_owned(), times);
            }
        }
    }

    /// A scheduler has taken this branch so many times.
    pub fn add_branch(&mut self, name: &str, times: u64) {
        if times > 0 {
            self.add(&format!("branch {name}"), times);
        }
    }

    pub fn merge(&mut self, other: &Coverage) {
        for (name, count) in &other.counts {
            self.add(name, *count);
        }
    }

    pub fn count(&self, name: &str) -> u64 {
        self.counts.get(name).copied().unwrap_or(0)
    }

    pub fn entries(&self) -> impl Iterator<Item = (&str, u64)> {
        self.counts.iter().map(|(name, count)| (name.as_str(), *count))
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut entries = self.entries();
        entries.try_for_each(|(name, count)| writeln!(f, "{count:>12}  {name}"))
    }
}
