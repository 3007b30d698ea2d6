//! One mistake in a file that a person wrote: where it is, what is wrong, what to write
//! instead. Every reader collects all of them before it gives up.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

/// A mistake, with its place in the file. Rendered by miette with the line and a caret.
#[derive(Debug, Clone)]
pub struct Problem {
    message: String,
    label: String,
    help: Option<String>,
    source: NamedSource<Arc<str>>,
    span: Range<usize>,
    line: usize,
    column: usize,
}

impl Problem {
    /// The line of the mistake, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The column of the mistake in characters, from 1.
    pub fn column(&self) -> usize {
        self.column
    }

    /// What to write instead, where that is known.
    pub fn suggestion(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// A mistake of a file as a whole: it is not there, or cannot be read.
    pub(crate) fn of_file(file: &str, message: String, help: &str) -> Self {
        Source::new(file, "").problem(0..0, message, "", help)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}: {}",
            self.source.name(),
            self.line,
            self.column,
            self.message
        )
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = self.help.as_ref()?;
        Some(Box::new(help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        if self.label.is_empty() {
            return None;
        }
        let span = (self.span.start, self.span.len());
        let label = LabeledSpan::new(Some(self.label.clone()), span.0, span.1);
        Some(Box::new(std::iter::once(label)))
    }
}

/// The text of a file, from which problems are made.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    name: String,
    text: Arc<str>,
}

impl Source {
    pub(crate) fn new(name: &str, text: &str) -> Self {
        Self {
            name: name.to_owned(),
            text: text.into(),
        }
    }

    pub(crate) fn problem(
        &self,
        span: Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) -> Problem {
        let span = self.clamp(span);
        let before = self.text.get(..span.start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        let help = help.into();
        Problem {
            message: message.into(),
            label: label.into(),
            help: (!help.is_empty()).then_some(help),
            source: NamedSource::new(&self.name, Arc::clone(&self.text)),
            span,
            line: before.matches('\n').count() + 1,
            column,
        }
    }

    /// Keeps a span inside the text and on the borders of characters.
    fn clamp(&self, span: Range<usize>) -> Range<usize> {
        let inside = |mut at: usize| {
            at = at.min(self.text.len());
            while !self.text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let start = inside(span.start);
        start..inside(span.end).max(start)
    }
}

/// `did you mean "x"?`, where one of `known` is near; else the list of what there is.
pub(crate) fn suggest<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str> + Clone,
) -> String {
    let near = known
        .clone()
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(written, name), name))
        .filter(|(distance, name)| *distance <= 1 + name.len().min(written.len()) / 3)
        .min();
    if let Some((_, name)) = near {
        return format!("did you mean {name:?}?");
    }
    let mut names: Vec<&str> = known.into_iter().collect();
    names.sort_unstable();
    match names.as_slice() {
        [] => "there is none; write one, or leave this out".to_owned(),
        names => format!("there is: {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_counted_in_characters() {
        let source = Source::new("a.toml", "é = 1\nüü = 2\n");
        let problem = source.problem(12..13, "m", "l", "");
        assert_eq!((problem.line(), problem.column()), (2, 4));
    }

    #[test]
    fn a_near_name_is_suggested_and_a_far_one_is_not() {
        assert_eq!(suggest("neds", ["needs", "run"]), "did you mean \"needs\"?");
        assert_eq!(suggest("zebra", ["needs", "run"]), "there is: needs, run");
    }
}
