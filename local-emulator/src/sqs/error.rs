//! SQS errors, in the shape that both generations of SDKs read: `__type` in the body for JSON, `x-amzn-query-error` for the old query codes.

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use serde_json::json;

use super::query;

/// A refused request.
#[derive(Clone, Debug)]
pub(crate) struct SqsError {
    status: StatusCode,
    /// Shape name in `com.amazonaws.sqs`.
    shape: &'static str,
    /// What the query protocol called it.
    query_code: &'static str,
    pub message: String,
}

impl SqsError {
    fn sender(shape: &'static str, query_code: &'static str, message: impl Into<String>) -> SqsError {
        SqsError {
            status: StatusCode::BAD_REQUEST,
            shape,
            query_code,
            message: message.into(),
        }
    }

    pub fn no_such_queue() -> SqsError {
        let message = "The specified queue does not exist.";
        SqsError::sender("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", message)
    }

    pub fn queue_exists(attribute: &str) -> SqsError {
        let message =
            format!("A queue already exists with the same name and a different value for attribute {attribute}");
        SqsError::sender("QueueNameExists", "QueueAlreadyExists", message)
    }

    pub fn invalid(message: impl Into<String>) -> SqsError {
        SqsError::sender("InvalidParameterValueException", "InvalidParameterValue", message)
    }

    pub fn missing(name: &str) -> SqsError {
        let message = format!("The request must contain the parameter {name}.");
        SqsError::sender("MissingRequiredParameterException", "MissingParameter", message)
    }

    pub fn invalid_attribute(name: &str) -> SqsError {
        SqsError::sender(
            "InvalidAttributeName",
            "InvalidAttributeName",
            format!("Unknown Attribute {name}."),
        )
    }

    pub fn invalid_attribute_value(name: &str) -> SqsError {
        let message = format!("Invalid value for the parameter {name}.");
        SqsError::sender("InvalidAttributeValue", "InvalidAttributeValue", message)
    }

    pub fn invalid_contents() -> SqsError {
        let message = "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF";
        SqsError::sender("InvalidMessageContents", "InvalidMessageContents", message)
    }

    pub fn invalid_receipt(handle: &str) -> SqsError {
        let message = format!("The input receipt handle \"{handle}\" is not a valid receipt handle.");
        SqsError::sender("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", message)
    }

    pub fn not_in_flight() -> SqsError {
        let message = "The message referred to is not in flight.";
        SqsError::sender(
            "MessageNotInflight",
            "AWS.SimpleQueueService.MessageNotInflight",
            message,
        )
    }

    pub fn over_limit() -> SqsError {
        let message = "The maximum number of in flight messages is reached.";
        let mut error = SqsError::sender("OverLimit", "OverLimit", message);
        error.status = StatusCode::FORBIDDEN;
        error
    }

    pub fn purge_in_progress(queue: &str) -> SqsError {
        let message = format!("Only one PurgeQueue operation on {queue} is allowed every 60 seconds.");
        let query_code = "AWS.SimpleQueueService.PurgeQueueInProgress";
        SqsError {
            status: StatusCode::FORBIDDEN,
            ..SqsError::sender("PurgeQueueInProgress", query_code, message)
        }
    }

    pub fn internal() -> SqsError {
        SqsError {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            ..SqsError::sender(
                "InternalFailure",
                "InternalFailure",
                "The service could not serve this request.",
            )
        }
    }

    pub fn empty_batch() -> SqsError {
        let message = "There should be at least one entry in the request.";
        SqsError::sender("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest", message)
    }

    pub fn long_batch(entries: usize) -> SqsError {
        let message = format!("Maximum number of entries per request are 10. You have sent {entries}.");
        let query_code = "AWS.SimpleQueueService.TooManyEntriesInBatchRequest";
        SqsError::sender("TooManyEntriesInBatchRequest", query_code, message)
    }

    pub fn large_batch(bytes: usize) -> SqsError {
        let message = format!("Batch requests cannot be longer than 1048576 bytes. You have sent {bytes} bytes.");
        SqsError::sender(
            "BatchRequestTooLong",
            "AWS.SimpleQueueService.BatchRequestTooLong",
            message,
        )
    }

    pub fn repeated_id(id: &str) -> SqsError {
        let query_code = "AWS.SimpleQueueService.BatchEntryIdsNotDistinct";
        SqsError::sender("BatchEntryIdsNotDistinct", query_code, format!("Id {id} repeated."))
    }

    pub fn invalid_id() -> SqsError {
        let message = "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.";
        SqsError::sender(
            "InvalidBatchEntryId",
            "AWS.SimpleQueueService.InvalidBatchEntryId",
            message,
        )
    }

    pub fn unsupported(message: impl Into<String>) -> SqsError {
        SqsError::sender(
            "UnsupportedOperation",
            "AWS.SimpleQueueService.UnsupportedOperation",
            message,
        )
    }

    pub fn unknown_action(action: &str) -> SqsError {
        let message = format!("The action {action} is not valid for this endpoint.");
        SqsError::sender("InvalidAction", "InvalidAction", message)
    }

    pub fn malformed(message: impl Into<String>) -> SqsError {
        SqsError::sender("SerializationException", "MalformedQueryString", message)
    }

    pub fn forbidden(shape: &'static str, message: &'static str) -> SqsError {
        SqsError {
            status: StatusCode::FORBIDDEN,
            ..SqsError::sender(shape, shape, message)
        }
    }

    /// Its code as it stands in the failed entries of a batch.
    pub fn query_code(&self) -> &'static str {
        self.query_code
    }

    fn fault(&self) -> &'static str {
        if self.status.is_server_error() {
            "Receiver"
        } else {
            "Sender"
        }
    }

    pub fn query_response(&self, request_id: &str) -> Response<Full<Bytes>> {
        let xml = query::error(self.query_code, self.fault(), &self.message, request_id);
        query::response(self.status, xml, request_id)
    }

    pub fn response(&self, request_id: &str) -> Response<Full<Bytes>> {
        let body = json!({ "__type": format!("com.amazonaws.sqs#{}", self.shape), "message": self.message });
        Response::builder()
            .status(self.status)
            .header(http::header::CONTENT_TYPE, "application/x-amz-json-1.0")
            .header("x-amzn-requestid", request_id)
            .header("x-amzn-query-error", format!("{};{}", self.query_code, self.fault()))
            .body(Full::new(body.to_string().into()))
            .expect("error codes fit headers")
    }
}
