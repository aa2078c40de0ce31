//! The modelled journals: numbered records, each created if absent, read as they are.

use mayfly_protocol::journal::Record;
use mayfly_schedule::journal::Standing;
use std::rc::Rc;

/// Journals by position of their query.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    journals: Vec<Journal>,
}

#[derive(Clone, Debug, Default)]
struct Journal {
    records: Vec<Rc<Record>>,
    /// What a reader of all of them knows; folded once, since many look.
    standing: Standing,
}

impl Shelf {
    pub fn new(queries: usize) -> Shelf {
        Shelf {
            journals: vec![Journal::default(); queries],
        }
    }

    /// False if there is such a record.
    pub fn put(&mut self, query: usize, sequence: u32, record: &Rc<Record>) -> bool {
        let journal = &mut self.journals[query];
        let is_new = sequence as usize >= journal.records.len();
        if is_new {
            journal.records.push(record.clone());
            journal.standing.read((**record).clone());
        }
        is_new
    }

    pub fn get(&self, query: usize, sequence: u32) -> Option<Rc<Record>> {
        self.journals[query].records.get(sequence as usize).cloned()
    }

    pub fn standing(&self, query: usize) -> &Standing {
        &self.journals[query].standing
    }
}
