//! The functions there are, by name: the one that can change, its published versions, and the aliases that name them. In memory: what the
//! API made ends with the emulator.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::function::{Function, LATEST};

#[derive(Debug, Default)]
pub(crate) struct Registry(RwLock<BTreeMap<String, Entry>>);

#[derive(Debug)]
pub(crate) struct Entry {
    pub latest: Arc<Function>,
    pub versions: BTreeMap<u64, Arc<Function>>,
    pub aliases: BTreeMap<String, Alias>,
    /// Numbers are not used twice, also after a version was deleted.
    version_next: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Alias {
    pub version: String,
    pub description: String,
}

/// Why a change was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    NoFunction,
    NoVersion,
    NoAlias,
    Exists,
}

impl Entry {
    fn new(latest: Function) -> Entry {
        Entry {
            latest: Arc::new(latest),
            versions: BTreeMap::new(),
            aliases: BTreeMap::new(),
            version_next: 1,
        }
    }

    /// What a qualifier names: nothing and `$LATEST`, a number, or an alias.
    pub fn at(&self, qualifier: Option<&str>) -> Option<Arc<Function>> {
        match qualifier {
            None | Some(LATEST) => Some(self.latest.clone()),
            Some(qualifier) => match self.aliases.get(qualifier) {
                Some(alias) if alias.version == LATEST => Some(self.latest.clone()),
                Some(alias) => self.versions.get(&alias.version.parse().ok()?).cloned(),
                None => self.versions.get(&qualifier.parse().ok()?).cloned(),
            },
        }
    }
}

impl Registry {
    pub fn new(functions: Vec<Function>) -> Registry {
        let entry = |function: Function| (function.name().to_owned(), Entry::new(function));
        Registry(RwLock::new(functions.into_iter().map(entry).collect()))
    }

    pub fn find(&self, name: &str, qualifier: Option<&str>) -> Option<Arc<Function>> {
        self.read().get(name)?.at(qualifier)
    }

    pub fn create(&self, function: Function) -> Result<Arc<Function>, Refused> {
        let mut functions = self.write();
        if functions.contains_key(function.name()) {
            return Err(Refused::Exists);
        }
        let entry = Entry::new(function);
        let latest = entry.latest.clone();
        functions.insert(latest.name().to_owned(), entry);
        Ok(latest)
    }

    /// The latest of each function behind `after`.
    pub fn list(&self, after: &str, count_max: usize) -> (Vec<Arc<Function>>, bool) {
        let functions = self.read();
        let mut rest = functions.values().filter(|entry| entry.latest.name() > after);
        let page = rest
            .by_ref()
            .take(count_max)
            .map(|entry| entry.latest.clone())
            .collect();
        (page, rest.next().is_some())
    }

    /// Changes a function, or what belongs to it.
    pub fn change<T>(&self, name: &str, change: impl FnOnce(&mut Entry) -> Result<T, Refused>) -> Result<T, Refused> {
        change(self.write().get_mut(name).ok_or(Refused::NoFunction)?)
    }

    pub fn look<T>(&self, name: &str, look: impl FnOnce(&Entry) -> T) -> Result<T, Refused> {
        Ok(look(self.read().get(name).ok_or(Refused::NoFunction)?))
    }

    /// One version, or the function with all of them. Gives what serves no more.
    pub fn delete(&self, name: &str, qualifier: Option<&str>) -> Result<Vec<Arc<Function>>, Refused> {
        let mut functions = self.write();
        let entry = functions.get_mut(name).ok_or(Refused::NoFunction)?;
        if let Some(qualifier) = qualifier {
            let version = qualifier
                .parse()
                .ok()
                .and_then(|number: u64| entry.versions.remove(&number));
            return Ok(vec![version.ok_or(Refused::NoVersion)?]);
        }
        let entry = functions.remove(name).expect("it was found above");
        Ok(entry.versions.into_values().chain([entry.latest]).collect())
    }

    /// Publishes the latest; if nothing has changed since the last version, that one is the answer, as on AWS.
    pub fn publish(&self, name: &str) -> Result<Arc<Function>, Refused> {
        self.change(name, |entry| {
            let last = entry.versions.values().next_back();
            if let Some(last) = last.filter(|last| last.about.modified == entry.latest.about.modified) {
                return Ok(last.clone());
            }
            let number = entry.version_next;
            entry.version_next += 1;
            let version = Arc::new(entry.latest.published(number.to_string()));
            entry.versions.insert(number, version.clone());
            Ok(version)
        })
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<String, Entry>> {
        self.0.read().expect("no holder of the registry panics")
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<String, Entry>> {
        self.0.write().expect("no holder of the registry panics")
    }
}
