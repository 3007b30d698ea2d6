//! `slipway init`: writes a first `slipway.toml` and the environment's file for a folder, and
//! says what they rest on. Asks nothing, and overwrites nothing unless it is told to.

mod environment;

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;
use slipway_journal::{EnvironmentName, ServiceName};
use slipway_pipeline::starter::{self, Fact, Folder, Kind, Starter, Unseen, Wishes};

use crate::cli::failure::{Exit, Failure};
use crate::environment::Environment;
use crate::terminal::{self, BOLD, DIM, GOOD, WARN, paint};

/// Write a first slipway.toml for the application in this folder
///
/// Looks for package.json, go.mod, Cargo.toml, a Procfile, or a program that reads PORT;
/// takes from them how the application is built, tested and started, and says what it only
/// guessed. Nothing is overwritten without --force.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  slipway init                      in the folder of the application
  slipway init --dry-run            what it would write, and why
  slipway init --start \"./serve --fast\" --health /ready
  slipway init ../shop --json | jq .facts

Exit codes: 0 written, 2 nothing here can be started, 3 there is a file already")]
pub(crate) struct Init {
    /// The folder of the application [default: this one]
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// What the service is called [default: as its manifest or its folder]
    #[arg(long, value_name = "NAME")]
    service: Option<ServiceName>,
    /// The command that serves, where it cannot be seen
    #[arg(long, value_name = "COMMAND")]
    start: Option<String>,
    /// The path that answers 200 when the application is well
    #[arg(long, value_name = "PATH")]
    health: Option<String>,
    /// The environment that is described
    #[arg(long, value_name = "NAME", default_value = "production")]
    environment: EnvironmentName,
    /// Show what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Overwrite files that are there
    #[arg(long)]
    force: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What was found out and written, as a program reads it.
#[derive(Debug, Serialize)]
struct Report {
    folder: PathBuf,
    kind: Kind,
    service: ServiceName,
    facts: Vec<Fact>,
    files: Vec<Written>,
    /// Whether the files are there now; not so after `--dry-run`.
    written: bool,
}

/// One file.
#[derive(Debug, Serialize)]
struct Written {
    path: String,
    text: String,
}

impl Init {
    /// `project` is the folder that `--project` names.
    pub(crate) fn run(self, project: Option<&Path>) -> anyhow::Result<Exit> {
        let folder = self.folder(project)?;
        let starter = self.draft(&folder)?;
        let files = self.files(&starter)?;
        let report = Report {
            kind: starter.kind,
            service: starter.service,
            facts: starter.facts,
            written: !self.dry_run,
            files,
            folder,
        };
        if !self.dry_run {
            self.write(&report)?;
        }
        if self.json {
            terminal::json(&report)?;
        } else {
            report.print();
        }
        Ok(Exit::Success)
    }

    fn folder(&self, project: Option<&Path>) -> anyhow::Result<PathBuf> {
        let named = self.folder.as_deref().or(project).unwrap_or(Path::new("."));
        let folder = named.canonicalize().map_err(|error| {
            Failure::usage(format!("the folder {}: {error}", named.display()))
                .hint("name the folder that the application lies in")
        })?;
        if folder.is_dir() {
            return Ok(folder);
        }
        Err(Failure::usage(format!("{} is no folder", named.display()))
            .hint("name the folder that the application lies in")
            .into())
    }

    fn draft(&self, folder: &Path) -> anyhow::Result<Starter> {
        let seen = Folder::look(folder)
            .with_context(|| format!("looking at the folder {}", folder.display()))?;
        let wishes = Wishes {
            service: self.service.clone(),
            start: self.start.clone(),
            health: self.health.clone(),
        };
        starter::draft(&seen, &wishes).map_err(|unseen| unable(&unseen).into())
    }

    /// The files with their texts; the one that the other one is read by comes last.
    fn files(&self, starter: &Starter) -> anyhow::Result<Vec<Written>> {
        let text = environment::text(starter, &self.environment);
        let path = Environment::path(Path::new(""), &self.environment);
        Environment::check(&text, &path)?;
        Ok(vec![
            Written {
                path: path.display().to_string(),
                text,
            },
            Written {
                path: "slipway.toml".to_owned(),
                text: starter.text.clone(),
            },
        ])
    }

    fn write(&self, report: &Report) -> anyhow::Result<()> {
        let there: Vec<&str> = report
            .files
            .iter()
            .filter(|file| report.folder.join(&file.path).symlink_metadata().is_ok())
            .map(|file| file.path.as_str())
            .collect();
        if !there.is_empty() && !self.force {
            return Err(Failure::refused(format!(
                "{} {} there already; nothing was written",
                there.join(" and "),
                if there.len() == 1 { "is" } else { "are" }
            ))
            .hint("--dry-run shows what it would be, --force overwrites it")
            .into());
        }
        for file in &report.files {
            let path = report.folder.join(&file.path);
            self.write_file(&path, &file.text)
                .with_context(|| format!("writing {}", path.display()))?;
        }
        Ok(())
    }

    fn write_file(&self, path: &Path, text: &str) -> io::Result<()> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        if self.force {
            return chassis::durable::replace(path, text.as_bytes(), 0o644);
        }
        // Whatever came in the meantime is not overwritten either.
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(text.as_bytes())
    }
}

/// Why nothing can be written, with what helps.
fn unable(unseen: &Unseen) -> Failure {
    let hint = match unseen {
        Unseen::Nothing { .. } => {
            "slipway init --start \"COMMAND\" names the command that serves on $PORT".to_owned()
        }
        Unseen::Several(names) => {
            let first = names.first().map_or("NAME", String::as_str);
            let name = first.rsplit('/').next().unwrap_or(first);
            let name = name.split('.').next().unwrap_or(name);
            format!("name one: slipway init --service {name}, or --start \"COMMAND\"")
        }
        Unseen::Unreadable { file, .. } => format!("correct {file}, and run it again"),
        Unseen::NotInstalled { .. } => {
            "install the packages once, as with `npm ci`, and run it again".to_owned()
        }
        Unseen::Unusable(_) => "say more by hand: --service, --start, --health".to_owned(),
    };
    Failure::usage(unseen.to_string()).hint(hint)
}

impl Report {
    fn print(&self) {
        let head = if self.written {
            paint(GOOD, "✓")
        } else {
            paint(DIM, "…")
        };
        terminal::line(format!(
            "{head} {} is {}",
            paint(BOLD, &self.service),
            self.kind.words()
        ));
        for fact in &self.facts {
            let mark = if fact.is_guess {
                paint(WARN, "?")
            } else {
                " ".to_owned()
            };
            let whence = terminal::wrapped(&fact.whence, 62, "                ");
            terminal::line(format!(
                " {mark} {:<12} {}",
                fact.what,
                terminal::cut(&fact.value, 63)
            ));
            terminal::line(format!("                {}", paint(DIM, whence)));
        }
        for file in &self.files {
            let lines = file.text.lines().count();
            if self.written {
                terminal::line(format!("   wrote        {} ({lines} lines)", file.path));
            } else {
                terminal::line(format!("\n{}", paint(BOLD, format!("# {}", file.path))));
                terminal::line(file.text.trim_end());
            }
        }
        if self.facts.iter().any(|fact| fact.is_guess) {
            let words = "a line with ? was guessed: look at it in slipway.toml";
            terminal::line(format!("   {}", paint(DIM, words)));
        }
        if !self.written {
            terminal::line("");
        }
        let next = if self.written {
            "slipway up && slipway ship"
        } else {
            "slipway init"
        };
        terminal::line(format!("   next         {}", paint(BOLD, next)));
    }
}
