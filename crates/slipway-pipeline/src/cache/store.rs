//! Keeping and giving back. Objects are written before the entry that names them; outputs
//! are laid beside their place, checked, and only then moved into it, all or none.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::entry::Facts;
use super::{Cache, Entry, Kind, Object, Output};
use crate::digest::{self, Digests};
use crate::tree::{TreeFile, written};

/// How giving back ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Restored {
    /// Everything is in its place.
    Whole,
    /// An object is gone or damaged; nothing was touched.
    Damaged(String),
}

/// What a job left behind.
#[derive(Debug)]
pub(crate) struct Leavings<'a> {
    pub(crate) root: &'a Path,
    pub(crate) outputs: &'a [String],
    pub(crate) log: &'a Path,
    pub(crate) reports: &'a BTreeMap<String, Vec<u8>>,
}

impl Cache {
    /// Keeps a result.
    pub(crate) fn keep(&self, facts: Facts, left: &Leavings<'_>) -> io::Result<()> {
        let log = self.keep_file(left.log)?;
        let mut reports = BTreeMap::new();
        for (name, content) in left.reports {
            reports.insert(name.clone(), self.keep_bytes(content)?);
        }
        let mut outputs = Vec::new();
        let mut folders = Vec::new();
        for declared in left.outputs {
            let (files, dirs) = list(left.root, declared)?;
            folders.extend(dirs);
            for path in files {
                let full = left.root.join(&path);
                let kind = if full.is_symlink() {
                    let target = written(&fs::read_link(&full)?);
                    Kind::Link { target }
                } else {
                    let mode = full.metadata()?.permissions().mode();
                    Kind::File {
                        object: self.keep_file(&full)?,
                        executable: mode & 0o111 != 0,
                    }
                };
                outputs.push(Output { path, kind });
            }
        }
        let key = facts.key.clone();
        let entry = Entry::new(facts, log, reports, outputs, folders);
        let sealed = entry.seal().map_err(io::Error::other)?;
        chassis::durable::replace(&self.entry_path(&key), &sealed, 0o600)
    }

    fn keep_file(&self, path: &Path) -> io::Result<Object> {
        let digest = digest::of_file(path)?;
        let bytes = path.metadata()?.len();
        let object = Object { digest, bytes };
        self.keep_object(&object, || File::open(path))?;
        Ok(object)
    }

    fn keep_bytes(&self, content: &[u8]) -> io::Result<Object> {
        let object = Object {
            digest: digest::of_bytes(content),
            bytes: content.len() as u64,
        };
        self.keep_object(&object, || Ok(content))?;
        Ok(object)
    }

    /// Writes an object that is not there yet, or that is there and damaged.
    fn keep_object<R: io::Read>(
        &self,
        object: &Object,
        open: impl FnOnce() -> io::Result<R>,
    ) -> io::Result<()> {
        let path = self.object_path(&object.digest);
        if digest::of_file(&path).is_ok_and(|found| found == object.digest) {
            return Ok(());
        }
        let folder = path.parent().unwrap_or(&self.folder);
        fs::create_dir_all(folder)?;
        let mut aside = tempfile::NamedTempFile::new_in(folder)?;
        let found = copy(&mut open()?, aside.as_file_mut())?;
        if found != object.digest {
            return Err(io::Error::other("a file changed while it was kept"));
        }
        aside.as_file().sync_all()?;
        aside.persist(&path).map_err(|e| e.error)?;
        Ok(())
    }

    /// Whether the outputs are in their places already, exactly as the entry has them.
    pub(crate) fn is_in_place(
        entry: &Entry,
        root: &Path,
        digests: &mut Digests,
    ) -> io::Result<bool> {
        for output in &entry.outputs {
            if !is_output_in_place(output, root, digests)? {
                return Ok(false);
            }
        }
        let is_folder = |folder: &String| root.join(folder).is_dir();
        Ok(entry.folders.iter().all(is_folder) && surplus(entry, root)?.is_empty())
    }

    /// Puts the outputs of an entry into their places.
    pub(crate) fn restore(&self, entry: &Entry, root: &Path) -> io::Result<Restored> {
        let mut laid = Vec::new();
        for output in &entry.outputs {
            match self.lay(output, root) {
                Ok(Some(aside)) => laid.push((aside, root.join(&output.path))),
                Ok(None) => {
                    discard(&laid);
                    return Ok(Restored::Damaged(output.path.clone()));
                }
                Err(error) => {
                    discard(&laid);
                    return Err(error);
                }
            }
        }
        for path in surplus(entry, root)? {
            let path = root.join(path);
            if !laid.iter().any(|(aside, _)| *aside == path) {
                fs::remove_file(path)?;
            }
        }
        for (aside, place) in &laid {
            if place.is_dir() && !place.is_symlink() {
                fs::remove_dir_all(place)?;
            }
            fs::rename(aside, place)?;
        }
        for folder in &entry.folders {
            fs::create_dir_all(root.join(folder))?;
        }
        Ok(Restored::Whole)
    }

    /// Lays one output beside its place; none where its object is gone or damaged.
    fn lay(&self, output: &Output, root: &Path) -> io::Result<Option<PathBuf>> {
        let place = root.join(&output.path);
        let (Some(folder), Some(name)) = (place.parent(), place.file_name()) else {
            return Err(io::Error::other("an output has no place"));
        };
        fs::create_dir_all(folder)?;
        let aside = folder.join(format!(".{}.slipway", name.to_string_lossy()));
        remove_if_there(&aside)?;
        match &output.kind {
            Kind::Link { target } => std::os::unix::fs::symlink(target, &aside)?,
            Kind::File { object, executable } => {
                let mut source = match File::open(self.object_path(&object.digest)) {
                    Ok(source) => source,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                    Err(error) => return Err(error),
                };
                let mut copied = File::create(&aside)?;
                let digest = copy(&mut source, &mut copied);
                if !digest.as_ref().is_ok_and(|d| *d == object.digest) {
                    remove_if_there(&aside)?;
                    // A disk that is full is an error; other content is damage.
                    return digest.map(|_| None);
                }
                let mode = if *executable { 0o755 } else { 0o644 };
                copied.set_permissions(Permissions::from_mode(mode))?;
            }
        }
        Ok(Some(aside))
    }
}

fn is_output_in_place(output: &Output, root: &Path, digests: &mut Digests) -> io::Result<bool> {
    let Some(file) = TreeFile::look(root, &output.path)? else {
        return Ok(false);
    };
    match &output.kind {
        Kind::Link { target } => {
            Ok(file.is_link && written(&fs::read_link(root.join(&output.path))?) == *target)
        }
        Kind::File { object, executable } => Ok(!file.is_link
            && file.executable == *executable
            && file.stat.bytes == object.bytes
            && digests.of(root, &file)? == object.digest),
    }
}

/// Files in the entry's folders that the entry does not have.
fn surplus(entry: &Entry, root: &Path) -> io::Result<Vec<String>> {
    let wanted: BTreeSet<&str> = entry.outputs.iter().map(|o| o.path.as_str()).collect();
    let mut found = BTreeSet::new();
    for folder in &entry.folders {
        found.extend(list(root, folder)?.0);
    }
    found.retain(|path| !wanted.contains(path.as_str()));
    Ok(found.into_iter().collect())
}

/// The files at or below a path, and the folders; both are empty where nothing is there.
fn list(root: &Path, path: &str) -> io::Result<(Vec<String>, Vec<String>)> {
    let full = root.join(path);
    if !full.is_dir() || full.is_symlink() {
        let is_there = full.is_symlink() || full.is_file();
        return Ok((
            is_there.then(|| path.to_owned()).into_iter().collect(),
            Vec::new(),
        ));
    }
    let mut files = Vec::new();
    let mut folders = vec![path.to_owned()];
    for entry in fs::read_dir(&full)? {
        let entry = entry?;
        let name = written(Path::new(&entry.file_name()));
        let (more, below) = list(root, &format!("{path}/{name}"))?;
        files.extend(more);
        folders.extend(below);
    }
    files.sort();
    Ok((files, folders))
}

fn copy(from: &mut impl io::Read, to: &mut File) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 128 * 1024];
    loop {
        let count = from.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..count).filter(|b| !b.is_empty()) else {
            return Ok(hasher.finalize().to_hex().to_string());
        };
        hasher.update(bytes);
        to.write_all(bytes)?;
    }
}

fn discard(laid: &[(PathBuf, PathBuf)]) {
    for (aside, _) in laid {
        if let Err(error) = remove_if_there(aside) {
            tracing::warn!(path = %aside.display(), %error, "a half-restored file stays behind");
        }
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
