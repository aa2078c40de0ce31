//! The two policies of dead letters: where a queue's messages go once received too often, and who may send them here.
//! Moving them stands in messages.rs and queue.rs; move tasks back to the source are not emulated.

use serde::Deserialize;
use serde_json::Value;

use super::error::SqsError;

const RECEIVES_MAX: u64 = 1000;

/// Where messages go, and after how many receives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RedrivePolicy {
    pub target_arn: String,
    pub receives_max: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    dead_letter_target_arn: String,
    max_receive_count: Value,
}

impl RedrivePolicy {
    /// `None` for the empty text, which takes a policy away.
    pub fn parse(text: &str) -> Result<Option<RedrivePolicy>, SqsError> {
        if text.is_empty() {
            return Ok(None);
        }
        let refused = || SqsError::invalid(format!("Value {text} for parameter RedrivePolicy is invalid."));
        let wire: Wire = serde_json::from_str(text).map_err(|_| refused())?;
        // Templates write the count as text as often as as a number.
        let count = match &wire.max_receive_count {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        let receives_max = count
            .filter(|count| (1..=RECEIVES_MAX).contains(count))
            .ok_or_else(refused)?;
        Ok(Some(RedrivePolicy {
            target_arn: wire.dead_letter_target_arn,
            receives_max,
        }))
    }

    pub fn target_name(&self) -> &str {
        self.target_arn.rsplit(':').next().unwrap_or_default()
    }
}

/// Which queues may name this one as their dead-letter queue.
#[derive(Debug, Deserialize)]
#[serde(tag = "redrivePermission", rename_all = "camelCase")]
pub(crate) enum RedriveAllow {
    AllowAll,
    DenyAll,
    #[serde(rename_all = "camelCase")]
    ByQueue {
        source_queue_arns: Vec<String>,
    },
}

impl RedriveAllow {
    pub fn parse(text: &str) -> Result<RedriveAllow, SqsError> {
        if text.is_empty() {
            return Ok(RedriveAllow::AllowAll);
        }
        serde_json::from_str(text)
            .map_err(|_| SqsError::invalid(format!("Value {text} for parameter RedriveAllowPolicy is invalid.")))
    }

    pub fn allows(&self, source_arn: &str) -> bool {
        match self {
            RedriveAllow::AllowAll => true,
            RedriveAllow::DenyAll => false,
            RedriveAllow::ByQueue { source_queue_arns } => source_queue_arns.iter().any(|arn| arn == source_arn),
        }
    }
}
