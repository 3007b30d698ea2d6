//! The PROXY protocol, versions 1 and 2: a trusted peer says first whose connection it passes
//! on. Reads not a byte more than the announcement; what is written oddly is refused, because
//! whoever may announce may name anybody. Specification: `proxy-protocol.txt` of `HAProxy`.

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The first bytes of version 2.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
const V2_HEAD_BYTES: usize = 16;
/// The shortest line of version 1, `PROXY UNKNOWN` and its end, and the longest.
const V1_LEAST_BYTES: usize = 15;
const V1_MOST_BYTES: usize = 107;
/// Addresses with everything that may be told beside them.
const V2_BODY_BYTES_MAX: usize = 4096;
const V4_BYTES: usize = 12;
const V6_BYTES: usize = 36;

/// What was announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Announced {
    /// The connection of this client.
    Client(SocketAddr),
    /// The peer's own, or that of somebody it does not name.
    Peer,
}

/// What is announced wrongly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what was announced cannot be read")]
pub(crate) struct Odd;

/// Reads an announcement.
pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Announced> {
    let odd = |odd: Odd| io::Error::new(io::ErrorKind::InvalidData, odd);
    let mut begin = Vec::with_capacity(V1_MOST_BYTES);
    begin.resize(V1_LEAST_BYTES, 0);
    stream.read_exact(&mut begin).await?;
    if begin.starts_with(SIGNATURE) {
        begin.push(stream.read_u8().await?);
        let length = usize::from(u16::from_be_bytes([begin[14], begin[15]]));
        if length > V2_BODY_BYTES_MAX {
            return Err(odd(Odd));
        }
        begin.resize(V2_HEAD_BYTES + length, 0);
        let body = begin.get_mut(V2_HEAD_BYTES..).unwrap_or_default();
        stream.read_exact(body).await?;
        return version_2(&begin).map_err(odd);
    }
    // Byte by byte, because what follows the line is not ours.
    while begin.starts_with(b"PROXY ") && !begin.ends_with(b"\r\n") && begin.len() < V1_MOST_BYTES {
        begin.push(stream.read_u8().await?);
    }
    version_1(&begin).map_err(odd)
}

/// A line of version 1, with its end.
pub(crate) fn version_1(line: &[u8]) -> Result<Announced, Odd> {
    if line.len() > V1_MOST_BYTES {
        return Err(Odd);
    }
    let line = std::str::from_utf8(line).map_err(|_| Odd)?;
    let line = line.strip_prefix("PROXY ").ok_or(Odd)?;
    let line = line.strip_suffix("\r\n").ok_or(Odd)?;
    let mut words = line.split(' ');
    let family = words.next();
    if family == Some("UNKNOWN") {
        // Whatever stands behind it is not to be looked at.
        return Ok(Announced::Peer);
    }
    let (Some(source), Some(target), Some(source_port), Some(target_port), None) = (
        words.next(),
        words.next(),
        words.next(),
        words.next(),
        words.next(),
    ) else {
        return Err(Odd);
    };
    let address = |text: &str| -> Result<IpAddr, Odd> {
        let address: IpAddr = text.parse().map_err(|_| Odd)?;
        match (family, address.is_ipv4()) {
            (Some("TCP4"), true) | (Some("TCP6"), false) => Ok(address),
            _ => Err(Odd),
        }
    };
    let (source, _) = (address(source)?, address(target)?);
    let (source_port, _) = (port(source_port)?, port(target_port)?);
    Ok(Announced::Client(SocketAddr::new(source, source_port)))
}

fn port(text: &str) -> Result<u16, Odd> {
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Odd);
    }
    text.parse().map_err(|_| Odd)
}

/// An announcement of version 2: its head of 16 bytes and as many as that says.
pub(crate) fn version_2(all: &[u8]) -> Result<Announced, Odd> {
    let (head, body) = all.split_at_checked(V2_HEAD_BYTES).ok_or(Odd)?;
    let rest = head.strip_prefix(SIGNATURE).ok_or(Odd)?;
    let &[command, family, high, low] = rest else {
        return Err(Odd);
    };
    if body.len() != usize::from(u16::from_be_bytes([high, low])) {
        return Err(Odd);
    }
    match (command, family) {
        // The peer's own connection, such as a look at our health, or one of a kind that it
        // does not tell.
        (0x20, _) | (0x21, 0x00) => Ok(Announced::Peer),
        (0x21, 0x11) => client::<4>(body, V4_BYTES),
        (0x21, 0x21) => client::<16>(body, V6_BYTES),
        _ => Err(Odd),
    }
}

/// Source, target, source port, target port; then whatever else is told.
fn client<const N: usize>(body: &[u8], bytes: usize) -> Result<Announced, Odd>
where
    IpAddr: From<[u8; N]>,
{
    let addresses = body.get(..bytes).ok_or(Odd)?;
    let source = addresses.first_chunk::<N>().ok_or(Odd)?;
    let ports = addresses.get(2 * N..).and_then(|ports| ports.first_chunk());
    let port = u16::from_be_bytes(*ports.ok_or(Odd)?);
    Ok(Announced::Client(SocketAddr::new(
        IpAddr::from(*source),
        port,
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str) -> Announced {
        Announced::Client(text.parse().unwrap())
    }

    fn second(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let mut all = SIGNATURE.to_vec();
        all.extend([command, family]);
        all.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
        all.extend_from_slice(body);
        all
    }

    #[test]
    fn lines_of_version_1() {
        for (line, expected) in [
            (
                "PROXY TCP4 192.0.2.1 198.51.100.1 5000 443\r\n",
                Ok(of("192.0.2.1:5000")),
            ),
            (
                "PROXY TCP6 2001:db8::1 ::1 5000 443\r\n",
                Ok(of("[2001:db8::1]:5000")),
            ),
            ("PROXY UNKNOWN\r\n", Ok(Announced::Peer)),
            ("PROXY UNKNOWN ff:: ff:: 1 2\r\n", Ok(Announced::Peer)),
            ("PROXY TCP4 192.0.2.1 198.51.100.1 5000 443\n", Err(Odd)),
            ("PROXY TCP4 2001:db8::1 ::1 5000 443\r\n", Err(Odd)),
            ("PROXY TCP6 192.0.2.1 198.51.100.1 5000 443\r\n", Err(Odd)),
            ("PROXY TCP4 192.0.2.1 198.51.100.1 65536 443\r\n", Err(Odd)),
            ("PROXY TCP4 192.0.2.1 198.51.100.1 +5 443\r\n", Err(Odd)),
            ("PROXY TCP4 192.0.2.1 198.51.100.1 5000\r\n", Err(Odd)),
            ("PROXY TCP4 192.0.2.1 198.51.100.1 1 2 3\r\n", Err(Odd)),
            ("PROXY TCP4  192.0.2.1 198.51.100.1 1 2\r\n", Err(Odd)),
            ("PROXY UDP4 192.0.2.1 198.51.100.1 1 2\r\n", Err(Odd)),
            ("GET / HTTP/1.1\r\n", Err(Odd)),
            ("", Err(Odd)),
        ] {
            assert_eq!(version_1(line.as_bytes()), expected, "{line:?}");
        }
    }

    #[test]
    fn announcements_of_version_2() {
        let v4 = [192, 0, 2, 1, 198, 51, 100, 1, 0x13, 0x88, 1, 0xbb];
        let mut v6 = [0; 36];
        (v6[15], v6[33]) = (1, 80);
        let more = [&v4[..], &[4, 0, 1, 0xff]].concat();
        for (all, expected) in [
            (second(0x21, 0x11, &v4), Ok(of("192.0.2.1:5000"))),
            (second(0x21, 0x11, &more), Ok(of("192.0.2.1:5000"))),
            (second(0x21, 0x21, &v6), Ok(of("[::1]:80"))),
            (second(0x20, 0x00, &[]), Ok(Announced::Peer)),
            (second(0x20, 0x11, &v4), Ok(Announced::Peer)),
            (second(0x21, 0x00, &[]), Ok(Announced::Peer)),
            (second(0x21, 0x11, &v4[..11]), Err(Odd)),
            (second(0x21, 0x21, &v4), Err(Odd)),
            (second(0x21, 0x12, &v4), Err(Odd)),
            (second(0x22, 0x11, &v4), Err(Odd)),
            (second(0x11, 0x11, &v4), Err(Odd)),
            (second(0x21, 0x11, &v4)[..20].to_vec(), Err(Odd)),
        ] {
            assert_eq!(version_2(&all), expected, "{all:02x?}");
        }
    }

    proptest! {
        #[test]
        fn whoever_is_announced_is_read_and_nothing_behind_it(
            address: SocketAddr, is_second: bool, rest in prop::collection::vec(any::<u8>(), 0..30),
        ) {
            let address = SocketAddr::new(address.ip(), address.port());
            let said = match (is_second, address.ip()) {
                (true, IpAddr::V4(v4)) => second(0x21, 0x11, &[&v4.octets()[..], &[0; 4], &address.port().to_be_bytes(), &[0; 2]].concat()),
                (true, IpAddr::V6(v6)) => second(0x21, 0x21, &[&v6.octets()[..], &[0; 16], &address.port().to_be_bytes(), &[0; 2]].concat()),
                (false, ip) => {
                    let (family, other) = if ip.is_ipv4() { ("TCP4", "0.0.0.0") } else { ("TCP6", "::") };
                    format!("PROXY {family} {ip} {other} {} 1\r\n", address.port()).into_bytes()
                }
            };
            let all = [&said[..], &rest].concat();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let mut left = &all[..];
            let found = runtime.block_on(read(&mut left)).unwrap();
            prop_assert_eq!(found, Announced::Client(address));
            prop_assert_eq!(left, &rest[..]);
        }

        #[test]
        fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), signed: bool) {
            let begin = if signed { &SIGNATURE[..] } else { b"PROXY " };
            let all = [begin, &bytes].concat();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let read = runtime.block_on(read(&mut &all[..]));
            prop_assert!(read.is_ok() || read.is_err());
            prop_assert!(version_1(&bytes).is_err() || bytes.starts_with(b"PROXY "));
            prop_assert!(version_2(&bytes).is_err() || bytes.starts_with(SIGNATURE));
        }
    }
}
