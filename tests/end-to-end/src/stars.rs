//! Joins at random over tables that all have the columns `id`, `k` and `name`: self-joins, outer joins, IN, EXISTS, UNION ALL, common table
//! expressions, groups, DISTINCT, top-k. A seed gives one query in two spellings: in one every relation calls its columns by these three
//! names, in the other each column of each relation has a name of its own. Names are not identities, so both have one answer.

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use std::fmt::Write as _;

/// A table's name, its rows, and what its `id` and `k` are of a row's number.
pub struct StarTable {
    pub name: &'static str,
    rows: i64,
    id: fn(i64) -> i64,
    k: fn(i64) -> i64,
}

pub const TABLES: [StarTable; 4] = [
    StarTable {
        name: "a",
        rows: 60,
        id: |row| 1_000 + row,
        k: |row| row % 20,
    },
    StarTable {
        name: "b",
        rows: 20,
        id: |row| row,
        k: |row| 1_000 + row * 3,
    },
    StarTable {
        name: "c",
        rows: 40,
        id: |row| row * 2 - 10,
        k: |row| (row * 7) % 23,
    },
    StarTable {
        name: "d",
        rows: 4,
        id: |row| [3, 5, 1_003, 17][row as usize],
        k: |row| [5, 5, 3, 1_007][row as usize],
    },
];

impl StarTable {
    /// `VALUES …`; one `k` in seven is NULL.
    pub fn values(&self) -> String {
        let row = |row: i64| {
            let (id, k) = ((self.id)(row), (self.k)(row));
            let k = if row % 7 == 6 { "NULL".to_owned() } else { k.to_string() };
            format!("({id}, {k}, '{}{}')", self.name, row % 9)
        };
        (0..self.rows).map(row).collect::<Vec<_>>().join(", ")
    }
}

/// Columns of every relation: two numbers, a text.
const COLUMNS: [&str; 3] = ["id", "k", "name"];
const NUMBERS: usize = 2;

/// The query of a seed, with shared names or with names that stand once.
pub fn query(seed: u64, shared: bool) -> String {
    let mut writer = Writer {
        chance: SmallRng::seed_from_u64(seed),
        shared,
        names: 0,
    };
    let depth = writer.between(1, 3) as u32;
    let query = writer.query(depth);
    let outer: Vec<String> = query.columns.iter().map(|column| format!("q.{column}")).collect();
    format!(
        "SELECT {} AS o1, {} AS o2, {} AS o3 FROM ({}) AS q",
        outer[0], outer[1], outer[2], query.text
    )
}

/// A relation: its text and the names of its columns.
struct Part {
    text: String,
    columns: [String; 3],
}

struct Writer {
    chance: SmallRng,
    shared: bool,
    names: u32,
}

impl Writer {
    fn between(&mut self, low: i64, high: i64) -> i64 {
        self.chance.random_range(low..=high)
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        *choices.choose(&mut self.chance).expect("there is a choice")
    }

    /// Both spellings count on, so that chance and aliases are the same in both.
    fn fresh(&mut self) -> String {
        self.names += 1;
        format!("x{}", self.names)
    }

    fn columns(&mut self) -> [String; 3] {
        COLUMNS.map(|name| {
            let fresh = self.fresh();
            if self.shared { name.to_owned() } else { fresh }
        })
    }

    fn query(&mut self, depth: u32) -> Part {
        match self.between(0, 9) {
            0 | 1 if depth > 0 => self.union(depth - 1),
            2 if depth > 0 => self.common(depth - 1),
            3 => self.top(depth),
            _ => self.select(depth),
        }
    }

    fn union(&mut self, depth: u32) -> Part {
        let (first, second) = (self.select(depth), self.select(depth));
        let all = self.one_of(&["UNION ALL", "UNION ALL", "UNION"]);
        Part {
            text: format!("{} {all} {}", first.text, second.text),
            columns: first.columns,
        }
    }

    /// A common table expression joined to itself.
    fn common(&mut self, depth: u32) -> Part {
        let (inner, name) = (self.select(depth), self.fresh());
        let (one, other) = (self.fresh(), self.fresh());
        let (left, right) = (self.number(), self.number());
        let join = self.join_word();
        let on = format!("{one}.{} = {other}.{}", inner.columns[left], inner.columns[right]);
        let scope: Vec<[String; 3]> = [&one, &other]
            .map(|alias| inner.columns.clone().map(|column| format!("{alias}.{column}")))
            .to_vec();
        let list = self.list(&scope);
        Part {
            text: format!(
                "SELECT {} FROM (WITH {name} AS ({}) SELECT {} FROM {name} AS {one} {join} {name} AS {other} ON {on})",
                list.columns.join(", "),
                inner.text,
                list.text
            ),
            columns: list.columns,
        }
    }

    /// The first rows in an order that leaves nothing open.
    fn top(&mut self, depth: u32) -> Part {
        let inner = self.select(depth);
        let way = self.one_of(&["", " DESC"]);
        let [id, k, name] = &inner.columns;
        let rows = self.between(1, 30);
        Part {
            text: format!(
                "SELECT * FROM ({}) ORDER BY {k}{way}, {id}, {name} LIMIT {rows}",
                inner.text
            ),
            columns: inner.columns.clone(),
        }
    }

    fn select(&mut self, depth: u32) -> Part {
        let (from, scope) = self.from(depth);
        let condition = self.condition(&scope);
        match self.between(0, 5) {
            0 => self.grouped(&from, &condition, &scope),
            form => {
                let list = self.list(&scope);
                let distinct = if form == 1 { "DISTINCT " } else { "" };
                Part {
                    text: format!("SELECT {distinct}{} FROM {from}{condition}", list.text),
                    columns: list.columns,
                }
            }
        }
    }

    fn grouped(&mut self, from: &str, condition: &str, scope: &[[String; 3]]) -> Part {
        let columns = self.columns();
        let (one, other) = (self.any_number(scope), self.any_number(scope));
        let name = self.any(scope)[NUMBERS].clone();
        let [id, k, text] = &columns;
        Part {
            text: format!(
                "SELECT {one} AS {id}, {other} AS {k}, max({name}) AS {text} FROM {from}{condition} GROUP BY {one}, {other}"
            ),
            columns,
        }
    }

    /// Two numbers and a text of those in sight.
    fn list(&mut self, scope: &[[String; 3]]) -> Part {
        let columns = self.columns();
        let (one, other) = (self.any_number(scope), self.any_number(scope));
        let name = self.any(scope)[NUMBERS].clone();
        let [id, k, text] = &columns;
        let sign = self.one_of(&["", "", "", "-"]);
        Part {
            text: format!("{sign}{one} AS {id}, {other} AS {k}, {name} AS {text}"),
            columns,
        }
    }

    fn from(&mut self, depth: u32) -> (String, Vec<[String; 3]>) {
        let (mut text, first) = self.source(depth);
        let mut scope = vec![first];
        for _ in 0..self.between(0, 3) {
            let (right, columns) = self.source(depth.saturating_sub(1));
            let left = self.any_number(&scope);
            let shift = self.one_of(&["", "", "", " + 2", " + 1000"]);
            let key = columns[self.number()].clone();
            let _ = write!(text, " {} {right} ON {left} = {key}{shift}", self.join_word());
            scope.push(columns);
        }
        (text, scope)
    }

    fn join_word(&mut self) -> &'static str {
        self.one_of(&["JOIN", "JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"])
    }

    /// A relation in FROM, and its columns as the query around it names them.
    fn source(&mut self, depth: u32) -> (String, [String; 3]) {
        let part = match depth > 0 && self.between(0, 3) == 0 {
            true => self.query(depth - 1),
            false => self.table(),
        };
        let alias = self.fresh();
        let columns = part.columns.map(|column| format!("{alias}.{column}"));
        (format!("({}) AS {alias}", part.text), columns)
    }

    fn table(&mut self) -> Part {
        let table = self.one_of(&["a", "a", "b", "c", "d"]);
        let columns = self.columns();
        let named = COLUMNS.iter().zip(&columns);
        let list: Vec<String> = named.map(|(from, to)| format!("{from} AS {to}")).collect();
        let text = match self.shared {
            true => format!("SELECT * FROM {table}"),
            false => format!("SELECT {} FROM {table}", list.join(", ")),
        };
        Part { text, columns }
    }

    fn condition(&mut self, scope: &[[String; 3]]) -> String {
        let parts: Vec<String> = (0..self.between(0, 2)).map(|_| self.predicate(scope)).collect();
        match parts.is_empty() {
            true => String::new(),
            false => format!(" WHERE {}", parts.join(" AND ")),
        }
    }

    fn predicate(&mut self, scope: &[[String; 3]]) -> String {
        let column = self.any_number(scope);
        match self.between(0, 7) {
            0 => format!("{column} IS NULL"),
            1 => format!("{column} > {}", self.one_of(&[3, 10, 1_005])),
            2 => format!("{column} < {}", self.one_of(&[4, 15, 1_020])),
            3 => format!("{} LIKE '%{}'", self.any(scope)[NUMBERS].clone(), self.between(0, 9)),
            4 | 5 => {
                let (source, columns) = self.source(0);
                format!("{column} IN (SELECT {} FROM {source})", columns[self.number()])
            }
            form => {
                let (source, columns) = self.source(0);
                let not = if form == 6 { "NOT " } else { "" };
                let inner = &columns[self.number()];
                format!("{not}EXISTS (SELECT 1 FROM {source} WHERE {inner} = {column})")
            }
        }
    }

    fn number(&mut self) -> usize {
        self.between(0, NUMBERS as i64 - 1) as usize
    }

    fn any<'a>(&mut self, scope: &'a [[String; 3]]) -> &'a [String; 3] {
        scope.choose(&mut self.chance).expect("there is a relation")
    }

    fn any_number(&mut self, scope: &[[String; 3]]) -> String {
        let at = self.number();
        self.any(scope)[at].clone()
    }
}
