//! Digests of files, and the memory of those already taken: a file whose size, times and
//! inode are as they were is not read again.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use chassis::Clock;
use serde::{Deserialize, Serialize};

use crate::tree::{Stat, TreeFile};

/// A file that was written this short a time before it was read may have been written
/// again without its times changing: file systems count in steps of up to 10 ms.
const STEP_NS: i128 = 20_000_000;
const VERSION: u32 = 1;

/// What is known of files by their paths.
#[derive(Debug)]
pub(crate) struct Digests {
    path: PathBuf,
    clock: Clock,
    known: BTreeMap<String, Known>,
    is_changed: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct Known {
    stat: Stat,
    read_ns: i128,
    digest: String,
}

#[derive(Serialize, Deserialize)]
struct Stored<T> {
    version: u32,
    files: T,
}

impl Digests {
    /// What an earlier run knew; nothing where its file is not there or cannot be read,
    /// because then everything is simply read again.
    pub(crate) fn load(path: &Path, clock: Clock) -> Self {
        let stored = fs::read(path).ok().and_then(|bytes| {
            serde_json::from_slice::<Stored<BTreeMap<String, Known>>>(&bytes).ok()
        });
        let known = stored.filter(|s| s.version == VERSION).map(|s| s.files);
        Self {
            path: path.to_path_buf(),
            clock,
            known: known.unwrap_or_default(),
            is_changed: false,
        }
    }

    /// The digest of `file`, 64 hex digits.
    pub(crate) fn of(&mut self, root: &Path, file: &TreeFile) -> io::Result<String> {
        // What a link leads to may change and leave the link as it was.
        if file.is_link {
            return of_link(&root.join(&file.path));
        }
        if let Some(known) = self.known.get(&file.path)
            && known.stat == file.stat
            && known.stat.modified_ns.max(known.stat.changed_ns) + STEP_NS < known.read_ns
        {
            return Ok(known.digest.clone());
        }
        let read_ns = self.clock.now().as_nanosecond();
        let digest = of_file(&root.join(&file.path))?;
        let known = Known {
            stat: file.stat,
            read_ns,
            digest: digest.clone(),
        };
        self.known.insert(file.path.clone(), known);
        self.is_changed = true;
        Ok(digest)
    }

    /// Writes down what is known now, where something is new.
    pub(crate) fn save(&mut self) -> io::Result<()> {
        if !self.is_changed {
            return Ok(());
        }
        let stored = Stored {
            version: VERSION,
            files: &self.known,
        };
        // Losing this file costs time and nothing else, so it need not survive a crash.
        let aside = self.path.with_extension("new");
        fs::write(&aside, serde_json::to_vec(&stored)?)?;
        fs::rename(&aside, &self.path)?;
        self.is_changed = false;
        Ok(())
    }
}

/// BLAKE3 of a file's content, 64 hex digits.
pub(crate) fn of_file(path: &Path) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// BLAKE3 of where a symbolic link leads and of the file that lies there, because that is
/// what is read through it; never that of a file with the same bytes.
pub(crate) fn of_link(path: &Path) -> io::Result<String> {
    let target = fs::read_link(path)?;
    let target = target.as_os_str().as_encoded_bytes();
    let mut hasher = blake3::Hasher::new_derive_key("slipway-pipeline symbolic link");
    hasher.update(&(target.len() as u64).to_be_bytes());
    hasher.update(target);
    // A pipe would be waited for, and a link may lead nowhere.
    match fs::metadata(path) {
        Ok(found) if found.is_file() => {
            hasher.update(b"file");
            io::copy(&mut File::open(path)?, &mut hasher)?;
        }
        _ => {
            hasher.update(b"no file");
        }
    }
    Ok(hasher.finalize().to_hex().to_string())
}

/// BLAKE3 of bytes, 64 hex digits.
pub(crate) fn of_bytes(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_file_is_read_again_only_when_it_may_have_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "one").unwrap();
        let look = || TreeFile::look(folder.path(), "a").unwrap().unwrap();
        let written = jiff::Timestamp::try_from(path.metadata().unwrap().modified().unwrap());
        let (clock, hands) = Clock::manual(written.unwrap());
        let store = folder.path().join("store");
        let mut digests = Digests::load(&store, clock.clone());
        // Read in the moment in which it was written: not to be trusted.
        let one = digests.of(folder.path(), &look()).unwrap();
        digests.is_changed = false;
        digests.of(folder.path(), &look()).unwrap();
        assert!(digests.is_changed, "read again");
        hands.advance(Duration::from_secs(1));
        digests.of(folder.path(), &look()).unwrap();
        digests.save().unwrap();
        let mut later = Digests::load(&store, clock);
        assert_eq!(later.of(folder.path(), &look()).unwrap(), one);
        assert!(!later.is_changed, "not read again");
        fs::write(&path, "two").unwrap();
        assert_ne!(later.of(folder.path(), &look()).unwrap(), one);
    }
}
