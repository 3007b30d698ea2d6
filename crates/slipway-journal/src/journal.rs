//! The handle to the journal: appends go to one writing task, reads go to the file.
//! An append is all or nothing, and durable when it is acknowledged.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chassis::Clock;
use jiff::Timestamp;
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::entry::Entry;
use crate::error::JournalError;
use crate::event::{Actor, Event};
use crate::ids::Seq;
use crate::store::{self, Row};
use crate::verify::{self, Verification};
use crate::writer::{Append, Command, Writer};

/// Appends that may wait for the writer before callers have to wait themselves.
const QUEUE: usize = 256;
/// Entries that a slow subscriber may lag behind before it has to read the file.
const LAG: usize = 4096;
const PAGE: u32 = 1000;

/// The journal. Cheap to clone; the writer ends with the last handle.
#[derive(Debug, Clone)]
pub struct Journal {
    path: PathBuf,
    commands: mpsc::Sender<Command>,
    entries: broadcast::Sender<Entry>,
    _lock: Arc<File>,
}

impl Journal {
    /// Opens the journal at `path` for writing, creating it where it is not there.
    ///
    /// Fails with `Held` while another process writes to it, and with `Broken` when
    /// the end of its chain does not fit. Must be called within a Tokio runtime.
    pub async fn open(path: &Path, clock: Clock) -> Result<Self, JournalError> {
        let lock = lock(path)?;
        store::migrate(path).await?;
        let (commands, queue) = mpsc::channel(QUEUE);
        let (entries, _) = broadcast::channel(LAG);
        let writer = Writer::new(path.to_owned(), clock, entries.clone()).await?;
        tokio::spawn(writer.run(queue));
        Ok(Self {
            path: path.to_owned(),
            commands,
            entries,
            _lock: Arc::new(lock),
        })
    }

    /// Appends `events` together; the entries are on disk when this returns `Ok`.
    ///
    /// Dropping the future does not undo an append that was already handed over.
    pub async fn append(
        &self,
        actor: Actor,
        events: Vec<Event>,
    ) -> Result<Vec<Entry>, JournalError> {
        let (reply, answer) = oneshot::channel();
        let append = Command::Append(Append {
            actor,
            events,
            reply,
        });
        self.commands
            .send(append)
            .await
            .map_err(|_| JournalError::Closed)?;
        answer.await.map_err(|_| JournalError::Closed)?
    }

    /// Keeps the file from growing beyond `pages` pages of 4 KiB, as a quota or for
    /// tests; an append that needs more fails as on a full disk.
    pub async fn limit_pages(&self, pages: u32) -> Result<(), JournalError> {
        let (reply, answer) = oneshot::channel();
        let limit = Command::LimitPages { pages, reply };
        self.commands
            .send(limit)
            .await
            .map_err(|_| JournalError::Closed)?;
        answer.await.map_err(|_| JournalError::Closed)?
    }

    /// At most `limit` entries after `after`, in order.
    pub async fn read(&self, after: Seq, limit: u32) -> Result<Vec<Entry>, JournalError> {
        read_file(&self.path, after, limit).await
    }

    /// Every entry, in order.
    pub async fn replay(&self) -> Result<Vec<Entry>, JournalError> {
        replay_file(&self.path).await
    }

    /// Entries from now on. A receiver that lags loses entries and is told so; it
    /// then reads the file from the last one that it saw. It never slows the writer.
    pub fn subscribe(&self) -> broadcast::Receiver<Entry> {
        self.entries.subscribe()
    }

    /// Checks the whole chain.
    pub async fn verify(&self) -> Result<Verification, JournalError> {
        verify::verify_file(&self.path).await
    }
}

/// At most `limit` entries after `after` of the journal at `path`, which may be in use.
pub async fn read_file(path: &Path, after: Seq, limit: u32) -> Result<Vec<Entry>, JournalError> {
    let mut reader = store::open_reader(path).await?;
    let rows = store::rows_after(&mut reader, after.0, limit).await?;
    rows.iter().map(entry).collect()
}

/// Every entry of the journal at `path`, which may be in use.
pub async fn replay_file(path: &Path) -> Result<Vec<Entry>, JournalError> {
    let mut reader = store::open_reader(path).await?;
    let mut entries = Vec::new();
    loop {
        let after = entries.last().map_or(0, |e: &Entry| e.seq.0);
        let rows = store::rows_after(&mut reader, after, PAGE).await?;
        if rows.is_empty() {
            return Ok(entries);
        }
        for row in &rows {
            entries.push(entry(row)?);
        }
    }
}

fn entry(row: &Row) -> Result<Entry, JournalError> {
    Ok(Entry {
        seq: Seq(row.seq),
        at: Timestamp::from_microsecond(row.at_us).unwrap_or(Timestamp::UNIX_EPOCH),
        actor: serde_json::from_str(&row.actor)?,
        event: serde_json::from_str(&row.event)?,
        hash: data_encoding::HEXLOWER.encode(&row.hash),
    })
}

/// Takes the lock that makes this process the only writer; the kernel frees it when
/// the process ends, however it ends.
fn lock(path: &Path) -> Result<File, JournalError> {
    let lock_path = path.with_extension("db-lock");
    let failed = |source| JournalError::File {
        path: lock_path.clone(),
        source,
    };
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&lock_path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0).map_err(failed)?;
            write!(file, "{}", std::process::id()).map_err(failed)?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let read = file.read_to_string(&mut holder);
            let holder = if read.is_ok() && !holder.is_empty() {
                holder
            } else {
                "unknown".into()
            };
            Err(JournalError::Held {
                path: path.to_owned(),
                holder,
            })
        }
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}
