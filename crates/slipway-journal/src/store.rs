//! All SQL of the journal. Opens the file with the settings that durability needs
//! and refuses nothing else; order and hashes are the writer's and the verifier's.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::entry::Hash;
use crate::error::JournalError;

/// A row of `entry`, unparsed.
pub(crate) struct Row {
    pub(crate) seq: i64,
    pub(crate) at_us: i64,
    pub(crate) actor: String,
    pub(crate) event: String,
    pub(crate) prev_hash: Vec<u8>,
    pub(crate) hash: Vec<u8>,
}

/// The end of the chain.
pub(crate) struct Head {
    pub(crate) seq: i64,
    pub(crate) hash: Vec<u8>,
}

/// Brings the schema of the file at `path` up to date, creating the file where needed.
pub(crate) async fn migrate(path: &Path) -> Result<(), JournalError> {
    own(path)?;
    let mut connection = open_writer(path).await?;
    sqlx::migrate!("./migrations").run(&mut connection).await?;
    Ok(connection.close().await?)
}

/// Makes the file where it is not there, for this account alone; SQLite gives the files
/// beside it the same permissions.
fn own(path: &Path) -> Result<(), JournalError> {
    let made = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path);
    made.map(drop).map_err(|source| JournalError::File {
        path: path.to_owned(),
        source,
    })
}

/// Opens for writing.
pub(crate) async fn open_writer(path: &Path) -> Result<SqliteConnection, JournalError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true);
    Ok(options.connect().await?)
}

/// Opens for reading only. The writer may be running, or dead.
pub(crate) async fn open_reader(path: &Path) -> Result<SqliteConnection, JournalError> {
    let options = SqliteConnectOptions::new().filename(path).read_only(true);
    match options.clone().connect().await {
        Ok(connection) => Ok(connection),
        // A file copied into a folder where nothing may be written has no index of
        // its log; it can be read as the unchanging thing that it then is.
        Err(_) if !beside(path, "-wal").exists() => Ok(options.immutable(true).connect().await?),
        Err(error) => Err(error.into()),
    }
}

/// The file that SQLite keeps beside the one at `path`.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Adds `rows` and moves the head to `end`, all or nothing; durable when it returns.
pub(crate) async fn append(
    connection: &mut SqliteConnection,
    rows: Vec<Row>,
    end: (i64, Hash),
) -> Result<(), sqlx::Error> {
    // The write lock is taken at the beginning, so that it cannot fail in the middle.
    let mut transaction = connection.begin_with("begin immediate").await?;
    for row in &rows {
        insert(&mut transaction, row).await?;
    }
    set_head(&mut transaction, end.0, &end.1).await?;
    transaction.commit().await
}

async fn insert(connection: &mut SqliteConnection, row: &Row) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into entry (seq, at_us, actor, event, prev_hash, hash) values (?, ?, ?, ?, ?, ?)",
        row.seq,
        row.at_us,
        row.actor,
        row.event,
        row.prev_hash,
        row.hash
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn set_head(
    connection: &mut SqliteConnection,
    seq: i64,
    hash: &Hash,
) -> Result<(), sqlx::Error> {
    let hash = hash.as_slice();
    sqlx::query!(
        "insert into head (id, seq, hash) values (1, ?, ?)
         on conflict (id) do update set seq = excluded.seq, hash = excluded.hash",
        seq,
        hash
    )
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn head(connection: &mut SqliteConnection) -> Result<Option<Head>, sqlx::Error> {
    sqlx::query_as!(Head, "select seq, hash from head where id = 1")
        .fetch_optional(connection)
        .await
}

pub(crate) async fn last(connection: &mut SqliteConnection) -> Result<Option<Head>, sqlx::Error> {
    sqlx::query_as!(
        Head,
        "select seq, hash from entry order by seq desc limit 1"
    )
    .fetch_optional(connection)
    .await
}

/// At most `limit` rows after `after`, in order.
pub(crate) async fn rows_after(
    connection: &mut SqliteConnection,
    after: i64,
    limit: u32,
) -> Result<Vec<Row>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        "select seq, at_us, actor, event, prev_hash, hash from entry
         where seq > ? order by seq limit ?",
        after,
        limit
    )
    .fetch_all(connection)
    .await
}

/// Whether what SQLite said means that the file itself is damaged, and not that it could not
/// be reached.
pub(crate) fn is_damage(error: &sqlx::Error) -> bool {
    const CORRUPT: i32 = 11;
    const NO_DATABASE: i32 = 26;
    match error {
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => true,
        sqlx::Error::Database(said) => said
            .code()
            .and_then(|code| code.parse::<i32>().ok())
            // The higher bits tell more of the same.
            .is_some_and(|code| [CORRUPT, NO_DATABASE].contains(&(code & 0xff))),
        _ => false,
    }
}

/// Sets the most pages that the file may have.
pub(crate) async fn limit_pages(
    connection: &mut SqliteConnection,
    pages: u32,
) -> Result<(), sqlx::Error> {
    // A pragma takes no parameter; the number is formatted by its type.
    let pragma = format!("pragma max_page_count = {pages}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(pragma))
        .execute(connection)
        .await?;
    Ok(())
}
