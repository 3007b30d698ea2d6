//! The tables `[job.NAME]`: one command each, with everything that can change its result.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use toml::Spanned;

use super::path::{self, Pattern};
use super::project::variables;
use super::table::Table;

const TIMEOUT: Duration = Duration::from_secs(30 * 60);
const GRACE: Duration = Duration::from_secs(10);

/// One command and its surroundings.
#[derive(Debug, Clone)]
pub struct Job {
    /// What is run.
    pub command: Command,
    /// Jobs that must have passed before.
    pub needs: BTreeSet<String>,
    /// Files that can change the result.
    pub(crate) inputs: Vec<Pattern>,
    /// Files or folders that the job makes.
    pub outputs: Vec<String>,
    /// Where it runs, relative to the project; empty for the project itself.
    pub folder: String,
    /// Variables that it gets, and whose values are part of its key.
    pub env: BTreeSet<String>,
    /// Variables that it gets, and whose values change no result.
    pub pass: BTreeSet<String>,
    /// Variables with fixed values.
    pub set: BTreeMap<String, String>,
    /// Variables that it gets and that nobody may read: masked, and never cached.
    pub secrets: BTreeSet<String>,
    /// How long it may run.
    pub timeout: Duration,
    /// How long it has between being asked to end and being killed.
    pub grace: Duration,
    /// How many cores it fills.
    pub cores: u64,
    /// Whether a result may be used again.
    pub cache: bool,
}

/// What a job runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A program and its arguments; no shell.
    Argv(Vec<String>),
    /// A script file of the project, with an interpreter in its first line.
    Script(String),
}

/// A job, and where its parts stand in the file.
pub(super) struct Read {
    pub(super) job: Job,
    pub(super) name_span: Range<usize>,
    pub(super) needs: Vec<Spanned<String>>,
    pub(super) outputs: Vec<Spanned<String>>,
}

pub(super) fn read(file: &Table<'_>, root: &Path) -> BTreeMap<String, Read> {
    let tables = file.named("job");
    if tables.is_empty() {
        file.notes().add(
            0..0,
            "there is no job",
            "the file starts here",
            "write one:  [job.test]  run = [\"cargo\", \"test\"]",
        );
    }
    let mut jobs = BTreeMap::new();
    for (name, table) in tables {
        path::check_name(table.notes(), "job", &name);
        let read = one(&table, root);
        table.finish();
        jobs.insert(name.into_inner(), read);
    }
    jobs
}

fn one(table: &Table<'_>, root: &Path) -> Read {
    let notes = table.notes();
    let key = |key: &str| format!("{}.{key}", table.name);
    let list = |name: &'static str| {
        let texts = table.texts(name).map(Spanned::into_inner);
        texts.unwrap_or_default()
    };
    let time = |name: &'static str, default: Duration| {
        let text = table.text(name);
        text.and_then(|text| path::duration(notes, &key(name), &text))
            .unwrap_or(default)
    };
    let needs = list("needs");
    let outputs = list("outputs");
    let folder = table.text("folder");
    let set = table.pairs("set");
    for (name, value) in &set {
        path::variable(
            notes,
            &key("set"),
            &Spanned::new(value.span(), name.clone()),
        );
        path::no_zero(notes, &key("set"), value);
    }
    let command = command(table, root);
    let job = Job {
        command: command.unwrap_or(Command::Argv(Vec::new())),
        needs: needs.iter().map(|n| n.get_ref().clone()).collect(),
        inputs: path::patterns(table, "inputs"),
        outputs: outputs
            .iter()
            .filter_map(|text| path::made(notes, &key("outputs"), text))
            .collect(),
        folder: folder
            .and_then(|text| path::inside(notes, &key("folder"), &text))
            .unwrap_or_default(),
        env: variables(table, "env"),
        pass: variables(table, "pass"),
        set: set
            .into_iter()
            .map(|(name, value)| (name, value.into_inner()))
            .collect(),
        secrets: variables(table, "secrets"),
        timeout: time("timeout", TIMEOUT),
        grace: time("grace", GRACE),
        cores: cores(table),
        cache: table.flag("cache").unwrap_or(true),
    };
    check_reads(table, &job);
    check_apart(table, &job, &outputs);
    Read {
        job,
        name_span: table.span.clone(),
        needs,
        outputs,
    }
}

/// A job that may be answered from the cache says what it reads.
fn check_reads(table: &Table<'_>, job: &Job) {
    let written = table.value("inputs").and_then(|v| v.get_ref().as_array());
    // A pattern that cannot be read is a mistake of its own, and may have been an input.
    let reads = written.is_some_and(|list| list.len() > job.inputs.len())
        || job.inputs.iter().any(|pattern| !pattern.excludes);
    if job.cache && job.secrets.is_empty() && !reads {
        table.notes().add(
            table.span.clone(),
            format!(
                "{} says neither what it reads nor that it is never cached",
                table.name
            ),
            "without inputs, no change would ever run it again",
            "inputs = [\"src/**\"], or cache = false",
        );
    }
}

/// A folder of outputs is given back exactly as it was made, so what a person writes into it
/// goes; what is read may not lie there.
fn check_apart(table: &Table<'_>, job: &Job, outputs: &[Spanned<String>]) {
    for output in outputs {
        let folder = output.get_ref().trim_end_matches('/');
        let read = job
            .inputs
            .iter()
            .filter(|pattern| !pattern.excludes)
            .find(|pattern| path::lies_in(pattern.prefix.trim_end_matches('/'), folder));
        if let Some(pattern) = read {
            table.notes().add(
                output.span(),
                format!(
                    "{}.outputs: {folder:?} holds its input {:?}",
                    table.name, pattern.text
                ),
                "made and read by the same job",
                "let the job write into a folder of its own",
            );
        }
    }
}

fn cores(table: &Table<'_>) -> u64 {
    let Some(cores) = table.count("cores") else {
        return 1;
    };
    if *cores.get_ref() == 0 {
        table.notes().add(
            cores.span(),
            format!("{}.cores must be 1 or more", table.name),
            "no core at all",
            "",
        );
    }
    cores.into_inner().max(1)
}

fn command(table: &Table<'_>, root: &Path) -> Option<Command> {
    let notes = table.notes();
    let run = table.texts("run");
    let script = table.text("script");
    match (run, script) {
        (Some(run), Some(script)) => {
            notes.add(
                script.span(),
                format!("{} has both run and script", table.name),
                "the second command",
                "keep one of them",
            );
            Some(Command::Argv(words(run)))
        }
        (Some(run), None) => {
            let span = run.span();
            for word in run.get_ref() {
                path::no_zero(notes, &format!("{}.run", table.name), word);
            }
            let words = words(run);
            if words
                .first()
                .is_none_or(|program| program.trim().is_empty())
            {
                notes.add(
                    span,
                    format!("{}.run is an empty command", table.name),
                    "nothing to run",
                    "a program and its arguments: [\"cargo\", \"test\"]",
                );
            }
            Some(Command::Argv(words))
        }
        (None, Some(script)) => {
            let path = path::inside(notes, &format!("{}.script", table.name), &script)?;
            if !root.join(&path).is_file() {
                notes.add(
                    script.span(),
                    format!("{}.script is not there", table.name),
                    "no such file",
                    "write the script, or the path of the one that is meant",
                );
            }
            Some(Command::Script(path))
        }
        (None, None) => {
            if table.value("run").is_none() && table.value("script").is_none() {
                table.missing("run", "run = [\"cargo\", \"test\"], or script = \"path\"");
            }
            None
        }
    }
}

fn words(list: Spanned<Vec<Spanned<String>>>) -> Vec<String> {
    list.into_inner()
        .into_iter()
        .map(Spanned::into_inner)
        .collect()
}
