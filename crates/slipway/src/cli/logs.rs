//! `slipway logs`: what instances, keeper, proxy, control and accessories wrote. Reads the
//! files only; JSON lines are shown as a person reads them.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use serde_json::{Map, Value};
use slipway_journal::ServiceName;
use tokio::time::sleep;

use crate::accessories;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::state::State;
use crate::status::InstanceProcess;
use crate::terminal::{self, BAD, DIM, LIVE, WARN, paint};

const LOOK_EVERY: Duration = Duration::from_millis(200);
const ROLES: [&str; 3] = ["keeper", "proxy", "control"];
/// No line is read longer than this at once.
const CHUNK_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Show what instances and Slipway's own processes wrote
///
/// Without a name: all instances that run.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  slipway logs --follow             all instances that run
  slipway logs booking              those of one service
  slipway logs --service booking    with those of it that ended
  slipway logs control --last 20    keeper, proxy, control, postgres or redis
  slipway logs 7f3a9c21 --json      one instance, as it wrote")]
pub(crate) struct Logs {
    /// A service, an instance (start or end of its id), keeper, proxy, control, postgres or
    /// redis
    name: Option<String>,
    /// All instances of one service, also those that ended
    #[arg(long, value_name = "NAME", conflicts_with = "name")]
    service: Option<ServiceName>,
    /// Go on until Ctrl-C
    #[arg(long, short)]
    follow: bool,
    /// Only the last N lines of each
    #[arg(long, value_name = "N", default_value_t = 100)]
    last: usize,
    /// Print the lines as they were written
    #[arg(long)]
    json: bool,
}

impl Logs {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let mut sources = self.sources(&context.state)?;
        let named = sources.len() > 1;
        for source in &mut sources {
            for line in source.last(self.last)? {
                self.print(source, &line, named);
            }
        }
        if !self.follow {
            return Ok(Exit::Success);
        }
        let follow = async {
            loop {
                for source in &mut sources {
                    for line in source.more()? {
                        self.print(source, &line, named);
                    }
                }
                sleep(LOOK_EVERY).await;
            }
        };
        context.wait(async {
            tokio::select! {
                ended = follow => ended,
                pressed = tokio::signal::ctrl_c() => {
                    pressed.context("listening to the keyboard")?;
                    Ok(Exit::Interrupted)
                }
            }
        })
    }

    fn print(&self, source: &Source, line: &str, named: bool) {
        let text = if self.json {
            line.to_owned()
        } else {
            readable(line)
        };
        if named && !self.json {
            terminal::line(format!("{} {text}", paint(LIVE, &source.name)));
        } else {
            terminal::line(text);
        }
    }

    fn sources(&self, state: &State) -> anyhow::Result<Vec<Source>> {
        let sources = match (&self.name, &self.service) {
            (Some(name), _) if ROLES.contains(&name.as_str()) => {
                vec![Source::new(name, state.logs().join(format!("{name}.log")))]
            }
            (Some(name), _) if accessories::NAMES.contains(&name.as_str()) => {
                vec![Source::new(name, state.accessory(name).join("log"))]
            }
            (Some(name), _) => named(state, name)?,
            (None, Some(service)) => instances(state, |_, process| {
                process.is_some_and(|p| p.service.as_deref() == Some(service.as_str()))
            })?,
            (None, None) => instances(state, |_, process| {
                process.is_some_and(|p| p.process.is_alive())
            })?,
        };
        if !sources.is_empty() {
            return Ok(sources);
        }
        let failure = match (&self.name, &self.service) {
            (Some(name), _) => Failure::usage(format!("nothing that is called {name:?} has a log"))
                .hint("`slipway status --json` names the instances that run"),
            (None, Some(service)) => {
                Failure::failed(format!("no instance of {service} was started here"))
                    .hint("`slipway history` lists what was deployed")
            }
            (None, None) => Failure::failed("no instance runs here")
                .hint("slipway logs control; slipway logs proxy; slipway logs --service NAME"),
        };
        Err(failure.into())
    }
}

/// The running instances of the service of that name or, where there is no such service, those
/// whose id begins or ends so.
fn named(state: &State, name: &str) -> anyhow::Result<Vec<Source>> {
    let serves = |p: &InstanceProcess| p.service.as_deref() == Some(name);
    let running = instances(state, |_, process| {
        process.is_some_and(|p| serves(p) && p.process.is_alive())
    })?;
    if !running.is_empty() {
        return Ok(running);
    }
    if !instances(state, |_, process| process.is_some_and(serves))?.is_empty() {
        let failure = Failure::failed(format!("no instance of {name} runs")).hint(format!(
            "`slipway logs --service {name}` shows those that ended, too"
        ));
        return Err(failure.into());
    }
    instances(state, |id, _| id.starts_with(name) || id.ends_with(name))
}

/// The instances that `wanted` takes, oldest first.
fn instances(
    state: &State,
    wanted: impl Fn(&str, Option<&InstanceProcess>) -> bool,
) -> anyhow::Result<Vec<Source>> {
    let folder = state.instances();
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("reading {}", folder.display())),
    };
    let mut ids: Vec<String> = entries
        .flatten()
        .filter_map(|e| e.file_name().into_string().ok())
        .filter(|id| wanted(id, InstanceProcess::read(state, id).as_ref()))
        .collect();
    ids.sort();
    Ok(ids
        .into_iter()
        .map(|id| Source::new(&terminal::tail(&id, 8), folder.join(&id).join("log")))
        .collect())
}

/// One log file, and how far it was read.
struct Source {
    name: String,
    path: PathBuf,
    read: u64,
    /// The start of a line that is not written to its end yet.
    rest: Vec<u8>,
}

impl Source {
    fn new(name: &str, path: PathBuf) -> Self {
        Self {
            name: name.to_owned(),
            path,
            read: 0,
            rest: Vec::new(),
        }
    }

    /// The last `count` lines.
    fn last(&mut self, count: usize) -> anyhow::Result<VecDeque<String>> {
        let mut lines = VecDeque::new();
        loop {
            let more = self.more()?;
            if more.is_empty() {
                return Ok(lines);
            }
            lines.extend(more);
            let over = lines.len().saturating_sub(count);
            lines.drain(..over);
        }
    }

    /// Whole lines that were written since the last look.
    fn more(&mut self) -> anyhow::Result<Vec<String>> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => {
                return Err(error).with_context(|| format!("opening {}", self.path.display()));
            }
        };
        if file.metadata()?.len() < self.read {
            // Set aside and begun anew.
            self.read = 0;
            self.rest.clear();
        }
        file.seek(SeekFrom::Start(self.read))?;
        let mut reader = BufReader::new(file.take(CHUNK_BYTES_MAX));
        let mut lines = Vec::new();
        loop {
            let got = reader.read_until(b'\n', &mut self.rest)?;
            self.read += u64::try_from(got)?;
            if self.rest.last() != Some(&b'\n') {
                return Ok(lines);
            }
            let line = String::from_utf8_lossy(&self.rest).trim_end().to_owned();
            self.rest.clear();
            lines.push(line);
        }
    }
}

/// A JSON line as time, level, message and the rest; any other line as it is.
fn readable(line: &str) -> String {
    let Ok(Value::Object(mut fields)) = serde_json::from_str(line) else {
        return terminal::plain(line);
    };
    let time = take(&mut fields, &["timestamp", "@timestamp", "time"]);
    let level = take(&mut fields, &["level", "log.level"]).to_uppercase();
    let message = take(&mut fields, &["message", "msg"]);
    let time: String = time.chars().skip(11).take(8).collect();
    let style = match level.as_str() {
        "ERROR" | "FATAL" => BAD,
        "WARN" | "WARNING" => WARN,
        _ => DIM,
    };
    let rest: Vec<String> = fields
        .iter()
        .filter(|(key, _)| !matches!(key.as_str(), "target" | "log.logger"))
        .map(|(key, value)| match value {
            Value::String(text) => terminal::plain(&format!("{key}={text}")),
            other => terminal::plain(&format!("{key}={other}")),
        })
        .collect();
    let mut words = Vec::new();
    if !time.is_empty() {
        words.push(paint(DIM, time));
    }
    words.extend([paint(style, format!("{level:<5}")), message]);
    if !rest.is_empty() {
        words.push(paint(DIM, rest.join(" ")));
    }
    words.join(" ")
}

fn take(fields: &mut Map<String, Value>, names: &[&str]) -> String {
    names
        .iter()
        .find_map(|name| fields.remove(*name))
        .map(|value| match value {
            Value::String(text) => terminal::plain(&text),
            other => terminal::plain(&other.to_string()),
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn plain(line: &str) -> String {
        anstream::adapter::strip_str(&readable(line)).to_string()
    }

    #[test]
    fn json_lines_become_sentences_and_others_stay() {
        assert_eq!(
            plain(
                r#"{"timestamp":"2026-11-24T12:00:01Z","level":"INFO","message":"ready","port":80}"#
            ),
            "12:00:01 INFO  ready port=80"
        );
        assert_eq!(plain("thread main panicked"), "thread main panicked");
    }

    #[test]
    fn what_a_visitor_sent_does_not_steer_the_terminal() {
        for line in [
            "\u{1b}]0;title\u{7}\u{1b}[2Jgone\r",
            r#"{"level":"INFO","message":"\u001b[2Jgone","path":"\u001b]0;x\u0007"}"#,
        ] {
            let shown = anstream::adapter::strip_str(&readable(line)).to_string();
            let painted = readable(line);
            assert!(shown.contains("gone"), "{shown:?}");
            for bad in ["\u{1b}]", "\u{1b}[2J", "\u{7}", "\r"] {
                assert!(!painted.contains(bad), "{painted:?}");
            }
        }
    }

    #[test]
    fn a_half_written_line_waits_for_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut file = File::create(&path).unwrap();
        let mut source = Source::new("x", path);
        file.write_all(b"one\ntw").unwrap();
        assert_eq!(source.more().unwrap(), ["one"]);
        file.write_all(b"o\nthree\n").unwrap();
        assert_eq!(source.more().unwrap(), ["two", "three"]);
        assert_eq!(source.last(1).unwrap().len(), 0);
    }
}
