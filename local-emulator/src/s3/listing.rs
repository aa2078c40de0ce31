//! Pages of a listing: prefix, delimiter, start, continuation. Works on anything that finds keys in order; speaks neither HTTP nor XML.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;

use super::object::{About, Object};

/// Items of one page, as on AWS.
pub(crate) const PAGE_ITEMS_MAX: usize = 1000;

#[derive(Clone, Debug, Default)]
pub(crate) struct PageRequest {
    pub prefix: String,
    pub delimiter: Option<String>,
    pub start: Start,
    /// Keys and common prefixes together.
    pub items_max: usize,
}

/// Where a page begins.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Start {
    #[default]
    First,
    /// Behind this key.
    AfterKey(String),
    /// Behind every key with this prefix, which the page before showed as a common prefix.
    AfterPrefix(String),
}

#[derive(Debug, Default)]
pub(crate) struct Page {
    pub keys: Vec<(String, About)>,
    pub common_prefixes: Vec<String>,
    /// Set when more follows.
    pub next: Option<Start>,
}

/// Objects in the order of their keys.
pub(crate) trait Ordered {
    /// The first object within the bound whose key starts with `prefix`. No key below the bound is smaller than the prefix.
    fn first(&self, from: Bound<&str>, prefix: &str) -> io::Result<Option<(String, About)>>;
}

impl<T: Borrow<Object>> Ordered for BTreeMap<String, T> {
    fn first(&self, from: Bound<&str>, prefix: &str) -> io::Result<Option<(String, About)>> {
        let first = self.range::<str, _>((from, Bound::Unbounded)).next();
        let found = first.filter(|(key, _)| key.starts_with(prefix));
        Ok(found.map(|(key, object)| (key.clone(), object.borrow().about.clone())))
    }
}

impl PageRequest {
    pub fn page(&self, objects: &impl Ordered) -> io::Result<Page> {
        let mut page = Page::default();
        let mut last = self.start.clone();
        let Some(mut bound) = self.bound() else { return Ok(page) };
        while let Some((key, about)) = objects.first(as_ref(&bound), &self.prefix)? {
            if page.keys.len() + page.common_prefixes.len() == self.items_max {
                page.next = Some(last).filter(|_| self.items_max > 0);
                break;
            }
            match self.common_prefix(&key) {
                Some(common) => {
                    page.common_prefixes.push(common.to_owned());
                    last = Start::AfterPrefix(common.to_owned());
                }
                None => {
                    last = Start::AfterKey(key.clone());
                    page.keys.push((key, about));
                }
            }
            match last.bound() {
                Some(next) => bound = next,
                None => break,
            }
        }
        Ok(page)
    }

    /// The later of the start and the prefix; `None` when nothing can lie behind it.
    fn bound(&self) -> Option<Bound<String>> {
        let start = self.start.bound()?;
        let reached = match &start {
            Bound::Unbounded => false,
            Bound::Included(key) | Bound::Excluded(key) => *key >= self.prefix,
        };
        Some(if reached {
            start
        } else {
            Bound::Included(self.prefix.clone())
        })
    }

    fn common_prefix<'k>(&self, key: &'k str) -> Option<&'k str> {
        let delimiter = self.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty())?;
        let at = key[self.prefix.len()..].find(delimiter)?;
        Some(&key[..self.prefix.len() + at + delimiter.len()])
    }
}

impl Start {
    fn bound(&self) -> Option<Bound<String>> {
        match self {
            Start::First => Some(Bound::Unbounded),
            Start::AfterKey(key) => Some(Bound::Excluded(key.clone())),
            Start::AfterPrefix(prefix) => successor(prefix).map(Bound::Included),
        }
    }
}

fn as_ref(bound: &Bound<String>) -> Bound<&str> {
    bound.as_ref().map(String::as_str)
}

/// The first string behind every string that starts with `prefix`, if there is one. UTF-8 sorts by code point, so it is the prefix with
/// its last character raised by one.
fn successor(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        let next = if last == '\u{D7FF}' {
            Some('\u{E000}')
        } else {
            char::from_u32(last as u32 + 1)
        };
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}
