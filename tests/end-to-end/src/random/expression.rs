//! Expressions of one row: values of a type, and predicates.

use super::tables::literal;
use super::{Column, Kind, Writer};

impl Writer {
    /// A value of the type, of columns in scope where there are any.
    pub(super) fn value(&mut self, scope: &[Column], kind: Kind, depth: u32) -> String {
        if depth == 0 || self.percent(35) {
            return self.leaf(scope, kind);
        }
        match self.between(0, 99) {
            0..12 => {
                let condition = self.predicate(scope, depth - 1);
                let (yes, no) = self.two(scope, kind, depth - 1);
                format!("CASE WHEN {condition} THEN {yes} ELSE {no} END")
            }
            12..20 => self.filled("COALESCE({}, {})", scope, kind, depth),
            20..25 => self.filled("NULLIF({}, {})", scope, kind, depth),
            _ => self.operation(scope, kind, depth),
        }
    }

    fn operation(&mut self, scope: &[Column], kind: Kind, depth: u32) -> String {
        let of_one = |text: &'static str, from: Kind| (text, from);
        let form = match kind {
            Kind::Int => *self.one_of(&[
                of_one("({} + {})", Kind::Int),
                of_one("({} - {})", Kind::Int),
                of_one("({} % 7)", Kind::Int),
                of_one("abs({})", Kind::Int),
                of_one("CAST(character_length({}) AS INT)", Kind::Text),
                of_one("CAST(extract(day FROM {}) AS INT)", Kind::Date),
            ]),
            Kind::Big => *self.one_of(&[
                of_one("({} + CAST({} AS BIGINT))", Kind::Big),
                of_one("({} / 3)", Kind::Big),
                of_one("CAST({} AS BIGINT)", Kind::Int),
            ]),
            Kind::Double => *self.one_of(&[
                of_one("({} + {})", Kind::Double),
                of_one("({} * 0.5)", Kind::Double),
                of_one("CAST({} AS DOUBLE)", Kind::Int),
                of_one("abs({})", Kind::Double),
            ]),
            Kind::Decimal => of_one("CAST({} - {} AS DECIMAL(10,2))", Kind::Decimal),
            Kind::Text => *self.one_of(&[
                of_one("upper({})", Kind::Text),
                of_one("({} || {})", Kind::Text),
                of_one("substr({}, 1, 2)", Kind::Text),
                of_one("CAST({} AS VARCHAR)", Kind::Int),
                of_one("trim({})", Kind::Text),
            ]),
            Kind::Date => *self.one_of(&[
                of_one("CAST(date_trunc('month', {}) AS DATE)", Kind::Date),
                of_one("({} + INTERVAL '11 days')", Kind::Date),
            ]),
            Kind::Time => of_one("date_trunc('hour', {})", Kind::Time),
            Kind::Bool => return self.predicate(scope, depth - 1),
        };
        self.filled(form.0, scope, form.1, depth)
    }

    /// The form with one value of the type for each `{}`.
    fn filled(&mut self, form: &str, scope: &[Column], kind: Kind, depth: u32) -> String {
        let mut text = String::new();
        for (at, part) in form.split("{}").enumerate() {
            if at > 0 {
                text.push_str(&self.value(scope, kind, depth - 1));
            }
            text.push_str(part);
        }
        text
    }

    fn two(&mut self, scope: &[Column], kind: Kind, depth: u32) -> (String, String) {
        (self.value(scope, kind, depth), self.value(scope, kind, depth))
    }

    /// A column of the type, or a literal.
    pub(super) fn leaf(&mut self, scope: &[Column], kind: Kind) -> String {
        let columns: Vec<&Column> = scope.iter().filter(|column| column.kind == kind).collect();
        match columns.is_empty() || self.percent(15) {
            true => self.typed(kind),
            false => self.one_of(&columns).name.clone(),
        }
    }

    /// A literal of exactly this type, seldom NULL.
    pub(super) fn typed(&mut self, kind: Kind) -> String {
        let text = match self.percent(5) {
            true => "NULL".to_owned(),
            false => literal(&mut self.chance, kind),
        };
        format!("CAST({text} AS {})", kind.sql())
    }

    /// In parentheses.
    pub(super) fn predicate(&mut self, scope: &[Column], depth: u32) -> String {
        format!("({})", self.bare_predicate(scope, depth))
    }

    fn bare_predicate(&mut self, scope: &[Column], depth: u32) -> String {
        if depth > 0 && self.percent(40) {
            let connective = *self.one_of(&["AND", "AND", "OR", "AND NOT"]);
            let (left, right) = (self.predicate(scope, depth - 1), self.predicate(scope, depth - 1));
            return format!("{left} {connective} {right}");
        }
        let kind = self.kind(scope);
        let below = depth.saturating_sub(1);
        let value = self.value(scope, kind, below);
        let not = *self.one_of(&["", "NOT "]);
        match self.between(0, 99) {
            0..12 => format!("{value} IS {not}NULL"),
            12..24 => {
                let count = self.between(1, 4);
                let list: Vec<String> = (0..count).map(|_| self.typed(kind)).collect();
                format!("{value} {not}IN ({})", list.join(", "))
            }
            24..30 => format!(
                "{value} BETWEEN {} AND {}",
                self.leaf(scope, kind),
                self.leaf(scope, kind)
            ),
            30..38 => {
                let pattern = *self.one_of(&["a%", "%b%", "_", "%", "Z_d"]);
                format!("{} {not}LIKE '{pattern}'", self.value(scope, Kind::Text, below))
            }
            38..46 => format!("{value} IS {not}DISTINCT FROM {}", self.value(scope, kind, below)),
            _ => {
                let operator = *self.one_of(&["=", "=", "<", ">", "<=", ">=", "<>"]);
                format!("{value} {operator} {}", self.value(scope, kind, below))
            }
        }
    }
}
