//! Follows the bytes of a client's connection from request to request without keeping
//! them, and says how far they may be believed. Does no I/O; the same bytes give the same
//! verdict however they are cut.

use crate::head::{Body, Malformed, judge};

/// The longest line of a chunk's size with its extensions, and the longest trailers.
const CHUNK_LINE_BYTES: usize = 4096;
const TRAILER_BYTES: usize = 16 * 1024;

/// What a reader is in the middle of.
#[derive(Debug)]
pub(crate) struct Reader {
    state: State,
    /// The head so far, when it came in more than one piece.
    begun: Vec<u8>,
    head_bytes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Head,
    Body(u64),
    Chunk(Chunk),
    /// What comes next depends on the answer to an upgrade.
    Undecided {
        unread: bool,
    },
    /// The head is longer than it may be: what follows is the parser's to refuse.
    TooLong,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chunk {
    /// Reading hexadecimal digits: the size so far, digits so far, bytes of the line so far.
    Size(u64, u8, usize),
    Extension(u64, usize),
    SizeLf(u64),
    Data(u64),
    DataCr,
    DataLf,
    /// In the trailers: bytes of this line, bytes of all.
    Trailer(usize, usize),
    TrailerLf(usize, usize),
}

/// How far a piece may be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// To its end.
    Whole,
    /// The first so many bytes; what follows is refused.
    Until(usize, Malformed),
}

impl Reader {
    /// A reader at the beginning of a connection.
    pub(crate) fn new(head_bytes: usize) -> Self {
        Self {
            state: State::Head,
            begun: Vec::new(),
            head_bytes,
        }
    }

    /// Whether a head has begun and not ended.
    pub(crate) fn is_within_head(&self) -> bool {
        !self.begun.is_empty() || self.state == State::TooLong
    }

    /// Whether bytes came while an upgrade is undecided.
    pub(crate) fn has_unjudged(&self) -> bool {
        self.state == State::Undecided { unread: true }
    }

    /// An upgrade was answered with something else: HTTP goes on. False when bytes came
    /// meanwhile that nobody judged; the connection must end then.
    pub(crate) fn not_upgraded(&mut self) -> bool {
        match self.state {
            State::Undecided { unread } => {
                self.state = State::Head;
                !unread
            }
            _ => true,
        }
    }

    /// Follows the next bytes.
    pub(crate) fn follow(&mut self, piece: &[u8]) -> Verdict {
        let mut at = 0;
        while at < piece.len() {
            let rest = piece.get(at..).unwrap_or_default();
            let step = match self.state {
                State::Head => self.head(rest),
                State::Body(left) => Ok(self.body(left, rest)),
                State::Chunk(chunk) => self.chunk(chunk, rest),
                State::Undecided { .. } => {
                    self.state = State::Undecided { unread: true };
                    Ok(rest.len())
                }
                State::TooLong => Ok(rest.len()),
            };
            match step {
                Ok(taken) => at += taken,
                Err(why) => return Verdict::Until(at, why),
            }
        }
        Verdict::Whole
    }

    fn head(&mut self, rest: &[u8]) -> Result<usize, Malformed> {
        if self.begun.is_empty() {
            // An empty line or two before the request line are skipped, as RFC 9112 §2.2 asks.
            if rest.starts_with(b"\r\n") {
                return Ok(2);
            }
            if rest == b"\r" {
                self.begun.extend_from_slice(rest);
                return Ok(1);
            }
            if let Some(end) = end_of_head(rest, 0) {
                self.state = after(judge(rest.get(..end).unwrap_or_default())?);
                return Ok(end);
            }
        }
        self.piecewise(rest)
    }

    /// The rare case: a head in more than one piece is put together to be judged.
    fn piecewise(&mut self, rest: &[u8]) -> Result<usize, Malformed> {
        let before = self.begun.len();
        self.begun.extend_from_slice(rest);
        if self.begun.starts_with(b"\r\n") {
            self.begun.clear();
            return Ok(2 - before);
        }
        let Some(end) = end_of_head(&self.begun, before) else {
            if self.begun.len() > self.head_bytes {
                self.begun = Vec::new();
                self.state = State::TooLong;
                return Ok(rest.len());
            }
            return bare_line(&self.begun, before).map_or(Ok(rest.len()), Err);
        };
        let verdict = judge(self.begun.get(..end).unwrap_or_default());
        self.begun = Vec::new();
        self.state = after(verdict?);
        Ok(end - before)
    }

    fn body(&mut self, left: u64, rest: &[u8]) -> usize {
        let here = u64::try_from(rest.len()).unwrap_or(u64::MAX);
        if here < left {
            self.state = State::Body(left - here);
            return rest.len();
        }
        self.state = State::Head;
        usize::try_from(left).unwrap_or(rest.len())
    }

    fn chunk(&mut self, chunk: Chunk, rest: &[u8]) -> Result<usize, Malformed> {
        if let Chunk::Data(left) = chunk {
            let here = u64::try_from(rest.len()).unwrap_or(u64::MAX).min(left);
            self.state = State::Chunk(match left - here {
                0 => Chunk::DataCr,
                left => Chunk::Data(left),
            });
            return Ok(usize::try_from(here).unwrap_or(rest.len()));
        }
        let byte = rest.first().copied().unwrap_or_default();
        self.state = next(chunk, byte)?;
        Ok(1)
    }
}

fn after(body: Body) -> State {
    match body {
        Body::Length(0) => State::Head,
        Body::Length(length) => State::Body(length),
        Body::Chunked => State::Chunk(Chunk::Size(0, 0, 0)),
        Body::Upgrade => State::Undecided { unread: false },
    }
}

/// The state after one byte of a chunked body outside of data.
fn next(chunk: Chunk, byte: u8) -> Result<State, Malformed> {
    let next = match (chunk, byte) {
        (Chunk::Size(size, digits, line), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F')
            if digits < 15 =>
        {
            let digit = char::from(byte).to_digit(16).ok_or(Malformed::Chunk)?;
            Chunk::Size((size << 4) | u64::from(digit), digits + 1, line + 1)
        }
        (Chunk::Size(size, 1.., _) | Chunk::Extension(size, _), b'\r') => Chunk::SizeLf(size),
        (Chunk::Size(size, 1.., line), b';' | b' ' | b'\t') => Chunk::Extension(size, line),
        (Chunk::Extension(size, line), byte) if is_text(byte) && line < CHUNK_LINE_BYTES => {
            Chunk::Extension(size, line + 1)
        }
        (Chunk::SizeLf(0), b'\n') => Chunk::Trailer(0, 0),
        (Chunk::SizeLf(size), b'\n') => Chunk::Data(size),
        (Chunk::DataCr, b'\r') => Chunk::DataLf,
        (Chunk::DataLf, b'\n') => Chunk::Size(0, 0, 0),
        (Chunk::Trailer(line, all), b'\r') => Chunk::TrailerLf(line, all),
        // A trailer that begins with a blank would be a folded line.
        (Chunk::Trailer(0, _), b' ' | b'\t') => return Err(Malformed::Chunk),
        (Chunk::Trailer(line, all), byte) if is_text(byte) && all < TRAILER_BYTES => {
            Chunk::Trailer(line + 1, all + 1)
        }
        (Chunk::TrailerLf(0, _), b'\n') => return Ok(State::Head),
        (Chunk::TrailerLf(_, all), b'\n') => Chunk::Trailer(0, all),
        _ => return Err(Malformed::Chunk),
    };
    Ok(State::Chunk(next))
}

fn is_text(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

/// Where the head ends, after its empty line. Lines that end before `from` were looked at.
fn end_of_head(bytes: &[u8], mut from: usize) -> Option<usize> {
    loop {
        let found = bytes.get(from..)?.iter().position(|b| *b == b'\n')?;
        let end = from + found + 1;
        if bytes.get(..end)?.ends_with(b"\r\n\r\n") || bytes.get(..end)?.ends_with(b"\n\n") {
            return Some(end);
        }
        from = end;
    }
}

/// A line that ends in LF alone is refused at once: a client that writes such lines never
/// sends the end that is waited for.
fn bare_line(bytes: &[u8], from: usize) -> Option<Malformed> {
    let mut before = from.checked_sub(1).and_then(|at| bytes.get(at).copied());
    for byte in bytes.get(from..)? {
        if *byte == b'\n' && before != Some(b'\r') {
            return Some(Malformed::Control);
        }
        before = Some(*byte);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GOOD: &str = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
    const POST: &str = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
    const CHUNKED: &str = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
         5;x=\"y\"\r\nhello\r\nA\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n";
    const BAD: &str = "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n";

    fn follow(bytes: &[u8], cuts: &[usize]) -> (usize, Option<Malformed>) {
        let mut reader = Reader::new(65_536);
        let mut cuts: Vec<usize> = cuts.iter().map(|c| c % (bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        for pair in cuts.windows(2) {
            if let Verdict::Until(at, why) = reader.follow(&bytes[pair[0]..pair[1]]) {
                return (pair[0] + at, Some(why));
            }
        }
        (bytes.len(), None)
    }

    #[test]
    fn requests_follow_one_another() {
        let all = [GOOD, POST, CHUNKED, "\r\n", GOOD].concat();
        assert_eq!(follow(all.as_bytes(), &[]), (all.len(), None));
        let bad = format!("{all}{BAD}{GOOD}");
        assert_eq!(
            follow(bad.as_bytes(), &[]),
            (all.len(), Some(Malformed::Host))
        );
    }

    #[test]
    fn chunks_that_are_written_oddly_are_refused() {
        let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        for body in [
            "5\nhello\r\n",
            "5\r\nhello\n",
            "5\r\nhelloX\r\n",
            "\r\n",
            "x\r\n",
            "-5\r\n",
            "0x5\r\n",
            "5;a\rb\r\n",
            "5;a\nb\r\n",
            "5\r\nhello\r\n0\r\nA: b\n\r\n",
            "0\r\n A: b\r\n\r\n",
            "0\r\nA: \0\r\n\r\n",
            "1111111111111111\r\n",
            " 5\r\nhello\r\n",
            "5\r\rhello",
        ] {
            let (_, why) = follow(format!("{head}{body}").as_bytes(), &[]);
            assert_eq!(why, Some(Malformed::Chunk), "{body:?}");
        }
    }

    #[test]
    fn a_head_that_never_ends_is_left_to_the_parser() {
        let mut reader = Reader::new(1000);
        for _ in 0..100 {
            assert_eq!(
                reader.follow(b"GET /aaaaaaaaaaaaaaaaaaaaaaaaaaa"),
                Verdict::Whole
            );
        }
        assert!(reader.begun.is_empty() && reader.is_within_head());
    }

    #[test]
    fn nothing_is_judged_while_an_upgrade_is_undecided() {
        let head = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";
        let mut reader = Reader::new(65_536);
        assert_eq!(reader.follow(head), Verdict::Whole);
        assert!(reader.not_upgraded());
        assert_eq!(reader.follow(GOOD.as_bytes()), Verdict::Whole);
        assert_eq!(reader.follow(head), Verdict::Whole);
        assert_eq!(reader.follow(b"\x81\0\n"), Verdict::Whole);
        assert!(!reader.not_upgraded());
    }

    proptest! {
        #[test]
        fn the_cuts_do_not_matter(
            parts in prop::collection::vec(prop::sample::select(vec![GOOD, POST, CHUNKED, "\r\n"]), 0..5),
            bad in prop::option::of(prop::sample::select(vec![BAD, "GET / HTTP/1.1\nHost: a\n\n", "\0\r\n\r\n"])),
            cuts in prop::collection::vec(any::<usize>(), 0..12),
        ) {
            let good = parts.concat();
            let all = format!("{good}{}", bad.unwrap_or_default());
            let (at, why) = follow(all.as_bytes(), &cuts);
            prop_assert_eq!(why.is_some(), bad.is_some());
            // In one piece nothing of a bad head is let through; in several its beginning is.
            prop_assert!(at >= good.len());
        }

        #[test]
        fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), cuts in prop::collection::vec(any::<usize>(), 0..5)) {
            follow(&bytes, &cuts);
        }
    }
}
