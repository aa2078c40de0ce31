//! Joins with ON, lateral ones, and semi-joins, which other engines write as EXISTS. Those with USING are in `using`.

use super::{Column, Dialect, Kind, Scope, Writer, pairs};

/// FROM, what it shows, and what WHERE must say for it.
pub(super) struct From {
    pub text: String,
    pub scope: Scope,
    pub condition: Option<String>,
}

const JOINS: [&str; 12] = [
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
    "LATERAL",
    "UNNEST",
];

impl Writer {
    pub(super) fn from(&mut self, depth: u32) -> From {
        if self.percent(15) {
            return self.using();
        }
        let (text, scope) = self.source(depth);
        let condition = None;
        let mut from = From { text, scope, condition };
        let joins = match depth {
            0 => *self.one_of(&[0, 0, 0, 1]),
            _ => *self.one_of(&[0, 0, 1, 1, 2]),
        };
        for _ in 0..joins {
            if from.condition.is_none() {
                from = self.join(from, depth.saturating_sub(1));
            }
        }
        from
    }

    fn join(&mut self, left: From, depth: u32) -> From {
        let join = *self.one_of(&JOINS);
        match join {
            "LATERAL" => return self.lateral(left),
            "UNNEST" => return self.unnest(left),
            _ => {}
        }
        let (right, other) = self.source(depth);
        let pairs = pairs(&left.scope, &other);
        if pairs.is_empty() || join == "CROSS JOIN" {
            // Of all tables this keeps products small.
            let (right, other) = self.small();
            return left.and(&format!("CROSS JOIN {right}"), other);
        }
        let seen: Scope = left.scope.iter().chain(&other).cloned().collect();
        let on = self.join_condition(join, &pairs, &seen);
        match join.contains("SEMI") || join.contains("ANTI") {
            true => self.half_join(join, left, (right, other), &on),
            false => left.and(&format!("{join} {right} ON {on}"), other),
        }
    }

    /// Shows one side's columns.
    fn half_join(&mut self, join: &str, left: From, (right, other): (String, Scope), on: &str) -> From {
        let (kept, tested) = match join.starts_with("LEFT") {
            true => ((left.text.clone(), left.scope), right.clone()),
            false => ((right.clone(), other), left.text.clone()),
        };
        let not = if join.contains("ANTI") { "NOT " } else { "" };
        let (text, condition) = match self.dialect {
            Dialect::Mayfly => (format!("{} {join} {right} ON {on}", left.text), "true".to_owned()),
            _ => (kept.0, format!("{not}EXISTS (SELECT 1 FROM {tested} WHERE {on})")),
        };
        From {
            text,
            scope: kept.1,
            condition: Some(condition),
        }
    }

    fn join_condition(&mut self, join: &str, pairs: &[(String, String)], seen: &[Column]) -> String {
        let (left, right) = self.one_of(pairs).clone();
        let operator = match self.between(0, 99) {
            0..12 => "IS NOT DISTINCT FROM",
            // PostgreSQL has no other way for FULL than by a key.
            12..26 if join != "FULL JOIN" => *self.one_of(&["<", ">", "<>", "<="]),
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

    /// A subquery that sees the row beside it.
    fn lateral(&mut self, left: From) -> From {
        let (query, columns) = self.inside(&left.scope, |writer| {
            let (query, columns) = writer.select(0, None);
            match writer.percent(50) {
                true => (writer.limited(query, columns.len()), columns),
                false => (query, columns),
            }
        });
        let (text, other) = self.derived(&query, columns);
        match self.percent(50) {
            true => left.and(&format!("CROSS JOIN LATERAL {text}"), other),
            false => left.and(&format!("LEFT JOIN LATERAL {text} ON true"), other),
        }
    }

    /// The elements of a list made of the row beside it.
    fn unnest(&mut self, left: From) -> From {
        let (alias, name) = (self.name(), self.name());
        let value = self.alone(|writer| writer.leaf(&left.scope, Kind::Int));
        let column = Column {
            name: format!("{alias}.{name}"),
            kind: Kind::Int,
        };
        let text = format!("CROSS JOIN UNNEST(ARRAY[{value}, {value} + 1, 3]) AS {alias}({name})");
        left.and(&text, vec![column])
    }
}

impl From {
    fn and(self, join: &str, other: Scope) -> From {
        From {
            text: format!("{} {join}", self.text),
            scope: [self.scope, other].concat(),
            condition: self.condition,
        }
    }
}
