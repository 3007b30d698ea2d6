//! The source that the demo delivers: a copy of this repository with its history, and
//! the two changes that make the second and the third release. The tree that the demo
//! is started from is never touched.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};

/// A copy of the repository.
pub(super) struct Source {
    folder: PathBuf,
}

/// A change of one file: what stands there once, and what is to stand there.
pub(super) struct Edit {
    pub(super) file: &'static str,
    pub(super) before: &'static str,
    pub(super) after: &'static str,
}

impl Source {
    /// Brings the copy of the tree at `root` in `folder` up to date. Files that are the
    /// same stay untouched, so that what was built from them is not built again.
    pub(super) fn copy(root: &Path, folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        let source = Self {
            folder: folder.to_owned(),
        };
        let files = source.copy_files(root)?;
        source.remove_others(&files)?;
        source.begin_history(root)?;
        source.commit("The tree that the demo was started from, with its changes")?;
        Ok(source)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes the edits and commits them under `title`.
    pub(super) fn change(&self, title: &str, edits: &[Edit]) -> anyhow::Result<()> {
        for edit in edits {
            let path = self.folder.join(edit.file);
            let text =
                fs::read_to_string(&path).with_context(|| format!("reading {}", edit.file))?;
            let count = text.matches(edit.before).count();
            ensure!(
                count == 1,
                "{} holds the text that the demo changes {count} times, not once:\n{}",
                edit.file,
                edit.before
            );
            let changed = text.replacen(edit.before, edit.after, 1);
            fs::write(&path, changed).with_context(|| format!("writing {}", edit.file))?;
        }
        self.commit(title)
    }

    fn copy_files(&self, root: &Path) -> anyhow::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        let walk = ignore::WalkBuilder::new(root).hidden(false).build();
        for entry in walk {
            let entry = entry.context("walking through the tree")?;
            let file = entry.path().strip_prefix(root)?.to_owned();
            let is_file = entry.file_type().is_some_and(|t| t.is_file());
            if !is_file || file.starts_with(".git") {
                continue;
            }
            let to = self.folder.join(&file);
            let content = fs::read(entry.path())
                .with_context(|| format!("reading {}", entry.path().display()))?;
            if fs::read(&to).ok().as_deref() != Some(&content) {
                if let Some(parent) = to.parent() {
                    fs::create_dir_all(parent)?;
                }
                fs::write(&to, &content).with_context(|| format!("writing {}", to.display()))?;
            }
            fs::set_permissions(&to, fs::metadata(entry.path())?.permissions())?;
            files.push(file);
        }
        Ok(files)
    }

    /// Removes what an earlier copy held and the tree does not hold any more.
    fn remove_others(&self, files: &[PathBuf]) -> anyhow::Result<()> {
        let wanted: std::collections::BTreeSet<&PathBuf> = files.iter().collect();
        let walk = ignore::WalkBuilder::new(&self.folder).hidden(false).build();
        for entry in walk {
            let entry = entry.context("walking through the copy")?;
            let file = entry.path().strip_prefix(&self.folder)?.to_owned();
            let is_file = entry.file_type().is_some_and(|t| t.is_file());
            if is_file && !file.starts_with(".git") && !wanted.contains(&file) {
                fs::remove_file(entry.path())
                    .with_context(|| format!("removing {}", entry.path().display()))?;
            }
        }
        Ok(())
    }

    /// The history of the tree, in a repository of its own: the demo's commits never
    /// reach the project, and a clean tree is built as the commit that it is.
    fn begin_history(&self, root: &Path) -> anyhow::Result<()> {
        if !self.folder.join(".git").exists() {
            self.git(&["init", "--quiet", "--initial-branch=main"])?;
        }
        if !root.join(".git").exists() {
            return Ok(());
        }
        let from = root.to_str().context("the folder's name is not UTF-8")?;
        self.git(&["fetch", "--quiet", "--no-tags", from, "HEAD"])?;
        self.git(&["update-ref", "refs/heads/main", "FETCH_HEAD"])?;
        self.git(&["read-tree", "FETCH_HEAD"])
    }

    /// Commits what differs from the last commit, if anything does.
    fn commit(&self, title: &str) -> anyhow::Result<()> {
        self.git(&["add", "--all"])?;
        let has_commit = self
            .git(&["rev-parse", "--quiet", "--verify", "HEAD"])
            .is_ok();
        if has_commit && self.git(&["diff", "--cached", "--quiet"]).is_ok() {
            return Ok(());
        }
        self.git(&["commit", "--quiet", "--message", title])
    }

    fn git(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let output = Command::new("git")
            .args(["-c", "user.name=Slipway demo"])
            .args(["-c", "user.email=demo@localhost"])
            .args(["-c", "commit.gpgsign=false"])
            .args(arguments)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .output()
            .context("starting git")?;
        if output.status.success() {
            return Ok(());
        }
        bail!(
            "git {} failed: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EDIT: Edit = Edit {
        file: "page.html",
        before: "old",
        after: "new",
    };

    fn tree() -> (tempfile::TempDir, Source) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("tree");
        fs::create_dir(&root).unwrap();
        fs::write(root.join("page.html"), "an old page").unwrap();
        let source = Source::copy(&root, &folder.path().join("copy")).unwrap();
        (folder, source)
    }

    #[test]
    fn a_change_is_made_in_the_copy_and_undone_by_the_next_copy() {
        let (folder, source) = tree();
        source.change("Second", &[EDIT]).unwrap();
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(read("copy/page.html"), "an new page");
        assert_eq!(read("tree/page.html"), "an old page");
        Source::copy(&folder.path().join("tree"), source.folder()).unwrap();
        assert_eq!(read("copy/page.html"), "an old page");
    }

    #[test]
    fn a_change_that_does_not_fit_any_more_says_so() {
        let (_folder, source) = tree();
        source.change("Second", &[EDIT]).unwrap();
        let error = source.change("Third", &[EDIT]).unwrap_err();
        assert!(error.to_string().contains("0 times"), "{error}");
    }

    #[test]
    fn what_the_tree_lost_is_lost_in_the_copy() {
        let (folder, source) = tree();
        fs::remove_file(folder.path().join("tree/page.html")).unwrap();
        fs::write(folder.path().join("tree/other.html"), "").unwrap();
        Source::copy(&folder.path().join("tree"), source.folder()).unwrap();
        assert!(!source.folder().join("page.html").exists());
        assert!(source.folder().join("other.html").exists());
    }
}
