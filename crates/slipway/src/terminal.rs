//! What a person sees: words, colour only on a terminal, tables that fit, and errors
//! that say what to do next. The only module that prints.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use serde::Serialize;
use slipway_journal::event::rollout::RolloutState;

use crate::cli::ask::Unsure;
use crate::cli::failure::{Exit, Failure};
use crate::local_http::Silent;

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default();
const RESET: anstyle::Reset = anstyle::Reset;
pub(crate) const LIVE: Style = AnsiColor::Cyan.on_default();

/// `text` in a style; the stream strips it where it is no terminal.
pub(crate) fn paint(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Prints a line on standard output. A reader that went away is no reason to fail.
pub(crate) fn line(text: impl std::fmt::Display) {
    let text = shown(text, std::io::stdout().is_terminal());
    let written = writeln!(anstream::stdout().lock(), "{text}");
    if let Err(error) = written {
        tracing::debug!(%error, "nobody reads standard output");
    }
}

/// Prints a line on standard error, where progress goes.
pub(crate) fn note(text: impl std::fmt::Display) {
    let text = shown(text, std::io::stderr().is_terminal());
    let written = writeln!(anstream::stderr().lock(), "{text}");
    if let Err(error) = written {
        tracing::debug!(%error, "nobody reads standard error");
    }
}

/// Begins anew: on a terminal at the top of an empty screen, elsewhere after an empty line.
pub(crate) fn clear() {
    let start = if std::io::stdout().is_terminal() {
        "\u{1b}[H\u{1b}[2J"
    } else {
        "\n"
    };
    if let Err(error) = write!(std::io::stdout().lock(), "{start}") {
        tracing::debug!(%error, "nobody reads standard output");
    }
}

/// What a terminal is given: texts of applications are among it, and must not steer it.
fn shown(text: impl std::fmt::Display, is_terminal: bool) -> String {
    let text = text.to_string();
    if is_terminal { harmless(&text) } else { text }
}

/// Without control characters, except those that end lines, space and colour.
pub(crate) fn harmless(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        if let Some(colour) = colour(rest) {
            kept.push_str(colour);
            rest = rest.get(colour.len()..).unwrap_or_default();
            continue;
        }
        if !character.is_control() || matches!(character, '\n' | '\t') {
            kept.push(character);
        }
        rest = rest.get(character.len_utf8()..).unwrap_or_default();
    }
    kept
}

/// The sequence that `text` begins with, where that sets a colour.
fn colour(text: &str) -> Option<&str> {
    let numbers = text.strip_prefix("\u{1b}[")?;
    let end = numbers.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    numbers.get(end..)?.starts_with('m').then_some(())?;
    text.get(..2 + end + 1)
}

/// Prints a value as JSON, for programs.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(serde_json::to_string_pretty(value)?);
    Ok(())
}

/// Whether a person watches the progress.
pub(crate) fn is_watched() -> bool {
    std::io::stderr().is_terminal()
}

/// Prints why a command ended, and gives its exit code.
pub(crate) fn report(error: &anyhow::Error) -> Exit {
    let failure = error.downcast_ref::<Failure>();
    let silent = error.chain().any(<dyn std::error::Error>::is::<Silent>);
    let message = if failure.is_some() && error.chain().count() == 1 {
        error.to_string()
    } else {
        error
            .chain()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(": ")
    };
    note(format!("{} {message}", paint(BAD.bold(), "error:")));
    let unsure = error.is::<Unsure>();
    let hint = match (failure.and_then(Failure::next), silent) {
        (Some(hint), _) => Some(hint),
        (None, _) if unsure => {
            Some("`slipway status` shows whether it was done; if it was not, ask again")
        }
        (None, true) => Some("`slipway up` starts it; `slipway doctor` looks for what is wrong"),
        (None, false) => None,
    };
    if let Some(hint) = hint {
        note(format!("{} {hint}", paint(LIVE, " next:")));
    }
    match (failure, silent) {
        (Some(failure), _) => failure.exit,
        (None, _) if unsure => Exit::Unreachable,
        (None, true) => Exit::Unreachable,
        (None, false) => Exit::Failed,
    }
}

/// A table whose columns are as wide as they must be; the last one may be long.
pub(crate) fn table(heads: &[&str], rows: &[Vec<String>]) {
    let mut widths: Vec<usize> = heads.iter().map(|h| width(h)).collect();
    for row in rows {
        for (column, cell) in widths.iter_mut().zip(row) {
            *column = (*column).max(width(cell));
        }
    }
    let heads: Vec<String> = heads.iter().map(|h| paint(DIM, h)).collect();
    for row in std::iter::once(&heads).chain(rows) {
        let mut text = String::from(" ");
        for (cell, wanted) in row.iter().zip(&widths) {
            text.push(' ');
            text.push_str(cell);
            text.push_str(&" ".repeat(wanted.saturating_sub(width(cell)) + 1));
        }
        line(text.trim_end());
    }
}

/// Characters that show, styles left out.
fn width(text: &str) -> usize {
    anstream::adapter::strip_str(text)
        .to_string()
        .chars()
        .count()
}

/// `text` as far as `columns` go, with `…` where something is left out. Styles cost nothing.
pub(crate) fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut kept = String::new();
    let (mut seen, mut in_style) = (0, false);
    for character in text.chars() {
        in_style |= character == '\u{1b}';
        if in_style {
            in_style = character != 'm';
        } else {
            seen += 1;
            if seen >= columns {
                break;
            }
        }
        kept.push(character);
    }
    format!("{kept}…{RESET}")
}

/// `text` in lines of at most `columns` characters; every line but the first begins with
/// `indent`. Words longer than a line, and line breaks of the text, are kept.
pub(crate) fn wrapped(text: &str, columns: usize, indent: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && width(&line) + 1 + width(word) > columns {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines.join(&format!("\n{indent}"))
}

/// Without escape sequences and other control characters: what others wrote must not steer
/// the terminal.
pub(crate) fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text)
        .to_string()
        .chars()
        .map(|c| if c == '\t' { ' ' } else { c })
        .filter(|c| !c.is_control())
        .collect()
}

/// The last `count` characters.
pub(crate) fn tail(text: &str, count: usize) -> String {
    let skipped = text.chars().count().saturating_sub(count);
    text.chars().skip(skipped).collect()
}

/// `3 ms`, `4.2 s`, `2 min 5 s`, `12 min`, `3.5 h`, `2 days`.
pub(crate) fn span(duration: Duration) -> String {
    let ms = duration.as_millis();
    let seconds = duration.as_secs_f64();
    match ms {
        0 => format!("{} µs", duration.as_micros()),
        1..1000 => format!("{ms} ms"),
        1000..60_000 => format!("{seconds:.1} s"),
        60_000..600_000 => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1000),
        600_000..3_600_000 => format!("{:.0} min", seconds / 60.0),
        3_600_000..172_800_000 => format!("{:.1} h", seconds / 3600.0),
        _ => format!("{:.0} days", seconds / 86_400.0),
    }
}

/// `12 s ago`, `yesterday`-free and exact enough.
pub(crate) fn ago(now: Timestamp, then: Timestamp) -> String {
    let since = Duration::try_from(now.duration_since(then)).unwrap_or_default();
    if since < Duration::from_secs(2) {
        "now".into()
    } else {
        format!(
            "{} ago",
            span(Duration::from_secs(since.as_secs())).replace(".0 s", " s")
        )
    }
}

/// `12,345`.
pub(crate) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Whether a state is good news, bad news or neither.
pub(crate) fn state_style(state: &RolloutState) -> Style {
    match state {
        RolloutState::Live | RolloutState::Baking | RolloutState::Retired | RolloutState::Done => {
            GOOD
        }
        RolloutState::Failed { .. } | RolloutState::Halted { .. } => BAD,
        RolloutState::RolledBack { .. }
        | RolloutState::Cancelled { .. }
        | RolloutState::Superseded { .. }
        | RolloutState::Holding { .. } => WARN,
        _ => LIVE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_read_well() {
        let texts: Vec<String> = [0_u64, 7, 4200, 125_900, 720_000, 12_600_000, 259_200_000]
            .map(|ms| span(Duration::from_millis(ms)))
            .into();
        assert_eq!(
            texts,
            [
                "0 µs",
                "7 ms",
                "4.2 s",
                "2 min 5 s",
                "12 min",
                "3.5 h",
                "3 days"
            ]
        );
    }

    #[test]
    fn long_lines_are_cut_and_wrapped_by_what_shows() {
        let painted = format!("{} rest", paint(GOOD, "green"));
        assert_eq!(cut(&painted, 10), painted);
        let cut = cut(&painted, 7);
        assert_eq!(anstream::adapter::strip_str(&cut).to_string(), "green …");
        assert_eq!(wrapped("one two three", 7, "  "), "one two\n  three");
        assert_eq!(wrapped("unbreakable\nnext", 4, ""), "unbreakable\nnext");
    }

    #[test]
    fn colours_are_kept_and_nothing_else_that_steers_a_terminal() {
        let painted = paint(BAD.bold(), "über\tall\n");
        assert_eq!(harmless(&painted), painted);
        assert_eq!(
            harmless("a\u{1b}[2Jb\u{1b}]0;c\u{7}\rd\u{9b}1me\u{1b}[31\u{1b}"),
            "a[2Jb]0;cd1me[31"
        );
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(number),
            ["0", "999", "1,000", "1,234,567"]
        );
    }
}
