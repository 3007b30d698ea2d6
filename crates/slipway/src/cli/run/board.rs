//! A run while it goes on: on a terminal a line per running job that moves, above it the
//! lines of those that ended; elsewhere a line when something ends.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use slipway_journal::event::PipelineEvent;
use slipway_journal::event::pipeline::JobResult;
use slipway_pipeline::Happening;

use crate::terminal::{self, BAD, BOLD, DIM, GOOD, WARN, paint};

const COLUMNS: usize = 80;

/// What is shown.
pub(super) struct Board {
    bars: Option<MultiProgress>,
    running: BTreeMap<String, ProgressBar>,
    /// Width of the names.
    names: usize,
    verbose: bool,
}

impl Board {
    pub(super) fn new(verbose: bool) -> Self {
        Self {
            bars: terminal::is_watched().then(MultiProgress::new),
            running: BTreeMap::new(),
            names: 0,
            verbose,
        }
    }

    /// Takes the moving lines away.
    pub(super) fn clear(&mut self) {
        for bar in std::mem::take(&mut self.running).into_values() {
            bar.finish_and_clear();
        }
    }

    pub(super) fn show(&mut self, happening: &Happening) {
        match happening {
            Happening::Waiting { holder } => self.leave(&format!(
                "  {} another run goes on ({holder}); waiting for its end",
                paint(WARN, "…")
            )),
            Happening::Resumed { passed, ended, .. } => {
                let processes = match ended {
                    0 => String::new(),
                    n => format!("; {n} processes of it still ran and were ended"),
                };
                self.leave(&format!(
                    "  {} the last run was killed after {passed} jobs, which are kept{processes}",
                    paint(WARN, "↻")
                ));
            }
            Happening::Started { job, usual } => self.start(job, *usual),
            Happening::Output { job, lines } => self.output(job, lines),
            Happening::Event(event) => self.event(event),
        }
    }

    fn event(&mut self, event: &PipelineEvent) {
        match event {
            PipelineEvent::RunStarted { commit, jobs, .. } => {
                self.names = jobs.iter().map(String::len).max().unwrap_or(0);
                let short: String = commit.chars().take(12).collect();
                let dirty = if commit.ends_with("-dirty") {
                    " with changes"
                } else {
                    ""
                };
                let count = jobs.len();
                let noun = if count == 1 { "job" } else { "jobs" };
                self.leave(&format!(
                    "{} {}",
                    paint(BOLD, format!("{count} {noun}")),
                    paint(DIM, format!("on {short}{dirty}"))
                ));
            }
            PipelineEvent::JobFinished {
                job,
                result,
                took_ms,
                ..
            } => self.finish(job, result, Duration::from_millis(*took_ms)),
            PipelineEvent::GateEvaluated { .. }
            | PipelineEvent::ReleaseMade { .. }
            | PipelineEvent::RunFinished { .. } => {}
        }
    }

    fn start(&mut self, job: &str, usual: Option<Duration>) {
        let Some(bars) = &self.bars else {
            return;
        };
        let bar = bars.add(ProgressBar::new_spinner());
        // The template is a constant, so a mistake in it shows in every test.
        if let Ok(style) =
            ProgressStyle::with_template("  {spinner:.cyan} {prefix} {elapsed} {msg}")
        {
            bar.set_style(
                style.tick_strings(&["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏", " "]),
            );
        }
        bar.set_prefix(format!("{job:<width$}", width = self.names));
        if let Some(usual) = usual {
            let words = format!("usually {}", terminal::span(usual));
            bar.set_message(paint(DIM, words));
        }
        bar.enable_steady_tick(Duration::from_millis(80));
        self.running.insert(job.to_owned(), bar);
    }

    fn output(&self, job: &str, lines: &[u8]) {
        if self.verbose {
            let text = String::from_utf8_lossy(lines);
            for line in text.lines() {
                let name = paint(DIM, format!("{job:<width$} │", width = self.names));
                match &self.bars {
                    Some(_) => self.leave(&format!("{name} {line}")),
                    None => super::raw(format!("{name} {line}\n").as_bytes()),
                }
            }
        }
        if let Some(bar) = self.running.get(job) {
            let text = String::from_utf8_lossy(lines);
            let last = text.lines().rev().find(|l| !l.trim().is_empty());
            if let Some(line) = last {
                let plain = anstream::adapter::strip_str(line.trim()).to_string();
                let room = COLUMNS.saturating_sub(self.names + 12);
                bar.set_message(paint(DIM, terminal::cut(&plain, room)));
            }
        }
    }

    fn finish(&mut self, job: &str, result: &JobResult, took: Duration) {
        if let Some(bar) = self.running.remove(job) {
            bar.finish_and_clear();
        }
        let took = terminal::span(took);
        let (mark, words) = match result {
            JobResult::Passed => (paint(GOOD, "✓"), took),
            JobResult::Cached => (paint(GOOD, "="), paint(DIM, "unchanged")),
            JobResult::Skipped { .. } | JobResult::Cancelled => (paint(WARN, "-"), words(result)),
            _ => (paint(BAD, "✗"), format!("{} after {took}", words(result))),
        };
        let line = format!("  {mark} {job:<width$}  {words}", width = self.names);
        self.leave(&terminal::cut(&line, COLUMNS));
    }

    /// Leaves a line behind, above what moves.
    fn leave(&self, line: &str) {
        let Some(bars) = &self.bars else {
            terminal::note(line);
            return;
        };
        if let Err(error) = bars.println(line) {
            tracing::debug!(%error, "nobody reads standard error");
        }
    }
}

/// How a job ended, in words.
pub(super) fn words(result: &JobResult) -> String {
    match result {
        JobResult::Passed => "passed".to_owned(),
        JobResult::Cached => "unchanged".to_owned(),
        JobResult::Failed { code: 0 } => "did not make what it must".to_owned(),
        JobResult::Failed { code } => format!("failed with exit code {code}"),
        JobResult::Signalled { signal } => format!("was ended by signal {signal}"),
        JobResult::TimedOut => "took too long".to_owned(),
        JobResult::Cancelled => "cancelled".to_owned(),
        JobResult::Skipped { because } => format!("skipped, {because} did not pass"),
        JobResult::NotStarted { .. } => "could not be started".to_owned(),
    }
}
