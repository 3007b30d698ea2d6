//! What can go wrong with the journal.

use std::path::PathBuf;

use crate::ids::Seq;

/// Why the journal could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another process writes to it.
    #[error("{} is written by process {holder}; stop that one first", path.display())]
    Held {
        /// The journal.
        path: PathBuf,
        /// The process, as it wrote itself down; `unknown` when it did not.
        holder: String,
    },
    /// The end of the chain does not fit its entries; writing on would hide that.
    #[error("the journal is broken at entry {seq}: {reason}; keep the file, and start a new one")]
    Broken {
        /// The first entry that is wrong.
        seq: Seq,
        /// What is wrong with it.
        reason: String,
    },
    /// The file system said no.
    #[error("{}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What it said.
        #[source]
        source: std::io::Error,
    },
    /// SQLite said no; nothing of the append was kept. The disk may be full.
    #[error("the journal could not be read or written; is the disk full?")]
    Sqlite(#[from] sqlx::Error),
    /// The file is not a journal, or a newer version wrote its schema.
    #[error("the journal's schema could not be brought up to date")]
    Schema(#[from] sqlx::migrate::MigrateError),
    /// An event or an actor could not be encoded or decoded.
    #[error("an entry could not be encoded or decoded")]
    Encoding(#[from] serde_json::Error),
    /// The writer has ended, because every handle is gone or it was shut down.
    #[error("the journal is closed")]
    Closed,
}
