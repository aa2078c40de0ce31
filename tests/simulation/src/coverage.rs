//! What happened how often over a campaign. A simulation in which a fault or a recovery never happens proves nothing about it.

use std::collections::BTreeMap;
use std::fmt;

/// Names have two parts, so that none is put together before somebody reads it.
type Name = (&'static str, &'static str);

/// Counts by name: `fault …`, `branch …` (the scheduler's own counters), `end …`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    counts: BTreeMap<Name, u64>,
}

impl Coverage {
    /// Something happened.
    pub fn hit(&mut self, name: &'static str) {
        self.add(("", name), 1);
    }

    /// A query ended so.
    pub fn hit_end(&mut self, name: &'static str) {
        self.add(("end ", name), 1);
    }

    /// A scheduler has taken this branch so many times.
    pub fn add_branch(&mut self, name: &'static str, times: u64) {
        if times > 0 {
            self.add(("branch ", name), times);
        }
    }

    pub fn merge(&mut self, other: &Coverage) {
        for (name, count) in &other.counts {
            self.add(*name, *count);
        }
    }

    pub fn count(&self, name: &str) -> u64 {
        self.entries()
            .filter(|(other, _)| other == name)
            .map(|(_, count)| count)
            .sum()
    }

    pub fn entries(&self) -> impl Iterator<Item = (String, u64)> {
        let counts = self.counts.iter();
        counts.map(|((kind, name), count)| (format!("{kind}{name}"), *count))
    }

    fn add(&mut self, name: Name, times: u64) {
        *self.counts.entry(name).or_default() += times;
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut entries = self.entries();
        entries.try_for_each(|(name, count)| writeln!(f, "{count:>12}  {name}"))
    }
}
