//! The attributes that a queue is created with and can be given later: which there are, their bounds and defaults.

use std::time::Duration;

use serde_json::Value;

use super::error::SqsError;
use super::wire::Attributes;

/// Name, smallest, largest and default value, all in seconds or bytes.
const NUMBERS: [(&str, u64, u64, u64); 5] = [
    ("DelaySeconds", 0, 900, 0),
    ("MaximumMessageSize", 1024, 1_048_576, 1_048_576),
    ("MessageRetentionPeriod", 60, 1_209_600, 345_600),
    ("ReceiveMessageWaitTimeSeconds", 0, 20, 0),
    ("VisibilityTimeout", 0, 43_200, 30),
];

/// Names the dead-letter queue.
pub(crate) const REDRIVE_POLICY: &str = "RedrivePolicy";

/// Largest `maxReceiveCount`.
const RECEIVE_COUNT_MAX: u64 = 1000;

/// Taken and given back, without effect.
const ACCEPTED: [&str; 5] = [
    "Policy",
    "KmsMasterKeyId",
    "KmsDataKeyReusePeriodSeconds",
    "SqsManagedSseEnabled",
    "RedriveAllowPolicy",
];

/// A `RedrivePolicy`, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Redrive {
    pub target_arn: String,
    pub receive_count_max: u64,
}

impl Redrive {
    /// `{"deadLetterTargetArn": …, "maxReceiveCount": n}`; clients send the number as a string, too.
    pub fn parse(policy: &str) -> Option<Redrive> {
        let policy: Value = serde_json::from_str(policy).ok()?;
        let count = &policy["maxReceiveCount"];
        let count = count.as_u64().or_else(|| count.as_str()?.parse().ok())?;
        (1..=RECEIVE_COUNT_MAX).contains(&count).then_some(Redrive {
            target_arn: policy["deadLetterTargetArn"].as_str()?.to_owned(),
            receive_count_max: count,
        })
    }

    /// The target's name, by which queues are known here.
    pub fn target(&self) -> &str {
        self.target_arn.rsplit(':').next().unwrap_or_default()
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct QueueAttributes(Attributes);

impl QueueAttributes {
    pub fn new(given: Attributes) -> Result<QueueAttributes, SqsError> {
        let mut attributes = QueueAttributes::default();
        attributes.set(given)?;
        Ok(attributes)
    }

    /// Takes all of `given` or nothing.
    pub fn set(&mut self, given: Attributes) -> Result<(), SqsError> {
        given.iter().try_for_each(|(name, value)| check(name, value))?;
        self.0.extend(given);
        Ok(())
    }

    pub fn delay(&self) -> Duration {
        Duration::from_secs(self.number("DelaySeconds"))
    }

    pub fn visibility(&self) -> Duration {
        Duration::from_secs(self.number("VisibilityTimeout"))
    }

    pub fn wait(&self) -> Duration {
        Duration::from_secs(self.number("ReceiveMessageWaitTimeSeconds"))
    }

    pub fn retention(&self) -> Duration {
        Duration::from_secs(self.number("MessageRetentionPeriod"))
    }

    pub fn message_bytes_max(&self) -> usize {
        self.number("MaximumMessageSize") as usize
    }

    /// Where messages go that were received too often.
    pub fn redrive(&self) -> Option<Redrive> {
        Redrive::parse(self.0.get(REDRIVE_POLICY)?)
    }

    /// An attribute of `given` whose value here is another one: what makes a second CreateQueue fail.
    pub fn difference<'g>(&self, given: &'g Attributes) -> Option<&'g str> {
        let all = self.all();
        given
            .iter()
            .find(|(name, value)| all.get(*name) != Some(value))
            .map(|(name, _)| name.as_str())
    }

    /// Every attribute that has a value, defaults included.
    pub fn all(&self) -> Attributes {
        let defaults = NUMBERS
            .iter()
            .map(|(name, _, _, default)| ((*name).to_owned(), default.to_string()));
        let mut all: Attributes = defaults.collect();
        all.extend(self.0.clone());
        all
    }

    fn number(&self, name: &str) -> u64 {
        let set = self.0.get(name).and_then(|value| value.parse().ok());
        let default = NUMBERS
            .iter()
            .find(|(known, ..)| *known == name)
            .map(|(.., default)| *default);
        set.or(default).expect("only numbers of the table are asked for")
    }
}

fn check(name: &str, value: &str) -> Result<(), SqsError> {
    if let Some((_, min, max, _)) = NUMBERS.iter().find(|(known, ..)| *known == name) {
        let fits = value.parse::<u64>().is_ok_and(|number| (*min..=*max).contains(&number));
        return if fits {
            Ok(())
        } else {
            Err(SqsError::invalid_attribute_value(name))
        };
    }
    if name == REDRIVE_POLICY {
        // Empty takes the policy away.
        return match value.is_empty() || Redrive::parse(value).is_some() {
            true => Ok(()),
            false => Err(SqsError::invalid_attribute_value(name)),
        };
    }
    if ACCEPTED.contains(&name) {
        Ok(())
    } else {
        Err(SqsError::invalid_attribute(name))
    }
}
