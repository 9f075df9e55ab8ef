//! Servers that speak as Redis does, as far as a test wants them to.

use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// What a server does about a command.
pub enum Does {
    /// As an honest server would.
    Honest,
    /// It replies with these bytes.
    Says(Vec<u8>),
    /// It never replies again.
    Hangs,
    /// It sends zeros until nobody takes them.
    Floods,
    /// It hangs up.
    Closes,
}

/// A server whose every command is judged first. Ends when dropped.
pub struct Fake {
    pub port: u16,
    /// Told when somebody gives up a connection that hangs.
    pub given_up: Arc<Notify>,
    serving: JoinHandle<()>,
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Fake {
    pub async fn start(does: impl Fn(&[Vec<u8>]) -> Does + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let does = Arc::new(does);
        let given_up = Arc::new(Notify::new());
        let told = Arc::clone(&given_up);
        let serving = tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let (does, told) = (Arc::clone(&does), Arc::clone(&told));
                tokio::spawn(async move { serve(socket, &*does, &told).await });
            }
        });
        Self { port, given_up, serving }
    }

    /// Honest, but for commands of this name with a first argument that ends so.
    pub async fn but(name: &'static str, key: &'static str, does: fn() -> Does) -> Self {
        Self::start(move |words| {
            let first = words.get(1).map_or(&b""[..], Vec::as_slice);
            let key = String::from_utf8_lossy(first).contains(key);
            if words[0] == name.as_bytes() && key { does() } else { Does::Honest }
        })
        .await
    }
}

async fn serve(
    socket: TcpStream,
    does: &(dyn Fn(&[Vec<u8>]) -> Does + Send + Sync),
    given_up: &Notify,
) -> Option<()> {
    let mut socket = BufReader::new(socket);
    let mut marker: Option<Vec<u8>> = None;
    loop {
        let words = command(&mut socket).await?;
        let reply = match does(&words) {
            Does::Honest => honest(&words, &mut marker),
            Does::Says(bytes) => bytes,
            Does::Hangs => {
                // Takes what comes, so that only the end of the other side ends it.
                while socket.read(&mut [0; 4096]).await.is_ok_and(|n| n > 0) {}
                given_up.notify_one();
                return None;
            }
            Does::Floods => {
                socket.write_all(b"$1000000000\r\n").await.ok()?;
                loop {
                    socket.write_all(&[b'0'; 65536]).await.ok()?;
                }
            }
            Does::Closes => return None,
        };
        socket.write_all(&reply).await.ok()?;
    }
}

/// One command's words.
async fn command(socket: &mut BufReader<TcpStream>) -> Option<Vec<Vec<u8>>> {
    let mut words = Vec::new();
    for _ in 0..number(socket, '*').await? {
        let mut word = vec![0; number(socket, '$').await?];
        socket.read_exact(&mut word).await.ok()?;
        socket.read_exact(&mut [0; 2]).await.ok()?;
        words.push(word);
    }
    Some(words)
}

async fn number(socket: &mut BufReader<TcpStream>, kind: char) -> Option<usize> {
    let mut line = String::new();
    socket.read_line(&mut line).await.ok()?;
    line.trim_end().strip_prefix(kind)?.parse().ok()
}

fn bulk(bytes: &[u8]) -> Vec<u8> {
    let mut reply = format!("${}\r\n", bytes.len()).into_bytes();
    reply.extend_from_slice(bytes);
    reply.extend_from_slice(b"\r\n");
    reply
}

fn honest(words: &[Vec<u8>], marker: &mut Option<Vec<u8>>) -> Vec<u8> {
    const INFO: &str = "run_id:fake\r\nrole:master\r\nmaster_replid:fake\r\nmaxmemory:0\r\n\
        maxmemory_policy:noeviction\r\nevicted_keys:0\r\nloading:0\r\n";
    match words[0].as_slice() {
        b"INFO" => bulk(INFO.as_bytes()),
        b"TIME" => b"*2\r\n$4\r\n1000\r\n$1\r\n0\r\n".to_vec(),
        b"ECHO" => bulk(&words[1]),
        b"GET" => marker.as_ref().map_or_else(|| b"$-1\r\n".to_vec(), |marker| bulk(marker)),
        b"SET" => {
            if words[1].ends_with(b"since") {
                *marker = Some(words[2].clone());
            }
            b"+OK\r\n".to_vec()
        }
        _ => b"-ERR unknown command\r\n".to_vec(),
    }
}
