//! Tests of `handle`.

use super::*;
use crate::live::Live;

fn handle(status: watch::Receiver<QueryStatus>) -> QueryHandle {
    let query = "q".parse().expect("an id");
    QueryHandle::new(query, status, mpsc::unbounded_channel().0)
}

#[tokio::test]
async fn a_query_of_which_nobody_tells_has_failed() {
    let (sender, status) = watch::channel(Live::accepted());
    let handle = handle(status);
    assert_eq!(handle.status().state, QueryState::Running);
    drop(sender);
    let status = handle.ended(Duration::from_secs(3_600)).await;
    assert_eq!(status.state, QueryState::Failed);
    assert_eq!(
        status.error.map(|error| error.code),
        Some(ErrorCode::GenericInternalError)
    );
}

#[tokio::test]
async fn an_end_that_was_told_stays_once_the_teller_is_gone() {
    let (sender, status) = watch::channel(Live::accepted());
    let handle = handle(status);
    sender.send_modify(|status| status.state = QueryState::Canceled);
    drop(sender);
    let status = handle.ended(Duration::from_secs(3_600)).await;
    assert_eq!((status.state, status.error), (QueryState::Canceled, None));
}
