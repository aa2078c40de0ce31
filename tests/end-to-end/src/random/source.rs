//! What stands in FROM: tables, subqueries, rows out of nothing, and joins of them.

use super::{Column, Kind, Scope, Writer, pairs, qualified};

const JOINS: [&str; 10] = [
    "JOIN",
    "JOIN",
    "LEFT JOIN",
    "RIGHT JOIN",
    "FULL JOIN",
    "LEFT SEMI JOIN",
    "LEFT ANTI JOIN",
    "RIGHT SEMI JOIN",
    "RIGHT ANTI JOIN",
    "CROSS JOIN",
];

impl Writer {
    pub(super) fn from(&mut self, depth: u32) -> (String, Scope) {
        let (mut text, mut scope) = self.source(depth);
        let joins = match depth {
            0 => *self.one_of(&[0, 0, 0, 1]),
            _ => *self.one_of(&[0, 0, 1, 1, 2]),
        };
        for _ in 0..joins {
            (text, scope) = self.join(text, scope, depth.saturating_sub(1));
        }
        (text, scope)
    }

    fn join(&mut self, left: String, scope: Scope, depth: u32) -> (String, Scope) {
        let (right, other) = self.source(depth);
        let pairs = pairs(&scope, &other);
        let join = *self.one_of(&JOINS);
        if pairs.is_empty() || join == "CROSS JOIN" {
            // Of all tables this keeps products small.
            let (right, other) = self.small();
            return (format!("{left} CROSS JOIN {right}"), [scope, other].concat());
        }
        let seen: Scope = scope.iter().chain(&other).cloned().collect();
        let on = self.join_condition(join, &pairs, &seen);
        let scope = match join {
            "LEFT SEMI JOIN" | "LEFT ANTI JOIN" => scope,
            "RIGHT SEMI JOIN" | "RIGHT ANTI JOIN" => other,
            _ => seen,
        };
        (format!("{left} {join} {right} ON {on}"), scope)
    }

    fn join_condition(&mut self, join: &str, pairs: &[(String, String)], seen: &[Column]) -> String {
        let (left, right) = self.one_of(pairs).clone();
        let operator = match self.between(0, 99) {
            0..12 => "IS NOT DISTINCT FROM",
            // Without a key all pairs are looked at; where unmatched rows count, too many would come of it.
            12..24 if join == "JOIN" => *self.one_of(&["<", ">", "<>"]),
            _ => "=",
        };
        let mut on = format!("({left} {operator} {right})");
        if self.percent(30) {
            let (left, right) = self.one_of(pairs).clone();
            let operator = *self.one_of(&["=", "<", ">=", "<>"]);
            on = format!("{on} AND ({left} {operator} {right})");
        }
        if self.percent(20) {
            on = format!("{on} AND {}", self.predicate(seen, 1));
        }
        on
    }

    fn small(&mut self) -> (String, Scope) {
        let small = self.tables.iter().find(|table| table.name == "v").cloned();
        self.renamed(&small.expect("a table of that name"))
    }

    fn source(&mut self, depth: u32) -> (String, Scope) {
        match self.between(0, 99) {
            0..5 => self.values(),
            5..9 => self.series(),
            9..13 => self.unnested(),
            13..21 if depth > 0 => self.first_of_each(),
            21..50 if depth > 0 => {
                let (query, columns) = self.query(depth - 1);
                self.derived(&query, columns)
            }
            _ => self.any_relation(),
        }
    }

    fn derived(&mut self, query: &str, columns: Scope) -> (String, Scope) {
        let alias = self.name();
        (format!("({query}) AS {alias}"), qualified(&alias, &columns))
    }

    fn values(&mut self) -> (String, Scope) {
        let kinds: Vec<Kind> = (0..self.between(1, 3))
            .map(|_| *self.one_of(&[Kind::Int, Kind::Text, Kind::Big]))
            .collect();
        let rows = (0..self.between(1, 6)).map(|_| {
            let values: Vec<String> = kinds.iter().map(|kind| self.typed(*kind)).collect();
            format!("({})", values.join(", "))
        });
        let rows = rows.collect::<Vec<_>>().join(", ");
        let columns: Scope = kinds
            .into_iter()
            .map(|kind| Column {
                name: self.name(),
                kind,
            })
            .collect();
        let alias = self.name();
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let text = format!("(VALUES {rows}) AS {alias}({})", names.join(", "));
        (text, qualified(&alias, &columns))
    }

    fn series(&mut self) -> (String, Scope) {
        let (first, name) = (self.between(-3, 3), self.name());
        let last = first + self.between(0, 20);
        let query = format!("SELECT value AS {name} FROM generate_series({first}, {last})");
        self.derived(&query, vec![Column { name, kind: Kind::Big }])
    }

    fn unnested(&mut self) -> (String, Scope) {
        let (text, number) = (self.name(), self.name());
        let table = *self.one_of(&["t", "v"]);
        let query = format!("SELECT c AS {text}, unnest(make_array(a, a + 1, 3)) AS {number} FROM {table}");
        let columns = vec![
            Column {
                name: text,
                kind: Kind::Text,
            },
            Column {
                name: number,
                kind: Kind::Int,
            },
        ];
        self.derived(&query, columns)
    }

    /// The first rows of each group, by a rank.
    fn first_of_each(&mut self) -> (String, Scope) {
        let (relation, scope) = self.any_relation();
        let (rank, rows) = (self.name(), self.between(1, 3));
        let columns: Scope = scope
            .iter()
            .map(|column| Column {
                name: self.name(),
                kind: column.kind,
            })
            .collect();
        let items = scope
            .iter()
            .zip(&columns)
            .map(|(from, to)| format!("{} AS {}", from.name, to.name));
        let items = items.collect::<Vec<_>>().join(", ");
        let key = self.one_of(&scope).name.clone();
        let order = self.order_by_all(&scope);
        let function = *self.one_of(&["row_number", "rank", "dense_rank"]);
        let ranked = format!("SELECT {items}, {function}() OVER (PARTITION BY {key}{order}) AS {rank} FROM {relation}");
        let query = format!("SELECT * FROM ({ranked}) WHERE {rank} <= {rows}");
        self.derived(&query, columns)
    }
}
