//! The catalog: schemas and tables by name, each an object. Creation is a conditional write, so of two creators one is told.

use crate::definition::difference;
use crate::files::{self, FileCache, Shelf};
use crate::{Location, Locations, Table, TableDefinition, TableRef, error, name};
use arrow::datatypes::{Schema, SchemaRef};
use bytes::Bytes;
use mayfly_protocol::QueryError;
use mayfly_store::{Created, Listed, Store, StoreError};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The one catalog there is.
pub const CATALOG_NAME: &str = "lake";

/// The schema that always exists.
pub const DEFAULT_SCHEMA: &str = "default";

/// Tables by name. Cheap to share; holds footers in memory.
pub struct Catalog {
    store: Store,
    bucket: String,
    allowed: Locations,
    cache: Arc<FileCache>,
}

/// What `CREATE EXTERNAL TABLE` asks for.
#[derive(Clone, Debug)]
pub struct NewTable {
    pub name: TableRef,
    /// As the user wrote it.
    pub location: String,
    /// Columns as declared; `None` takes them from the first file.
    pub columns: Option<SchemaRef>,
    pub if_not_exists: bool,
}

impl Catalog {
    /// `bucket` is the control bucket, which holds the catalog's objects.
    pub fn new(store: Store, bucket: String, allowed: Locations) -> Catalog {
        Catalog {
            store,
            bucket,
            allowed,
            cache: Arc::default(),
        }
    }

    /// The same catalog, its requests counted on another meter: one query's.
    pub fn metered(&self, store: &Store) -> Catalog {
        Catalog {
            store: store.clone(),
            bucket: self.bucket.clone(),
            allowed: self.allowed.clone(),
            cache: self.cache.clone(),
        }
    }

    pub async fn schemas(&self) -> Result<Vec<String>, QueryError> {
        let root = format!("catalog/{CATALOG_NAME}/");
        let listed = self.list(&root).await?;
        let mut names: BTreeSet<String> = listed
            .iter()
            .filter_map(|listed| listed.key.strip_prefix(&root)?.split_once('/'))
            .map(|(schema, _)| schema.to_owned())
            .collect();
        names.insert(DEFAULT_SCHEMA.to_owned());
        Ok(names.into_iter().collect())
    }

    /// Tables of the schema, sorted. A schema that does not exist is an error.
    pub async fn tables(&self, schema: &str) -> Result<Vec<String>, QueryError> {
        let folder = folder(&name::checked(schema)?);
        let listed = self.list(&folder).await?;
        if listed.is_empty() && schema != DEFAULT_SCHEMA {
            return Err(self.no_schema(schema).await);
        }
        let table = |listed: &Listed| {
            let name = listed.key.strip_prefix(&folder)?.strip_suffix(".json")?;
            (!name.contains(['.', '/'])).then(|| name.to_owned())
        };
        Ok(listed.iter().filter_map(table).collect())
    }

    /// The table's columns and place; its files are not looked at.
    pub async fn definition(&self, table: &TableRef) -> Result<TableDefinition, QueryError> {
        if table.catalog != CATALOG_NAME {
            return Err(error::no_catalog(&table.catalog, CATALOG_NAME));
        }
        let (Ok(_), Ok(_)) = (name::checked(&table.schema), name::checked(&table.table)) else {
            return Err(error::no_table(table, []));
        };
        let key = table_key(table);
        match self.store.get(&self.bucket, &key).await {
            Ok(object) => TableDefinition::decode(&key, &object.bytes),
            Err(StoreError::NotFound { .. }) => Err(self.no_table(table).await),
            Err(cause) => Err(error::store(&key, &cause)),
        }
    }

    /// The table and its files as they are now.
    pub async fn table(&self, table: &TableRef) -> Result<Arc<Table>, QueryError> {
        let definition = self.definition(table).await?;
        // The list may have been narrowed since the table was created.
        self.allowed.check(&definition.location.to_string(), &self.bucket)?;
        let listed = files::list(&self.store, &definition.location).await?;
        let files = self.files(table, &definition.location, &listed).await?;
        for file in &files {
            agree(&definition.location, file, &definition.schema)?;
        }
        Ok(Arc::new(Table {
            name: definition.name,
            schema: definition.schema,
            location: definition.location,
            files,
        }))
    }

    /// Whether the schema was created; `false` when it existed and `if_not_exists` stands.
    pub async fn create_schema(&self, schema: &str, if_not_exists: bool) -> Result<bool, QueryError> {
        let schema = name::checked(schema)?;
        let key = format!("{}.schema.json", folder(&schema));
        let existed = schema == DEFAULT_SCHEMA || !self.create(&key, b"{\"v\":1}".to_vec()).await?;
        if existed && !if_not_exists {
            return Err(error::schema_exists(&schema));
        }
        Ok(!existed)
    }

    /// Whether the table was created; `false` when it existed and `if_not_exists` stands.
    pub async fn create_table(&self, new: NewTable) -> Result<bool, QueryError> {
        let location = self.allowed.check(&new.location, &self.bucket)?;
        let name = self.new_name(&new.name).await?;
        let key = table_key(&name);
        if self.exists(&key).await? {
            return refuse_unless(new.if_not_exists, &name);
        }
        let schema = self.infer(&name, &location, new.columns).await?;
        let definition = TableDefinition {
            name: name.clone(),
            location,
            schema,
        };
        match self.create(&key, definition.encode()?).await? {
            true => Ok(true),
            false => refuse_unless(new.if_not_exists, &name),
        }
    }

    /// Whether the table was dropped; `false` when there was none and `if_exists` stands. The table's files stay.
    pub async fn drop_table(&self, table: &TableRef, if_exists: bool) -> Result<bool, QueryError> {
        match self.definition(table).await {
            Ok(_) => {}
            Err(missing) if if_exists && is_missing(&missing) => return Ok(false),
            Err(other) => return Err(other),
        }
        let keys = [table_key(table), files_key(table)];
        let deleted = self.store.delete(&self.bucket, &keys).await;
        deleted.map_err(|cause| error::store(&keys[0], &cause))?;
        Ok(true)
    }

    /// Fails naming the nearest schema when there is none of this name.
    pub async fn check_schema(&self, catalog: &str, schema: &str) -> Result<(), QueryError> {
        if catalog != CATALOG_NAME {
            return Err(error::no_catalog(catalog, CATALOG_NAME));
        }
        let schemas = self.schemas().await?;
        if schemas.iter().any(|known| known == schema) {
            Ok(())
        } else {
            Err(error::no_schema(schema, schemas.iter().map(String::as_str)))
        }
    }

    async fn new_name(&self, table: &TableRef) -> Result<TableRef, QueryError> {
        let name = TableRef {
            catalog: table.catalog.clone(),
            schema: name::checked(&table.schema)?,
            table: name::checked(&table.table)?,
        };
        self.check_schema(&name.catalog, &name.schema).await?;
        Ok(name)
    }

    /// The columns that all files agree on.
    async fn infer(
        &self,
        table: &TableRef,
        location: &Location,
        declared: Option<SchemaRef>,
    ) -> Result<SchemaRef, QueryError> {
        let listed = files::list(&self.store, location).await?;
        if listed.is_empty() {
            return Err(error::empty_location(&location.to_string()));
        }
        let files = self.files(table, location, &listed).await?;
        let schema = declared.unwrap_or_else(|| files[0].schema.clone());
        for file in &files {
            agree(location, file, &schema)?;
        }
        Ok(schema)
    }

    async fn files(
        &self,
        table: &TableRef,
        location: &Location,
        listed: &[Listed],
    ) -> Result<Vec<Arc<crate::TableFile>>, QueryError> {
        let shelf = Shelf {
            store: &self.store,
            bucket: &self.bucket,
            key: files_key(table),
        };
        files::resolve(&self.cache, &shelf, location, listed).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Listed>, QueryError> {
        let listed = self.store.list(&self.bucket, prefix).await;
        listed.map_err(|cause| error::store(prefix, &cause))
    }

    async fn exists(&self, key: &str) -> Result<bool, QueryError> {
        match self.store.head(&self.bucket, key).await {
            Ok(_) => Ok(true),
            Err(StoreError::NotFound { .. }) => Ok(false),
            Err(cause) => Err(error::store(key, &cause)),
        }
    }

    async fn create(&self, key: &str, bytes: Vec<u8>) -> Result<bool, QueryError> {
        let writer = uuid::Uuid::new_v4().to_string();
        let created = self
            .store
            .put_if_absent(&self.bucket, key, Bytes::from(bytes), &writer)
            .await;
        match created {
            Ok(Created::Ours { .. }) => Ok(true),
            Ok(Created::Theirs) => Ok(false),
            Err(cause) => Err(error::store(key, &cause)),
        }
    }

    async fn no_schema(&self, schema: &str) -> QueryError {
        match self.schemas().await {
            Ok(known) => error::no_schema(schema, known.iter().map(String::as_str)),
            Err(cause) => cause,
        }
    }

    /// The schema is missing, or the table is: the user should hear which.
    async fn no_table(&self, table: &TableRef) -> QueryError {
        match self.tables(&table.schema).await {
            Ok(known) => error::no_table(table, known.iter().map(String::as_str)),
            Err(cause) => cause,
        }
    }
}

fn agree(location: &Location, file: &crate::TableFile, expected: &Schema) -> Result<(), QueryError> {
    match difference(expected, &file.schema) {
        None => Ok(()),
        Some(why) => Err(error::schema_mismatch(&location.file(&file.key), &why)),
    }
}

fn is_missing(error: &QueryError) -> bool {
    use mayfly_protocol::ErrorCode::{SchemaNotFound, TableNotFound};
    matches!(error.code, SchemaNotFound | TableNotFound)
}

fn refuse_unless(if_not_exists: bool, name: &TableRef) -> Result<bool, QueryError> {
    if if_not_exists {
        Ok(false)
    } else {
        Err(error::table_exists(name))
    }
}

fn folder(schema: &str) -> String {
    format!("catalog/{CATALOG_NAME}/{schema}/")
}

fn table_key(table: &TableRef) -> String {
    format!("{}{}.json", folder(&table.schema), table.table)
}

fn files_key(table: &TableRef) -> String {
    format!("{}{}.files.json", folder(&table.schema), table.table)
}
