//! The attributes that a queue is created with and can be given later: which there are, their bounds and defaults.

use std::time::Duration;

use super::error::SqsError;
use super::redrive::{RedriveAllow, RedrivePolicy};
use super::wire::Attributes;

/// Name, smallest, largest and default value, all in seconds or bytes.
const NUMBERS: [(&str, u64, u64, u64); 5] = [
    ("DelaySeconds", 0, 900, 0),
    ("MaximumMessageSize", 1024, 1_048_576, 1_048_576),
    ("MessageRetentionPeriod", 60, 1_209_600, 345_600),
    ("ReceiveMessageWaitTimeSeconds", 0, 20, 0),
    ("VisibilityTimeout", 0, 43_200, 30),
];

/// Taken and given back, without effect.
const ACCEPTED: [&str; 4] = [
    "Policy",
    "KmsMasterKeyId",
    "KmsDataKeyReusePeriodSeconds",
    "SqsManagedSseEnabled",
];

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
        // An empty policy is none.
        self.0
            .retain(|name, value| !value.is_empty() || NUMBERS.iter().any(|(known, ..)| known == name));
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

    pub fn redrive(&self) -> Option<RedrivePolicy> {
        let text = self.0.get("RedrivePolicy")?;
        RedrivePolicy::parse(text).expect("checked when it was set")
    }

    pub fn redrive_allow(&self) -> RedriveAllow {
        let text = self.0.get("RedriveAllowPolicy").map_or("", String::as_str);
        RedriveAllow::parse(text).expect("checked when it was set")
    }

    pub fn message_bytes_max(&self) -> usize {
        self.number("MaximumMessageSize") as usize
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
    match name {
        "RedrivePolicy" => RedrivePolicy::parse(value).map(drop),
        "RedriveAllowPolicy" => RedriveAllow::parse(value).map(drop),
        name if ACCEPTED.contains(&name) => Ok(()),
        _ => Err(SqsError::invalid_attribute(name)),
    }
}
