//! Where one frame of a WebSocket ends and the next begins (RFC 6455 §5.2): followed, never
//! kept, so that a word of our own can be put between two of them.

/// Tells a client that the service restarts: a frame that closes, with the code 1012.
pub(crate) const SERVICE_RESTART: &[u8] = &[0x88, 0x02, 0x03, 0xf4];

/// Follows the frames of one direction.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    /// How many bytes of a head were seen.
    seen: usize,
    /// Where the longer length in the head ends, and where the head does.
    length_end: usize,
    head_end: usize,
    /// The payload's length, as far as it was read.
    length: u64,
    /// What of the payload is still to come.
    left: u64,
}

impl Frames {
    /// Whether the last frame ended and no other began.
    pub(crate) fn is_between(&self) -> bool {
        self.seen == 0 && self.left == 0
    }

    /// Follows the next bytes.
    pub(crate) fn follow(&mut self, mut bytes: &[u8]) {
        while let Some((first, rest)) = bytes.split_first() {
            if self.left == 0 {
                self.head(*first);
                bytes = rest;
                continue;
            }
            let here = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            let taken = here.min(self.left);
            self.left -= taken;
            let taken = usize::try_from(taken).unwrap_or(usize::MAX);
            bytes = bytes.get(taken..).unwrap_or_default();
        }
    }

    /// Two bytes; then, where the second one says so, a longer length and a mask.
    fn head(&mut self, byte: u8) {
        match self.seen {
            0 => self.head_end = 2,
            1 => {
                let (bytes, length) = match byte & 0x7f {
                    126 => (2, 0),
                    127 => (8, 0),
                    short => (0, u64::from(short)),
                };
                self.length = length;
                self.length_end = 2 + bytes;
                self.head_end = self.length_end + if byte & 0x80 == 0 { 0 } else { 4 };
            }
            place if place < self.length_end => {
                self.length = self.length << 8 | u64::from(byte);
            }
            _ => {}
        }
        self.seen += 1;
        if self.seen == self.head_end {
            self.seen = 0;
            self.left = self.length;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(length: usize, is_masked: bool) -> Vec<u8> {
        let mask = if is_masked { 0x80 } else { 0 };
        let mut frame = vec![0x82];
        match length {
            0..=125 => frame.push(mask | u8::try_from(length).unwrap()),
            126..=65_535 => {
                frame.push(mask | 0x7e);
                frame.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
            _ => {
                frame.push(mask | 0x7f);
                frame.extend(u64::try_from(length).unwrap().to_be_bytes());
            }
        }
        frame.extend(vec![0xff; if is_masked { 4 } else { 0 } + length]);
        frame
    }

    proptest! {
        #[test]
        fn it_is_between_frames_exactly_where_one_ends(
            sizes in prop::collection::vec((prop::sample::select(vec![0, 1, 125, 126, 300, 65_535, 65_536, 70_000]), any::<bool>()), 1..5),
            cut in 1_usize..5000,
        ) {
            let (mut all, mut ends) = (Vec::new(), vec![0]);
            for (length, is_masked) in sizes {
                all.extend(frame(length, is_masked));
                ends.push(all.len());
            }
            let (mut frames, mut at) = (Frames::default(), 0);
            for piece in all.chunks(cut) {
                frames.follow(piece);
                at += piece.len();
                prop_assert_eq!(frames.is_between(), ends.contains(&at), "after {} bytes", at);
            }
        }
    }

    #[test]
    fn what_closes_is_a_frame_of_its_own() {
        let mut frames = Frames::default();
        frames.follow(SERVICE_RESTART);
        assert!(frames.is_between());
    }
}
