//! As much HTTP as a page that describes its connection needs.

use std::io::{self, BufRead, Read, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use symbolon::conn::{EarlyOpening, Summary};
use symbolon::io::blocking::Stream;

use super::words;

/// The longest request that is read, in bytes.
const MAX_REQUEST: usize = 16 << 10;

/// The most header fields in a request.
const MAX_FIELDS: usize = 100;

/// The most bytes that a client gets by asking for `/bytes/N`.
const MOST_BYTES: usize = 64 << 20;

/// What came of reading a request.
enum Request {
    Get,
    /// So many bytes, for a look at throughput: `/bytes/N`.
    Bytes(usize),
    Head,
    /// Another method.
    Other,
    TooLong,
    Malformed,
    /// The peer closed before it had asked anything.
    None,
}

/// What came as early data.
pub enum Early {
    /// A request that was answered at once, in words.
    Answered(String),
    /// What waits for the handshake; often nothing.
    Waits(Vec<u8>),
}

/// Reads early data to its end, and answers a GET or HEAD in it: nothing here changes by them, so they may come twice.
/// Every other request waits until the client has proved that it is there (RFC 8470).
pub fn serve_early<T: Read + Write>(stream: &mut Stream<T>) -> io::Result<Early> {
    let mut request = Vec::new();
    let mut answered = None;
    let mut some = [0; 4096];
    loop {
        // Never more in all than the configuration accepts.
        match stream.read_early(&mut some)? {
            0 => return Ok(answered.map_or(Early::Waits(request), Early::Answered)),
            n if answered.is_none() => request.extend_from_slice(&some[..n]),
            _ => {}
        }
        let Some(opening) = stream.early_opening().filter(|opening| opening.alpn.as_deref() != Some(b"h2"))
        else {
            continue;
        };
        if let (None, Some(asked @ (Request::Get | Request::Head))) = (&answered, parse(&request)) {
            let (words, answer) = answer(asked, || early_page(opening));
            let mut rest = &answer[..];
            while !rest.is_empty() {
                let n = stream.write_half_rtt(rest)?;
                rest = &rest[n..];
            }
            stream.flush()?;
            answered = Some(format!("{words} in early data"));
        }
    }
}

/// Answers one request, of which `received` came early; tells in words what was asked and answered.
pub fn serve<S: BufRead + Write>(
    stream: &mut S,
    received: Vec<u8>,
    summary: &Summary,
    handshake: Duration,
) -> io::Result<String> {
    if summary.alpn.as_deref() == Some(b"h2") {
        return refuse_http2(stream);
    }
    let request = match read_request(stream, received)? {
        Request::None => return Ok("nothing asked".into()),
        request => request,
    };
    let (words, answer) = answer(request, || page(summary, handshake));
    stream.write_all(&answer)?;
    stream.flush()?;
    Ok(words)
}

/// What was asked and answered in words, and the answer.
fn answer(request: Request, page: impl Fn() -> String) -> (String, Vec<u8>) {
    let (asked, status, body) = match request {
        Request::Get => ("GET", "200 OK", page()),
        Request::Bytes(n) => ("GET", "200 OK", "0123456789abcde\n".chars().cycle().take(n).collect()),
        Request::Head => ("HEAD", "200 OK", page()),
        Request::Other => ("another method", "405 Method Not Allowed", "only GET and HEAD here\n".into()),
        Request::TooLong => {
            ("a long request", "431 Request Header Fields Too Large", "the request is too long\n".into())
        }
        Request::Malformed | Request::None => {
            ("no HTTP/1.x", "400 Bad Request", "this is no HTTP/1.x request\n".into())
        }
    };
    let allow = if status.starts_with("405") { "Allow: GET, HEAD\r\n" } else { "" };
    let mut answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\n{allow}Connection: close\r\n\r\n",
        body.len()
    );
    if asked != "HEAD" {
        answer.push_str(&body);
    }
    (format!("{asked}: {status}"), answer.into())
}

fn read_request(stream: &mut impl BufRead, mut request: Vec<u8>) -> io::Result<Request> {
    loop {
        if let Some(parsed) = parse(&request) {
            return Ok(parsed);
        }
        let received = stream.fill_buf()?;
        if received.is_empty() {
            return Ok(if request.is_empty() { Request::None } else { Request::Malformed });
        }
        let n = received.len();
        request.extend_from_slice(received);
        stream.consume(n);
    }
}

/// The request that was received; nothing while it is not whole.
fn parse(received: &[u8]) -> Option<Request> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut parsed = httparse::Request::new(&mut fields);
    match parsed.parse(received) {
        Ok(httparse::Status::Complete(_)) => Some(match parsed.method {
            Some("GET") => match parsed.path.and_then(|path| path.strip_prefix("/bytes/")?.parse().ok()) {
                Some(n @ ..=MOST_BYTES) => Request::Bytes(n),
                _ => Request::Get,
            },
            Some("HEAD") => Request::Head,
            _ => Request::Other,
        }),
        Ok(httparse::Status::Partial) if received.len() < MAX_REQUEST => None,
        Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => Some(Request::TooLong),
        Err(_) => Some(Request::Malformed),
    }
}

/// RFC 9113 section 3.4, an empty SETTINGS frame, and section 6.8, GOAWAY with HTTP_1_1_REQUIRED.
fn refuse_http2(stream: &mut impl Write) -> io::Result<String> {
    stream.write_all(b"\x00\x00\x00\x04\x00\x00\x00\x00\x00")?;
    stream.write_all(b"\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x0D")?;
    stream.flush()?;
    Ok("h2 was negotiated but is not spoken here: HTTP_1_1_REQUIRED".into())
}

fn page(summary: &Summary, handshake: Duration) -> String {
    let retry = if summary.retried { "yes" } else { "no" };
    lines(&[
        ("protocol", "TLS 1.3".into()),
        ("suite", summary.suite.to_string()),
        ("group", words::group(summary)),
        ("authentication", words::authentication(summary)),
        ("ALPN", alpn(summary.alpn.as_deref())),
        ("server name", server_name(summary.server_name.as_deref())),
        ("hello retry", retry.into()),
        ("handshake", format!("{:.2} ms", handshake.as_secs_f64() * 1e3)),
    ])
}

/// What is known while the handshake goes on.
fn early_page(opening: &EarlyOpening) -> String {
    lines(&[
        ("protocol", "TLS 1.3".into()),
        ("suite", opening.suite.to_string()),
        ("ALPN", alpn(opening.alpn.as_deref())),
        ("server name", server_name(opening.server_name.as_deref())),
        ("handshake", "not complete: the request came as early data".into()),
    ])
}

fn alpn(name: Option<&[u8]>) -> String {
    name.map_or("none".into(), words::printable)
}

fn server_name(name: Option<&str>) -> String {
    name.unwrap_or("none").into()
}

fn lines(lines: &[(&str, String)]) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    let time = ("server time", format!("{now} seconds since 1970"));
    let mut page = String::from("This connection, as the server sees it\n\n");
    for (name, value) in lines.iter().chain([&time]) {
        page.push_str(&format!("{name:<12} {value}\n"));
    }
    page
}
