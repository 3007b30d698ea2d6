//! A half-open piece of time between two instants.

use jiff::Timestamp;

/// From `start` up to, not including, `end`. Never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    start: Timestamp,
    end: Timestamp,
}

impl Span {
    /// The piece from `start` to `end`; none where that would be empty.
    pub fn new(start: Timestamp, end: Timestamp) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    /// Its first instant.
    pub fn start(self) -> Timestamp {
        self.start
    }

    /// The first instant after it.
    pub fn end(self) -> Timestamp {
        self.end
    }

    /// Whether the two share an instant. Touching is not overlapping.
    pub fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// Whether all of `other` lies in this one.
    pub fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

/// The same instants as `spans`, in order, with no two overlapping or touching.
pub(crate) fn union(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut joined: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match joined.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => joined.push(span),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(start: i64, end: i64) -> Span {
        let at = |s| Timestamp::from_second(s).unwrap();
        Span::new(at(start), at(end)).unwrap()
    }

    #[test]
    fn touching_is_not_overlapping() {
        assert!(!span(0, 10).overlaps(span(10, 20)));
        assert!(span(0, 11).overlaps(span(10, 20)));
    }

    #[test]
    fn an_empty_span_does_not_exist() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(Span::new(now, now), None);
    }

    #[test]
    fn a_union_joins_what_overlaps_or_touches() {
        let joined = union(vec![span(20, 30), span(0, 10), span(10, 15), span(22, 25)]);
        assert_eq!(joined, [span(0, 15), span(20, 30)]);
    }
}
