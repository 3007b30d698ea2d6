//! The files of the project that Git would keep, with what the file system says of each.
//! A walk is a snapshot; whatever a job changes is seen by the next one.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::definition::{Pattern, lies_in};

/// What the file system says of a file; the same again means the same content, unless the
/// file was written in the very moment in which it was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stat {
    pub(crate) bytes: u64,
    pub(crate) inode: u64,
    pub(crate) device: u64,
    pub(crate) modified_ns: i128,
    pub(crate) changed_ns: i128,
}

impl Stat {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        let ns = |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
        Self {
            bytes: metadata.len(),
            inode: metadata.ino(),
            device: metadata.dev(),
            modified_ns: ns(metadata.mtime(), metadata.mtime_nsec()),
            changed_ns: ns(metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// One file or symbolic link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TreeFile {
    /// Relative to the project, with slashes.
    pub(crate) path: String,
    pub(crate) stat: Stat,
    pub(crate) executable: bool,
    pub(crate) is_link: bool,
}

impl TreeFile {
    /// The file at `path` of the project; none for a folder or what cannot be read as a file.
    pub(crate) fn look(root: &Path, path: &str) -> io::Result<Option<Self>> {
        let metadata = match root.join(path).symlink_metadata() {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(Self::from_metadata(path.to_owned(), &metadata))
    }

    fn from_metadata(path: String, metadata: &Metadata) -> Option<Self> {
        let is_link = metadata.is_symlink();
        (is_link || metadata.is_file()).then(|| Self {
            path,
            stat: Stat::of(metadata),
            executable: !is_link && metadata.mode() & 0o111 != 0,
            is_link,
        })
    }
}

/// A snapshot of the project's files, in the order of their paths.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    root: PathBuf,
    files: Vec<TreeFile>,
}

/// Why inputs cannot be told: a pattern that matches nothing does not look at what it was
/// meant for, and a link to a folder shows nothing of what lies in that.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SelectError {
    #[error("the input {0:?} matches no file")]
    Nothing(String),
    #[error("every file of its inputs is left out again, or made by itself")]
    LeftOut,
    #[error(
        "the input {0:?} is a link to a folder; name the files that it leads to, and leave it out with \"!{0}\""
    )]
    Folder(String),
    #[error("looking at the inputs: {0}")]
    File(#[from] io::Error),
}

/// Which files a job reads.
#[derive(Debug, Clone)]
pub(crate) struct Selection {
    pub(crate) patterns: Vec<Pattern>,
    /// The script that is run, which is read although no pattern names it.
    pub(crate) script: Option<String>,
    /// What the job makes itself; it is never what it reads.
    pub(crate) outputs: Vec<String>,
}

impl Selection {
    /// The files as they are in `tree`, in the order of their paths.
    pub(crate) fn of(&self, tree: &Tree) -> Result<Vec<TreeFile>, SelectError> {
        let mut chosen = tree.select(self.patterns.iter())?;
        if let Some(script) = &self.script
            && !chosen.iter().any(|file| file.path == *script)
        {
            chosen.extend(TreeFile::look(&tree.root, script)?);
        }
        chosen.retain(|file| !self.outputs.iter().any(|made| lies_in(&file.path, made)));
        let mut links = chosen.iter().filter(|file| file.is_link);
        if let Some(link) = links.find(|link| tree.root.join(&link.path).is_dir()) {
            return Err(SelectError::Folder(link.path.clone()));
        }
        if chosen.is_empty() && !self.patterns.is_empty() {
            return Err(SelectError::LeftOut);
        }
        Ok(chosen)
    }
}

impl Tree {
    /// Walks through `root`, leaving out what Git ignores, `.git` and the folders `own` of
    /// Slipway. Blocking.
    pub(crate) fn walk(root: &Path, own: &[PathBuf]) -> io::Result<Self> {
        let own = own.to_vec();
        let walk = ignore::WalkBuilder::new(root)
            .hidden(false)
            .parents(false)
            .git_global(false)
            .git_exclude(false)
            .require_git(false)
            .ignore(false)
            .filter_entry(move |entry| {
                entry.file_name() != ".git" && !own.iter().any(|folder| folder == entry.path())
            })
            .build();
        let mut files = Vec::new();
        for entry in walk {
            let entry = entry.map_err(io::Error::other)?;
            if entry.file_type().is_none_or(|kind| kind.is_dir()) {
                continue;
            }
            let path = entry.path().strip_prefix(root).unwrap_or(entry.path());
            // A file may go away between being listed and being looked at.
            match entry.path().symlink_metadata() {
                Ok(metadata) => files.extend(TreeFile::from_metadata(written(path), &metadata)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self {
            root: root.to_path_buf(),
            files,
        })
    }

    /// Every file, in the order of the paths.
    pub(crate) fn files(&self) -> &[TreeFile] {
        &self.files
    }

    /// The files that `patterns` choose, in the order of their paths. A path that names one
    /// file is taken although Git ignores it, because somebody asked for it by name.
    pub(crate) fn select<'p>(
        &self,
        patterns: impl Iterator<Item = &'p Pattern> + Clone,
    ) -> Result<Vec<TreeFile>, SelectError> {
        let mut chosen: Vec<TreeFile> = Vec::new();
        for pattern in patterns.clone().filter(|p| !p.excludes) {
            let before = chosen.len();
            chosen.extend(self.beginning_with(pattern).cloned());
            if chosen.len() == before && pattern.matcher.is_none() {
                chosen.extend(TreeFile::look(&self.root, &pattern.prefix)?);
            }
            if chosen.len() == before {
                return Err(SelectError::Nothing(pattern.text.clone()));
            }
        }
        chosen.sort_by(|a, b| a.path.cmp(&b.path));
        chosen.dedup_by(|a, b| a.path == b.path);
        let excludes: Vec<&Pattern> = patterns.filter(|p| p.excludes).collect();
        chosen.retain(|file| !excludes.iter().any(|p| p.matches(&file.path)));
        Ok(chosen)
    }

    /// Only the stretch of files that begins as the pattern does is matched.
    fn beginning_with<'a>(
        &'a self,
        pattern: &'a Pattern,
    ) -> impl Iterator<Item = &'a TreeFile> + 'a {
        let prefix = pattern.prefix.as_str();
        let from = self.files.partition_point(|f| f.path.as_str() < prefix);
        self.files
            .iter()
            .skip(from)
            .take_while(move |f| f.path.starts_with(prefix))
            .filter(|f| pattern.matches(&f.path))
    }
}

/// A path as text; bytes that are no text are escaped, so that no two paths look the same.
pub(crate) fn written(path: &Path) -> String {
    match path.to_str() {
        Some(text) => text.to_owned(),
        None => path
            .as_os_str()
            .as_encoded_bytes()
            .escape_ascii()
            .to_string(),
    }
}
