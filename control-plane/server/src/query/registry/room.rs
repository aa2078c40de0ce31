//! What makes room: registrations that nobody polls, and rows of queries that have ended, the oldest first.

use super::{Entry, Queries};
use crate::query::Query;
use crate::settings::ServerSettings;
use mayfly_protocol::QueryId;
use std::collections::BTreeMap;

/// Room for one more registration. A client polls what it has registered within milliseconds: what waits is most likely forgotten. One
/// client's registrations make room for its own first, so that it cannot lock others out.
pub(super) fn of_registrations(queries: &mut Queries, new: &Query, settings: &ServerSettings) {
    let user = &new.client.user;
    let waits = |entry: &Entry| !entry.query.is_started();
    let own = |entry: &Entry| waits(entry) && entry.query.client.user == *user;
    let surplus = (count(queries, own) + 1).saturating_sub(settings.registered_max);
    evict(queries, surplus, own);

    let mut bytes = new.sql.len() + texts(queries, waits);
    while bytes > settings.registered_bytes_max && evict(queries, 1, waits) {
        bytes = new.sql.len() + texts(queries, waits);
    }

    let alive = super::alive(queries);
    if alive >= settings.queries_max {
        let greedy = greediest(queries);
        evict(queries, alive + 1 - settings.queries_max, |entry| {
            waits(entry) && Some(&entry.query.client.user) == greedy.as_ref()
        });
    }
}

/// Lets go of ended queries' rows until what is held is within its bound.
pub(super) fn of_rows(queries: &mut Queries, settings: &ServerSettings) {
    let ended = queries.values_mut().filter(|entry| entry.holds_rows());
    let mut held: Vec<(&mut Entry, usize)> = ended
        .map(|entry| {
            let bytes = entry.query.held_bytes();
            (entry, bytes)
        })
        .collect();
    let mut bytes: usize = held.iter().map(|(_, bytes)| bytes).sum();
    for (entry, held) in &mut held {
        if bytes <= settings.ended_bytes_max {
            return;
        }
        entry.released = entry.query.release();
        bytes -= *held;
    }
}

fn count(queries: &Queries, which: impl Fn(&Entry) -> bool) -> usize {
    queries.values().filter(|entry| which(entry)).count()
}

fn texts(queries: &Queries, which: impl Fn(&Entry) -> bool) -> usize {
    let chosen = queries.values().filter(|entry| which(entry));
    chosen.map(|entry| entry.query.sql.len()).sum()
}

/// Forgets the oldest of those, so many of them. Whether there was any.
fn evict(queries: &mut Queries, surplus: usize, which: impl Fn(&Entry) -> bool) -> bool {
    let chosen = queries.iter().filter(|(_, entry)| which(entry)).take(surplus);
    let ids: Vec<QueryId> = chosen.map(|(id, _)| id.clone()).collect();
    for id in &ids {
        tracing::info!(query = %id, "forgotten: it was never polled, and others need its place");
        queries.remove(id);
    }
    !ids.is_empty()
}

/// Who has registered the most that waits.
fn greediest(queries: &Queries) -> Option<String> {
    let mut waiting: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in queries.values().filter(|entry| !entry.query.is_started()) {
        *waiting.entry(&entry.query.client.user).or_default() += 1;
    }
    let most = waiting.into_iter().max_by_key(|(_, count)| *count);
    most.map(|(user, _)| user.to_owned())
}
