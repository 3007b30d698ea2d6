//! What the judge would have said of the same traffic by other rules. Reads only what was
//! stored with a judgement; blocks and moments stay as they were counted then.

use slipway_journal::event::judgement::{Evidence, Judgement, Rules};

use super::trial::Trial;
use super::vigil::Vigil;

/// The judgement that `rules` lead to: that two releases differ at the time at which it would
/// have been said, anything else as of the end; by the rules of then it is that of then.
pub fn replay(judgement: &Judgement, rules: &Rules) -> Judgement {
    match &judgement.evidence {
        Evidence::TwoArms {
            history_ppm,
            blocks,
        } => {
            let mut trial = Trial::new(rules.clone(), *history_ppm);
            for block in blocks {
                trial.take(*block);
                if trial.is_settled() {
                    return trial.judgement();
                }
            }
            trial.wait(judgement.at_ms);
            trial.judgement()
        }
        Evidence::OneArm {
            reference_ppm,
            moments,
            since,
        } => {
            let rules = rules.clone();
            Vigil::resumed(rules, *reference_ppm, *moments, since, judgement.at_ms).judgement()
        }
    }
}
