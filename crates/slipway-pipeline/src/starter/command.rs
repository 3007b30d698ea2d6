//! A command line as somebody typed it, as words where no shell is needed. Never guesses
//! what a shell would make of a line: then the line is given to one.

/// Characters that mean something to a shell.
const SHELL: &[char] = &[
    '$', '`', '&', '|', ';', '<', '>', '(', ')', '*', '?', '[', '#', '~', '\\', '\n', '!', '{',
];

/// A command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// A program and its arguments.
    Words(Vec<String>),
    /// Something that only a shell understands.
    Shell(String),
}

impl Line {
    /// What is started: the program itself, so that a signal reaches it.
    pub(super) fn words(self) -> Vec<String> {
        match self {
            Self::Words(words) => words,
            Self::Shell(line) => {
                // A line of one command becomes that command.
                let is_one = !line.contains(['&', '|', ';', '\n', '(']);
                let line = if is_one && !assigns(&line) {
                    format!("exec {line}")
                } else {
                    line
                };
                vec!["sh".to_owned(), "-c".to_owned(), line]
            }
        }
    }
}

/// Reads a line.
pub(super) fn of(line: &str) -> Line {
    let line = line.trim();
    match words(line) {
        Some(words) if words.first().is_some_and(|first| first.contains('=')) => {
            Line::Words(["env".to_owned()].into_iter().chain(words).collect())
        }
        Some(words) if !words.is_empty() => Line::Words(words),
        _ => Line::Shell(line.to_owned()),
    }
}

/// Whether it begins with a variable, before which `exec` may not stand.
fn assigns(line: &str) -> bool {
    line.split_whitespace()
        .next()
        .is_some_and(|word| word.contains('='))
}

/// The words of a line with plain quotes; none where it needs a shell.
fn words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match quote {
            Some(mark) if c == mark => quote = None,
            Some('"') if matches!(c, '$' | '`' | '\\' | '!') => return None,
            None if c == '"' || c == '\'' => {
                word.get_or_insert_default();
                quote = Some(c);
            }
            None if c.is_whitespace() && c != '\n' => words.extend(word.take()),
            None if SHELL.contains(&c) => return None,
            Some(_) | None => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return None;
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_words_where_no_shell_is_needed() {
        for (line, expected) in [
            ("node server.js", vec!["node", "server.js"]),
            (
                "node  --title 'my shop' \"a b\"",
                vec!["node", "--title", "my shop", "a b"],
            ),
            (
                "NODE_ENV=production node .",
                vec!["env", "NODE_ENV=production", "node", "."],
            ),
            (
                "gunicorn app:web -b :$PORT",
                vec!["sh", "-c", "exec gunicorn app:web -b :$PORT"],
            ),
            (
                "./migrate && ./serve",
                vec!["sh", "-c", "./migrate && ./serve"],
            ),
            ("A=$B ./serve", vec!["sh", "-c", "A=$B ./serve"]),
            ("echo 'open", vec!["sh", "-c", "exec echo 'open"]),
        ] {
            assert_eq!(of(line).words(), expected, "{line}");
        }
    }
}
