//! Which order of joins is cheap, by estimates alone.
//!
//! The cost of a join is the rows that it yields and the rows of its smaller side, which are held in a hash table. Greedy operator ordering
//! (Fegaras, "A New Heuristic for Optimizing Large Queries", 1998): of all pairs that an equality connects, the one with the fewest rows is
//! joined first, until one is left.

use super::graph::{Graph, Inputs, Key, Tree, bit};
use crate::cardinality::{self, ColumnGuess, Relation};
use datafusion::logical_expr::Expr;
use std::collections::BTreeMap;

/// A tree, and what it is expected to cost.
#[derive(Clone, Debug)]
pub(super) struct Ordered {
    pub tree: Tree,
    pub cost: f64,
    rows: f64,
    inputs: Inputs,
}

/// The cheapest order that greed finds; `None` if not all inputs are connected.
pub(super) fn greedy(graph: &Graph, relations: &[Relation]) -> Option<Ordered> {
    let mut parts: Vec<Ordered> = (0..relations.len()).map(|at| input(relations, at)).collect();
    while parts.len() > 1 {
        let (left, right, joined) = smallest(graph, relations, &parts)?;
        // The right one stands behind the left one.
        parts.remove(right);
        parts[left] = joined;
    }
    parts.pop()
}

fn smallest(graph: &Graph, relations: &[Relation], parts: &[Ordered]) -> Option<(usize, usize, Ordered)> {
    let mut best: Option<(usize, usize, Ordered)> = None;
    for (left, one) in parts.iter().enumerate() {
        for (right, other) in parts.iter().enumerate().skip(left + 1) {
            if !graph.are_connected(one.inputs, other.inputs) {
                continue;
            }
            let joined = join(graph, relations, one, other);
            if best.as_ref().is_none_or(|(_, _, best)| joined.rows < best.rows) {
                best = Some((left, right, joined));
            }
        }
    }
    best
}

/// What a given order is expected to cost.
pub(super) fn measured(graph: &Graph, relations: &[Relation], tree: &Tree) -> Ordered {
    match tree {
        Tree::Input(at) => input(relations, *at),
        Tree::Join(left, right) => {
            let left = measured(graph, relations, left);
            let right = measured(graph, relations, right);
            join(graph, relations, &left, &right)
        }
    }
}

fn input(relations: &[Relation], at: usize) -> Ordered {
    Ordered {
        tree: Tree::Input(at),
        cost: 0.0,
        rows: relations[at].rows,
        inputs: bit(at),
    }
}

/// The side with fewer rows comes first: DataFusion builds its hash table from the left.
fn join(graph: &Graph, relations: &[Relation], one: &Ordered, other: &Ordered) -> Ordered {
    let (left, right) = if one.rows <= other.rows {
        (one, other)
    } else {
        (other, one)
    };
    let share = equal_share(graph, relations, left.inputs, right.inputs)
        * condition_share(graph, relations, left.inputs, right.inputs);
    let rows = (left.rows * right.rows * share).max(1.0);
    Ordered {
        tree: Tree::Join(Box::new(left.tree.clone()), Box::new(right.tree.clone())),
        cost: left.cost + right.cost + rows + left.rows,
        rows,
        inputs: left.inputs | right.inputs,
    }
}

/// The share of pairs of rows that agree on all keys. Keys of one pair of inputs are looked at together.
fn equal_share(graph: &Graph, relations: &[Relation], left: Inputs, right: Inputs) -> f64 {
    let mut groups: BTreeMap<(usize, usize), Vec<(ColumnGuess, ColumnGuess)>> = BTreeMap::new();
    for (one, other) in graph.equalities(left, right) {
        let guesses = (guess(graph, relations, one), guess(graph, relations, other));
        groups.entry((one.input, other.input)).or_default().push(guesses);
    }
    let share = |((left, right), keys): (&(usize, usize), &Vec<_>)| {
        cardinality::match_share(keys, relations[*left].held, relations[*right].held)
    };
    groups.iter().map(share).product()
}

fn guess(graph: &Graph, relations: &[Relation], key: &Key) -> ColumnGuess {
    let known = match uncast(&key.expr) {
        Expr::Column(column) => graph.column(relations, column),
        _ => None,
    };
    known.unwrap_or_else(|| ColumnGuess::unknown(relations[key.input].held))
}

fn uncast(expr: &Expr) -> &Expr {
    match expr {
        Expr::Cast(cast) => uncast(&cast.expr),
        other => other,
    }
}

/// The share that remains of those conditions which can be decided here first.
fn condition_share(graph: &Graph, relations: &[Relation], left: Inputs, right: Inputs) -> f64 {
    let known = |column: &_| graph.column(relations, column);
    let shares = graph
        .decided(left, right)
        .map(|expr| cardinality::share_of(expr, &known));
    shares.product()
}
