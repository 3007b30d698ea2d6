//! The judge: whether a release harms those whom it serves, from single requests as yes or no,
//! valid whenever one looks. Pure: counts, time and rules are arguments.
//!
//! Sources: game-theoretic tests and e-values (Shafer 2021, Vovk and Wang 2021), two samples by
//! Turner, Ly and Grünwald (arXiv 2106.02693); why it bounds false alarms is in ADR 0019.

mod bound;
mod course;
mod figures;
mod reckoning;
mod replay;
mod rules;
mod trial;
mod vigil;

pub use replay::replay;
pub(crate) use rules::{NEVER, NEVER_MS};
pub use rules::{after_cut_over, nth, two_arms};
pub use slipway_journal::event::judgement::{
    Arm, Block, Evidence, Figures, Judgement, Metric, Rules, Since, Verdict,
};
pub use trial::Trial;
pub use vigil::Vigil;
