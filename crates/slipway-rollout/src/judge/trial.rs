//! Two releases side by side: the new one beside the old one, at the same time and under the
//! same circumstances, so that what troubles both is held against neither.
//!
//! Valid whenever one looks. No data is never success: without requests it is inconclusive.

use slipway_journal::event::judgement::{
    Arm, Block, Evidence, Figures, Judgement, Metric, Rules, Verdict,
};

use super::course::Course;
use super::figures;
use super::reckoning::{Count, Pair, multiple, real, share};
use super::rules::NEVER;

/// Blocks after which the shortest length of one doubles, so that their number stays small
/// however long the trial is; time and number alone decide it.
const DOUBLED_AFTER: usize = 256;
/// The shortest length of a block at first, milliseconds: one look at the counts.
const SHORTEST_MS: u64 = 100;

/// A trial of a release.
#[derive(Debug, Clone)]
pub struct Trial {
    rules: Rules,
    history_ppm: [u32; 3],
    /// What was counted since the last block.
    open: Block,
    blocks: Vec<Block>,
    courses: [Course; 3],
    /// When the next moment to count from comes.
    moment_ms: u64,
    now_ms: u64,
    verdict: Verdict,
}

impl Trial {
    /// A trial that begins now; `history_ppm` is what is known of the old release, the share
    /// of bad requests by metric.
    pub fn new(rules: Rules, history_ppm: [u32; 3]) -> Self {
        let odds: Vec<f64> = rules.odds_percent.iter().copied().map(multiple).collect();
        let lacking = "nothing was counted yet".to_owned();
        Self {
            rules,
            history_ppm,
            open: nothing(0),
            blocks: Vec::new(),
            courses: std::array::from_fn(|_| Course::new(odds.clone())),
            moment_ms: 0,
            now_ms: 0,
            verdict: Verdict::Hold { lacking },
        }
    }

    /// Takes what was counted since the last call into account. `at_ms` are milliseconds from
    /// the beginning; one client is bad at most once in ten seconds for each metric and release.
    /// What once was to abort stays so; what was to advance may still do harm.
    pub fn see(&mut self, at_ms: u64, baseline: Arm, canary: Arm) -> &Verdict {
        if self.is_settled() {
            return &self.verdict;
        }
        self.now_ms = self.now_ms.max(at_ms);
        add(&mut self.open.baseline, baseline);
        add(&mut self.open.canary, canary);
        let began = self.blocks.last().map_or(0, |b| b.end_ms);
        if self.is_full(self.now_ms - began) {
            let block = Block {
                end_ms: self.now_ms,
                ..self.open
            };
            self.open = nothing(self.now_ms);
            self.take(block);
        } else {
            self.decide(false);
        }
        &self.verdict
    }

    /// Takes a whole block into account.
    pub(crate) fn take(&mut self, block: Block) {
        let began = self.blocks.last().map_or(0, |b| b.end_ms);
        let is_moment = began >= self.moment_ms;
        if is_moment {
            self.moment_ms = began + u64::from(self.rules.moment_ms.max(1));
        }
        for metric in Metric::ALL {
            let usual = self.usual(metric);
            let course = &mut self.courses[metric.place()];
            if is_moment {
                course.begin(began);
            }
            let counted = pair(&block, metric);
            course.take(counted, |odds| counted.gain(usual, odds));
        }
        self.now_ms = self.now_ms.max(block.end_ms);
        self.blocks.push(block);
        self.decide(true);
    }

    /// Lets time go by without anything that was counted.
    pub(crate) fn wait(&mut self, at_ms: u64) {
        self.now_ms = self.now_ms.max(at_ms);
        self.decide(false);
    }

    /// Whether nothing that comes can change the verdict.
    pub fn is_settled(&self) -> bool {
        matches!(self.verdict, Verdict::Abort { .. })
    }

    /// What is to be said now.
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// The numbers now, one for each metric.
    pub fn figures(&self) -> Vec<Figures> {
        let each = Metric::ALL.into_iter();
        each.map(|metric| {
            let course = &self.courses[metric.place()];
            figures::of(metric, course, self.allowed(metric), &self.rules)
        })
        .collect()
    }

    /// The verdict with everything that it was made from.
    pub fn judgement(&self) -> Judgement {
        Judgement {
            at_ms: self.now_ms,
            verdict: self.verdict.clone(),
            figures: self.figures(),
            rules: self.rules.clone(),
            evidence: Evidence::TwoArms {
                history_ppm: self.history_ppm,
                blocks: self.blocks.clone(),
            },
        }
    }

    /// Whether the block ends now: by counts of requests, time, and nothing else.
    fn is_full(&self, lasted_ms: u64) -> bool {
        let (b, c) = (self.open.baseline.requests, self.open.canary.requests);
        let doubled = (self.blocks.len() / DOUBLED_AFTER).min(32);
        let is_due = c >= u64::from(self.rules.block_canary)
            || b + c >= u64::from(self.rules.block_requests)
            || lasted_ms >= u64::from(self.rules.block_ms);
        b >= 1 && c >= 1 && is_due && lasted_ms >= SHORTEST_MS << doubled
    }

    fn decide(&mut self, has_new_block: bool) {
        if has_new_block && let Some(abort) = self.harm() {
            self.verdict = abort;
            return;
        }
        let is_over = self.now_ms >= self.rules.dwell_most_ms;
        // Between blocks only time can change the verdict, and only once.
        if !has_new_block && (!is_over || matches!(self.verdict, Verdict::Inconclusive { .. })) {
            return;
        }
        self.verdict = match self.lacking() {
            None => Verdict::Advance,
            Some(lacking) if is_over => Verdict::Inconclusive { lacking },
            Some(lacking) => Verdict::Hold { lacking },
        };
    }

    fn harm(&self) -> Option<Verdict> {
        Metric::ALL.into_iter().find_map(|metric| {
            let course = &self.courses[metric.place()];
            let usual = |seen: Pair| seen.baseline.share();
            let evidence = figures::harm(metric, course, &self.rules, usual)?;
            Some(Verdict::Abort { metric, evidence })
        })
    }

    fn lacking(&self) -> Option<String> {
        let rules = &self.rules;
        if self.now_ms < rules.dwell_least_ms {
            let (seconds, least) = (self.now_ms / 1000, rules.dwell_least_ms / 1000);
            return Some(format!("it was looked at for {seconds} of {least} s"));
        }
        if rules.requests_least == NEVER {
            return Some(
                "it does no harm that could be seen; time decides what follows".to_owned(),
            );
        }
        let seen = self.courses[0].seen().canary.requests;
        if seen < u64::from(rules.requests_least) {
            let least = rules.requests_least;
            return Some(format!("it had {seen} of {least} requests"));
        }
        let figures = self.figures();
        figures.iter().find_map(|f| figures::lacking(f, rules))
    }

    /// What the old release's share is taken for: what was counted before, and its history.
    fn usual(&self, metric: Metric) -> f64 {
        let seen = self.courses[metric.place()].seen().baseline;
        let prior = f64::from(self.rules.prior_requests.max(1));
        let history = share(self.history_ppm[metric.place()]);
        (real(seen.bad) + prior * history) / (real(seen.requests) + prior)
    }

    /// What the new release's share may be.
    fn allowed(&self, metric: Metric) -> f64 {
        let rules = &self.rules;
        let beside =
            multiple(rules.allowed_percent) * self.usual(metric) + share(rules.allowed_ppm);
        beside.max(share(rules.objective_ppm[metric.place()]))
    }
}

fn nothing(end_ms: u64) -> Block {
    Block {
        end_ms,
        baseline: Arm::default(),
        canary: Arm::default(),
    }
}

/// Adds what was counted.
pub(crate) fn add(to: &mut Arm, more: Arm) {
    let clients = to.clients.or((to.requests == 0).then_some([0; 3]));
    let added = |(one, more): ([u64; 3], [u64; 3])| std::array::from_fn(|i| one[i] + more[i]);
    to.clients = clients.zip(more.clients).map(added);
    to.requests += more.requests;
    for (to, more) in to.bad.iter_mut().zip(more.bad) {
        *to += more;
    }
    for (to, more) in to.left_out.iter_mut().zip(more.left_out) {
        *to += more;
    }
}

fn pair(block: &Block, metric: Metric) -> Pair {
    Pair {
        baseline: Count::of(&block.baseline, metric),
        canary: Count::of(&block.canary, metric),
    }
}
