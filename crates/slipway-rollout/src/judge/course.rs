//! The evidence for harm as it goes on: a mixture over how bad the release may be and over when
//! it began to be. Whether it ever exceeds 1/α is at most as likely as α, without harm.
//!
//! A release that was good for an hour may turn bad, so evidence is counted from many moments:
//! from the n-th with the weight 1/(n(n+1)), which sum up to one.

use super::reckoning::{Pair, ln_sum, real};

/// Moments that are kept. What is given up only makes the evidence smaller.
const MOMENTS: usize = 32;

/// The evidence for harm in one metric.
#[derive(Debug, Clone)]
pub(crate) struct Course {
    /// Ratios of odds that are thought of.
    odds: Vec<f64>,
    /// What was gained for each of them since the beginning.
    gained: Vec<f64>,
    seen: Pair,
    moments: Vec<Moment>,
    /// How many there were.
    begun: u64,
}

/// A moment that evidence is counted from.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    pub(crate) number: u64,
    pub(crate) at_ms: u64,
    gained: Vec<f64>,
    seen: Pair,
}

impl Course {
    pub(crate) fn new(odds: Vec<f64>) -> Self {
        let gained = vec![0.0; odds.len()];
        Self {
            odds,
            gained,
            seen: Pair::default(),
            moments: Vec::new(),
            begun: 0,
        }
    }

    /// A moment to count from; called by time alone, before what is counted then.
    pub(crate) fn begin(&mut self, at_ms: u64) {
        self.begun += 1;
        self.moments.push(Moment {
            number: self.begun,
            at_ms,
            gained: self.gained.clone(),
            seen: self.seen,
        });
        if self.moments.len() > MOMENTS
            && let Some(least) = least_missed(&self.moments)
        {
            self.moments.remove(least);
        }
    }

    /// Takes what was counted into account; `gain` gives what it says for a ratio of odds.
    pub(crate) fn take(&mut self, counted: Pair, gain: impl Fn(f64) -> f64) {
        for (gained, odds) in self.gained.iter_mut().zip(&self.odds) {
            *gained += gain(*odds);
        }
        self.seen.add(counted);
    }

    /// Takes the place of a course that had seen `kept` since moments with a number and a time,
    /// where `gain` gives what so much says for a ratio of odds: that it was counted in pieces
    /// does not matter then.
    pub(crate) fn stand_at(
        &mut self,
        begun: u64,
        kept: impl Iterator<Item = (u64, u64, Pair)>,
        gain: impl Fn(Pair, f64) -> f64,
    ) {
        let whole = |seen: Pair| -> Vec<f64> { self.odds.iter().map(|o| gain(seen, *o)).collect() };
        let mut moments: Vec<Moment> = kept
            .map(|(number, at_ms, seen)| Moment {
                number,
                at_ms,
                gained: whole(seen),
                seen,
            })
            .collect();
        // All is counted from the first one; what came before it is nobody's any more.
        let (seen, gained) = moments
            .first()
            .map_or((Pair::default(), whole(Pair::default())), |m| {
                (m.seen, m.gained.clone())
            });
        for moment in &mut moments {
            moment.seen = seen.since(moment.seen);
            for (own, all) in moment.gained.iter_mut().zip(&gained) {
                *own = all - *own;
            }
        }
        (self.begun, self.moments, self.seen, self.gained) = (begun, moments, seen, gained);
    }

    /// Everything that was counted.
    pub(crate) fn seen(&self) -> Pair {
        self.seen
    }

    /// The moments that are kept, with what was counted since.
    pub(crate) fn moments(&self) -> impl Iterator<Item = (&Moment, Pair)> {
        self.moments.iter().map(|m| (m, self.seen.since(m.seen)))
    }

    /// How many moments there were.
    pub(crate) fn begun(&self) -> u64 {
        self.begun
    }

    /// The logarithm of the evidence.
    pub(crate) fn ln_e(&self) -> f64 {
        // The weight of all moments to come, from which nothing is counted yet.
        let rest = -real(self.begun + 1).ln();
        let known: Vec<f64> = self.moments.iter().map(|m| self.from(m)).collect();
        ln_sum(known.into_iter().chain([rest]))
    }

    /// What was counted since the moment that most of the evidence comes from.
    pub(crate) fn most_telling(&self) -> Pair {
        let most = self
            .moments
            .iter()
            .max_by(|a, b| self.from(a).total_cmp(&self.from(b)));
        most.map_or(self.seen, |m| self.seen.since(m.seen))
    }

    /// The weighted evidence from one moment on.
    fn from(&self, moment: &Moment) -> f64 {
        let weight = -(real(moment.number).ln() + real(moment.number + 1).ln());
        let each = self.gained.iter().zip(&moment.gained).map(|(a, b)| a - b);
        let sum = ln_sum(each.collect::<Vec<_>>().into_iter());
        weight + sum - real(self.odds.len() as u64).ln()
    }
}

/// The moment whose neighbours stand for it best: they are near it, for its age. Never the
/// first or the last.
fn least_missed(moments: &[Moment]) -> Option<usize> {
    let now = moments.last()?.at_ms;
    let missed = |i: &usize| {
        let between = moments[i + 1].at_ms - moments[i - 1].at_ms;
        real(between) / real(now - moments[*i].at_ms).max(1.0)
    };
    (1..moments.len() - 1).min_by(|a, b| missed(a).total_cmp(&missed(b)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::reckoning::Count;

    fn canary(requests: u64, bad: u64) -> Pair {
        Pair {
            canary: Count::new(requests, bad, bad),
            ..Pair::default()
        }
    }

    fn feed(course: &mut Course, counted: Pair) {
        course.take(counted, |odds| counted.canary.gain_over(0.01, odds));
    }

    #[test]
    fn before_anything_was_counted_the_evidence_is_one() {
        let mut course = Course::new(vec![2.0, 60.0]);
        for minute in 0..200 {
            assert!(minute >= 32 || course.ln_e().abs() < 1e-9, "{minute}");
            course.begin(minute * 60_000);
        }
        assert!(course.ln_e() < 1e-9);
    }

    #[test]
    fn a_release_that_turns_bad_after_a_good_day_is_noticed() {
        let mut course = Course::new(vec![2.0, 4.0, 10.0, 60.0]);
        for minute in 0..1440 {
            course.begin(minute * 60_000);
            feed(&mut course, canary(1_200, 6));
        }
        assert!(course.ln_e() < 0.0);
        course.begin(1440 * 60_000);
        feed(&mut course, canary(40, 20));
        assert!(course.ln_e() > 300.0_f64.ln(), "{}", course.ln_e());
        assert_eq!(course.most_telling(), canary(40, 20));
    }

    #[test]
    fn the_moments_that_are_kept_are_denser_the_younger_they_are() {
        let mut course = Course::new(vec![2.0]);
        for minute in 0..1440_u64 {
            course.begin(minute);
        }
        let kept: Vec<u64> = course.moments().map(|(m, _)| m.at_ms).collect();
        assert_eq!(kept.len(), MOMENTS);
        assert_eq!((kept[0], kept[MOMENTS - 1]), (0, 1439));
        let gaps: Vec<u64> = kept.windows(2).map(|w| w[1] - w[0]).collect();
        assert!(gaps[1] > 60 && gaps[MOMENTS - 2] <= 2, "{gaps:?}");
    }
}
