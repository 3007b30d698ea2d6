//! `slipway why`: why a job runs or does not, or why a rollout ended as it did. Reads only.

use std::collections::BTreeMap;

use chassis::Shutdown;
use clap::Args;
use slipway_pipeline::{Difference, Why};
use tokio::sync::mpsc;

use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::run;
use crate::reading::{Moment, Rollout, What, short_id, state_name, steering_words, trigger_name};
use crate::terminal::{self, BAD, BOLD, DIM, GOOD, WARN, paint};

/// Differences of one kind that are named; the rest is counted.
const NAMED: usize = 12;
/// Folders that are named; those with the most files.
const PLACES: usize = 4;

/// Say why a job runs, or why a rollout ended as it did
///
/// For a job: what its key is made of, and what is different from the last time. For a
/// rollout: its end, the reason, and what was seen.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  slipway why test                  a job of slipway.toml
  slipway why test --files          with every file that counts
  slipway why 019283ab              a rollout, by the start or end of its id

Exit codes: 0 answered, 2 there is no such job or rollout")]
pub(crate) struct WhyVerb {
    /// A job, or a rollout
    #[arg(value_name = "JOB|ROLLOUT")]
    what: String,
    /// List every file that the job reads
    #[arg(long)]
    files: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl WhyVerb {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        // A rollout is asked for by digits that no job is called by, so it comes first.
        if let Some(rollout) = context.wait(rollout(context, &self.what))? {
            if self.json {
                terminal::json(&rollout)?;
            } else {
                show_rollout(&rollout);
            }
            return Ok(Exit::Success);
        }
        let definition = run::definition(context)?;
        let (live, _unused) = mpsc::channel(1);
        let ground = run::ground(context, Shutdown::new(), Shutdown::new(), live);
        let why = context.wait(async {
            let why = slipway_pipeline::why(&definition, &ground, &self.what).await;
            why.map_err(|error| Failure::usage(error.to_string()).into())
        })?;
        if self.json {
            terminal::json(&why)?;
        } else {
            show_job(&why, self.files);
        }
        Ok(Exit::Success)
    }
}

/// The rollout whose id, as it is shown, begins with `id`.
async fn rollout(context: &Context, id: &str) -> anyhow::Result<Option<Rollout>> {
    if id.len() < 4 || !id.chars().all(|c| c.is_ascii_hexdigit() || c == '-') {
        return Ok(None);
    }
    let reading = context.reading().await?;
    let is_meant = |rollout: &&Rollout| {
        short_id(rollout.rollout).starts_with(id) || rollout.rollout.to_string().starts_with(id)
    };
    Ok(reading.rollouts.iter().rev().find(is_meant).cloned())
}

fn show_rollout(rollout: &Rollout) {
    let style = terminal::state_style(&rollout.state);
    terminal::line(format!(
        "{} {} {}",
        paint(BOLD, &rollout.service),
        rollout.release.short(),
        paint(style, rollout.state_words())
    ));
    if let Some(reason) = rollout.reason() {
        terminal::line(format!("  {}", terminal::wrapped(&reason, 76, "  ")));
    }
    for moment in &rollout.timeline {
        let words = match &moment.what {
            What::Trigger { trigger, evidence } => {
                format!("{}: {evidence}", trigger_name(*trigger))
            }
            What::Steered { order, reason } => format!("{}: {reason}", steering_words(*order)),
            What::Death { how, .. } => format!("an instance ended by itself: {how}"),
            What::State { state } => state_name(state),
            What::Step { .. } => continue,
        };
        let Moment { at, .. } = moment;
        terminal::line(format!(
            "  {} {}",
            paint(DIM, at.strftime("%H:%M:%S")),
            terminal::wrapped(&words, 68, "           ")
        ));
    }
}

fn show_job(why: &Why, files: bool) {
    let short: String = why.key.chars().take(12).collect();
    let head = match &why.never_cached {
        Some(reason) => format!("{} runs every time: {reason}", paint(WARN, "●")),
        None if why.is_cached => {
            format!(
                "{} unchanged: the next run takes the kept result",
                paint(GOOD, "=")
            )
        }
        None => format!(
            "{} would run: no kept result has this key",
            paint(WARN, "●")
        ),
    };
    terminal::line(format!("{} {head}", paint(BOLD, &why.job)));
    terminal::line(format!("  {} {short}", paint(DIM, "key      ")));
    parts(why, files);
    match &why.since_last {
        None => terminal::line("  it has not passed here yet, so there is nothing to compare"),
        Some(changes) if changes.is_empty() => {
            terminal::line("  nothing changed since it last passed");
            if let Some(changes) = why.last_since_before.as_ref().filter(|c| !c.is_empty()) {
                terminal::line(paint(DIM, "  it last ran because of"));
                differences(changes);
            }
        }
        Some(changes) => {
            terminal::line(paint(BOLD, "  changed since it last passed"));
            differences(changes);
        }
    }
}

/// What the key is made of.
fn parts(why: &Why, files: bool) {
    let parts = &why.parts;
    let row = |name: &str, text: &str| {
        terminal::line(format!("  {} {text}", paint(DIM, format!("{name:<9}"))));
    };
    row("command", &terminal::cut(&parts.command.join(" "), 66));
    let count = parts.inputs.len();
    row(
        "files",
        &format!("{} {}", terminal::number(count as u64), places(why)),
    );
    let variables: Vec<&str> = parts
        .env
        .keys()
        .chain(parts.set.keys())
        .map(String::as_str)
        .collect();
    if !variables.is_empty() {
        row(
            "variables",
            &terminal::wrapped(&variables.join(", "), 66, "            "),
        );
    }
    let tools: Vec<&str> = parts.toolchain.keys().map(String::as_str).collect();
    if !tools.is_empty() {
        row("toolchain", &tools.join(", "));
    }
    row("platform", &parts.platform);
    let needs: Vec<&str> = parts.needs.keys().map(String::as_str).collect();
    if !needs.is_empty() {
        row("needs", &needs.join(", "));
    }
    if files {
        for (path, input) in &parts.inputs {
            let digest: String = input.digest.chars().take(12).collect();
            terminal::line(format!("    {} {path}", paint(DIM, digest)));
        }
    }
}

/// Where the files lie, by their first two folders.
fn places(why: &Why) -> String {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for path in why.parts.inputs.keys() {
        let parts: Vec<&str> = path.split('/').collect();
        let place = match parts.as_slice() {
            [_] => "the topmost folder".to_owned(),
            [one, _] => (*one).to_owned(),
            [one, two, ..] => format!("{one}/{two}"),
            [] => continue,
        };
        *places.entry(place).or_default() += 1;
    }
    let mut places: Vec<(String, usize)> = places.into_iter().collect();
    places.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let words: Vec<String> = places
        .iter()
        .take(PLACES)
        .map(|(place, count)| format!("{count} in {place}"))
        .chain((places.len() > PLACES).then(|| "…".to_owned()))
        .collect();
    terminal::wrapped(&format!("({})", words.join(", ")), 60, "            ")
}

fn differences(changes: &[Difference]) {
    let mut kinds: BTreeMap<&str, Vec<&Difference>> = BTreeMap::new();
    for change in changes {
        kinds.entry(change.kind).or_default().push(change);
    }
    for (kind, changes) in kinds {
        for change in changes.iter().take(NAMED) {
            let style = match change.change {
                slipway_pipeline::Change::Added => GOOD,
                slipway_pipeline::Change::Removed => BAD,
                slipway_pipeline::Change::Changed => WARN,
            };
            terminal::line(format!(
                "    {} {kind} {}",
                paint(style, format!("{:<8}", change.change.to_string())),
                terminal::cut(&change.name, 56)
            ));
        }
        if changes.len() > NAMED {
            let more = changes.len() - NAMED;
            terminal::line(paint(DIM, format!("    and {more} more of this kind")));
        }
    }
}
