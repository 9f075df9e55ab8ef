//! As much HTTP as a page that describes its connection needs.

use std::io::{self, BufRead, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use symbolon::conn::Summary;

use super::words;

/// The longest request that is read, in bytes.
const MAX_REQUEST: usize = 16 << 10;

/// The most header fields in a request.
const MAX_FIELDS: usize = 100;

/// What came of reading a request.
enum Request {
    Get,
    Head,
    /// Another method.
    Other,
    TooLong,
    Malformed,
    /// The peer closed before it had asked anything.
    None,
}

/// Answers one request; tells in words what was asked and answered.
pub fn serve<S: BufRead + Write>(
    stream: &mut S,
    summary: &Summary,
    handshake: Duration,
) -> io::Result<String> {
    if summary.alpn.as_deref() == Some(b"h2") {
        return refuse_http2(stream);
    }
    let (asked, status, body) = match read_request(stream)? {
        Request::Get => ("GET", "200 OK", page(summary, handshake)),
        Request::Head => ("HEAD", "200 OK", page(summary, handshake)),
        Request::Other => ("another method", "405 Method Not Allowed", "only GET and HEAD here\n".into()),
        Request::TooLong => {
            ("a long request", "431 Request Header Fields Too Large", "the request is too long\n".into())
        }
        Request::Malformed => ("no HTTP/1.x", "400 Bad Request", "this is no HTTP/1.x request\n".into()),
        Request::None => return Ok("nothing asked".into()),
    };
    let allow = if status.starts_with("405") { "Allow: GET, HEAD\r\n" } else { "" };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\n{allow}Connection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    if asked != "HEAD" {
        stream.write_all(body.as_bytes())?;
    }
    stream.flush()?;
    Ok(format!("{asked}: {status}"))
}

fn read_request(stream: &mut impl BufRead) -> io::Result<Request> {
    let mut request = Vec::new();
    loop {
        let received = stream.fill_buf()?;
        if received.is_empty() {
            return Ok(if request.is_empty() { Request::None } else { Request::Malformed });
        }
        let n = received.len();
        request.extend_from_slice(received);
        stream.consume(n);
        let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
        let mut parsed = httparse::Request::new(&mut fields);
        match parsed.parse(&request) {
            Ok(httparse::Status::Complete(_)) => {
                return Ok(match parsed.method {
                    Some("GET") => Request::Get,
                    Some("HEAD") => Request::Head,
                    _ => Request::Other,
                });
            }
            Ok(httparse::Status::Partial) if request.len() < MAX_REQUEST => {}
            Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
                return Ok(Request::TooLong);
            }
            Err(_) => return Ok(Request::Malformed),
        }
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
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    let alpn = summary.alpn.as_deref().map_or("none".into(), words::printable);
    let retry = if summary.retried { "yes" } else { "no" };
    let lines = [
        ("protocol", "TLS 1.3".to_string()),
        ("suite", summary.suite.to_string()),
        ("group", words::group(summary)),
        ("authentication", words::authentication(summary)),
        ("ALPN", alpn),
        ("server name", summary.server_name.clone().unwrap_or_else(|| "none".into())),
        ("hello retry", retry.into()),
        ("handshake", format!("{:.2} ms", handshake.as_secs_f64() * 1e3)),
        ("server time", format!("{now} seconds since 1970")),
    ];
    let mut page = String::from("This connection, as the server sees it\n\n");
    for (name, value) in lines {
        page.push_str(&format!("{name:<12} {value}\n"));
    }
    page
}
