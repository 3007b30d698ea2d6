//! One release alone, after the cut-over: beside what was usual before, as there is nobody
//! left to stand beside it. Says only that it does harm, never that it is good.
//!
//! What is kept is what was counted since each moment: it says everything, as the reference
//! does not change, and does not grow with time.

use slipway_journal::event::judgement::{
    Arm, Evidence, Figures, Judgement, Metric, Rules, Since, Verdict,
};

use super::course::Course;
use super::figures;
use super::reckoning::{Count, Pair, multiple, share};
use super::trial::add;

/// A watch over a release that has all of the traffic.
#[derive(Debug, Clone)]
pub struct Vigil {
    rules: Rules,
    reference_ppm: [u32; 3],
    open: Arm,
    taken_ms: u64,
    moment_ms: u64,
    courses: [Course; 3],
    verdict: Verdict,
}

impl Vigil {
    /// A watch that begins now. `history_ppm` are the bad requests of the release before, by
    /// metric; what is still all right follows from that and the rules.
    pub fn new(rules: Rules, history_ppm: [u32; 3]) -> Self {
        let odds: Vec<f64> = rules.odds_percent.iter().copied().map(multiple).collect();
        let reference_ppm = std::array::from_fn(|place| {
            let usual = u64::from(history_ppm[place]) * u64::from(rules.allowed_percent) / 100;
            let objective = u64::from(rules.objective_ppm[place]);
            u32::try_from(usual.max(objective)).unwrap_or(u32::MAX)
        });
        Self {
            rules,
            reference_ppm,
            open: Arm::default(),
            taken_ms: 0,
            moment_ms: 0,
            courses: std::array::from_fn(|_| Course::new(odds.clone())),
            verdict: watching(),
        }
    }

    /// Takes what was counted since the last call into account. `at_ms` are milliseconds from
    /// the beginning; one client is bad at most once in ten seconds for each metric.
    pub fn see(&mut self, at_ms: u64, arm: Arm) -> &Verdict {
        add(&mut self.open, arm);
        let lasted = at_ms.saturating_sub(self.taken_ms);
        let is_full = self.open.requests >= u64::from(self.rules.block_canary)
            || lasted >= u64::from(self.rules.block_ms);
        if self.open.requests == 0 || !is_full || matches!(self.verdict, Verdict::Abort { .. }) {
            return &self.verdict;
        }
        let is_moment = self.taken_ms >= self.moment_ms;
        let open = std::mem::take(&mut self.open);
        for metric in Metric::ALL {
            let reference = self.reference(metric);
            let course = &mut self.courses[metric.place()];
            if is_moment {
                course.begin(self.taken_ms);
            }
            let counted = only(Count::of(&open, metric));
            course.take(counted, |odds| counted.canary.gain_over(reference, odds));
        }
        if is_moment {
            self.moment_ms = self.taken_ms + u64::from(self.rules.moment_ms.max(1));
        }
        self.taken_ms = at_ms;
        self.decide();
        &self.verdict
    }

    /// What is to be said now.
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// The numbers now, one for each metric.
    pub fn figures(&self) -> Vec<Figures> {
        let each = Metric::ALL.into_iter();
        each.map(|metric| {
            let (course, reference) = (&self.courses[metric.place()], self.reference(metric));
            figures::of(metric, course, reference, &self.rules)
        })
        .collect()
    }

    /// The verdict with everything that it was made from.
    pub fn judgement(&self) -> Judgement {
        Judgement {
            at_ms: self.taken_ms,
            verdict: self.verdict.clone(),
            figures: self.figures(),
            rules: self.rules.clone(),
            evidence: self.evidence(),
        }
    }

    /// A watch that stands where another one stood, under other rules.
    pub(crate) fn resumed(
        rules: Rules,
        reference_ppm: [u32; 3],
        moments: u64,
        since: &[Since],
        at_ms: u64,
    ) -> Self {
        let mut vigil = Self::new(rules, [0; 3]);
        vigil.reference_ppm = reference_ppm;
        vigil.taken_ms = at_ms;
        for metric in Metric::ALL {
            let reference = vigil.reference(metric);
            let course = &mut vigil.courses[metric.place()];
            let kept = since
                .iter()
                .map(|s| (s.number, s.at_ms, only(Count::of(&s.arm, metric))));
            course.stand_at(moments, kept, |seen, odds| {
                seen.canary.gain_over(reference, odds)
            });
        }
        vigil.decide();
        vigil
    }

    fn evidence(&self) -> Evidence {
        let counts = Metric::ALL.map(|metric| {
            let moments = self.courses[metric.place()].moments();
            moments.map(|(_, seen)| seen.canary).collect::<Vec<_>>()
        });
        let arm = |index: usize| {
            let of = counts.each_ref().map(|moments| moments[index]);
            let requests = of.iter().map(|c| c.requests).max().unwrap_or(0);
            Arm {
                requests,
                bad: of.map(|c| c.bad),
                left_out: of.map(|c| requests - c.requests),
                clients: Some(of.map(|c| c.clients)),
            }
        };
        let since = self.courses[0].moments().enumerate();
        Evidence::OneArm {
            reference_ppm: self.reference_ppm,
            moments: self.courses[0].begun(),
            since: since
                .map(|(index, (moment, _))| Since {
                    number: moment.number,
                    at_ms: moment.at_ms,
                    arm: arm(index),
                })
                .collect(),
        }
    }

    fn decide(&mut self) {
        let harm = Metric::ALL.into_iter().find_map(|metric| {
            let course = &self.courses[metric.place()];
            let reference = self.reference(metric);
            let evidence = figures::harm(metric, course, &self.rules, |_| reference)?;
            Some(Verdict::Abort { metric, evidence })
        });
        self.verdict = harm.unwrap_or_else(watching);
    }

    /// The share that is still all right.
    fn reference(&self, metric: Metric) -> f64 {
        share(self.reference_ppm[metric.place()])
    }
}

fn watching() -> Verdict {
    Verdict::Hold {
        lacking: "it is watched, and does no harm that could be seen".to_owned(),
    }
}

fn only(canary: Count) -> Pair {
    Pair {
        canary,
        ..Pair::default()
    }
}
