//! The one task that writes. Appends that wait together are committed together, in
//! the order in which they came, so that many callers share one disk sync. After any
//! failure the file is opened anew: SQLite may have ended the transaction by itself
//! (a full disk does that), and only the file knows what was kept.

use std::path::PathBuf;

use chassis::Clock;
use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::entry::{Entry, Hash, ROOT, Stored, hash};
use crate::error::JournalError;
use crate::event::{Actor, Event};
use crate::ids::Seq;
use crate::store::{self, Row};

/// Appends that share one commit at most.
const TOGETHER: usize = 64;

/// What the writer is asked to do.
#[derive(Debug)]
pub(crate) enum Command {
    Append(Append),
    LimitPages {
        pages: u32,
        reply: oneshot::Sender<Result<(), JournalError>>,
    },
}

/// One call of `Journal::append`.
#[derive(Debug)]
pub(crate) struct Append {
    pub(crate) actor: Actor,
    pub(crate) events: Vec<Event>,
    pub(crate) reply: oneshot::Sender<Result<Vec<Entry>, JournalError>>,
}

pub(crate) struct Writer {
    path: PathBuf,
    clock: Clock,
    entries: broadcast::Sender<Entry>,
    pages: Option<u32>,
    link: Option<Link>,
}

/// An open file, and where its chain ends.
struct Link {
    connection: SqliteConnection,
    end: (i64, Hash),
}

impl Writer {
    pub(crate) async fn new(
        path: PathBuf,
        clock: Clock,
        entries: broadcast::Sender<Entry>,
    ) -> Result<Self, JournalError> {
        let link = Some(open(path.clone(), None).await?);
        Ok(Self {
            path,
            clock,
            entries,
            pages: None,
            link,
        })
    }

    /// Serves until every handle is gone.
    pub(crate) async fn run(mut self, mut queue: mpsc::Receiver<Command>) {
        let mut waiting = Vec::with_capacity(TOGETHER);
        while queue.recv_many(&mut waiting, TOGETHER).await > 0 {
            let mut batch = Vec::with_capacity(waiting.len());
            for command in waiting.drain(..) {
                match command {
                    Command::Append(append) => batch.push(append),
                    Command::LimitPages { pages, reply } => {
                        self.pages = Some(pages);
                        self.link = None;
                        // A caller that has gone does not need the answer.
                        drop(reply.send(Ok(())));
                    }
                }
            }
            if !batch.is_empty() {
                self.commit(batch).await;
            }
        }
    }

    /// Commits what waits as one; where that fails, each alone, so that every caller
    /// gets the answer to its own append.
    async fn commit(&mut self, batch: Vec<Append>) {
        if let Ok(entries) = self.write(&batch).await {
            return self.acknowledge(batch, entries);
        }
        for append in batch {
            let alone = vec![append];
            match self.write(&alone).await {
                Ok(entries) => self.acknowledge(alone, entries),
                Err(error) => refuse(alone, error),
            }
        }
    }

    fn acknowledge(&self, batch: Vec<Append>, mut entries: Vec<Entry>) {
        for append in batch {
            let rest = entries.split_off(append.events.len());
            for entry in &entries {
                // No subscriber is no fault.
                drop(self.entries.send(entry.clone()));
            }
            drop(append.reply.send(Ok(entries)));
            entries = rest;
        }
    }

    async fn write(&mut self, batch: &[Append]) -> Result<Vec<Entry>, JournalError> {
        let mut link = match self.link.take() {
            Some(link) => link,
            None => open(self.path.clone(), self.pages).await?,
        };
        let chained = chain(link.end, batch, self.clock.now())?;
        store::append(&mut link.connection, chained.rows, chained.end).await?;
        link.end = chained.end;
        self.link = Some(link);
        Ok(chained.entries)
    }
}

/// What a batch becomes: rows to store, entries to tell, and the new end.
struct Chained {
    rows: Vec<Row>,
    entries: Vec<Entry>,
    end: (i64, Hash),
}

fn chain(
    mut end: (i64, Hash),
    batch: &[Append],
    now: Timestamp,
) -> Result<Chained, serde_json::Error> {
    let (mut rows, mut entries) = (Vec::new(), Vec::new());
    for append in batch {
        let actor = serde_json::to_string(&append.actor)?;
        for event in &append.events {
            let text = serde_json::to_string(event)?;
            let (seq, at_us) = (end.0 + 1, now.as_microsecond());
            let hash = hash(
                &end.1,
                Stored {
                    seq,
                    at_us,
                    actor: &actor,
                    event: &text,
                },
            );
            rows.push(Row {
                seq,
                at_us,
                actor: actor.clone(),
                event: text,
                prev_hash: end.1.to_vec(),
                hash: hash.to_vec(),
            });
            entries.push(Entry {
                seq: Seq(seq),
                at: now,
                actor: append.actor.clone(),
                event: event.clone(),
                hash: data_encoding::HEXLOWER.encode(&hash),
            });
            end = (seq, hash);
        }
    }
    Ok(Chained { rows, entries, end })
}

async fn open(path: PathBuf, pages: Option<u32>) -> Result<Link, JournalError> {
    let mut connection = store::open_writer(&path).await?;
    if let Some(pages) = pages {
        store::limit_pages(&mut connection, pages).await?;
    }
    let end = end_of_chain(&mut connection).await?;
    Ok(Link { connection, end })
}

fn refuse(alone: Vec<Append>, error: JournalError) {
    if let Some(append) = alone.into_iter().next() {
        // A caller that has gone does not need the answer.
        drop(append.reply.send(Err(error)));
    }
}

/// The last entry, where it is also what the head says.
async fn end_of_chain(connection: &mut SqliteConnection) -> Result<(i64, Hash), JournalError> {
    let broken = |seq, reason: &str| JournalError::Broken {
        seq: Seq(seq),
        reason: reason.into(),
    };
    match (
        store::last(connection).await?,
        store::head(connection).await?,
    ) {
        (None, None) => Ok((0, ROOT)),
        (Some(last), Some(head)) if last.seq == head.seq && last.hash == head.hash => {
            let hash = Hash::try_from(last.hash.as_slice())
                .map_err(|_| broken(last.seq, "its hash is not one"))?;
            Ok((last.seq, hash))
        }
        (last, head) => {
            let seq = last.map_or(0, |l| l.seq).min(head.map_or(0, |h| h.seq)) + 1;
            Err(broken(seq, "the entries do not end where the head says"))
        }
    }
}
