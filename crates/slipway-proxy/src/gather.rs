//! Writes several short slices as one: a copy of a few hundred bytes costs less than the
//! system's gathering of slices, and most heads and bodies are short.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;
use tokio::net::TcpStream;

const SHORT_BYTES: usize = 4096;

/// Writes what it can of the slices, in order.
pub(crate) fn poll_write(
    stream: &mut TcpStream,
    cx: &mut Context<'_>,
    slices: &[IoSlice<'_>],
) -> Poll<io::Result<usize>> {
    if let [only] = slices {
        return Pin::new(stream).poll_write(cx, only);
    }
    let mut short = [0; SHORT_BYTES];
    match gathered(&mut short, slices) {
        Some(all) => Pin::new(stream).poll_write(cx, all),
        None => Pin::new(stream).poll_write_vectored(cx, slices),
    }
}

/// All slices in one, if they fit.
fn gathered<'a>(short: &'a mut [u8], slices: &[IoSlice<'_>]) -> Option<&'a [u8]> {
    let mut end = 0;
    for slice in slices {
        let next = end + slice.len();
        short.get_mut(end..next)?.copy_from_slice(slice);
        end = next;
    }
    short.get(..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_gathered_in_order() {
        let slices = [IoSlice::new(b"ab"), IoSlice::new(b""), IoSlice::new(b"cde")];
        assert_eq!(gathered(&mut [0; 5], &slices), Some(&b"abcde"[..]));
        assert_eq!(gathered(&mut [0; 4], &slices), None);
    }
}
