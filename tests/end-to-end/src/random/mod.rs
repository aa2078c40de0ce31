//! SQL at random: a seed gives a query over six small tables, of all that the planner has a rule for, so that what nobody thought of
//! is asked too. A query has one answer: whatever depends on the order of rows is given a total order. Nothing here knows answers.

mod aggregate;
mod dialect;
mod expression;
mod join;
mod query;
mod source;
mod subquery;
pub mod tables;
mod using;
mod window;

pub use dialect::Dialect;
use rand::rngs::SmallRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};
use tables::TABLES;

/// The query of a seed in an engine's words.
pub fn query(seed: u64, dialect: Dialect) -> String {
    let mut writer = Writer {
        chance: SmallRng::seed_from_u64(seed),
        dialect,
        names: 0,
        tables: TABLES
            .iter()
            .filter(|table| table.name != tables::LISTS)
            .map(|table| table.relation())
            .collect(),
        outer: Vec::new(),
        level: 0,
        subqueries: 0,
    };
    writer.subqueries = *writer.one_of(&[0, 1, 1, 2, 3, 4]);
    let depth = *writer.one_of(&[1, 2, 2, 3]);
    writer.statement(depth)
}

/// Types that columns have, and what may be asked of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Int,
    Big,
    /// Bigints near the largest.
    Huge,
    Text,
    Double,
    /// Doubles among which are NaN, infinities and both zeros.
    Odd,
    Decimal,
    Date,
    Time,
    Zoned,
    Bool,
    /// Of bigints. Only UNNEST reads it.
    List,
}

impl Kind {
    /// Whether engines agree on how its values compare.
    fn is_plain(self) -> bool {
        self != Kind::Odd
    }
}

/// A column as expressions name it.
#[derive(Clone, Debug)]
struct Column {
    name: String,
    kind: Kind,
}

/// What a place in a query sees. Never empty.
type Scope = Vec<Column>;

/// A relation by the name under which FROM finds it.
#[derive(Clone, Debug)]
struct Relation {
    name: String,
    columns: Scope,
}

struct Writer {
    chance: SmallRng,
    dialect: Dialect,
    names: u32,
    /// Tables, and the common table expressions around this place.
    tables: Vec<Relation>,
    /// Columns of the queries around this one.
    outer: Scope,
    /// How many queries are around this one.
    level: u32,
    /// How many subqueries expressions may still take.
    subqueries: u32,
}

impl Writer {
    fn one_of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        choices.choose(&mut self.chance).expect("there is a choice")
    }

    /// True in so many of a hundred throws.
    fn percent(&mut self, likely: u32) -> bool {
        self.chance.random_range(0..100) < likely
    }

    fn between(&mut self, low: i64, high: i64) -> i64 {
        self.chance.random_range(low..=high)
    }

    fn shuffled<T: Clone>(&mut self, items: &[T]) -> Vec<T> {
        let mut items = items.to_vec();
        items.shuffle(&mut self.chance);
        items
    }

    /// A name that no other thing in the query has.
    fn name(&mut self) -> String {
        self.names += 1;
        format!("c{}", self.names)
    }

    /// Some column's type.
    fn kind(&mut self, scope: &[Column]) -> Kind {
        self.one_of(scope).kind
    }

    /// Some column's type whose values all engines compare alike.
    fn kind_to_compare(&mut self, scope: &[Column]) -> Kind {
        match self.kind(scope) {
            kind if kind.is_plain() => kind,
            _ => Kind::Int,
        }
    }

    /// A relation under a new name, and its columns by it.
    fn renamed(&mut self, relation: &Relation) -> (String, Scope) {
        let alias = self.name();
        let columns = qualified(&alias, &relation.columns);
        (format!("{} AS {alias}", relation.name), columns)
    }

    /// Any relation under a new name.
    fn any_relation(&mut self) -> (String, Scope) {
        let relation = self.tables.choose(&mut self.chance).cloned();
        self.renamed(&relation.expect("there are tables"))
    }
}

fn qualified(alias: &str, columns: &[Column]) -> Scope {
    let column = |column: &Column| Column {
        name: format!("{alias}.{}", column.name),
        kind: column.kind,
    };
    columns.iter().map(column).collect()
}

/// Pairs of columns of one comparable type, one of each scope.
fn pairs(left: &[Column], right: &[Column]) -> Vec<(String, String)> {
    let of = |one: &Column| {
        let alike = right
            .iter()
            .filter(|other| other.kind == one.kind && one.kind.is_plain());
        let name = one.name.clone();
        alike
            .map(|other| (name.clone(), other.name.clone()))
            .collect::<Vec<_>>()
    };
    left.iter().flat_map(of).collect()
}
