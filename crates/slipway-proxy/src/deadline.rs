//! The deadline of whatever a line waits for, beside what is driven on it. The timer is set
//! anew only when it fires or comes too late, so that a busy connection hardly touches it.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::time::Sleep;

use crate::line::{Line, Stage};

/// How an exchange came to its end beside its deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passed {
    /// What is driven ended, once it was told to hurry.
    Done,
    /// Nothing is being asked or answered.
    Between,
    /// It did not even end when it was told that it was too late.
    Stuck,
}

/// A timer for `line`.
pub(crate) fn timer(line: &Line) -> Sleep {
    tokio::time::sleep_until(line.deadline().into())
}

/// Waits until the line's deadline has passed.
pub(crate) fn poll(line: &Line, mut timer: Pin<&mut Sleep>, cx: &mut Context<'_>) -> Poll<()> {
    loop {
        let deadline = line.deadline();
        if deadline < timer.deadline().into_std() {
            timer.as_mut().reset(deadline.into());
        }
        ready!(timer.as_mut().poll(cx));
        line.now.set(Instant::now());
        if deadline <= line.now.get() {
            return Poll::Ready(());
        }
        timer.as_mut().reset(deadline.into());
    }
}

/// Waits until the deadline has passed and gives an exchange one chance to answer that it was
/// too late. `has_ended` drives it and says whether it ended.
pub(crate) fn attend(
    line: &Line,
    mut timer: Pin<&mut Sleep>,
    cx: &mut Context<'_>,
    mut has_ended: impl FnMut(&mut Context<'_>) -> bool,
) -> Poll<Passed> {
    loop {
        ready!(poll(line, timer.as_mut(), cx));
        if line.stage.get() != Stage::Exchange {
            return Poll::Ready(Passed::Between);
        }
        line.expired.set(true);
        if has_ended(cx) {
            return Poll::Ready(Passed::Done);
        }
        if line.deadline() <= line.now.get() {
            return Poll::Ready(Passed::Stuck);
        }
        line.expired.set(false);
    }
}
