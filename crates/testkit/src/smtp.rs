//! Mail servers for tests: a real one that keeps what it gets in a folder, and a small
//! one that refuses, hangs or breaks off where a test wants it to.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, ensure};

use crate::account::Account;
use crate::certificate::Certificate;
use crate::door::Door;
use crate::server::{self, Server};

const PROGRAM: &str = "/usr/bin/aiosmtpd";

/// A running mail server. It ends with this value, or with the process.
#[derive(Debug)]
pub struct Smtp {
    server: Server,
    port: u16,
}

/// How a mail server is spoken to.
#[derive(Debug, Clone, Copy)]
pub enum Speech<'a> {
    /// In the clear.
    Plain,
    /// In the clear until STARTTLS, which it insists on.
    StartTls(&'a Certificate),
    /// TLS from the first byte.
    Tls(&'a Certificate),
}

impl Smtp {
    /// Starts a server that takes everything. Blocking.
    pub fn start() -> anyhow::Result<Self> {
        Self::speaking(Speech::Plain)
    }

    /// The same, spoken to in one way. Blocking.
    pub fn speaking(speech: Speech<'_>) -> anyhow::Result<Self> {
        ensure!(
            Path::new(PROGRAM).exists(),
            "no mail server is installed: apt-get install python3-aiosmtpd"
        );
        let account = Account::unprivileged()?;
        let folder = server::folder("smtp", account)?;
        let port = free_port()?;
        let mut command: Vec<String> = [
            PROGRAM,
            "--nosetuid",
            "--listen",
            &format!("127.0.0.1:{port}"),
            "--class",
            "aiosmtpd.handlers.Mailbox",
            &folder.path().join("mail").display().to_string(),
        ]
        .map(str::to_owned)
        .into();
        command.extend(secured(speech, folder.path())?);
        let is_ready = || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
        let server = Server::start("aiosmtpd", "TERM", folder, account, &[], &command, is_ready)?;
        Ok(Self { server, port })
    }

    /// Where it answers, as a program reads it.
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// Every mail that it took, as it came.
    pub fn mails(&self) -> anyhow::Result<Vec<String>> {
        let folder = self.server.folder().join("mail/new");
        let mut files: Vec<PathBuf> = match std::fs::read_dir(&folder) {
            Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
            Err(_) => Vec::new(),
        };
        files.sort();
        let read = |file: &PathBuf| {
            std::fs::read(file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        };
        files
            .iter()
            .map(read)
            .collect::<Result<_, _>>()
            .context("reading mail")
    }
}

/// The options for a way of speaking. The certificate is copied where the server may read it.
fn secured(speech: Speech<'_>, folder: &Path) -> anyhow::Result<Vec<String>> {
    let (certificate, options) = match speech {
        Speech::Plain => return Ok(Vec::new()),
        Speech::StartTls(certificate) => (certificate, ["--tlscert", "--tlskey"]),
        Speech::Tls(certificate) => (certificate, ["--smtpscert", "--smtpskey"]),
    };
    let mut words = Vec::new();
    for (option, file) in options
        .into_iter()
        .zip([&certificate.chain, &certificate.key])
    {
        let text = std::fs::read(file).context("reading a certificate")?;
        let copy = folder.join(option);
        std::fs::write(&copy, text).context("copying a certificate")?;
        words.extend([option.to_owned(), copy.display().to_string()]);
    }
    Ok(words)
}

fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("looking for a port")?;
    Ok(listener.local_addr().context("looking for a port")?.port())
}

/// How a [`Postbox`] treats its clients. The first word of a client's line says where;
/// `.` is the end of a mail, which has been taken then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Takes everything.
    Takes,
    /// Answers a line with these words.
    Says(&'static str, &'static str),
    /// Says nothing to a line, and waits for the client to go.
    IsSilentAt(&'static str),
    /// Closes the connection instead of answering a line.
    BreaksAt(&'static str),
}

/// A mail server whose manners a test decides.
#[derive(Debug)]
pub struct Postbox {
    door: Door,
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    manner: Mutex<Manner>,
    mails: Mutex<Vec<String>>,
}

impl Postbox {
    /// Starts to listen.
    pub fn start(manner: Manner) -> anyhow::Result<Self> {
        let inner = Arc::new(Inner {
            manner: Mutex::new(manner),
            mails: Mutex::default(),
        });
        let serving = Arc::clone(&inner);
        let door = Door::open(move |stream| serving.serve(stream))?;
        Ok(Self { door, inner })
    }

    /// Where it answers, as a program reads it.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.door.address())
    }

    /// Changes the manners, also of connections that are open.
    pub fn set(&self, manner: Manner) {
        *lock(&self.inner.manner) = manner;
    }

    /// Every mail that it took, as it came.
    pub fn mails(&self) -> Vec<String> {
        lock(&self.inner.mails).clone()
    }

    /// How often it took each mail, by Message-ID.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for mail in lock(&self.inner.mails).iter() {
            let id = mail
                .lines()
                .find_map(|line| line.strip_prefix("Message-ID: "));
            *counts.entry(id.unwrap_or_default().to_owned()).or_default() += 1;
        }
        counts
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The lines up to the one with nothing but a full stop; none where that does not come.
fn whole_mail(
    lines: &mut impl Iterator<Item = std::io::Result<String>>,
) -> std::io::Result<Option<String>> {
    let mut mail = String::new();
    for line in lines {
        let line = line?;
        if line == "." {
            return Ok(Some(mail));
        }
        mail.push_str(line.strip_prefix('.').unwrap_or(&line));
        mail.push('\n');
    }
    Ok(None)
}

impl Inner {
    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut lines = BufReader::new(stream.try_clone()?).lines();
        stream.write_all(b"220 postbox\r\n")?;
        while let Some(line) = lines.next().transpose()? {
            let word = line.split(' ').next().unwrap_or_default().to_uppercase();
            if word == "DATA" && self.answer(&mut stream, "DATA", "354 go on")? {
                let Some(mail) = whole_mail(&mut lines)? else {
                    break;
                };
                lock(&self.mails).push(mail);
                if !self.answer(&mut stream, ".", "250 taken")? {
                    break;
                }
                continue;
            }
            if word == "DATA" {
                continue;
            }
            if !self.answer(&mut stream, &word, "250 postbox")? && self.has_ended(&word) {
                break;
            }
        }
        // Silence lasts until the client goes.
        lines.for_each(drop);
        Ok(())
    }

    fn has_ended(&self, word: &str) -> bool {
        matches!(*lock(&self.manner),
            Manner::IsSilentAt(at) | Manner::BreaksAt(at) if at == word)
    }

    /// Answers a line as the manners are; `true` where it was answered as usual.
    fn answer(&self, stream: &mut TcpStream, word: &str, usual: &str) -> std::io::Result<bool> {
        let manner = *lock(&self.manner);
        let mut say = |words: &str| stream.write_all(format!("{words}\r\n").as_bytes());
        match manner {
            Manner::Says(at, words) if at == word => say(words).map(|()| false),
            Manner::IsSilentAt(at) if at == word => Ok(false),
            Manner::BreaksAt(at) if at == word => {
                stream.shutdown(std::net::Shutdown::Both)?;
                Ok(false)
            }
            _ => say(usual).map(|()| true),
        }
    }
}
