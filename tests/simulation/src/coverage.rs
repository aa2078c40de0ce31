//! What happened how often over a campaign. A simulation in which a fault or a recovery never happens proves nothing about it.

use mayfly_schedule::Counters;
use std::collections::BTreeMap;
use std::fmt;

/// Counts by name: `fault …`, `branch …` (the scheduler's own counters among them), `end …`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// By where the name lies, which is told sooner than what it says. A name that lies in two places is counted in both.
    hits: BTreeMap<usize, (&'static str, u64)>,
    ends: BTreeMap<&'static str, u64>,
    branches: Counters,
}

impl Coverage {
    /// Something happened.
    pub fn hit(&mut self, name: &'static str) {
        self.add(name, 1);
    }

    /// A query ended so.
    pub fn hit_end(&mut self, name: &'static str) {
        *self.ends.entry(name).or_default() += 1;
    }

    /// A scheduler has taken branches so many times.
    pub fn add_branches(&mut self, counters: &Counters) {
        self.branches += *counters;
    }

    pub fn merge(&mut self, other: &Coverage) {
        other.hits.values().for_each(|(name, count)| self.add(name, *count));
        for (name, count) in &other.ends {
            *self.ends.entry(name).or_default() += count;
        }
        self.branches += other.branches;
    }

    pub fn count(&self, name: &str) -> u64 {
        self.entries()
            .filter(|(other, _)| other == name)
            .map(|(_, count)| count)
            .sum()
    }

    /// All that happened, each name once.
    pub fn entries(&self) -> impl Iterator<Item = (String, u64)> {
        let hits = self.hits.values().map(|(name, count)| ((*name).to_owned(), *count));
        let branches = self.branches.entries().into_iter();
        let branches = branches.map(|(name, count)| (format!("branch {name}"), count));
        let ends = self.ends.iter().map(|(name, count)| (format!("end {name}"), *count));
        let mut sums = BTreeMap::<String, u64>::new();
        for (name, count) in hits.chain(branches).chain(ends).filter(|(_, count)| *count > 0) {
            *sums.entry(name).or_default() += count;
        }
        sums.into_iter()
    }

    fn add(&mut self, name: &'static str, times: u64) {
        self.hits.entry(name.as_ptr().addr()).or_insert((name, 0)).1 += times;
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut entries = self.entries();
        entries.try_for_each(|(name, count)| writeln!(f, "{count:>12}  {name}"))
    }
}
