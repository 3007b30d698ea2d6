//! What a judge said of live traffic, with everything that it knew: so that anybody can
//! repeat the calculation, also by other rules. Whole numbers only, so that what is read is
//! what was written, to the last digit.

use serde::{Deserialize, Serialize};

/// What a request should not be. Each is a yes or a no, so that one calculation does for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// Answered 5xx, or not to the end through no fault of the client.
    ServerError,
    /// Slower than 95 % of what the old release answered before.
    Slow,
    /// More than twice as slow as 99 % of what the old release answered before.
    VerySlow,
}

impl Metric {
    /// All of them, in the order of `Arm::bad`.
    pub const ALL: [Self; 3] = [Self::ServerError, Self::Slow, Self::VerySlow];

    /// Its place in `Arm::bad`.
    pub fn place(self) -> usize {
        match self {
            Self::ServerError => 0,
            Self::Slow => 1,
            Self::VerySlow => 2,
        }
    }
}

/// What came of the requests of one release for a while.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arm {
    /// Requests that ended.
    pub requests: u64,
    /// Of them bad, by metric: once for each client within ten seconds.
    pub bad: [u64; 3],
    /// Of them such that say nothing, by metric: what a client asked beyond one answer in ten
    /// seconds for each kind of question, and
    /// what was broken off before an answer could come.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub left_out: [u64; 3],
    /// Different clients of the bad ones, by metric, each once within ten minutes; none where an
    /// older version counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clients: Option<[u64; 3]>,
}

impl Arm {
    /// Requests that say something of a metric.
    pub fn told(&self, metric: Metric) -> u64 {
        self.requests.saturating_sub(self.left_out[metric.place()])
    }

    /// How many clients had something bad; where that is not known, as many as there is.
    pub fn clients(&self, metric: Metric) -> u64 {
        self.clients.unwrap_or(self.bad)[metric.place()]
    }
}

fn is_nothing(counts: &[u64; 3]) -> bool {
    *counts == [0; 3]
}

/// A while in which both releases had requests. It ended by a rule that knows counts of
/// requests and time, and never what came of the requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Its end, milliseconds from when judging began.
    pub end_ms: u64,
    /// The old release.
    pub baseline: Arm,
    /// The new one.
    pub canary: Arm,
}

/// What was counted from one moment on; see `Evidence::OneArm`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since {
    /// Which moment, counted from 1.
    pub number: u64,
    /// The moment, milliseconds from when judging began.
    pub at_ms: u64,
    /// What was counted since.
    pub arm: Arm,
}

/// What a judgement is made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Evidence {
    /// Both releases at the same time.
    TwoArms {
        /// Bad requests of the old release before, by metric, per million.
        history_ppm: [u32; 3],
        /// What was counted, in order.
        blocks: Vec<Block>,
    },
    /// One release, beside what was usual.
    OneArm {
        /// Bad requests that are still all right, by metric, per million.
        reference_ppm: [u32; 3],
        /// How many moments to count from there were; of some nothing is kept.
        moments: u64,
        /// What was counted since each moment that is kept, the oldest first.
        since: Vec<Since>,
    },
}

/// The numbers that a judgement is made by. Where they come from is said in
/// `slipway_rollout::judge`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// How often a good release may be taken back, per million rollouts. Default 10,000: 1 %.
    pub alpha_ppm: u32,
    /// Into how many parts that is divided, of which this judgement has one: the n-th of a
    /// rollout has one of n(n+1), which sum up to less than the whole. Default 1.
    pub shares: u32,
    /// How much worse a bad release may be, as ratios of odds in per cent.
    pub odds_percent: Vec<u32>,
    /// Requests that the history of the old release counts for. Default 200.
    pub prior_requests: u32,
    /// Requests of the new release that end a block. Default 20.
    pub block_canary: u32,
    /// Requests of both that end a block. Default 400.
    pub block_requests: u32,
    /// Milliseconds that end a block. Default 500.
    pub block_ms: u32,
    /// Milliseconds from one moment to count from to the next. Default 60,000.
    pub moment_ms: u32,
    /// Clients with bad requests below which nothing is taken back. Default 3.
    pub bad_least: u32,
    /// The ratio of the shares below which nothing is taken back, per cent. Default 150.
    pub ratio_percent: u32,
    /// The difference of the shares below which nothing is taken back, per million.
    /// Default 1,000: a tenth of a point.
    pub difference_ppm: u32,
    /// Milliseconds before which nothing advances. Default 60,000.
    pub dwell_least_ms: u64,
    /// Milliseconds after which there is a verdict, if only that there is none. Default 600,000.
    pub dwell_most_ms: u64,
    /// Requests of the new release before which nothing advances. Default 200.
    pub requests_least: u32,
    /// Evidence of harm from which on nothing advances, as a multiple in per cent.
    /// Default 300: three to one.
    pub calm_percent: u32,
    /// The chance that the upper bound of the new release's share is ever wrong, per million.
    /// Default 50,000: 5 %.
    pub bound_ppm: u32,
    /// The share that is all right whatever the old release does, by metric, per million.
    pub objective_ppm: [u32; 3],
    /// The multiple of the old release's share that is still all right, per cent. Default 200.
    pub allowed_percent: u32,
    /// What is all right beyond that, per million. Default 5,000: half a point.
    pub allowed_ppm: u32,
}

/// What the judge says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Verdict {
    /// The new release does well enough for more.
    Advance,
    /// It is too early to say.
    Hold {
        /// What is lacking, in words.
        lacking: String,
    },
    /// The new release does harm.
    Abort {
        /// In what.
        metric: Metric,
        /// The evidence, in words with its numbers.
        evidence: String,
    },
    /// The time is over and it cannot be said.
    Inconclusive {
        /// What is lacking, and what would stay unseen, in words.
        lacking: String,
    },
}

/// One metric in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// Which one.
    pub metric: Metric,
    /// Requests of the old release, and bad ones.
    pub baseline: (u64, u64),
    /// Requests of the new release, and bad ones.
    pub canary: (u64, u64),
    /// The evidence of harm: the natural logarithm of the e-value, in thousandths.
    pub ln_e_milli: i64,
    /// From which evidence on the release is taken back.
    pub ln_e_limit_milli: i64,
    /// The share that the new release's does not exceed, per million.
    pub bound_ppm: u32,
    /// What that may be.
    pub bound_limit_ppm: u32,
}

/// A verdict with everything that it was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// When, milliseconds from when judging began.
    pub at_ms: u64,
    /// The verdict.
    pub verdict: Verdict,
    /// Its numbers, one for each metric.
    pub figures: Vec<Figures>,
    /// By which rules.
    pub rules: Rules,
    /// From what.
    pub evidence: Evidence,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(value: &impl Serialize) -> String {
        serde_json::to_string(value).unwrap()
    }

    #[test]
    fn what_is_stored_never_changes_its_form() {
        let abort = Verdict::Abort {
            metric: Metric::ServerError,
            evidence: "e".into(),
        };
        insta::assert_snapshot!(stored(&abort), @r#"{"kind":"abort","metric":"server-error","evidence":"e"}"#);
        let figures = Figures {
            metric: Metric::VerySlow,
            baseline: (1, 0),
            canary: (2, 1),
            ln_e_milli: -5,
            ln_e_limit_milli: 7,
            bound_ppm: 1,
            bound_limit_ppm: 2,
        };
        insta::assert_snapshot!(stored(&figures), @r#"{"metric":"very-slow","baseline":[1,0],"canary":[2,1],"ln_e_milli":-5,"ln_e_limit_milli":7,"bound_ppm":1,"bound_limit_ppm":2}"#);
        let arm = Arm {
            requests: 4,
            bad: [1, 0, 0],
            left_out: [0; 3],
            clients: None,
        };
        let two = Evidence::TwoArms {
            history_ppm: [1, 2, 3],
            blocks: vec![Block {
                end_ms: 9,
                baseline: arm,
                canary: Arm::default(),
            }],
        };
        insta::assert_snapshot!(stored(&two), @r#"{"kind":"two-arms","history_ppm":[1,2,3],"blocks":[{"end_ms":9,"baseline":{"requests":4,"bad":[1,0,0]},"canary":{"requests":0,"bad":[0,0,0]}}]}"#);
        let one = Evidence::OneArm {
            reference_ppm: [1, 2, 3],
            moments: 5,
            since: vec![Since {
                number: 4,
                at_ms: 8,
                arm,
            }],
        };
        let repeated = Arm {
            left_out: [2, 0, 0],
            clients: Some([1, 0, 0]),
            ..arm
        };
        insta::assert_snapshot!(stored(&repeated), @r#"{"requests":4,"bad":[1,0,0],"left_out":[2,0,0],"clients":[1,0,0]}"#);
        insta::assert_snapshot!(stored(&one), @r#"{"kind":"one-arm","reference_ppm":[1,2,3],"moments":5,"since":[{"number":4,"at_ms":8,"arm":{"requests":4,"bad":[1,0,0]}}]}"#);
    }
}
