//! How much an HTTP/2 client talks about the connection instead of using it: frames are
//! followed, never kept, and what costs us work and the client nothing is paid out of a budget
//! that time and our own bytes fill again. Floods of resets (CVE-2023-44487), pings, settings
//! and empty frames end there.

use std::time::Instant;

/// What a connection may spend at once, and what it gets back each second.
const BUDGET: u32 = 1000;
const PER_SECOND: u32 = 100;
/// So many bytes that were sent to the client earn one more: whoever takes much in has to open
/// windows often.
const BYTES_PER_TOKEN: usize = 1024;
/// A request that is begun and taken back has cost an origin something.
const RESET_COST: u32 = 10;

const PREFACE_BYTES: usize = 24;
const HEAD_BYTES: usize = 9;
/// Types of frames and the flag of the last one of a stream (RFC 9113 §6).
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const END_STREAM: u8 = 1;

/// Follows what a client sends.
#[derive(Debug)]
pub(crate) struct Chatter {
    budget: u32,
    filled_at: Instant,
    /// Bytes that were sent and have not earned anything yet.
    sent: usize,
    /// What is to be skipped: the preface, then payloads.
    skip: usize,
    head: [u8; HEAD_BYTES],
    seen: usize,
}

/// The budget is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooMuch;

impl Chatter {
    /// At the beginning of a connection.
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            budget: BUDGET,
            filled_at: now,
            sent: 0,
            skip: PREFACE_BYTES,
            head: [0; HEAD_BYTES],
            seen: 0,
        }
    }

    /// So many bytes were sent to the client.
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.sent = self.sent.saturating_add(bytes);
    }

    /// Follows the next bytes.
    pub(crate) fn follow(&mut self, mut bytes: &[u8], now: Instant) -> Result<(), TooMuch> {
        while !bytes.is_empty() {
            if self.skip > 0 {
                let skipped = self.skip.min(bytes.len());
                self.skip -= skipped;
                bytes = bytes.get(skipped..).unwrap_or_default();
                continue;
            }
            let wanted = HEAD_BYTES - self.seen;
            let (taken, rest) = bytes.split_at(wanted.min(bytes.len()));
            if let Some(room) = self.head.get_mut(self.seen..self.seen + taken.len()) {
                room.copy_from_slice(taken);
            }
            self.seen += taken.len();
            bytes = rest;
            if self.seen == HEAD_BYTES {
                self.seen = 0;
                self.frame(now)?;
            }
        }
        Ok(())
    }

    /// A head is complete.
    fn frame(&mut self, now: Instant) -> Result<(), TooMuch> {
        let [high, middle, low, kind, flags, ..] = self.head;
        let length = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        self.skip = length;
        match cost(kind, flags, length) {
            0 => Ok(()),
            cost => self.spend(cost, now),
        }
    }

    fn spend(&mut self, cost: u32, now: Instant) -> Result<(), TooMuch> {
        if self.budget < cost {
            self.earn(now);
        }
        self.budget = self.budget.checked_sub(cost).ok_or(TooMuch)?;
        Ok(())
    }

    /// Adds what was earned since the last time.
    fn earn(&mut self, now: Instant) {
        let since = now.saturating_duration_since(self.filled_at).as_millis();
        let by_time = since.saturating_mul(PER_SECOND.into()) / 1000;
        if by_time > 0 {
            self.filled_at = now;
        }
        let by_bytes = self.sent / BYTES_PER_TOKEN;
        self.sent %= BYTES_PER_TOKEN;
        let by_time = u32::try_from(by_time).unwrap_or(BUDGET);
        let earned = u32::try_from(by_bytes)
            .unwrap_or(BUDGET)
            .saturating_add(by_time);
        self.budget = self.budget.saturating_add(earned).min(BUDGET);
    }
}

fn cost(kind: u8, flags: u8, length: usize) -> u32 {
    match kind {
        HEADERS => 0,
        DATA if length > 0 || flags & END_STREAM != 0 => 0,
        RST_STREAM => RESET_COST,
        // Pings, settings, priorities, windows, continuations, empty data, unknown ones.
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    use proptest::prelude::*;

    fn frame(kind: u8, flags: u8, length: usize) -> Vec<u8> {
        let length_bytes = u32::try_from(length).unwrap().to_be_bytes();
        let mut frame = length_bytes[1..].to_vec();
        frame.extend([kind, flags, 0, 0, 0, 1]);
        frame.extend(vec![0xff; length]);
        frame
    }

    fn begun(now: Instant) -> Chatter {
        let mut chatter = Chatter::new(now);
        chatter.follow(&[b'x'; PREFACE_BYTES], now).unwrap();
        chatter
    }

    /// How many such frames are let through in one instant.
    fn let_through(kind: u8, flags: u8, length: usize) -> usize {
        let now = Instant::now();
        let mut chatter = begun(now);
        let frame = frame(kind, flags, length);
        (0..5000)
            .take_while(|_| chatter.follow(&frame, now).is_ok())
            .count()
    }

    #[test]
    fn floods_end_and_requests_do_not() {
        for (kind, flags, length, expected) in [
            (RST_STREAM, 0, 4, 100),
            (6, 0, 8, 1000),
            (4, 0, 0, 1000),
            (2, 0, 5, 1000),
            (8, 0, 4, 1000),
            (9, 0, 10, 1000),
            (DATA, 0, 0, 1000),
            (HEADERS, 4, 30, 5000),
            (DATA, 0, 1, 5000),
            (DATA, END_STREAM, 0, 5000),
        ] {
            let found = let_through(kind, flags, length);
            assert_eq!(found, expected, "type {kind}, {length} bytes");
        }
    }

    #[test]
    fn time_and_bytes_fill_the_budget_again() {
        let start = Instant::now();
        let mut chatter = begun(start);
        let ping = frame(6, 0, 8);
        let spend_all = |chatter: &mut Chatter, now| {
            let count = (0..5000)
                .take_while(|_| chatter.follow(&ping, now).is_ok())
                .count();
            // The one that was too much is not followed any further.
            chatter.skip = 0;
            count
        };
        assert_eq!(spend_all(&mut chatter, start), 1000);
        let later = start + Duration::from_millis(1500);
        assert_eq!(spend_all(&mut chatter, later), 150);
        chatter.sent(20 * BYTES_PER_TOKEN);
        assert_eq!(spend_all(&mut chatter, later), 20);
        let much_later = later + Duration::from_secs(3600);
        assert_eq!(spend_all(&mut chatter, much_later), 1000);
    }

    proptest! {
        #[test]
        fn the_cuts_do_not_matter(
            frames in prop::collection::vec((0_u8..12, any::<u8>(), 0_usize..300), 0..400),
            cut in 1_usize..700,
        ) {
            let now = Instant::now();
            let mut all = vec![b'x'; PREFACE_BYTES];
            for (kind, flags, length) in frames {
                all.extend(frame(kind, flags, length));
            }
            let whole = Chatter::new(now).follow(&all, now);
            let mut pieces = Chatter::new(now);
            let cut = all.chunks(cut).try_for_each(|piece| pieces.follow(piece, now));
            prop_assert_eq!(whole, cut);
        }

        #[test]
        fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
            let now = Instant::now();
            let mut chatter = Chatter::new(now);
            if chatter.follow(&bytes, now).is_ok() {
                chatter.sent(usize::MAX);
            }
        }
    }
}
