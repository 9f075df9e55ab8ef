//! Collects what passes on a connection, from both of its ends, and prints it as a timeline.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use symbolon::conn::{Direction, Epoch, MessageKind, Reported, Summary};
use symbolon::identity::Identity;
use symbolon::io::Observer;

/// Who sent something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Client,
    Server,
}

/// Something that was sent.
struct Entry {
    at: Duration,
    by: Side,
    what: String,
    len: usize,
    keys: &'static str,
}

/// What both ends tell.
pub struct Timeline {
    began: Instant,
    story: Arc<Mutex<Story>>,
}

#[derive(Default)]
struct Story {
    entries: Vec<Entry>,
    client: Duration,
    server: Duration,
    handshake: Duration,
}

impl Timeline {
    pub fn start() -> Self {
        Self { began: Instant::now(), story: Arc::default() }
    }

    /// An observer for one end; what it sends goes into the story.
    pub fn observer(&self, side: Side) -> Arc<dyn Observer> {
        Arc::new(End { began: self.began, side, story: Arc::clone(&self.story) })
    }

    /// Application data was sent.
    pub fn data(&self, by: Side, bytes: &[u8]) {
        let what = format!("data {:?}", String::from_utf8_lossy(bytes));
        let entry = Entry { at: self.began.elapsed(), by, what, len: bytes.len(), keys: "application keys" };
        lock(&self.story).entries.push(entry);
    }

    /// How long one end computed during the handshake.
    pub fn computed(&self, side: Side, time: Duration) {
        let mut story = lock(&self.story);
        match side {
            Side::Client => story.client = time,
            Side::Server => story.server = time,
        }
    }

    /// How long the handshake took the client, waiting included.
    pub fn handshake_took(&self, time: Duration) {
        lock(&self.story).handshake = time;
    }

    /// Prints the story, and what each end says of the other.
    pub fn print(&self, address: SocketAddr, client: &Summary, server: &Summary) -> io::Result<()> {
        let mut story = lock(&self.story);
        story.entries.sort_by_key(|entry| entry.at);
        let mut out = io::stdout().lock();
        writeln!(out, "\nTLS 1.3 between two threads, over {address}\n")?;
        let start = story.entries.first().map_or(Duration::ZERO, |entry| entry.at);
        let mut last = None;
        for entry in &story.entries {
            if last != Some(entry.by) {
                let sum: usize = flight(&story.entries, entry).map(|entry| entry.len).sum();
                let (arrow, who) = match entry.by {
                    Side::Client => ("──▶", "client"),
                    Side::Server => ("◀──", "server"),
                };
                let at = millis(entry.at.saturating_sub(start));
                writeln!(out, "  {arrow} {who}, {at} in, {} bytes of messages", thousands(sum))?;
                last = Some(entry.by);
            }
            writeln!(out, "      {:<44} {:>6}  {}", entry.what, thousands(entry.len), entry.keys)?;
        }
        let line = |name: &str, value: String| format!("  {name:<12} {value}");
        writeln!(out)?;
        writeln!(out, "{}", line("suite", client.suite.to_string()))?;
        writeln!(out, "{}", line("group", client.group.map_or("none".into(), |group| group.to_string())))?;
        writeln!(
            out,
            "{}",
            line("signature", client.signature.map_or("none".into(), |scheme| scheme.to_string()))
        )?;
        let alpn = client.alpn.as_deref().map_or("none".into(), String::from_utf8_lossy);
        writeln!(out, "{}", line("ALPN", alpn.into_owned()))?;
        writeln!(out, "{}", line("server is", known(client)))?;
        writeln!(out, "{}", line("client is", known(server)))?;
        let times = format!(
            "{} in all; the client computed for {}, the server for {}",
            millis(story.handshake),
            millis(story.client),
            millis(story.server)
        );
        writeln!(out, "{}", line("handshake", times))?;
        writeln!(out, "{}", line("closed", "cleanly, by both".into()))
    }
}

/// Whom an end knows its peer to be.
fn known(summary: &Summary) -> String {
    match summary.identity() {
        Identity::Anonymous => "nobody in particular: it was not asked for a certificate".into(),
        identity => format!("{identity}, by a certificate that leads to the development CA"),
    }
}

/// The entries that one side sent in a row, from `first` on.
fn flight<'a>(entries: &'a [Entry], first: &'a Entry) -> impl Iterator<Item = &'a Entry> {
    entries
        .iter()
        .skip_while(move |entry| !std::ptr::eq(*entry, first))
        .take_while(|entry| entry.by == first.by)
}

struct End {
    began: Instant,
    side: Side,
    story: Arc<Mutex<Story>>,
}

impl Observer for End {
    fn message(&self, reported: &Reported) {
        if reported.direction != Direction::Sent {
            return;
        }
        let what = match reported.kind {
            MessageKind::Handshake(kind) => kind.to_string(),
            MessageKind::ChangeCipherSpec => "ChangeCipherSpec (for middleboxes)".into(),
            MessageKind::Alert(code) => format!("alert {code}"),
            _ => "something new".into(),
        };
        let keys = match reported.epoch {
            Epoch::Early => "early keys",
            Epoch::Plaintext => "in the clear",
            Epoch::Handshake => "handshake keys",
            Epoch::Application => "application keys",
        };
        let entry = Entry { at: self.began.elapsed(), by: self.side, what, len: reported.len, keys };
        lock(&self.story).entries.push(entry);
    }
}

/// A socket that knows how long it made its owner wait.
pub struct Timed {
    socket: TcpStream,
    began: Instant,
    waited: Duration,
}

impl Timed {
    pub fn new(socket: TcpStream) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        Ok(Self { socket, began: Instant::now(), waited: Duration::ZERO })
    }

    /// The time since it was made without the time spent in the socket.
    pub fn computed(&self) -> Duration {
        self.began.elapsed().saturating_sub(self.waited)
    }
}

impl Read for Timed {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let began = Instant::now();
        let read = self.socket.read(buf);
        self.waited += began.elapsed();
        read
    }
}

impl Write for Timed {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let began = Instant::now();
        let written = self.socket.write(buf);
        self.waited += began.elapsed();
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn millis(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}

fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
