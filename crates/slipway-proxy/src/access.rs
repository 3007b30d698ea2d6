//! The access log: a line of JSON for a share of the requests, and for every one that failed or
//! was slow. No request waits for it: lines go through a bounded queue to a thread of its own,
//! and what finds it full is counted. Names no client: of its address the network alone is
//! kept, of a target the path. Files are turned over at a size and the oldest removed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use chassis::Clock;
use serde::Serialize;

use crate::network;
use crate::options::AccessLog;

/// Lines that wait to be written.
const QUEUE: usize = 4096;
/// What of a client's address is kept.
const V4_BITS: u32 = 24;
const V6_BITS: u32 = 48;
/// Shares are in hundredths of a per cent.
const WHOLE: usize = 10_000;
/// The longest path that is written out, bytes.
const PATH_BYTES: usize = 512;

/// The log, as workers write to it.
#[derive(Debug)]
pub(crate) struct Log {
    queue: SyncSender<Vec<u8>>,
    lost: AtomicU64,
    share: u16,
    slow: Duration,
    clock: Clock,
}

/// One request.
#[derive(Debug, Serialize)]
pub(crate) struct Entry<'a> {
    pub(crate) id: &'a str,
    pub(crate) service: &'a str,
    /// Nothing where it reached no release.
    pub(crate) release: Option<&'a str>,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    /// Nought where the client went before an answer.
    pub(crate) status: u16,
    pub(crate) outcome: &'static str,
    /// From the last byte of the request's head to the first of the answer; microseconds.
    pub(crate) first_us: Option<u64>,
    /// To the last byte of the answer; microseconds.
    pub(crate) took_us: u64,
    /// Bytes of the answer's body.
    pub(crate) sent: u64,
    pub(crate) http: u8,
    pub(crate) tls: bool,
    pub(crate) client: IpAddr,
}

#[derive(Serialize)]
struct Line<'a> {
    time: String,
    #[serde(flatten)]
    entry: Entry<'a>,
    /// Lines before this one that found the queue full.
    #[serde(skip_serializing_if = "is_nought")]
    lost: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_nought(number: &u64) -> bool {
    *number == 0
}

impl Log {
    /// Opens the file and starts the thread that writes; it ends with the log.
    pub(crate) fn start(options: &AccessLog, clock: Clock) -> io::Result<Self> {
        let pages = Pages::open(options)?;
        let (queue, lines) = sync_channel(QUEUE);
        thread::Builder::new()
            .name("slipway-access".to_owned())
            .spawn(move || write(&lines, pages))?;
        Ok(Self {
            queue,
            lost: AtomicU64::new(0),
            share: options.share,
            slow: options.slow,
            clock,
        })
    }

    /// Whether a request is worth a line; `draw` gives a number below the one it is given.
    pub(crate) fn wants(
        &self,
        is_good: bool,
        took: Duration,
        draw: impl FnOnce(usize) -> usize,
    ) -> bool {
        !is_good || took >= self.slow || draw(WHOLE) < usize::from(self.share)
    }

    /// Writes a line, if there is room.
    pub(crate) fn tell(&self, mut entry: Entry<'_>) {
        entry.client = network::neighbourhood(entry.client, V4_BITS, V6_BITS);
        let end = entry.path.floor_char_boundary(PATH_BYTES);
        entry.path = entry.path.get(..end).unwrap_or_default();
        let lost = self.lost.swap(0, Ordering::Relaxed);
        let line = Line {
            time: self.clock.now().to_string(),
            entry,
            lost,
        };
        // Every value has string keys and finite numbers.
        let mut bytes = serde_json::to_vec(&line).unwrap_or_default();
        bytes.push(b'\n');
        if self.queue.try_send(bytes).is_err() {
            self.lost.fetch_add(lost + 1, Ordering::Relaxed);
        }
    }
}

fn write(lines: &Receiver<Vec<u8>>, mut pages: Pages) {
    let mut is_broken = false;
    while let Ok(first) = lines.recv() {
        let mut written = pages.write(&first);
        while let Ok(line) = lines.try_recv() {
            written = written.and_then(|()| pages.write(&line));
        }
        let written = written.and_then(|()| pages.file.flush());
        // Told when it begins and when it is over, and never for each line.
        if written.is_err() != is_broken {
            is_broken = written.is_err();
            match written {
                Ok(()) => tracing::info!("the access log is written again"),
                Err(error) => tracing::error!(%error, "the access log cannot be written"),
            }
        }
    }
}

/// The file that is written and the ones before it.
#[derive(Debug)]
struct Pages {
    path: PathBuf,
    file: BufWriter<File>,
    bytes: u64,
    bytes_max: u64,
    kept: u32,
}

impl Pages {
    fn open(options: &AccessLog) -> io::Result<Self> {
        if let Some(folder) = options.file.parent() {
            fs::create_dir_all(folder)?;
        }
        let file = open(&options.file)?;
        Ok(Self {
            bytes: file.metadata()?.len(),
            file: BufWriter::new(file),
            path: options.file.clone(),
            bytes_max: options.bytes_max,
            kept: options.kept,
        })
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let bytes = u64::try_from(line.len()).unwrap_or(u64::MAX);
        if self.bytes > 0 && self.bytes.saturating_add(bytes) > self.bytes_max {
            self.turn()?;
        }
        self.file.write_all(line)?;
        self.bytes = self.bytes.saturating_add(bytes);
        Ok(())
    }

    /// Begins a new file.
    fn turn(&mut self) -> io::Result<()> {
        self.file.flush()?;
        let page = |number: u32| self.path.with_added_extension(number.to_string());
        for number in (1..self.kept).rev() {
            rename(&page(number), &page(number + 1))?;
        }
        if self.kept == 0 {
            fs::remove_file(&self.path)?;
        } else {
            rename(&self.path, &page(1))?;
        }
        self.file = BufWriter::new(open(&self.path)?);
        self.bytes = 0;
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
}

/// Renames what may not be there.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(folder: &Path, bytes_max: u64, kept: u32) -> AccessLog {
        AccessLog {
            file: folder.join("logs/access.log"),
            share: 0,
            slow: Duration::from_secs(1),
            bytes_max,
            kept,
        }
    }

    fn names(folder: &Path) -> Vec<(String, u64)> {
        let mut names: Vec<_> = fs::read_dir(folder.join("logs"))
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let name = entry.file_name().into_string().unwrap();
                (name, entry.metadata().unwrap().len())
            })
            .collect();
        names.sort();
        names
    }

    #[test]
    fn files_are_turned_over_and_never_more_than_were_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let mut pages = Pages::open(&options(folder.path(), 100, 2)).unwrap();
        for _ in 0..50 {
            pages.write(&[b'x'; 30]).unwrap();
        }
        pages.file.flush().unwrap();
        let found = names(folder.path());
        let found: Vec<_> = found.iter().map(|(n, b)| (n.as_str(), *b)).collect();
        assert_eq!(
            found,
            [
                ("access.log", 60),
                ("access.log.1", 90),
                ("access.log.2", 90)
            ]
        );
        // A line that is larger than a file has one for itself.
        pages.write(&[b'y'; 300]).unwrap();
        pages.write(b"z").unwrap();
        pages.file.flush().unwrap();
        assert_eq!(names(folder.path())[1].1, 300);
    }

    #[test]
    fn a_file_that_is_there_is_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..3 {
            let mut pages = Pages::open(&options(folder.path(), 100, 0)).unwrap();
            pages.write(&[b'x'; 40]).unwrap();
            pages.file.flush().unwrap();
        }
        assert_eq!(names(folder.path()), [("access.log".to_owned(), 40)]);
    }

    #[test]
    fn bad_and_slow_requests_are_always_worth_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let log = |share| {
            let options = AccessLog {
                share,
                ..options(folder.path(), 1000, 1)
            };
            Log::start(&options, Clock::system()).unwrap()
        };
        let (quick, slow) = (Duration::from_millis(5), Duration::from_secs(1));
        for (share, is_good, took, drawn, expected) in [
            (0, false, quick, 0, true),
            (0, true, slow, 0, true),
            (0, true, quick, 0, false),
            (100, true, quick, 99, true),
            (100, true, quick, 100, false),
            (10_000, true, quick, 9_999, true),
        ] {
            let found = log(share).wants(is_good, took, |_| drawn);
            assert_eq!(found, expected, "{share} {is_good} {took:?} {drawn}");
        }
    }
}
