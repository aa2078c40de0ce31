//! Joins whose keys are named once: USING and NATURAL. A column that is merged has no table any more, and comes first.

use super::join::From;
use super::{Column, Relation, Scope, Writer, qualified};

/// Names that tables share.
const SHARED: [&str; 3] = ["k", "id", "name"];

impl Writer {
    pub(super) fn using(&mut self) -> From {
        let (mut text, mut scope) = self.keyed();
        for _ in 0..*self.one_of(&[1, 1, 2]) {
            let (right, other) = self.keyed();
            let shared = shared(&scope, &other);
            if shared.is_empty() {
                break;
            }
            let join = *self.one_of(&["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "FULL JOIN"]);
            let is_natural = self.percent(30) && is_clear(&scope, &other);
            let keys = match is_natural {
                true => shared,
                false => {
                    let key = self.one_of(&shared).clone();
                    let again = |name: &String| *name == key || is_merged(&scope, name);
                    shared.into_iter().filter(again).collect()
                }
            };
            text = match is_natural {
                true => format!("{text} NATURAL {join} {right}"),
                false => format!("{text} {join} {right} USING ({})", keys.join(", ")),
            };
            scope = merged(&keys, scope, other);
        }
        let condition = None;
        From { text, scope, condition }
    }

    /// A table with a key of a shared name.
    fn keyed(&mut self) -> (String, Scope) {
        let has_key = |table: &&Relation| table.columns.iter().any(|column| column.name == "k");
        let keyed: Vec<Relation> = self.tables.iter().filter(has_key).cloned().collect();
        let table = self.one_of(&keyed).clone();
        let alias = self.name();
        (format!("{} AS {alias}", table.name), qualified(&alias, &table.columns))
    }
}

fn bare(column: &Column) -> &str {
    column.name.rsplit('.').next().unwrap_or_default()
}

fn count(scope: &[Column], name: &str) -> usize {
    scope.iter().filter(|column| bare(column) == name).count()
}

/// Such a name would be ambiguous if the next relation had it and were not joined by it, too.
fn is_merged(scope: &[Column], name: &str) -> bool {
    scope.iter().any(|column| column.name == name)
}

/// Names that each side has once.
fn shared(left: &[Column], right: &[Column]) -> Vec<String> {
    let names = SHARED
        .iter()
        .filter(|name| count(left, name) == 1 && count(right, name) == 1);
    names.map(|name| (*name).to_owned()).collect()
}

/// Whether NATURAL means the shared names, each once and of one type on both sides.
fn is_clear(left: &[Column], right: &[Column]) -> bool {
    right.iter().all(|column| {
        let name = bare(column);
        match count(left, name) {
            0 => true,
            1 => SHARED.contains(&name),
            _ => false,
        }
    })
}

/// Keys first and without a table, then the rest of the left, then of the right.
fn merged(keys: &[String], left: Scope, right: Scope) -> Scope {
    let is_key = |column: &Column| keys.iter().any(|key| key == bare(column));
    let key = |column: &Column| Column {
        name: bare(column).to_owned(),
        kind: column.kind,
    };
    // In the order of the left's columns, as NATURAL has them; USING has one.
    let first: Scope = left.iter().filter(|column| is_key(column)).map(key).collect();
    let rest = left.into_iter().chain(right).filter(|column| !is_key(column));
    first.into_iter().chain(rest).collect()
}
