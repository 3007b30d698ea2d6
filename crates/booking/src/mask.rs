//! Minutes in a row with one bit each: which of them may be the start of a visit. All
//! questions about a month are answered by joining and cutting these.

use std::ops::Range;

use jiff::Timestamp;

const BITS: usize = 64;

/// Some of the minutes from the first one on. A minute is counted since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mask {
    first: i64,
    count: usize,
    words: Vec<u64>,
}

impl Mask {
    /// None of the minutes in `minutes`.
    pub(crate) fn none(minutes: Range<i64>) -> Self {
        let count = usize::try_from(minutes.end - minutes.start).unwrap_or(0);
        Self {
            first: minutes.start,
            count,
            words: vec![0; count.div_ceil(BITS)],
        }
    }

    pub(crate) fn set(&mut self, minutes: Range<i64>) {
        self.change(&minutes, |word, bits| *word |= bits);
    }

    pub(crate) fn clear(&mut self, minutes: Range<i64>) {
        self.change(&minutes, |word, bits| *word &= !bits);
    }

    /// Keeps what is in `other`, too.
    pub(crate) fn meet(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= other;
        }
    }

    /// Adds what is in `other`.
    pub(crate) fn join(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
    }

    /// Adds what is in both others.
    pub(crate) fn join_met(&mut self, one: &Self, other: &Self) {
        let both = one.words.iter().zip(&other.words);
        for (word, (one, other)) in self.words.iter_mut().zip(both) {
            *word |= one & other;
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// The minutes that are in it, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = i64> {
        let places = self.words.iter().enumerate().flat_map(|(place, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = rest.trailing_zeros();
                rest &= rest.checked_sub(1)?;
                Some(place * BITS + usize::try_from(bit).ok()?)
            })
        });
        places.map(|place| self.first + i64::try_from(place).unwrap_or(i64::MAX))
    }

    fn change(&mut self, minutes: &Range<i64>, change: impl Fn(&mut u64, u64)) {
        let place = |minute: i64| {
            let place = usize::try_from(minute.saturating_sub(self.first));
            place.unwrap_or(0).min(self.count)
        };
        let (from, to) = (place(minutes.start), place(minutes.end));
        if minutes.start >= minutes.end || from >= to {
            return;
        }
        let (first, last) = (from / BITS, (to - 1) / BITS);
        let Some(words) = self.words.get_mut(first..=last) else {
            return;
        };
        for (place, word) in (first..).zip(words) {
            let mut bits = u64::MAX;
            if place == first {
                bits &= u64::MAX << (from % BITS);
            }
            if place == last {
                bits &= u64::MAX >> (BITS - 1 - (to - 1) % BITS);
            }
            change(word, bits);
        }
    }
}

/// The minute that an instant lies in.
pub(crate) fn minute(at: Timestamp) -> i64 {
    at.as_second().div_euclid(60)
}

/// The first minute that begins at an instant or after it.
pub(crate) fn minute_from(at: Timestamp) -> i64 {
    let into = at.as_second().rem_euclid(60) > 0 || at.subsec_nanosecond() != 0;
    minute(at) + i64::from(into)
}

/// The instant at which a minute begins.
pub(crate) fn instant(minute: i64) -> Timestamp {
    Timestamp::from_second(minute.saturating_mul(60)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(ranges: &[Range<i64>]) -> Mask {
        let mut mask = Mask::none(1000..1200);
        for range in ranges {
            mask.set(range.clone());
        }
        mask
    }

    #[test]
    fn pieces_over_the_borders_of_words_and_of_the_mask_are_cut_to_it() {
        let ranges = [900..1003, 1060..1070, 1127..1129, 1190..1300, 1100..1100];
        let found: Vec<i64> = with(&ranges).iter().collect();
        let expected = (1000..1003)
            .chain(1060..1070)
            .chain(1127..1129)
            .chain(1190..1200);
        assert_eq!(found, expected.collect::<Vec<_>>());
    }

    #[test]
    fn what_is_cleared_is_gone_and_nothing_else() {
        let mut mask = with(&[0..1100, 1100..2000]);
        mask.clear(1063..1129);
        let expected = with(&[1000..1063, 1129..1200]);
        assert_eq!(mask, expected);
        mask.clear(i64::MIN..i64::MAX);
        assert!(mask.is_empty());
    }

    #[test]
    fn an_instant_within_a_minute_belongs_to_it_and_the_next_one_begins_after() {
        let at: Timestamp = "2027-03-22T08:00:00.5Z".parse().unwrap();
        assert_eq!(instant(minute(at)).to_string(), "2027-03-22T08:00:00Z");
        assert_eq!(instant(minute_from(at)).to_string(), "2027-03-22T08:01:00Z");
        let whole = instant(minute(at));
        assert_eq!(minute_from(whole), minute(whole));
    }
}
