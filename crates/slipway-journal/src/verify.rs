//! Checks a whole chain. Needs only the file; never changes it.
//!
//! It shows what was altered, removed, put in or reordered, and a tail that was cut
//! off. It cannot show that somebody rewrote every entry and the head together; for
//! that an earlier head must be known from elsewhere.

use std::path::Path;

use serde::Serialize;
use sqlx::sqlite::SqliteConnection;

use crate::entry::{Hash, ROOT, Stored, hash};
use crate::error::JournalError;
use crate::ids::Seq;
use crate::store::{self, Head, Row};

const PAGE: u32 = 1000;

/// What a check of the chain found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum Verification {
    /// Every entry follows from the one before, up to the recorded head.
    Whole {
        /// How many entries there are.
        entries: i64,
        /// The hash of the last one, 64 hexadecimal digits.
        head: String,
    },
    /// The first entry that is wrong.
    Broken {
        /// Its place.
        seq: Seq,
        /// What is wrong with it.
        reason: String,
    },
}

impl Verification {
    fn broken(seq: i64, reason: impl Into<String>) -> Self {
        Self::Broken {
            seq: Seq(seq),
            reason: reason.into(),
        }
    }

    /// What an error while entry `seq` was read means: damage of the file is an answer.
    fn unreadable(seq: i64, error: sqlx::Error) -> Result<Self, JournalError> {
        if store::is_damage(&error) {
            Ok(Self::broken(seq, format!("cannot be read: {error}")))
        } else {
            Err(error.into())
        }
    }
}

/// Checks the journal at `path`, which may be in use.
pub async fn verify_file(path: &Path) -> Result<Verification, JournalError> {
    match store::open_reader(path).await {
        Ok(mut reader) => verify(&mut reader).await,
        Err(JournalError::Sqlite(error)) => Verification::unreadable(1, error),
        Err(error) => Err(error),
    }
}

/// One read transaction: entries and head are seen as of the same moment.
async fn verify(connection: &mut SqliteConnection) -> Result<Verification, JournalError> {
    let mut snapshot = match sqlx::Connection::begin(connection).await {
        Ok(snapshot) => snapshot,
        Err(error) => return Verification::unreadable(1, error),
    };
    let mut end = (0, ROOT);
    loop {
        let rows = match page(&mut snapshot, end.0).await {
            Ok(rows) => rows,
            Err(error) => return Verification::unreadable(end.0 + 1, error),
        };
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            match follow(end, row) {
                Ok(hash) => end = (row.seq, hash),
                Err(reason) => return Ok(Verification::broken(end.0 + 1, reason)),
            }
        }
    }
    match store::head(&mut snapshot).await {
        Ok(head) => Ok(against(head, end)),
        Err(error) => Verification::unreadable(end.0 + 1, error),
    }
}

/// The next rows; only one where one among many cannot be read, so that those before it are
/// checked and it is the one that is named.
async fn page(connection: &mut SqliteConnection, after: i64) -> Result<Vec<Row>, sqlx::Error> {
    match store::rows_after(connection, after, PAGE).await {
        Err(error) if store::is_damage(&error) => store::rows_after(connection, after, 1).await,
        read => read,
    }
}

/// Whether the entries end where the head says.
fn against(head: Option<Head>, end: (i64, Hash)) -> Verification {
    let (seq, hash) = head.map_or((0, ROOT.to_vec()), |h| (h.seq, h.hash));
    if seq != end.0 {
        let reason = format!("the head says that entry {seq} is the last one, and it is not");
        return Verification::broken(end.0.min(seq) + 1, reason);
    }
    if hash != end.1 {
        return Verification::broken(end.0, "the head has another hash for it, the last one");
    }
    Verification::Whole {
        entries: end.0,
        head: data_encoding::HEXLOWER.encode(&end.1),
    }
}

/// The hash of `row` where it follows from the entry before, else what is wrong.
fn follow((seq, prev): (i64, Hash), row: &Row) -> Result<Hash, String> {
    if row.seq != seq + 1 {
        return Err(format!("missing; the next one found is {}", row.seq));
    }
    if row.prev_hash != prev {
        return Err("does not follow from the entry before: put in, reordered or altered".into());
    }
    let stored = Stored {
        seq: row.seq,
        at_us: row.at_us,
        actor: &row.actor,
        event: &row.event,
    };
    let hash = hash(&prev, stored);
    if row.hash != hash {
        return Err("altered: its content does not have its hash".into());
    }
    Ok(hash)
}
