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
use crate::store::{self, Row};

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

/// Checks the journal at `path`, which may be in use.
pub async fn verify_file(path: &Path) -> Result<Verification, JournalError> {
    verify(&mut store::open_reader(path).await?).await
}

pub(crate) async fn verify(
    connection: &mut SqliteConnection,
) -> Result<Verification, JournalError> {
    // One read transaction: entries and head are seen as of the same moment.
    let mut snapshot = sqlx::Connection::begin(connection).await?;
    let mut end = (0, ROOT);
    loop {
        let rows = store::rows_after(&mut snapshot, end.0, PAGE).await?;
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            match follow(end, row) {
                Ok(hash) => end = (row.seq, hash),
                Err(reason) => {
                    return Ok(Verification::Broken {
                        seq: Seq(end.0 + 1),
                        reason,
                    });
                }
            }
        }
    }
    let head = store::head(&mut snapshot)
        .await?
        .map_or((0, ROOT.to_vec()), |h| (h.seq, h.hash));
    if head != (end.0, end.1.to_vec()) {
        let reason = format!(
            "the head says that entry {} is the last one, and it is not",
            head.0
        );
        return Ok(Verification::Broken {
            seq: Seq(end.0.min(head.0) + 1),
            reason,
        });
    }
    Ok(Verification::Whole {
        entries: end.0,
        head: data_encoding::HEXLOWER.encode(&end.1),
    })
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
