//! A project in a folder of its own, its state beside it, and runs of it.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its part of it"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chassis::{Clock, Env, Random, Shutdown};
use slipway_journal::event::PipelineEvent;
use slipway_journal::event::pipeline::JobResult;
use slipway_pipeline::{Definition, Ground, Happening, Report, Request, RunError, Tier};
use tokio::sync::mpsc;

pub(crate) struct Project {
    folder: PathBuf,
    /// Removes the folder in the end, where this project is the one that made it.
    owner: Option<tempfile::TempDir>,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) stop: Shutdown,
    pub(crate) kill: Shutdown,
    pub(crate) request: Request,
}

/// A run, and all that was told of it.
pub(crate) struct Told {
    pub(crate) result: Result<Report, RunError>,
    pub(crate) happenings: Vec<Happening>,
}

impl Project {
    /// A project whose `slipway.toml` is `[project]` and `tables`.
    pub(crate) fn new(tables: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut project = Self::at(folder.path().to_path_buf());
        project.owner = Some(folder);
        project.define(tables);
        project
    }

    /// The project that somebody made in `folder`.
    pub(crate) fn at(folder: PathBuf) -> Self {
        Self {
            folder,
            owner: None,
            variables: BTreeMap::from([("PATH".into(), "/usr/bin:/bin".into())]),
            stop: Shutdown::new(),
            kill: Shutdown::new(),
            request: Request {
                jobs: Vec::new(),
                use_cache: true,
                trust: Tier::LocalDirty,
                cores: 2,
                fail_fast: None,
                wait: false,
            },
        }
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.clone()
    }

    /// A file beside the project, which is no input of it.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn define(&self, tables: &str) {
        let text = format!("[project]\nname = \"sample\"\n{tables}");
        self.write("slipway.toml", &text);
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.join("project").join(path)
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    pub(crate) fn write(&self, path: &str, content: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    pub(crate) fn definition(&self) -> Definition {
        Definition::read(&self.path("slipway.toml")).unwrap_or_else(|problems| {
            panic!("{problems:#?}");
        })
    }

    pub(crate) fn ground(&self, live: mpsc::Sender<Happening>) -> Ground {
        Ground {
            cache: self.state().join("cache"),
            runs: self.state().join("runs"),
            releases: self.state().join("releases"),
            env: Env::from_pairs(self.variables.clone()),
            clock: Clock::system(),
            random: Random::system(),
            stop: self.stop.clone(),
            kill: self.kill.clone(),
            is_sole: false,
            live,
        }
    }

    /// Runs it to its end and keeps all that was told.
    pub(crate) async fn told(&self) -> Told {
        self.watched(|_| {}).await
    }

    /// Runs it, looking at everything that is told.
    pub(crate) async fn watched(&self, mut look: impl FnMut(&Happening)) -> Told {
        let (live, mut taken) = mpsc::channel(16);
        let definition = self.definition();
        let ground = self.ground(live);
        let run = async {
            let result = slipway_pipeline::run(&definition, &ground, &self.request).await;
            drop(ground);
            result
        };
        let mut happenings = Vec::new();
        let look = async {
            while let Some(happening) = taken.recv().await {
                look(&happening);
                happenings.push(happening);
            }
        };
        let (result, ()) =
            tokio::time::timeout(Duration::from_secs(60), async { tokio::join!(run, look) })
                .await
                .expect("a run of the tests ends within a minute");
        Told { result, happenings }
    }

    pub(crate) async fn run(&self) -> Report {
        self.told().await.result.unwrap()
    }
}

impl Told {
    pub(crate) fn report(&self) -> &Report {
        self.result.as_ref().unwrap()
    }

    pub(crate) fn events<'a>(&'a self) -> Vec<&'a PipelineEvent> {
        let event = |happening: &'a Happening| match happening {
            Happening::Event(event) => Some(event),
            _ => None,
        };
        self.happenings.iter().filter_map(event).collect()
    }

    /// What a job printed.
    pub(crate) fn output(&self, name: &str) -> String {
        let mut text = Vec::new();
        for happening in &self.happenings {
            if let Happening::Output { job, lines } = happening
                && job == name
            {
                text.extend_from_slice(lines);
            }
        }
        String::from_utf8(text).unwrap()
    }
}

/// How a job of a report ended.
pub(crate) fn result<'a>(report: &'a Report, name: &str) -> &'a JobResult {
    &report
        .jobs
        .iter()
        .find(|job| job.name == name)
        .unwrap()
        .result
}

/// A job that runs `script` in a shell.
pub(crate) fn shell(name: &str, script: &str, more: &str) -> String {
    format!(
        "[job.{name}]\nrun = [\"/bin/sh\", \"-c\", {}]\n{more}\n",
        toml_text(script)
    )
}

pub(crate) fn toml_text(text: &str) -> String {
    format!("'''{text}'''")
}

/// Waits until `holds`, with a deadline.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait)
        .await
        .unwrap_or_else(|_| panic!("{what}"));
}

/// Whether a process runs; one that ended and was not waited for does not.
pub(crate) fn is_alive(pid: i32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return false;
    };
    let (_, rest) = stat.rsplit_once(')').unwrap();
    !rest.trim_start().starts_with('Z')
}

/// The process numbers in a file, a line each.
pub(crate) fn pids(path: &Path) -> Vec<i32> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.trim().parse().ok())
        .collect()
}
