//! The first line of a CSV file names its columns. Where it names the table's, in whatever order, values are taken by name; where it names
//! none of them, by their places.

use std::collections::BTreeSet;

/// The names with each different from the others, also from those that differ in case alone: `a,a,A` is `a,a_1,A_2`.
pub fn distinct_names(names: &[String]) -> Vec<String> {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut distinct = Vec::with_capacity(names.len());
    for (at, name) in names.iter().enumerate() {
        let name = if name.is_empty() {
            format!("column_{}", at + 1)
        } else {
            name.clone()
        };
        let numbered = |number: usize| match number {
            0 => name.clone(),
            number => format!("{name}_{number}"),
        };
        let free = (0..=names.len())
            .map(numbered)
            .find(|name| !taken.contains(&name.to_lowercase()));
        let free = free.expect("there are more numbers than names");
        taken.insert(free.to_lowercase());
        distinct.push(free);
    }
    distinct
}

/// Where the file holds each column of the table; or what it lacks.
pub fn places(columns: &[&str], header: &[String]) -> Result<Vec<usize>, String> {
    let header = distinct_names(header);
    let found: Vec<Option<usize>> = columns.iter().map(|column| place(column, &header)).collect();
    let is_own = |(at, found): (usize, &Option<usize>)| found.is_none_or(|found| found == at);
    let in_place = found.iter().enumerate().all(is_own);
    // Who lists the columns may name them anew.
    if in_place && columns.len() == header.len() {
        return Ok((0..columns.len()).collect());
    }
    let missing = columns.iter().zip(&found).find(|(_, found)| found.is_none());
    match missing {
        None => Ok(found.into_iter().flatten().collect()),
        Some((column, _)) => Err(format!(
            "its header names {} columns, and none of them is '{column}'",
            header.len()
        )),
    }
}

fn place(column: &str, header: &[String]) -> Option<usize> {
    let exact = header.iter().position(|name| name == column);
    exact.or_else(|| {
        header
            .iter()
            .position(|name| name.to_lowercase() == column.to_lowercase())
    })
}

#[cfg(test)]
mod tests;
