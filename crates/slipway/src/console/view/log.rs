//! The last lines of an instance's log: JSON where it is JSON, text where it is not,
//! without anything that could move the reader's cursor. Pure.

use serde_json::{Map, Value};

use crate::terminal::plain;

/// One line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LogLine {
    pub(crate) time: String,
    pub(crate) level: String,
    pub(crate) message: String,
    /// What else the line says, `name=value`.
    pub(crate) rest: String,
}

impl LogLine {
    pub(crate) fn is_bad(&self) -> bool {
        matches!(self.level.as_str(), "error" | "fatal")
    }

    pub(crate) fn is_warning(&self) -> bool {
        self.level == "warn"
    }
}

/// The last `count` lines of `text`; a first line that may be cut is left out by the caller.
pub(crate) fn last_lines(text: &str, count: usize) -> Vec<LogLine> {
    let lines: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).collect();
    let from = lines.len().saturating_sub(count);
    lines.into_iter().skip(from).map(line).collect()
}

fn line(text: &str) -> LogLine {
    match serde_json::from_str::<Map<String, Value>>(text) {
        Ok(fields) => structured(fields),
        Err(_) => LogLine {
            message: plain(text),
            ..LogLine::default()
        },
    }
}

fn structured(mut fields: Map<String, Value>) -> LogLine {
    let mut take = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| fields.remove(*name))
            .map(|value| show(&value))
            .unwrap_or_default()
    };
    let time = take(&["timestamp", "@timestamp", "time", "ts"]);
    let level = take(&["level", "log.level", "severity"]).to_lowercase();
    let message = take(&["message", "msg"]);
    let rest = fields
        .iter()
        .map(|(name, value)| format!("{}={}", plain(name), show(value)))
        .collect::<Vec<_>>()
        .join("  ");
    LogLine {
        time,
        level,
        message,
        rest,
    }
}

fn show(value: &Value) -> String {
    match value {
        Value::String(text) => plain(text),
        value => plain(&value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_line_is_taken_apart() {
        let lines = last_lines(
            r#"{"timestamp":"2026-11-24T12:00:00Z","level":"WARN","message":"slow","took_us":9000}"#,
            10,
        );
        assert_eq!(
            lines,
            [LogLine {
                time: "2026-11-24T12:00:00Z".into(),
                level: "warn".into(),
                message: "slow".into(),
                rest: "took_us=9000".into()
            }]
        );
    }

    #[test]
    fn other_lines_stay_as_they_are_but_for_control_characters() {
        let lines = last_lines("\u{1b}[31mred\u{1b}[0m <b>\u{7}\n\nlast", 10);
        let messages: Vec<&str> = lines.iter().map(|l| l.message.as_str()).collect();
        assert_eq!(messages, ["red <b>", "last"]);
    }

    #[test]
    fn only_the_last_lines_are_shown() {
        let lines = last_lines("1\n2\n3\n4", 2);
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1].message, "4");
    }
}
