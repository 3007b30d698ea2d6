//! One run at a time on one state folder. The kernel holds the lock and gives it back when
//! the process ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;

/// Held while a run goes on.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Drop for Lock {
    /// Closing the file would not do: a process that is being started at this moment has a
    /// copy of it until it becomes another program.
    fn drop(&mut self) {
        if let Err(error) = self.file.unlock() {
            tracing::warn!(%error, "the lock of the runs could not be given back");
        }
    }
}

/// What came of trying.
#[derive(Debug)]
pub(crate) enum Attempt {
    Taken(Lock),
    /// Another process holds it, and wrote this about itself.
    HeldBy(String),
}

impl Lock {
    /// Tries to take the lock at `path`.
    pub(crate) fn attempt(path: &Path) -> io::Result<Attempt> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0)?;
                file.rewind()?;
                write!(file, "process {}", std::process::id())?;
                Ok(Attempt::Taken(Self { file }))
            }
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder)?;
                if holder.is_empty() {
                    "another process".clone_into(&mut holder);
                }
                Ok(Attempt::HeldBy(holder))
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let Attempt::Taken(lock) = Lock::attempt(&path).unwrap() else {
            panic!("nobody holds it");
        };
        let Attempt::HeldBy(holder) = Lock::attempt(&path).unwrap() else {
            panic!("it is held");
        };
        assert_eq!(holder, format!("process {}", std::process::id()));
        drop(lock);
        assert!(matches!(Lock::attempt(&path).unwrap(), Attempt::Taken(_)));
    }
}
