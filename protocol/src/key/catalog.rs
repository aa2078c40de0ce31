//! Keys of the catalog's objects. Names that come here are checked: each is one part of a key, without a dot or a slash.
//!
//! ```text
//! catalog/{catalog}/{schema}/.schema.json        the schema exists
//! catalog/{catalog}/{schema}/{name}.json         what the name stands for: a table or a view
//! catalog/{catalog}/{schema}/{table}.files.json  footers of the table's files
//! ```

use super::CATALOG;

/// After the folder of a schema.
const MARKER: &str = ".schema.json";

/// After the name of a table or view. Names have no dot, so this end and the other are never taken for one another.
const RELATION: &str = ".json";

/// After the name of a table.
const FOOTERS: &str = ".files.json";

/// Keys of the catalog of this name.
#[derive(Clone, Copy, Debug)]
pub struct CatalogKeys<'a>(pub &'a str);

impl<'a> CatalogKeys<'a> {
    /// What all its objects share: `catalog/{catalog}/`.
    pub fn root(self) -> String {
        [CATALOG, self.0, "/"].concat()
    }

    pub fn schema(self, schema: &'a str) -> SchemaKeys<'a> {
        let CatalogKeys(catalog) = self;
        SchemaKeys { catalog, schema }
    }

    /// The schema in which the key lies; `None` if it is no key of this catalog.
    pub fn schema_of(self, key: &str) -> Option<&str> {
        let below = key.strip_prefix(CATALOG)?.strip_prefix(self.0)?.strip_prefix('/')?;
        below.split_once('/').map(|(schema, _)| schema)
    }
}

/// Keys of one schema, from [`CatalogKeys::schema`].
#[derive(Clone, Copy, Debug)]
pub struct SchemaKeys<'a> {
    catalog: &'a str,
    schema: &'a str,
}

impl SchemaKeys<'_> {
    /// What all its objects share: `catalog/{catalog}/{schema}/`.
    pub fn folder(self) -> String {
        [CATALOG, self.catalog, "/", self.schema, "/"].concat()
    }

    /// The object by which the schema exists: `catalog/{catalog}/{schema}/.schema.json`.
    pub fn marker(self) -> String {
        self.folder() + MARKER
    }

    /// The object of a table or view: `catalog/{catalog}/{schema}/{name}.json`.
    pub fn relation(self, name: &str) -> String {
        [&self.folder(), name, RELATION].concat()
    }

    /// Footers of a table's files: `catalog/{catalog}/{schema}/{table}.files.json`.
    pub fn footers(self, table: &str) -> String {
        [&self.folder(), table, FOOTERS].concat()
    }

    /// The table or view whose object has this key; `None` if it is another object's.
    pub fn relation_of(self, key: &str) -> Option<&str> {
        let below = key
            .strip_prefix(CATALOG)?
            .strip_prefix(self.catalog)?
            .strip_prefix('/')?;
        let name = below
            .strip_prefix(self.schema)?
            .strip_prefix('/')?
            .strip_suffix(RELATION)?;
        (!name.contains(['.', '/'])).then_some(name)
    }
}
