//! Results that need not be made again. An entry names everything that a job left behind by
//! its digest; nothing of it is used before all of it was checked. Only success is kept.

mod entry;
mod store;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub use entry::Tier;
pub(crate) use entry::{Entry, Facts, Kind, Object, Output};
pub(crate) use store::{Leavings, Restored};

use crate::digest;

/// The folder of the cache.
#[derive(Debug, Clone)]
pub(crate) struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// The cache in `folder`, which is made where it is not there.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        let cache = Self {
            folder: folder.to_path_buf(),
        };
        fs::create_dir_all(cache.folder.join("entries"))?;
        fs::create_dir_all(cache.folder.join("objects"))?;
        Ok(cache)
    }

    /// The entry under `key`, if one was written by somebody who is trusted enough. An entry
    /// that does not match its own seal is damaged; it is taken away and is none.
    pub(crate) fn find(&self, key: &str, least: Tier) -> io::Result<Option<Entry>> {
        let path = self.entry_path(key);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        match Entry::unseal(&bytes, key) {
            Some(entry) if entry.tier >= least => Ok(Some(entry)),
            Some(_) => Ok(None),
            None => {
                tracing::warn!(path = %path.display(), "a damaged cache entry is dropped");
                self.forget(key)?;
                Ok(None)
            }
        }
    }

    /// Takes an entry away.
    pub(crate) fn forget(&self, key: &str) -> io::Result<()> {
        match fs::remove_file(self.entry_path(key)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The content of an object; none where it is gone or damaged.
    pub(crate) fn content(&self, object: &Object) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.object_path(&object.digest)) {
            Ok(bytes) if digest::of_bytes(&bytes) == object.digest => Ok(Some(bytes)),
            Ok(_) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Where an object lies.
    pub(crate) fn object_path(&self, digest: &str) -> PathBuf {
        let fan = digest.get(..2).unwrap_or("xx");
        self.folder.join("objects").join(fan).join(digest)
    }

    fn entry_path(&self, key: &str) -> PathBuf {
        self.folder.join("entries").join(key)
    }
}
