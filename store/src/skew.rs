//! A request that S3 refused as signed at another time is signed again. The SDK learns from each answer how far S3's clock is off, and
//! what it learned is wrong for one request once the wall clock has jumped; the refusal has told it better.

use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};

const CODE: &[u8] = b"RequestTimeTooSkewed";

#[derive(Debug)]
pub(crate) struct SignedAtAnotherTime;

impl ClassifyRetry for SignedAtAnotherTime {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let answer = context.response().and_then(|response| response.body().bytes());
        match answer.is_some_and(is_skewed) {
            true => RetryAction::transient_error(),
            false => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "signed at another time"
    }
}

/// An answer to HEAD has no body, and is not told apart from another refusal.
fn is_skewed(body: &[u8]) -> bool {
    body.windows(CODE.len()).any(|part| part == CODE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_code_of_a_skewed_clock_is_one() {
        assert!(is_skewed(b"<Error><Code>RequestTimeTooSkewed</Code></Error>"));
        assert!(!is_skewed(b"<Error><Code>AccessDenied</Code></Error>"));
        assert!(!is_skewed(b""));
    }
}
