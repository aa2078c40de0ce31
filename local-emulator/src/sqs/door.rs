//! The way into queues for the services beside SQS: Lambda's destinations. Nothing goes over the wire, and nothing is counted.

use std::sync::Arc;

use super::actions::Actions;
use super::wire::Send;
use crate::lambda::Destination;

pub(super) struct Door(pub Arc<Actions>);

impl Destination for Door {
    /// A queue that is not there, or that does not take the message, loses it: so does AWS, but for a metric.
    fn send(&self, queue_arn: &str, body: String) {
        let name = queue_arn.rsplit(':').next().unwrap_or_default();
        let message = Send {
            message_body: body,
            delay_seconds: None,
            message_attributes: Default::default(),
        };
        let sent = self.0.queue(name).and_then(|queue| self.0.send(&queue, message));
        if let Err(error) = sent {
            tracing::warn!(queue_arn, error = error.message, "a destination takes no record");
        }
    }
}
