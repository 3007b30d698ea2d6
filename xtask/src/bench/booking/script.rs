//! Statements that PostgreSQL logged, twice, as a script for `pgbench`. What is the same in
//! both recordings is constant; what differs is made anew for each transaction, and the
//! same wherever it was the same. Pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context as _, ensure};
use jiff::Timestamp;

/// A statement as it was sent, with its parameters as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    text: String,
    values: BTreeMap<usize, Option<String>>,
}

/// One recording: what was sent to book a time that begins at `start`.
#[derive(Debug, Clone)]
pub(super) struct Recording {
    pub(super) statements: Vec<Statement>,
    pub(super) start: Timestamp,
}

impl Recording {
    /// Whether the same was sent, but for the parameters.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let texts = |recording: &Self| {
            let statements = recording.statements.iter();
            statements.map(|s| s.text.clone()).collect::<Vec<_>>()
        };
        texts(self) == texts(other)
    }
}

/// The statements of a log, in its order.
pub(super) fn statements(log: &str) -> Vec<Statement> {
    let mut found: Vec<Statement> = Vec::new();
    for entry in entries(log) {
        let executed = entry.split_once("LOG:  execute ");
        let executed = executed.and_then(|(_, rest)| rest.split_once(": "));
        let plain = entry.split_once("LOG:  statement: ");
        if let Some((_, text)) = executed.or(plain) {
            found.push(Statement {
                text: text.split_whitespace().collect::<Vec<_>>().join(" "),
                values: BTreeMap::new(),
            });
        } else if let Some((_, values)) = entry.split_once("DETAIL:  parameters: ")
            && let Some(last) = found.last_mut()
        {
            last.values = parameters(values);
        }
    }
    found
}

/// Entries of the log; lines that begin with a tab go on with the one before.
fn entries(log: &str) -> Vec<String> {
    let mut entries: Vec<String> = Vec::new();
    for line in log.lines() {
        match (line.strip_prefix('\t'), entries.last_mut()) {
            (Some(rest), Some(entry)) => {
                entry.push('\n');
                entry.push_str(rest);
            }
            _ => entries.push(line.to_owned()),
        }
    }
    entries
}

/// `$1 = 'a', $2 = NULL` by number.
fn parameters(text: &str) -> BTreeMap<usize, Option<String>> {
    let mut values = BTreeMap::new();
    let mut rest = text;
    while let Some((number, after)) = rest
        .strip_prefix('$')
        .and_then(|rest| rest.split_once(" = "))
    {
        let Ok(number) = number.parse() else {
            break;
        };
        if let Some(after) = after.strip_prefix("NULL") {
            values.insert(number, None);
            rest = after;
        } else {
            let (value, after) = quoted(after);
            values.insert(number, Some(value));
            rest = after;
        }
        rest = rest.strip_prefix(", ").unwrap_or(rest);
    }
    values
}

/// The text in quotes at the beginning, and what follows it.
fn quoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut rest = text.strip_prefix('\'').unwrap_or(text);
    while let Some((piece, after)) = rest.split_once('\'') {
        value.push_str(piece);
        let Some(more) = after.strip_prefix('\'') else {
            return (value, after);
        };
        value.push('\'');
        rest = more;
    }
    (value, "")
}

/// A script that does what was recorded, for a time that no other transaction takes.
pub(super) fn script(first: &Recording, second: &Recording) -> anyhow::Result<String> {
    ensure!(
        first.is_like(second),
        "the two recordings are not of the same statements"
    );
    let pairs = first.statements.iter().zip(&second.statements);
    let mut made = Made::default();
    let mut body = String::new();
    for (one, other) in pairs {
        let mut text = one.text.clone();
        // From the last on, so that `$1` is not found in `$10`.
        for (number, value) in one.values.iter().rev() {
            let again = other.values.get(number).cloned().flatten();
            let with = match (value, again) {
                (Some(value), Some(again)) => {
                    let starts = (first.start, second.start);
                    format!(":{}", made.value(value, &again, starts)?)
                }
                _ => "null".to_owned(),
            };
            text = text.replace(&format!("${number}"), &with);
        }
        writeln!(body, "{};", text.trim_end_matches(';'))?;
    }
    Ok(format!("{}\\gset\n{body}", made.select()))
}

/// What is made at the beginning of each transaction.
#[derive(Debug, Default)]
struct Made {
    /// Pieces that differ, by what they were in the first recording: how they are made.
    pieces: BTreeMap<String, String>,
    /// Whole parameters, as expressions.
    values: Vec<String>,
}

impl Made {
    /// The name under which a parameter is made.
    fn value(
        &mut self,
        value: &str,
        again: &str,
        starts: (Timestamp, Timestamp),
    ) -> anyhow::Result<String> {
        let (ones, others) = (tokens(value), tokens(again));
        let expression = if ones.len() == others.len() {
            let pieces = ones.into_iter().zip(others);
            let pieces = pieces.map(|(one, other)| self.piece(one, other, starts));
            pieces.collect::<anyhow::Result<Vec<_>>>()?.join(" || ")
        } else {
            constant(value)
        };
        let expression = if expression.is_empty() {
            "''".to_owned()
        } else {
            expression
        };
        let known = self.values.iter().position(|v| *v == expression);
        let place = known.unwrap_or(self.values.len());
        if known.is_none() {
            self.values.push(expression);
        }
        Ok(format!("p{place}"))
    }

    fn piece(
        &mut self,
        one: &str,
        other: &str,
        starts: (Timestamp, Timestamp),
    ) -> anyhow::Result<String> {
        if one == other {
            return Ok(constant(one));
        }
        if let (Some(at), Some(again)) = (instant(one), instant(other)) {
            let since = at.duration_since(starts.0);
            // What was not counted from the start of the visit is the time of recording.
            if since != again.duration_since(starts.1) {
                return Ok(constant(one));
            }
            let seconds = since.as_secs();
            let shape = one.get(10..11).context("a time without a clock")?;
            let end = one.get(19..).unwrap_or_default();
            return Ok(format!(
                "to_char(s + {seconds} * interval '1 second', 'YYYY-MM-DD') || {} \
                 || to_char(s + {seconds} * interval '1 second', 'HH24') || chr(58) \
                 || to_char(s + {seconds} * interval '1 second', 'MI') || {}",
                constant(shape),
                constant(&format!(":00{end}"))
            ));
        }
        if one.len() == 10 && one.split('-').count() == 3 {
            return Ok(constant(one));
        }
        let (before, hex) = match one.strip_prefix('x') {
            Some(hex) if hex.len() == 64 => ("'x' || ", hex),
            _ => ("", one),
        };
        let is_hash = hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit());
        let how = if is_hash {
            "encode(sha256(gen_random_uuid()::text::bytea), 'hex')"
        } else {
            "gen_random_uuid()::text"
        };
        let names = self.pieces.len();
        let piece = self.pieces.entry(hex.to_owned());
        let piece = piece.or_insert_with(|| format!("{how} as v{names}"));
        let name = piece.rsplit(' ').next().context("a piece without a name")?;
        Ok(format!("{before}{name}"))
    }

    fn select(&self) -> String {
        let values = self.values.iter().enumerate();
        let values: Vec<_> = values.map(|(n, v)| format!("{v} as p{n}")).collect();
        let mut pieces: Vec<_> = self.pieces.values().cloned().collect();
        pieces.push("timestamp '2040-01-02' + nextval('slot') * interval '45 minutes' as s".into());
        format!(
            "select {} from (select {} offset 0) as made ",
            values.join(", "),
            pieces.join(", ")
        )
    }
}

/// A piece as a literal. A colon would begin a variable of `pgbench`.
fn constant(piece: &str) -> String {
    let piece = piece.replace('\'', "''");
    let pieces: Vec<String> = piece.split(':').map(|p| format!("'{p}'")).collect();
    pieces.join(" || chr(58) || ")
}

/// A text in pieces that are the same or different as a whole: instants, words, and what is
/// between them.
fn tokens(text: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "-_@.".contains(c);
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let word = || {
            let is_in = is_word(first);
            rest.find(|c| is_word(c) != is_in).unwrap_or(rest.len())
        };
        let length = instant_length(rest).unwrap_or_else(word);
        let (token, after) = rest.split_at(length);
        tokens.push(token);
        rest = after;
    }
    tokens
}

/// How long the instant or wall time at the beginning is, `2027-03-24 07:30:00+00`.
fn instant_length(text: &str) -> Option<usize> {
    let shape = text.as_bytes().get(..19)?;
    let fits = shape
        .iter()
        .zip(b"0000-00-00T00:00:00")
        .all(|(byte, like)| match like {
            b'0' => byte.is_ascii_digit(),
            b'T' => matches!(byte, b'T' | b' '),
            other => byte == other,
        });
    if !fits {
        return None;
    }
    let rest = text.get(19..)?;
    let fraction = rest.strip_prefix('.').map_or(0, |digits| {
        1 + digits.bytes().take_while(u8::is_ascii_digit).count()
    });
    let rest = rest.get(fraction..)?;
    let zone = ["+00", "Z"].into_iter().find(|zone| rest.starts_with(zone));
    Some(19 + fraction + zone.map_or(0, str::len))
}

fn instant(token: &str) -> Option<Timestamp> {
    instant_length(token).filter(|length| *length == token.len())?;
    let text = token.trim_end_matches("+00").trim_end_matches('Z');
    format!("{}Z", text.replace(' ', "T")).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
2026-11-27 03:41:51.123 UTC [7] LOG:  statement: BEGIN
2026-11-27 03:41:51.123 UTC [7] LOG:  execute sqlx_s_5: insert into a (id, at, note)
\t         values ($1, $2, $3), ($1, $10, $4)
2026-11-27 03:41:51.123 UTC [7] DETAIL:  parameters: $1 = '0198c0de-0000-7000-8000-000000000001', $2 = '2026-12-01 06:45:00+00', $3 = 'it''s', $4 = NULL, $10 = '{\"at\": \"2026-12-01T06:45:00Z\"}'
2026-11-27 03:41:51.123 UTC [7] LOG:  statement: COMMIT
";

    fn recording(log: &str, start: &str) -> Recording {
        Recording {
            statements: statements(log),
            start: start.parse().unwrap(),
        }
    }

    #[test]
    fn a_log_is_read_with_lines_that_go_on_and_quotes() {
        let statements = statements(LOG);
        assert_eq!(statements.len(), 3);
        assert_eq!(
            statements[1].text,
            "insert into a (id, at, note) values ($1, $2, $3), ($1, $10, $4)"
        );
        assert_eq!(statements[1].values[&3].as_deref(), Some("it's"));
        assert_eq!(statements[1].values[&4], None);
    }

    #[test]
    fn what_differs_is_made_anew_and_the_same_everywhere() {
        let later = LOG
            .replace("000000000001", "000000000002")
            .replace("06:45", "07:30");
        let first = recording(LOG, "2026-12-01T06:45:00Z");
        let second = recording(&later, "2026-12-01T07:30:00Z");
        let script = script(&first, &second).unwrap();
        let (select, rest) = script.split_once("\\gset\n").unwrap();
        assert_eq!(select.matches("gen_random_uuid()").count(), 1, "{select}");
        assert!(select.contains("'it' || '''' || 's' as p"), "{select}");
        assert!(!select.contains("45:00"), "{select}");
        let insert = rest.lines().nth(1).unwrap();
        assert_eq!(insert.matches("null").count(), 1, "{insert}");
        assert!(!insert.contains('$'), "{insert}");
        assert_eq!(rest.lines().count(), 3);
    }

    #[test]
    fn recordings_of_other_statements_are_refused() {
        let first = recording(LOG, "2026-12-01T06:45:00Z");
        let other = recording(&LOG.replace("into a", "into b"), "2026-12-01T06:45:00Z");
        assert!(script(&first, &other).is_err());
    }
}
