//! Which page has which token. The newest page is kept as bytes, so that a client that asks twice gets the same bytes; older pages
//! are made again from where they started.

use super::cursor::{Cursor, Scan};
use crate::result::{Counters, Page};
use crate::settings::{PAGES_REMEMBERED_MAX, POLL_DURATION_MAX, POLL_DURATION_MIN};
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Default)]
pub struct Reader {
    /// Token of the newest page. 0 is the answer to the POST, which has no rows and is not asked for again.
    issued: u64,
    newest: Option<Page>,
    ended: bool,
    spans: BTreeMap<u64, Span>,
    /// Where the next page starts.
    pub scan: Scan,
    /// Figures on the newest page: they only grow.
    pub counters: Counters,
    /// Polls in a row that had nothing to show.
    idle_polls: u32,
}

/// The rows of a page that was shown.
#[derive(Clone)]
pub struct Span {
    pub from: Cursor,
    pub to: Cursor,
    pub is_last: bool,
}

/// What a token asks for.
pub enum Place {
    /// The newest page once more.
    Again(Page),
    Next,
    Earlier(Span),
    /// It was, but cannot be shown any more.
    Gone,
    /// It never was.
    Unknown,
}

impl Reader {
    /// Of a query whose earlier pages another server made: the next page has this token, and begins there.
    pub fn resumed(token: u64, cursor: Cursor) -> Reader {
        Reader {
            issued: token.saturating_sub(1),
            scan: Scan::at(cursor),
            ..Reader::default()
        }
    }

    pub fn place(&self, token: u64) -> Place {
        match (&self.newest, self.spans.get(&token)) {
            (Some(page), _) if token == self.issued => Place::Again(page.clone()),
            _ if token == self.issued + 1 && !self.ended => Place::Next,
            (_, Some(span)) => Place::Earlier(span.clone()),
            _ if token <= self.issued => Place::Gone,
            _ => Place::Unknown,
        }
    }

    pub fn next_token(&self) -> u64 {
        self.issued + 1
    }

    /// How long the next poll may be held.
    pub fn poll_duration(&self) -> Duration {
        let doubled = POLL_DURATION_MIN.saturating_mul(1 << self.idle_polls.min(8));
        doubled.min(POLL_DURATION_MAX)
    }

    pub fn issue(&mut self, page: Page, is_last: bool) {
        self.issued += 1;
        self.ended = is_last;
        self.idle_polls = if page.has_rows() { 0 } else { self.idle_polls + 1 };
        self.newest = Some(page);
    }

    /// To be called before [`Reader::issue`] of the page that shows these rows.
    pub fn remember(&mut self, span: Span) {
        self.spans.insert(self.next_token(), span);
        if self.spans.len() > PAGES_REMEMBERED_MAX {
            self.spans.pop_first();
        }
    }

    /// Bytes of rows in the newest page and in the batch that the next one begins in.
    pub fn held_bytes(&self) -> usize {
        let page = self.newest.as_ref().map_or(0, |page| page.rows.len());
        page + self.scan.held_bytes()
    }

    /// Forgets rows; the newest page stays if it has none.
    pub fn forget_rows(&mut self) {
        self.spans.clear();
        self.scan = Scan::default();
        self.newest = self.newest.take().filter(|page| !page.has_rows());
    }
}
