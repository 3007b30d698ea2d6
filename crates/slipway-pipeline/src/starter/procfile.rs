//! A `Procfile`: its `web` is what serves, its `release` what expands the schema. It has the
//! last word over every other manifest, because somebody wrote it for running.

use super::command;
use super::draft::Draft;
use super::program;
use super::{Folder, Kind};

/// The command of a process type.
fn command_of<'a>(folder: &'a Folder, process: &str) -> Option<&'a str> {
    let lines = folder.text("Procfile")?.lines();
    let mut commands = lines.filter_map(|line| {
        let (name, command) = line.split_once(':')?;
        (name.trim() == process).then(|| command.trim())
    });
    commands.next().filter(|command| !command.is_empty())
}

/// Whether it says how visitors are served.
pub(super) fn has_web(folder: &Folder) -> bool {
    command_of(folder, "web").is_some()
}

/// Lets it say how the service is started and what comes before.
pub(super) fn apply(folder: &Folder, draft: &mut Draft) {
    if let Some(line) = command_of(folder, "web") {
        draft.fact("starts as", line, "Procfile, web");
        draft.start = command::of(line).words();
    }
    if let Some(line) = command_of(folder, "release") {
        draft.fact("migrates by", line, "Procfile, release");
        draft.migrate = Some(command::of(line).words());
    }
}

/// The draft of a folder of which nothing else is known.
pub(super) fn draft(folder: &Folder) -> Option<Draft> {
    let line = command_of(folder, "web")?;
    let mut draft = Draft::new(Kind::Procfile);
    let words = command::of(line).words();
    let file = words
        .iter()
        .flat_map(|word| word.split_whitespace())
        .map(|word| word.trim_start_matches("./"))
        .find(|word| folder.has(word));
    program::check(folder, file, &mut draft);
    draft.pack(folder.to_pack());
    Some(draft)
}
