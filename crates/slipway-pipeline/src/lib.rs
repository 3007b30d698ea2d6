//! Reads a pipeline, plans it, runs it, caches what cannot have changed, judges its gates
//! and makes releases. Never infers success from silence: a report that is missing, old or
//! too small answers nothing.

mod cache;
mod condition;
mod definition;
mod digest;
mod execution;
mod fingerprint;
mod history;
mod judge;
mod key;
mod lock;
mod log;
mod mask;
mod plan;
mod problem;
mod process;
mod release;
mod report;
mod run;
mod selftest;
mod source;
pub mod starter;
mod tree;
mod waiver;
mod why;

pub use cache::Tier;
pub use condition::{Condition, InvalidCondition, Operator};
pub use definition::{
    Command, Definition, Fixture, Format, Gate, Job, PackagedFile, Project, ReportSpec, Service,
};
pub use judge::Verdict;
pub use key::{Change, Difference, Input, Parts};
pub use plan::NoSuchJob;
pub use problem::Problem;
pub use release::{Made, ProvenJob, Provenance};
pub use run::{Ground, Happening, JobReport, Leg, Report, Request, RunError, run};
pub use selftest::{Tested, Trial, selftest};
pub use source::authors_between;
pub use waiver::{Waiver, read as read_waivers};
pub use why::{Why, why};
