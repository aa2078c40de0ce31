//! A tree of inner joins as a graph: what is joined, which expressions are equal, and what else must hold. Decides nothing.

use super::flatten::Parts;
use crate::cardinality::{self, ColumnGuess, Relation};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};
use std::collections::HashSet;

/// Inputs that are put in order together. A query with more stays as it is written.
const INPUTS_MAX: usize = 32;

/// Inputs, a bit for each.
pub(super) type Inputs = u64;

const _: () = assert!(INPUTS_MAX <= Inputs::BITS as usize);

/// In which order inputs are joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tree {
    Input(usize),
    Join(Box<Tree>, Box<Tree>),
}

/// An expression over one input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub input: usize,
    pub expr: Expr,
}

#[derive(Debug)]
pub(super) struct Condition {
    pub inputs: Inputs,
    pub expr: Expr,
}

#[derive(Debug)]
pub(super) struct Graph {
    pub inputs: Vec<LogicalPlan>,
    /// Keys that are equal in every row of the result: at most one of each input in a class.
    pub classes: Vec<Vec<Key>>,
    pub conditions: Vec<Condition>,
    pub written: Tree,
}

/// Two keys of one equality, the left one of the one side.
pub(super) type Equality<'a> = (&'a Key, &'a Key);

impl Graph {
    /// `None`: the joins are to stay as they are written.
    pub(super) fn of(plan: &LogicalPlan) -> Option<Graph> {
        let mut parts = Parts::default();
        let written = parts.flatten(plan);
        // Two inputs have one order.
        let may_be_ordered = (3..=INPUTS_MAX).contains(&parts.inputs.len()) && parts.names_are_unique();
        if !may_be_ordered {
            return None;
        }
        let mut graph = Graph {
            inputs: parts.inputs,
            classes: Vec::new(),
            conditions: Vec::new(),
            written,
        };
        for (left, right) in parts.equalities {
            graph.add_equality(left, right)?;
        }
        for condition in parts.conditions {
            graph.add_condition(condition)?;
        }
        graph.is_connected().then_some(graph)
    }

    pub(super) fn all(&self) -> Inputs {
        (0..self.inputs.len()).map(bit).sum()
    }

    /// Rewrites what is joined. Schemas must stay.
    pub(super) fn map_inputs(
        &mut self,
        mut rewrite: impl FnMut(LogicalPlan) -> Result<Transformed<LogicalPlan>>,
    ) -> Result<bool> {
        let mut changed = false;
        for input in &mut self.inputs {
            let rewritten = rewrite(input.clone())?;
            changed |= rewritten.transformed;
            *input = rewritten.data;
        }
        Ok(changed)
    }

    /// What is known of the inputs' rows, those conditions applied that concern one alone.
    pub(super) fn relations(&self) -> Option<Vec<Relation>> {
        let of = |(at, plan): (usize, &LogicalPlan)| {
            let relation = cardinality::relation(plan)?;
            let own = self.conditions.iter().filter(|condition| condition.inputs == bit(at));
            let share = own.map(|condition| cardinality::share(&condition.expr, &relation, plan.schema()));
            let rows = (relation.rows * share.product::<f64>()).max(1.0);
            Some(Relation { rows, ..relation })
        };
        self.inputs.iter().enumerate().map(of).collect()
    }

    /// What is known of a column, of whichever input it is.
    pub(super) fn column(&self, relations: &[Relation], column: &Column) -> Option<ColumnGuess> {
        let found = self.inputs.iter().zip(relations).find_map(|(plan, relation)| {
            let at = plan.schema().maybe_index_of_column(column)?;
            relation.columns.get(at)
        });
        found.copied()
    }

    /// One equality for each class that has keys on both sides. Where there is a choice, keys of one pair of inputs are taken together:
    /// they are known to belong together.
    pub(super) fn equalities(&self, left: Inputs, right: Inputs) -> Vec<Equality<'_>> {
        let candidates: Vec<Vec<Equality<'_>>> = self
            .classes
            .iter()
            .map(|class| crossing(class, left, right))
            .filter(|pairs| !pairs.is_empty())
            .collect();
        let joins = |pair: &Equality<'_>| {
            let same = |other: &Equality<'_>| (other.0.input, other.1.input) == (pair.0.input, pair.1.input);
            candidates.iter().filter(|pairs| pairs.iter().any(same)).count()
        };
        // Of equal ones the last is the greatest: the order is turned so that the first wins.
        let best = candidates
            .iter()
            .map(|pairs| pairs.iter().rev().max_by_key(|pair| joins(pair)));
        best.flatten().copied().collect()
    }

    pub(super) fn are_connected(&self, left: Inputs, right: Inputs) -> bool {
        self.classes
            .iter()
            .any(|class| !crossing(class, left, right).is_empty())
    }

    /// The conditions that a join of these two can decide, and none of its sides.
    pub(super) fn decided(&self, left: Inputs, right: Inputs) -> impl Iterator<Item = &Expr> {
        let is_within = |condition: &Condition, side: Inputs| condition.inputs & !side == 0;
        let here = move |condition: &&Condition| {
            is_within(condition, left | right) && !is_within(condition, left) && !is_within(condition, right)
        };
        self.conditions.iter().filter(here).map(|condition| &condition.expr)
    }

    fn add_equality(&mut self, left: Expr, right: Expr) -> Option<()> {
        let (left, right) = (self.key(left)?, self.key(right)?);
        if self.data_type(&left)? != self.data_type(&right)? {
            return None;
        }
        let mut merged = vec![left, right];
        let (joined, others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.classes)
            .into_iter()
            .partition(|class| class.iter().any(|key| merged.contains(key)));
        for key in joined.into_iter().flatten() {
            if !merged.contains(&key) {
                merged.push(key);
            }
        }
        // Two keys of one input would have to be compared with each other, too.
        let inputs: HashSet<usize> = merged.iter().map(|key| key.input).collect();
        if inputs.len() < merged.len() {
            return None;
        }
        merged.sort_by_key(|key| key.input);
        self.classes = others;
        self.classes.push(merged);
        Some(())
    }

    fn key(&self, expr: Expr) -> Option<Key> {
        let inputs = self.inputs_of(&expr)?;
        (inputs.count_ones() == 1 && !expr.is_volatile()).then(|| Key {
            input: inputs.trailing_zeros() as usize,
            expr,
        })
    }

    fn data_type(&self, key: &Key) -> Option<arrow::datatypes::DataType> {
        key.expr.get_type(self.inputs[key.input].schema()).ok()
    }

    fn add_condition(&mut self, expr: Expr) -> Option<()> {
        if expr.is_volatile() || has_subquery(&expr) {
            return None;
        }
        let inputs = match self.inputs_of(&expr)? {
            0 => self.all(),
            some => some,
        };
        self.conditions.push(Condition { inputs, expr });
        Some(())
    }

    fn inputs_of(&self, expr: &Expr) -> Option<Inputs> {
        let of = |column: &Column| {
            let has = |plan: &LogicalPlan| plan.schema().maybe_index_of_column(column).is_some();
            self.inputs.iter().position(has).map(bit)
        };
        expr.column_refs()
            .into_iter()
            .try_fold(0, |inputs, column| Some(inputs | of(column)?))
    }

    fn is_connected(&self) -> bool {
        let mut reached = bit(0);
        loop {
            let touches = |class: &&Vec<Key>| class.iter().any(|key| bit(key.input) & reached != 0);
            let next = self.classes.iter().filter(touches).flatten();
            let next = next.fold(reached, |inputs, key| inputs | bit(key.input));
            if next == reached {
                return reached == self.all();
            }
            reached = next;
        }
    }
}

pub(super) fn bit(input: usize) -> Inputs {
    1 << input
}

fn crossing(class: &[Key], left: Inputs, right: Inputs) -> Vec<Equality<'_>> {
    let of = |side: Inputs| class.iter().filter(move |key| bit(key.input) & side != 0);
    of(left)
        .flat_map(|one| of(right).map(move |other| (one, other)))
        .collect()
}

fn has_subquery(expr: &Expr) -> bool {
    let mut found = false;
    let looked = expr.apply(|expr| {
        found |= matches!(
            expr,
            Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_) | Expr::SetComparison(_)
        );
        Ok(TreeNodeRecursion::Continue)
    });
    looked.is_err() || found
}
