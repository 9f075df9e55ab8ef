//! As much of HTTP/1.1 (RFC 9112) as the mesh speaks: GET, bodies of a stated length, connections that are used again.

use std::io::{self, BufRead, ErrorKind, Write};

use super::Fallible;

/// How much of a request's or a response's head is read, in bytes.
const MAX_HEAD: usize = 16 << 10;
const MAX_FIELDS: usize = 32;

/// How long a body may be, in bytes.
const MAX_BODY: usize = 64 << 10;

/// Who asked first, where a proxy asks on behalf of somebody else.
pub const ON_BEHALF_OF: &str = "X-On-Behalf-Of";

/// Whether a connection is used again after a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Afterwards {
    Open,
    Closed,
}

/// A request.
pub struct Request {
    pub path: String,
    pub on_behalf_of: Option<String>,
}

/// A response.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub body: String,
}

impl Response {
    pub fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, body: body.into() }
    }
}

/// Reads a request; none when the peer closed instead.
pub fn read_request(stream: &mut impl BufRead) -> Fallible<Option<Request>> {
    read_head(stream, |head| {
        let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
        let mut request = httparse::Request::new(&mut fields);
        let httparse::Status::Complete(_) = request.parse(head)? else { return Ok(None) };
        match (request.method, request.path) {
            (Some("GET"), Some(path)) => {
                let on_behalf_of = field(request.headers, ON_BEHALF_OF);
                Ok(Some(Request { path: path.into(), on_behalf_of }))
            }
            _ => Err("only GET is spoken here".into()),
        }
    })
}

pub fn write_request(
    stream: &mut impl Write,
    host: &str,
    path: &str,
    on_behalf_of: Option<&str>,
) -> io::Result<()> {
    let behalf = on_behalf_of.map_or(String::new(), |caller| format!("{ON_BEHALF_OF}: {caller}\r\n"));
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{behalf}\r\n").as_bytes())?;
    stream.flush()
}

/// Reads a response, all of it.
pub fn read_response(stream: &mut impl BufRead) -> Fallible<(Response, Afterwards)> {
    let head = read_head(stream, |head| {
        let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
        let mut response = httparse::Response::new(&mut fields);
        let httparse::Status::Complete(_) = response.parse(head)? else { return Ok(None) };
        let length = field(response.headers, "Content-Length").and_then(|length| length.parse().ok());
        let length: usize = length.ok_or("a response without a length")?;
        let close = field(response.headers, "Connection").is_some_and(|it| it.eq_ignore_ascii_case("close"));
        let afterwards = if close { Afterwards::Closed } else { Afterwards::Open };
        Ok(Some((response.code.unwrap_or(0), length, afterwards)))
    })?;
    let (status, length, afterwards) = head.ok_or("the connection ended before the response")?;
    if length > MAX_BODY {
        return Err(format!("a body of {length} bytes").into());
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok((Response { status, body: String::from_utf8(body)? }, afterwards))
}

pub fn write_response(
    stream: &mut impl Write,
    response: &Response,
    afterwards: Afterwards,
) -> io::Result<()> {
    let reason = match response.status {
        200 => "OK",
        403 => "Forbidden",
        404 => "Not Found",
        502 => "Bad Gateway",
        _ => "",
    };
    let connection = match afterwards {
        Afterwards::Open => "",
        Afterwards::Closed => "Connection: close\r\n",
    };
    let Response { status, body } = response;
    let length = body.len();
    let text = format!("HTTP/1.1 {status} {reason}\r\nContent-Length: {length}\r\n{connection}\r\n{body}");
    stream.write_all(text.as_bytes())?;
    stream.flush()
}

/// Reads up to the empty line, and not a byte more.
fn read_head<T>(
    stream: &mut impl BufRead,
    mut parse: impl FnMut(&[u8]) -> Fallible<Option<T>>,
) -> Fallible<Option<T>> {
    let mut head = Vec::new();
    loop {
        let line = head.len();
        while !head[line..].ends_with(b"\n") {
            let received = stream.fill_buf()?;
            match received.iter().position(|byte| *byte == b'\n') {
                _ if received.is_empty() && head.is_empty() => return Ok(None),
                _ if received.is_empty() => return Err(io::Error::from(ErrorKind::UnexpectedEof).into()),
                _ if head.len() + received.len() > MAX_HEAD => return Err("the head is too long".into()),
                at => {
                    let n = at.map_or(received.len(), |at| at + 1);
                    head.extend_from_slice(&received[..n]);
                    stream.consume(n);
                }
            }
        }
        if let parsed @ Some(_) = parse(&head)? {
            return Ok(parsed);
        }
    }
}

fn field(fields: &[httparse::Header<'_>], name: &str) -> Option<String> {
    let found = fields.iter().find(|field| field.name.eq_ignore_ascii_case(name))?;
    String::from_utf8(found.value.to_vec()).ok()
}
