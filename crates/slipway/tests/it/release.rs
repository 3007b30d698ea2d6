//! Releases of the test application, written as the pipeline writes them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use slipway_journal::{Manifest, ReleaseFile, ReleaseId, WorkerRole};

/// What a release of the test application is made of.
pub(crate) struct Draft {
    mode: &'static str,
    name: &'static str,
    migrate: Option<&'static str>,
    start: Option<Vec<String>>,
    worker: Option<(&'static str, &'static str)>,
    verdict: Option<&'static str>,
    author: Option<&'static str>,
    commit: String,
}

/// A release of the test application in `mode`; `name` tells it from others of that mode.
pub(crate) fn draft(mode: &'static str, name: &'static str) -> Draft {
    Draft {
        mode,
        name,
        migrate: None,
        start: None,
        worker: None,
        verdict: None,
        author: None,
        commit: "0".repeat(40),
    }
}

impl Draft {
    /// With a migration.
    pub(crate) fn migrate(mut self, mode: &'static str) -> Self {
        self.migrate = Some(mode);
        self
    }

    /// Started by another command.
    pub(crate) fn start(mut self, argv: &[&str]) -> Self {
        self.start = Some(argv.iter().map(|&w| w.to_owned()).collect());
        self
    }

    /// With a worker role, which works in `mode`.
    pub(crate) fn worker(mut self, role: &'static str, mode: &'static str) -> Self {
        self.worker = Some((role, mode));
        self
    }

    /// With a gate that answered so.
    pub(crate) fn verdict(mut self, outcome: &'static str) -> Self {
        self.verdict = Some(outcome);
        self
    }

    /// Written by whoever has this address.
    pub(crate) fn author(mut self, address: &'static str) -> Self {
        self.author = Some(address);
        self
    }

    /// Made from a commit of the project.
    pub(crate) fn commit(mut self, commit: &str) -> Self {
        commit.clone_into(&mut self.commit);
        self
    }

    /// Writes it into the state folder.
    pub(crate) fn make(self, state: &Path) -> ReleaseId {
        let aside = state.join("releases").join(format!(".{}", self.name));
        let content = aside.join("content");
        fs::create_dir_all(&content).unwrap();
        link(&program(), &content.join("app"));
        fs::write(content.join("name"), self.name).unwrap();
        let manifest = Manifest {
            service: "shop".parse().unwrap(),
            start: self
                .start
                .unwrap_or_else(|| ["./app", "serve", self.mode].map(str::to_owned).into()),
            migrate: self
                .migrate
                .map(|mode| ["./app", "migrate", mode].map(str::to_owned).into()),
            workers: self
                .worker
                .iter()
                .map(|(role, mode)| {
                    let start = ["./app", "work", mode].map(str::to_owned).into();
                    (role.parse().unwrap(), WorkerRole { start })
                })
                .collect(),
            health: "/health".to_owned(),
            preview: vec!["/".to_owned()],
            files: vec![file(&content, "app", true), file(&content, "name", false)],
        };
        let id = manifest.id();
        let json = serde_json::to_vec_pretty(&manifest).unwrap();
        fs::write(aside.join("manifest.json"), json).unwrap();
        let verdicts: Vec<_> = self
            .verdict
            .iter()
            .map(|outcome| {
                serde_json::json!({ "gate": "unit", "outcome": outcome, "findings": ["2 tests failed"] })
            })
            .collect();
        let provenance = serde_json::json!({
            "commit": self.commit,
            "dirty": false,
            "authors": self.author.map(|author| [author]),
            "toolchain": "none",
            "inputs": {},
            "run": "00000000-0000-7000-8000-000000000000",
            "made_at": "2026-01-01T00:00:00Z",
            "verdicts": verdicts,
        });
        fs::write(aside.join("provenance.json"), provenance.to_string()).unwrap();
        for path in [&aside, &content] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::rename(&aside, state.join("releases").join(id.as_str())).unwrap();
        id
    }
}

fn file(content: &Path, name: &str, executable: bool) -> ReleaseFile {
    let bytes = fs::read(content.join(name)).unwrap();
    ReleaseFile {
        path: name.to_owned(),
        executable,
        bytes: bytes.len() as u64,
        digest: blake3::hash(&bytes).to_hex().to_string(),
    }
}

/// A hard link is enough and quick; another file system needs a copy.
pub(crate) fn link(from: &Path, to: &Path) {
    if fs::hard_link(from, to).is_err() {
        fs::copy(from, to).unwrap();
    }
}

/// `cargo test` builds the examples of a package beside its binaries.
pub(crate) fn program() -> PathBuf {
    let binaries = Path::new(env!("CARGO_BIN_EXE_slipway")).parent().unwrap();
    let program = binaries.join("examples/app");
    assert!(
        program.exists(),
        "{} is missing: cargo build -p slipway --examples",
        program.display()
    );
    program
}
