//! A server of somebody else's for tests: takes what is posted to it, once for each key,
//! and is as bad to its clients as a test wants.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::door::Door;

/// What becomes of a post. What was taken before under the same key is not taken again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// Takes it and says so.
    Takes,
    /// Answers with this status and does not take it.
    Says(u16),
    /// The same, and wants so many seconds of peace.
    SaysWait(u16, u32),
    /// Leads elsewhere.
    Leads(&'static str),
    /// Takes it and closes the connection without an answer.
    TakesAndBreaks,
    /// Takes it and says nothing until the client goes.
    TakesInSilence,
    /// Takes it and answers with a body that does not end before the client goes.
    TakesAndTalks,
}

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    /// `POST` or `GET`.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// By name in lower case.
    pub headers: BTreeMap<String, String>,
    /// The whole body.
    pub body: String,
}

impl Request {
    /// What makes it the same as another one.
    fn key(&self) -> Option<&String> {
        let headers = &self.headers;
        headers
            .get("idempotency-key")
            .or_else(|| headers.get("webhook-id"))
    }
}

/// A server. It ends with this value.
#[derive(Debug)]
pub struct Receiver {
    door: Door,
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    reply: Mutex<Reply>,
    requests: Mutex<Vec<Request>>,
    taken: Mutex<BTreeMap<String, usize>>,
}

impl Receiver {
    /// Starts to listen.
    pub fn start(reply: Reply) -> anyhow::Result<Self> {
        let inner = Arc::new(Inner {
            reply: Mutex::new(reply),
            requests: Mutex::default(),
            taken: Mutex::default(),
        });
        let serving = Arc::clone(&inner);
        let door = Door::open(move |stream| serving.serve(stream))?;
        Ok(Self { door, inner })
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        format!("http://{}/in", self.door.address())
    }

    /// Changes what becomes of the next posts.
    pub fn set(&self, reply: Reply) {
        *lock(&self.inner.reply) = reply;
    }

    /// Everything that came, in order.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.inner.requests).clone()
    }

    /// How often each key was posted and taken, or would have been taken.
    pub fn taken(&self) -> BTreeMap<String, usize> {
        lock(&self.inner.taken).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read(stream: &TcpStream) -> std::io::Result<Option<Request>> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split(' ');
    let (Some(method), Some(path)) = (words.next(), words.next()) else {
        return Ok(None);
    };
    let (method, path) = (method.to_owned(), path.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|n| n.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    Ok(Some(Request {
        method,
        path,
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    }))
}

impl Inner {
    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let Some(request) = read(&stream)? else {
            return Ok(());
        };
        lock(&self.requests).push(request.clone());
        if request.method == "GET" {
            return self.tell(&mut stream, &request);
        }
        let reply = *lock(&self.reply);
        match reply {
            Reply::Says(status) => return say(&mut stream, status, "", "{}"),
            Reply::SaysWait(status, seconds) => {
                let wait = format!("retry-after: {seconds}\r\n");
                return say(&mut stream, status, &wait, "{}");
            }
            Reply::Leads(to) => {
                let location = format!("location: {to}\r\n");
                return say(&mut stream, 302, &location, "");
            }
            Reply::Takes | Reply::TakesAndBreaks | Reply::TakesInSilence | Reply::TakesAndTalks => {
            }
        }
        let key = request.key().cloned().unwrap_or_default();
        let body = format!("{{\"id\":\"taken-{key}\"}}");
        *lock(&self.taken).entry(key).or_default() += 1;
        match reply {
            Reply::TakesAndBreaks => stream.shutdown(std::net::Shutdown::Both),
            Reply::TakesInSilence => stream.read_to_end(&mut Vec::new()).map(drop),
            Reply::TakesAndTalks => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
                // Ends with the client.
                loop {
                    stream.write_all(&[b'x'; 4096])?;
                }
            }
            _ => say(&mut stream, 200, "", &body),
        }
    }

    /// Whether something was taken under the key that is asked about.
    fn tell(&self, stream: &mut TcpStream, request: &Request) -> std::io::Result<()> {
        let key = request.path.split("reference=").nth(1).unwrap_or_default();
        let key = key.replace("%3A", ":");
        if lock(&self.taken).contains_key(&key) {
            say(stream, 200, "", &format!("{{\"id\":\"taken-{key}\"}}"))
        } else {
            say(stream, 404, "", "{}")
        }
    }
}

fn say(stream: &mut TcpStream, status: u16, more: &str, body: &str) -> std::io::Result<()> {
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status} x\r\ncontent-length: {length}\r\nconnection: close\r\n{more}\r\n{body}"
    );
    stream.write_all(answer.as_bytes())
}
