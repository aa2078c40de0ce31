//! The catalog: schemas and tables by name, each an object. Creation is a conditional write, so of two creators one is told.

use crate::files::{self, FileCache, Shelf};
use crate::{
    DIRECT_SCHEMA, Location, Locations, Relation, Table, TableDefinition, TableFile, TableRef, error, name, partition,
    whole,
};
use arrow::datatypes::{Field, FieldRef, Schema};
use bytes::Bytes;
use mayfly_protocol::key::{self, CatalogKeys, SchemaKeys};
use mayfly_protocol::{FileFormat, QueryError};
use mayfly_store::{Created, Listed, Store, StoreError};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The one catalog there is.
pub const CATALOG_NAME: &str = "lake";

/// How its objects are named.
const KEYS: CatalogKeys<'_> = CatalogKeys(CATALOG_NAME);

/// The schema that always exists.
pub const DEFAULT_SCHEMA: &str = "default";

/// Tables by name. Cheap to share; holds footers in memory.
pub struct Catalog {
    store: Store,
    bucket: String,
    allowed: Locations,
    cache: Arc<FileCache>,
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
        let listed = self.list(&KEYS.root()).await?;
        let schemas = listed.iter().filter_map(|listed| KEYS.schema_of(&listed.key));
        let mut names: BTreeSet<String> = schemas.map(str::to_owned).collect();
        names.insert(DEFAULT_SCHEMA.to_owned());
        Ok(names.into_iter().collect())
    }

    /// Tables of the schema, sorted. A schema that does not exist is an error.
    pub async fn tables(&self, schema: &str) -> Result<Vec<String>, QueryError> {
        let name = name::checked(schema)?;
        let keys = KEYS.schema(&name);
        let listed = self.list(&keys.folder()).await?;
        if listed.is_empty() && schema != DEFAULT_SCHEMA {
            return Err(self.no_schema(schema).await);
        }
        let tables = listed.iter().filter_map(|listed| keys.relation_of(&listed.key));
        Ok(tables.map(str::to_owned).collect())
    }

    /// Whether S3 answers, and has the bucket: one GET of an object that need not be there.
    pub async fn is_reachable(&self) -> bool {
        let probe = self.store.get(&self.bucket, key::STATE_PROBE).await;
        matches!(probe, Ok(_) | Err(StoreError::NotFound { .. }))
    }

    /// What the name stands for; files are not looked at.
    pub async fn relation(&self, name: &TableRef) -> Result<Relation, QueryError> {
        let object = self.object(name).await?;
        Relation::decode(&table_key(name), &object)
    }

    /// The same for lists of all there is: one whose object cannot be read is left out, so that it does not hide the others.
    pub async fn readable_relation(&self, name: &TableRef) -> Result<Option<Relation>, QueryError> {
        let object = self.object(name).await?;
        match Relation::decode(&table_key(name), &object) {
            Ok(relation) => Ok(Some(relation)),
            Err(error) => {
                tracing::warn!(%name, %error, "a relation is left out");
                Ok(None)
            }
        }
    }

    /// The bytes that the name stands for.
    pub(crate) async fn object(&self, name: &TableRef) -> Result<Bytes, QueryError> {
        if name.catalog != CATALOG_NAME {
            return Err(error::no_catalog(&name.catalog, CATALOG_NAME));
        }
        let (Ok(_), Ok(_)) = (name::checked(&name.schema), name::checked(&name.table)) else {
            return Err(error::no_table(name, []));
        };
        let key = table_key(name);
        match whole::read(&self.store, &self.bucket, &key).await {
            Ok(object) => Ok(object.bytes),
            Err(StoreError::NotFound { .. }) => Err(self.no_table(name).await),
            Err(cause) => Err(error::store(&key, &cause)),
        }
    }

    /// The table with its files as they are now.
    pub async fn open(&self, definition: TableDefinition) -> Result<Arc<Table>, QueryError> {
        let location = &definition.location;
        // The list may have been narrowed since the table was created.
        self.allowed.check(&location.to_string(), &self.bucket)?;
        let listed = files::list(&self.store, location).await?;
        self.open_listed(definition, &listed).await
    }

    /// The table with these files.
    pub(crate) async fn open_listed(
        &self,
        definition: TableDefinition,
        listed: &[Listed],
    ) -> Result<Arc<Table>, QueryError> {
        let location = &definition.location;
        let files = match definition.format {
            FileFormat::Parquet => self.files(&definition.name, location, listed).await?,
            _ => listed
                .iter()
                .map(|listed| Arc::new(TableFile::unread(listed)))
                .collect(),
        };
        let held = definition.file_schema();
        files.iter().try_for_each(|file| agree(location, file, &held))?;
        let folders = definition.partition_fields().iter().cloned();
        let columns: Vec<FieldRef> = promised(&files, &held).into_iter().chain(folders).collect();
        let keys: Vec<&str> = files.iter().map(|file| file.key.as_str()).collect();
        let partitions = partition::batch(location, &keys, definition.partition_fields())?;
        Ok(Arc::new(Table {
            name: definition.name,
            schema: Arc::new(Schema::new(columns)),
            partition_columns: definition.partition_columns,
            format: definition.format,
            location: definition.location,
            learned: definition.learned,
            files,
            partitions,
        }))
    }

    /// Whether the schema was created; `false` when it existed and `if_not_exists` stands.
    pub async fn create_schema(&self, schema: &str, if_not_exists: bool) -> Result<bool, QueryError> {
        let schema = name::checked(schema)?;
        let key = KEYS.schema(&schema).marker();
        let existed = schema == DEFAULT_SCHEMA || !self.create(&key, b"{\"v\":1}".to_vec()).await?;
        if existed && !if_not_exists {
            return Err(error::schema_exists(&schema));
        }
        Ok(!existed)
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

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn bucket(&self) -> &str {
        &self.bucket
    }

    pub(crate) fn allowed(&self) -> &Locations {
        &self.allowed
    }

    pub(crate) async fn files(
        &self,
        table: &TableRef,
        location: &Location,
        listed: &[Listed],
    ) -> Result<Vec<Arc<TableFile>>, QueryError> {
        let shelf = Shelf {
            store: &self.store,
            bucket: &self.bucket,
            key: (table.schema != DIRECT_SCHEMA).then(|| files_key(table)),
        };
        // Patterns that share a folder are remembered side by side.
        let remembered = match &shelf.key {
            Some(_) => location.clone(),
            None => Location {
                bucket: location.bucket.clone(),
                prefix: table.table.clone(),
            },
        };
        files::resolve(&self.cache, &shelf, &remembered, listed).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Listed>, QueryError> {
        let listed = self.store.list(&self.bucket, prefix).await;
        listed.map_err(|cause| error::store(prefix, &cause))
    }

    pub(crate) async fn exists(&self, key: &str) -> Result<bool, QueryError> {
        match self.store.head(&self.bucket, key).await {
            Ok(_) => Ok(true),
            Err(StoreError::NotFound { .. }) => Ok(false),
            Err(cause) => Err(error::store(key, &cause)),
        }
    }

    pub(crate) async fn create(&self, key: &str, bytes: Vec<u8>) -> Result<bool, QueryError> {
        let writer = uuid::Uuid::new_v4().to_string();
        let created = self
            .store
            .put_if_absent(&self.bucket, key, Bytes::from(bytes), &writer)
            .await;
        match created {
            Ok(Created::Ours { .. }) => Ok(true),
            Ok(Created::Theirs) => Ok(false),
            Err(cause) => Err(error::unwritten(key, &cause)),
        }
    }

    pub(crate) async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<(), QueryError> {
        let put = self.store.put(&self.bucket, key, Bytes::from(bytes)).await;
        put.map(drop).map_err(|cause| error::unwritten(key, &cause))
    }

    /// Removes what the name stood for, and what was remembered of it.
    pub(crate) async fn forget(&self, name: &TableRef) -> Result<(), QueryError> {
        let keys = [table_key(name), files_key(name)];
        let deleted = self.store.delete(&self.bucket, &keys).await;
        deleted.map(drop).map_err(|cause| error::undeleted(&keys[0], &cause))
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

/// Whether the file can be read as the table. One whose footer is not known is asked when it is scanned.
pub(crate) fn agree(location: &Location, file: &TableFile, expected: &Schema) -> Result<(), QueryError> {
    let Some(footer) = &file.footer else { return Ok(()) };
    let places = mayfly_files::read_as(expected, &footer.schema).map(drop);
    places.map_err(|why| error::schema_mismatch(&location.file(&file.key), &why))
}

/// The columns, without NULL where every file promises that of its own.
fn promised(files: &[Arc<TableFile>], held: &Schema) -> Vec<FieldRef> {
    let mut nullable = vec![files.is_empty(); held.fields().len()];
    for file in files {
        let places = file
            .footer
            .as_ref()
            .map(|footer| (footer, footer.places(held.fields())));
        for (column, nullable) in nullable.iter_mut().enumerate() {
            let found = places
                .as_ref()
                .and_then(|(footer, places)| Some(footer.schema.field(places[column]?)));
            *nullable |= found.is_none_or(Field::is_nullable);
        }
    }
    let fields = held.fields().iter().zip(nullable);
    fields
        .map(|(field, nullable)| Arc::new(field.as_ref().clone().with_nullable(nullable)))
        .collect()
}

fn keys(table: &TableRef) -> SchemaKeys<'_> {
    KEYS.schema(&table.schema)
}

pub(crate) fn table_key(table: &TableRef) -> String {
    keys(table).relation(&table.table)
}

fn files_key(table: &TableRef) -> String {
    keys(table).footers(&table.table)
}
