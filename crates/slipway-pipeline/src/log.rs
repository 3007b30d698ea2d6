//! A job's log: every byte that it printed, in the order of whole lines, masked before it
//! is stored. The last lines are at hand for whoever has to explain a failure.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::mask::Mask;

/// Lines kept at hand.
const TAIL_LINES: usize = 20;
/// A line longer than this is stored before its end is seen.
const LINE_BYTES_MAX: usize = 1024 * 1024;

/// The log of one job while it runs.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    file: BufWriter<File>,
    tail: VecDeque<String>,
}

/// One stream of a job: what is not a whole line yet waits here.
#[derive(Debug)]
pub(crate) struct Stream {
    mask: Mask,
    open: Vec<u8>,
}

impl Log {
    /// An empty log at `path`.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)?;
        Ok(Self {
            path: path.to_path_buf(),
            file: BufWriter::new(file),
            tail: VecDeque::new(),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// When the file was last written, by the clock of its file system.
    pub(crate) fn modified(&self) -> io::Result<std::time::SystemTime> {
        self.file.get_ref().metadata()?.modified()
    }

    /// Stores whole lines, which are already masked.
    pub(crate) fn store(&mut self, lines: &[u8]) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        self.file.write_all(lines)?;
        self.file.flush()?;
        let text = String::from_utf8_lossy(lines);
        let count = text.lines().count();
        for line in text.lines().skip(count.saturating_sub(TAIL_LINES)) {
            if self.tail.len() == TAIL_LINES {
                self.tail.pop_front();
            }
            self.tail.push_back(line.to_owned());
        }
        Ok(())
    }

    /// Stores a line of Slipway's own.
    pub(crate) fn note(&mut self, words: &str) -> io::Result<Vec<u8>> {
        let line = format!("[slipway] {words}\n").into_bytes();
        self.store(&line)?;
        Ok(line)
    }

    /// The last lines.
    pub(crate) fn tail(&self) -> Vec<String> {
        self.tail.iter().cloned().collect()
    }
}

impl Stream {
    pub(crate) fn new(mask: Mask) -> Self {
        Self {
            mask,
            open: Vec::new(),
        }
    }

    /// Takes what was read; gives back the lines that are whole by now, masked.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.open.extend_from_slice(bytes);
        let whole = match self.open.iter().rposition(|b| *b == b'\n') {
            Some(at) => at + 1,
            // A secret may lie across the cut, so as much as one could hold back waits.
            None if self.open.len() > LINE_BYTES_MAX => self.open.len() - self.mask.overlap(),
            None => return Vec::new(),
        };
        let rest = self.open.split_off(whole);
        let lines = std::mem::replace(&mut self.open, rest);
        self.mask.apply(&lines)
    }

    /// The stream has ended: what is left is a line, whether it ends like one or not.
    pub(crate) fn end(&mut self) -> Vec<u8> {
        let mut rest = std::mem::take(&mut self.open);
        if !rest.is_empty() && !rest.ends_with(b"\n") {
            rest.push(b'\n');
        }
        self.mask.apply(&rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_arrives_in_pieces_is_hidden() {
        let mut stream = Stream::new(Mask::new(["hunter22"]));
        let mut seen = stream.take(b"one\nthe hun");
        seen.extend(stream.take(b"ter22 is"));
        seen.extend(stream.take(b" here"));
        seen.extend(stream.end());
        assert_eq!(String::from_utf8(seen).unwrap(), "one\nthe *** is here\n");
    }

    #[test]
    fn the_last_lines_are_at_hand_and_all_are_stored() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut log = Log::create(&path).unwrap();
        for number in 0..100 {
            log.store(format!("line {number}\n").as_bytes()).unwrap();
        }
        assert_eq!(log.tail().len(), TAIL_LINES);
        assert_eq!(log.tail().last().unwrap(), "line 99");
        assert_eq!(std::fs::read_to_string(path).unwrap().lines().count(), 100);
    }
}
