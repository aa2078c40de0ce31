//! Typed ids with one spelling, the same in logs, object keys, goldens and bills.
//!
//! ```text
//! 20261120_151209_00042_k3x9a            query
//! 20261120_151209_00042_k3x9a/s2         stage     (…/s2g1 if it had generation 1)
//! 20261120_151209_00042_k3x9a/s2/t14     task
//! 20261120_151209_00042_k3x9a/s2/t14/a1  attempt   (…/a1e2 when a second coordinator epoch launched it)
//! ```

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Longest accepted spelling of a query id, in bytes.
pub const QUERY_ID_BYTES_MAX: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a {kind} id: {text:?}")]
pub struct ParseIdError {
    kind: &'static str,
    text: String,
}

fn refuse(kind: &'static str, text: &str) -> ParseIdError {
    ParseIdError {
        kind,
        text: text.chars().take(80).collect(),
    }
}

/// Serde through the one spelling.
macro_rules! spelled {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                String::deserialize(deserializer)?
                    .parse()
                    .map_err(D::Error::custom)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }
    };
}

/// One query, as clients see it: `yyyyMMdd_HHmmss_NNNNN_xxxxx`, characters `[_a-z0-9]`. Every id of an attempt holds it, so copies
/// share it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct QueryId(Arc<str>);

impl Ord for QueryId {
    /// Nearly always of two copies of one id, which share it.
    #[inline]
    fn cmp(&self, other: &QueryId) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) {
            return Ordering::Equal;
        }
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for QueryId {
    #[inline]
    fn partial_cmp(&self, other: &QueryId) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl QueryId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for QueryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for QueryId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<QueryId, ParseIdError> {
        let allowed = |byte: u8| byte == b'_' || byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let fits = !text.is_empty() && text.len() <= QUERY_ID_BYTES_MAX;
        if fits && text.bytes().all(allowed) {
            Ok(QueryId(text.into()))
        } else {
            Err(refuse("query", text))
        }
    }
}
spelled!(QueryId);

/// Who pays. First part of every key, so that access can be granted by prefix. Characters `[-a-z0-9]`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(String);

impl TenantId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for TenantId {
    fn default() -> TenantId {
        TenantId("default".to_owned())
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for TenantId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<TenantId, ParseIdError> {
        let allowed = |byte: u8| byte == b'-' || byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let fits = !text.is_empty() && text.len() <= 32;
        if fits && text.bytes().all(allowed) {
            Ok(TenantId(text.to_owned()))
        } else {
            Err(refuse("tenant", text))
        }
    }
}
spelled!(TenantId);

/// A stage within a query. `generation` is 0: a graph changes by alternatives that it holds (decision 0009) and is never planned again. Keys,
/// pins and ids have a place for others, so that a graph may be planned again without another format.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StageId {
    pub index: u32,
    pub generation: u32,
}

impl StageId {
    pub const fn new(index: u32) -> StageId {
        StageId { index, generation: 0 }
    }
}

impl fmt::Display for StageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.generation {
            0 => write!(f, "s{}", self.index),
            generation => write!(f, "s{}g{generation}", self.index),
        }
    }
}

impl FromStr for StageId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<StageId, ParseIdError> {
        let (index, generation) = numbers(text, 's', 'g').ok_or_else(|| refuse("stage", text))?;
        Ok(StageId {
            index,
            generation: generation.unwrap_or(0),
        })
    }
}
spelled!(StageId);

/// A task within a query: one share of a stage's work.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TaskId {
    pub stage: StageId,
    pub index: u32,
}

impl TaskId {
    /// Orders as the fields do, in one comparison.
    #[inline]
    const fn rank(self) -> u128 {
        ((self.stage.index as u128) << 64) | ((self.stage.generation as u128) << 32) | self.index as u128
    }
}

impl Ord for TaskId {
    #[inline]
    fn cmp(&self, other: &TaskId) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl PartialOrd for TaskId {
    #[inline]
    fn partial_cmp(&self, other: &TaskId) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/t{}", self.stage, self.index)
    }
}

impl FromStr for TaskId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<TaskId, ParseIdError> {
        let parse = || {
            let (stage, task) = text.split_once('/')?;
            let index = digits(task.strip_prefix('t')?)?;
            Some(TaskId {
                stage: stage.parse().ok()?,
                index,
            })
        };
        parse().ok_or_else(|| refuse("task", text))
    }
}
spelled!(TaskId);

/// One try at a task: the unit of invocation, of metering and of publication. `number` counts from 0 within the task and epoch.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId {
    pub query: QueryId,
    pub task: TaskId,
    /// Incarnation of the coordinator that launched it, from 1.
    pub epoch: u32,
    pub number: u32,
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/a{}", self.query, self.task, self.number)?;
        if self.epoch == 1 {
            Ok(())
        } else {
            write!(f, "e{}", self.epoch)
        }
    }
}

impl FromStr for AttemptId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<AttemptId, ParseIdError> {
        let parse = || {
            let (query, rest) = text.split_once('/')?;
            let (task, attempt) = rest.rsplit_once('/')?;
            let (number, epoch) = numbers(attempt, 'a', 'e')?;
            let epoch = epoch.unwrap_or(1);
            Some(AttemptId {
                query: query.parse().ok()?,
                task: task.parse().ok()?,
                epoch,
                number,
            })
        };
        parse().ok_or_else(|| refuse("attempt", text))
    }
}
spelled!(AttemptId);

/// Drawn by the executor at start, so that two deliveries of one attempt never share an object key. Spelled as 16 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nonce(pub u64);

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Nonce {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Nonce, ParseIdError> {
        let number = (text.len() == 16).then(|| u64::from_str_radix(text, 16).ok()).flatten();
        number.map(Nonce).ok_or_else(|| refuse("nonce", text))
    }
}
spelled!(Nonce);

/// `{first}{n}` or `{first}{n}{second}{m}`.
fn numbers(text: &str, first: char, second: char) -> Option<(u32, Option<u32>)> {
    let text = text.strip_prefix(first)?;
    match text.split_once(second) {
        Some((head, tail)) => Some((digits(head)?, Some(digits(tail)?))),
        None => Some((digits(text)?, None)),
    }
}

/// Decimal digits only: `u32::from_str` would also take a sign.
fn digits(text: &str) -> Option<u32> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests;
