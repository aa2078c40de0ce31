//! What each action does. Takes parsed requests and gives values to serialize; HTTP stands in api.rs, waiting in queue.rs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::{Value, json};

use super::attributes::QueueAttributes;
use super::digest::{md5_of_attributes, md5_of_body};
use super::error::SqsError;
use super::fault::SqsFault;
use super::limits::check_message;
use super::messages::{Change, Draft};
use super::queue::{Ask, Queue, epoch_ms};
use super::received::{receipt, shown};
use super::wire::*;
use crate::fault::Faults;

pub(crate) const ACCOUNT: &str = "000000000000";
const NAME_BYTES_MAX: usize = 80;
const DELAY_SECONDS_MAX: i64 = 900;
const VISIBILITY_SECONDS_MAX: i64 = 43_200;
const WAIT_SECONDS_MAX: i64 = 20;
const RECEIVE_COUNT_MAX: i64 = 10;
/// Of a delay by fault: as long as a message may be delayed on AWS.
const FAULT_DELAY_MS_MAX: u64 = 900_000;
const LIST_MAX: i64 = 1000;

pub(crate) struct Actions {
    pub url: String,
    pub region: String,
    pub faults: Arc<Faults>,
    pub queues: Mutex<BTreeMap<String, Arc<Queue>>>,
}

impl Actions {
    pub fn create_queue(&self, request: CreateQueue) -> Result<Value, SqsError> {
        let name = request.queue_name;
        let is_valid = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if name.ends_with(".fifo") {
            return Err(SqsError::unsupported("FIFO queues are not emulated"));
        }
        if !is_valid || name.is_empty() || name.len() > NAME_BYTES_MAX {
            let rule = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
            return Err(SqsError::invalid(rule));
        }
        if !request.tags.is_empty() {
            return Err(SqsError::unsupported("tags of queues are not emulated"));
        }
        let mut queues = self.lock();
        if let Some(queue) = queues.get(&name) {
            let difference = queue
                .attributes()
                .difference(&request.attributes)
                .map(SqsError::queue_exists);
            return difference.map_or_else(|| Ok(json!({ "QueueUrl": self.queue_url(&name) })), Err);
        }
        let attributes = QueueAttributes::new(request.attributes)?;
        self.check_redrive(&queues, &name, &attributes)?;
        queues.insert(name.clone(), Arc::new(Queue::new(name.clone(), attributes)));
        Ok(json!({ "QueueUrl": self.queue_url(&name) }))
    }

    pub fn get_queue_url(&self, request: QueueName) -> Result<Value, SqsError> {
        let is_known = self.lock().contains_key(&request.queue_name);
        is_known
            .then(|| json!({ "QueueUrl": self.queue_url(&request.queue_name) }))
            .ok_or_else(SqsError::no_such_queue)
    }

    pub fn list_queues(&self, request: ListQueues) -> Result<Value, SqsError> {
        let prefix = request.queue_name_prefix.unwrap_or_default();
        let after = request.next_token.unwrap_or_default();
        let count_max = request.max_results.unwrap_or(LIST_MAX);
        if !(1..=LIST_MAX).contains(&count_max) {
            return Err(SqsError::invalid(format!(
                "Value {count_max} for parameter MaxResults is invalid. Reason: Must be between 1 and {LIST_MAX}, if provided."
            )));
        }
        let queues = self.lock();
        let mut names = queues.keys().filter(|name| name.starts_with(&prefix) && **name > after);
        let page: Vec<&String> = names.by_ref().take(count_max as usize).collect();
        let next = page.last().filter(|_| names.next().is_some());
        let urls: Vec<String> = page.iter().map(|name| self.queue_url(name)).collect();
        Ok(match (urls.is_empty(), next) {
            (true, _) => json!({}),
            (false, None) => json!({ "QueueUrls": urls }),
            (false, Some(next)) => json!({ "QueueUrls": urls, "NextToken": next }),
        })
    }

    pub fn delete_queue(&self, request: QueueRef) -> Result<Empty, SqsError> {
        let queue = self.queue(&request.queue_url)?;
        self.lock().remove(&queue.name);
        Ok(Empty {})
    }

    pub fn purge_queue(&self, request: QueueRef) -> Result<Empty, SqsError> {
        self.queue(&request.queue_url)?.purge()?;
        Ok(Empty {})
    }

    pub fn get_queue_attributes(&self, request: GetAttributes) -> Result<Value, SqsError> {
        let queue = self.queue(&request.queue_url)?;
        let census = queue.census();
        let mut all = queue.attributes().all();
        let told = [
            ("ApproximateNumberOfMessages", census.visible.to_string()),
            ("ApproximateNumberOfMessagesNotVisible", census.in_flight.to_string()),
            ("ApproximateNumberOfMessagesDelayed", census.delayed.to_string()),
            ("CreatedTimestamp", queue.created_s.to_string()),
            ("LastModifiedTimestamp", queue.modified_s().to_string()),
            ("QueueArn", self.arn(&queue.name)),
        ];
        all.extend(told.map(|(name, value)| (name.to_owned(), value)));
        let wanted = request.attribute_names;
        all.retain(|name, _| wanted.iter().any(|wanted| wanted == "All" || wanted == name));
        Ok(if all.is_empty() {
            json!({})
        } else {
            json!({ "Attributes": all })
        })
    }

    pub fn set_queue_attributes(&self, request: SetAttributes) -> Result<Empty, SqsError> {
        let queue = self.queue(&request.queue_url)?;
        let queues = self.lock();
        let mut attributes = queue.attributes();
        attributes.set(request.attributes)?;
        self.check_redrive(&queues, &queue.name, &attributes)?;
        queue.set(attributes);
        Ok(Empty {})
    }

    pub fn list_dead_letter_source_queues(&self, request: QueueRef) -> Result<Value, SqsError> {
        let arn = self.arn(&self.queue(&request.queue_url)?.name);
        let queues = self.lock();
        let sources = queues.values().filter(|queue| {
            let policy = queue.attributes().redrive();
            policy.is_some_and(|policy| policy.target_arn == arn)
        });
        let urls: Vec<String> = sources.map(|queue| self.queue_url(&queue.name)).collect();
        Ok(json!({ "queueUrls": urls }))
    }

    /// The dead-letter queue must be there and allow it.
    fn check_redrive(
        &self,
        queues: &BTreeMap<String, Arc<Queue>>,
        name: &str,
        attributes: &QueueAttributes,
    ) -> Result<(), SqsError> {
        let Some(policy) = attributes.redrive() else {
            return Ok(());
        };
        let refused = |reason| SqsError::invalid(format!("The RedrivePolicy is invalid. Reason: {reason}."));
        let target = policy.target_name();
        if policy.target_arn != self.arn(target) || !queues.contains_key(target) {
            return Err(refused("Dead letter target does not exist"));
        }
        let is_allowed = queues[target].attributes().redrive_allow().allows(&self.arn(name));
        is_allowed
            .then_some(())
            .ok_or_else(|| refused("The target does not allow this source"))
    }

    fn dead_letters(&self, queue: &Queue) -> Option<(u64, Arc<Queue>)> {
        let policy = queue.attributes().redrive()?;
        let target = self.lock().get(policy.target_name())?.clone();
        Some((policy.receives_max, target))
    }

    fn arn(&self, name: &str) -> String {
        format!("arn:aws:sqs:{}:{ACCOUNT}:{name}", self.region)
    }

    pub fn send(&self, queue: &Queue, request: Send) -> Result<Sent, SqsError> {
        let attributes = queue.attributes();
        check_message(&request, attributes.message_bytes_max())?;
        let delay = seconds("DelaySeconds", request.delay_seconds, DELAY_SECONDS_MAX)?;
        let sent = Sent {
            message_id: uuid::Uuid::new_v4().to_string(),
            md5_of_message_body: md5_of_body(&request.message_body),
            md5_of_message_attributes: md5_of_attributes(&request.message_attributes),
        };
        let draft = Draft {
            id: sent.message_id.clone(),
            body: request.message_body,
            attributes: request.message_attributes,
            sent_ms: epoch_ms(),
            delay: delay.unwrap_or_else(|| attributes.delay()),
        };
        self.put(queue, draft);
        Ok(sent)
    }

    /// Puts a message into its queue, or does what a fault says instead.
    fn put(&self, queue: &Queue, mut draft: Draft) {
        match self.faults.sqs.draw(&queue.name, SqsFault::is_of_send) {
            Some(SqsFault::Drop) => return,
            Some(SqsFault::Duplicate) => queue.send(draft.clone()),
            Some(SqsFault::Delay { ms }) => draft.delay += Duration::from_millis(ms.min(FAULT_DELAY_MS_MAX)),
            _ => {}
        }
        queue.send(draft);
    }

    pub async fn receive(&self, request: Receive) -> Result<Value, SqsError> {
        let queue = self.queue(&request.queue_url)?;
        let count_max = request.max_number_of_messages.unwrap_or(1);
        if !(1..=RECEIVE_COUNT_MAX).contains(&count_max) {
            let rule = "must be between 1 and 10, if provided";
            return Err(SqsError::invalid(format!(
                "Value {count_max} for parameter MaxNumberOfMessages is invalid. Reason: {rule}."
            )));
        }
        let fault = self.faults.sqs.draw(&queue.name, SqsFault::is_of_receive);
        let ask = Ask {
            count_max: count_max as usize,
            visibility: seconds("VisibilityTimeout", request.visibility_timeout, VISIBILITY_SECONDS_MAX)?,
            wait: seconds("WaitTimeSeconds", request.wait_time_seconds, WAIT_SECONDS_MAX)?,
            dead_letters: self.dead_letters(&queue),
            is_reversed: fault == Some(SqsFault::Reorder),
        };
        if fault == Some(SqsFault::EmptyReceive) {
            return Ok(json!({}));
        }
        let received = queue.receive(ask).await?;
        let shown: Vec<Received> = received
            .into_iter()
            .map(|(receipt, message)| shown(&request, &queue, receipt, message))
            .collect();
        // Absent, not empty: SDKs tell the two apart.
        Ok(if shown.is_empty() {
            json!({})
        } else {
            json!({ "Messages": shown })
        })
    }

    pub fn delete(&self, queue: &Queue, request: Delete) -> Result<Empty, SqsError> {
        let receipt = receipt(queue, &request.receipt_handle)?;
        queue.change(|messages, _| messages.delete(receipt));
        Ok(Empty {})
    }

    pub fn change_visibility(&self, queue: &Queue, request: ChangeVisibility) -> Result<Empty, SqsError> {
        let receipt = receipt(queue, &request.receipt_handle)?;
        let visibility = seconds("VisibilityTimeout", request.visibility_timeout, VISIBILITY_SECONDS_MAX)?;
        let visibility = visibility.ok_or_else(|| SqsError::missing("VisibilityTimeout"))?;
        match queue.change(|messages, now| messages.change_visibility(now, receipt, visibility)) {
            Change::Done => Ok(Empty {}),
            Change::NotInFlight => Err(SqsError::not_in_flight()),
        }
    }

    /// The queue that a URL names by its last part, whatever host it was reached by.
    pub fn queue(&self, url: &str) -> Result<Arc<Queue>, SqsError> {
        let name = url.rsplit('/').next().unwrap_or(url);
        self.lock().get(name).cloned().ok_or_else(SqsError::no_such_queue)
    }

    fn queue_url(&self, name: &str) -> String {
        format!("{}/{ACCOUNT}/{name}", self.url)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Queue>>> {
        self.queues.lock().expect("no holder of the queues lock panics")
    }
}

fn seconds(name: &str, given: Option<i64>, max: i64) -> Result<Option<Duration>, SqsError> {
    match given {
        None => Ok(None),
        Some(seconds) if (0..=max).contains(&seconds) => Ok(Some(Duration::from_secs(seconds as u64))),
        Some(seconds) => {
            let rule = format!("must be >= 0 and <= {max}, if provided");
            Err(SqsError::invalid(format!(
                "Value {seconds} for parameter {name} is invalid. Reason: {rule}."
            )))
        }
    }
}
