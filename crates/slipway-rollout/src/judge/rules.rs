//! The rules that hold where nobody sets others, and the thresholds that follow from rules.
//! Only numbers; each is explained at `Rules`.

use slipway_journal::event::judgement::Rules;

/// As many requests as never come: the judge may take a release back, and time alone decides
/// what follows.
pub(crate) const NEVER: u32 = u32::MAX;
/// A time that never comes, which a reader of JSON can take for a number (RFC 8259 §6).
pub(crate) const NEVER_MS: u64 = (1 << 53) - 1;

/// The rules for two releases side by side.
pub fn two_arms() -> Rules {
    Rules {
        alpha_ppm: 10_000,
        shares: 1,
        odds_percent: vec![150, 300, 1_000, 6_000],
        prior_requests: 200,
        block_canary: 20,
        block_requests: 400,
        block_ms: 500,
        moment_ms: 60_000,
        bad_least: 3,
        ratio_percent: 150,
        difference_ppm: 1_000,
        dwell_least_ms: 60_000,
        dwell_most_ms: 600_000,
        requests_least: 200,
        calm_percent: 300,
        bound_ppm: 50_000,
        // One error in a hundred is all right; for slowness only the old release tells.
        objective_ppm: [10_000, 0, 0],
        allowed_percent: 200,
        allowed_ppm: 5_000,
    }
}

/// The rules of the `nth` judgement of a rollout, from 1: all of them together, however many
/// there are, have one α.
pub fn nth(rules: Rules, nth: u32) -> Rules {
    let nth = nth.clamp(1, 10_000);
    Rules {
        shares: nth * (nth + 1),
        ..rules
    }
}

/// The rules for one release after the cut-over, beside what was usual.
pub fn after_cut_over() -> Rules {
    Rules {
        odds_percent: vec![200, 400, 1_000, 6_000],
        ..two_arms()
    }
}
