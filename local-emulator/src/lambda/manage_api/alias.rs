//! Aliases: names for versions, which can be moved.

use http::StatusCode;
use serde_json::{Value, json};

use super::{Answer, Call, ManageApi, invalid, refused, text};
use crate::lambda::function::is_name;
use crate::lambda::registry::{Alias, Entry, Refused};

impl ManageApi {
    pub(super) fn create_alias(&self, name: &str, call: &Call<'_>) -> Answer {
        let asked = call.json()?;
        let alias = text(&asked, "Name").filter(|alias| is_name(alias) && alias.parse::<u64>().is_err());
        let alias = alias.ok_or_else(|| invalid("an alias has a name that is no number"))?;
        let version = text(&asked, "FunctionVersion").ok_or_else(|| invalid("FunctionVersion is missing"))?;
        let new = Alias {
            version: version.to_owned(),
            description: text(&asked, "Description").unwrap_or_default().to_owned(),
        };
        let added = self.service.registry.change(name, |entry| {
            entry.at(Some(version)).ok_or(Refused::NoVersion)?;
            if entry.aliases.contains_key(alias) {
                return Err(Refused::Exists);
            }
            entry.aliases.insert(alias.to_owned(), new.clone());
            Ok(entry.latest.arn.clone())
        });
        Ok((StatusCode::CREATED, shown_alias(&added.map_err(refused)?, alias, &new)))
    }

    pub(super) fn aliases(&self, name: &str) -> Answer {
        let all = self.service.registry.look(name, |entry| {
            let shown = |(alias, at): (&String, &Alias)| shown_alias(&entry.latest.arn, alias, at);
            entry.aliases.iter().map(shown).collect::<Vec<_>>()
        });
        Ok((
            StatusCode::OK,
            json!({ "Aliases": all.map_err(|_| self.missing(name, None))? }),
        ))
    }

    pub(super) fn alias(&self, name: &str, alias: &str) -> Answer {
        let found = self.service.registry.look(name, |entry| {
            let at = entry.aliases.get(alias)?;
            Some(shown_alias(&entry.latest.arn, alias, at))
        });
        let found = found.map_err(refused)?.ok_or_else(|| refused(Refused::NoAlias))?;
        Ok((StatusCode::OK, found))
    }

    pub(super) fn update_alias(&self, name: &str, alias: &str, call: &Call<'_>) -> Answer {
        let asked = call.json()?;
        let updated = self.service.registry.change(name, |entry| {
            let version = text(&asked, "FunctionVersion");
            if version.is_some_and(|version| entry.at(Some(version)).is_none()) {
                return Err(Refused::NoVersion);
            }
            let at = entry.aliases.get_mut(alias).ok_or(Refused::NoAlias)?;
            version.inspect(|version| at.version = (*version).to_owned());
            text(&asked, "Description").inspect(|text| at.description = (*text).to_owned());
            Ok(shown_alias(&entry.latest.arn, alias, at))
        });
        Ok((StatusCode::OK, updated.map_err(refused)?))
    }

    pub(super) fn delete_alias(&self, name: &str, alias: &str) -> Answer {
        let remove = |entry: &mut Entry| entry.aliases.remove(alias).map(drop).ok_or(Refused::NoAlias);
        self.service.registry.change(name, remove).map_err(refused)?;
        Ok((StatusCode::NO_CONTENT, Value::Null))
    }
}

fn shown_alias(arn: &str, name: &str, alias: &Alias) -> Value {
    json!({
        "AliasArn": format!("{arn}:{name}"),
        "Name": name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
    })
}
