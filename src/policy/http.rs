//! What an HTTP/1 request may do that came in early data (RFC 8470).
//!
//! Looks at heads of requests alone: reading content, waiting for handshakes and answering is up to the server.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// The answer to a request that is [`Verdict::TooEarly`] (RFC 8470 section 5.2), without content. The connection goes on:
/// what content the request has is still to be read, and passed over.
pub const TOO_EARLY: &[u8] = b"HTTP/1.1 425 Too Early\r\nContent-Length: 0\r\n\r\n";

/// The most header fields in a head.
const MAX_FIELDS: usize = 100;

/// Which requests are handled before the handshake is complete, when anybody may have sent them again.
///
/// By default those whose method is GET, HEAD or OPTIONS. A resource that has effects behind a safe method is known to
/// the application alone: it treats such a request as one that waits. All servers that accept the same tickets must
/// decide alike (RFC 8470 section 6.2).
///
/// ```
/// use symbolon::policy::http::{EarlyRequests, Handshake, Verdict};
///
/// let rules = EarlyRequests::default();
/// let get = b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n";
/// assert_eq!(rules.judge(get, Handshake::Pending), Verdict::Handle { head: get.len() });
/// let post = b"POST / HTTP/1.1\r\nHost: example.com\r\n\r\n";
/// assert_eq!(rules.judge(post, Handshake::Pending), Verdict::Wait { head: post.len() });
/// assert_eq!(rules.judge(post, Handshake::Complete), Verdict::Handle { head: post.len() });
/// ```
#[derive(Clone, Debug)]
pub struct EarlyRequests {
    methods: Vec<String>,
    others: Others,
    max_head: usize,
}

/// What becomes of requests in early data that are not safe to handle there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    /// They wait until the handshake is complete.
    Wait,
    /// They are answered with 425: the client sends them again.
    TooEarly,
}

/// Where the handshake of the connection stands when a request is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handshake {
    /// What was received is early data, and may be a copy.
    Pending,
    /// The client is there: all that was received on this connection, early data too, is the client's own.
    Complete,
}

/// What to do about a request. `head` is the length of its head in bytes, with the empty line; what follows is content,
/// or another request, which is judged by itself, in its turn.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The head is not whole: judge again when more has arrived.
    NeedMore,
    /// Handle it now.
    Handle {
        /// Length of the head in bytes.
        head: usize,
    },
    /// Judge it again when the handshake is complete, and handle nothing that comes after it before.
    Wait {
        /// Length of the head in bytes.
        head: usize,
    },
    /// Answer with 425, for example with [`TOO_EARLY`]: no waiting makes it safe.
    TooEarly {
        /// Length of the head in bytes.
        head: usize,
    },
    /// It is refused for its form; nothing after it can be read.
    Refuse(BadHead),
}

/// Why the head of a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BadHead {
    /// It is not HTTP/1.0 or HTTP/1.1, or breaks its syntax: 400.
    Malformed,
    /// It is too long or has more than 100 fields: 431.
    TooLong,
    /// Its Connection field names Early-Data, so that somebody on the way would remove the mark: 400.
    EarlyDataInConnection,
}

impl BadHead {
    /// The status code of the answer.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed | Self::EarlyDataInConnection => 400,
            Self::TooLong => 431,
        }
    }
}

impl fmt::Display for BadHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "no HTTP/1 request",
            Self::TooLong => "the head of the request is too long",
            Self::EarlyDataInConnection => "Early-Data is named in the Connection field",
        })
    }
}

impl core::error::Error for BadHead {}

impl Default for EarlyRequests {
    fn default() -> Self {
        let methods = ["GET", "HEAD", "OPTIONS"].map(String::from).into();
        Self { methods, others: Others::Wait, max_head: Self::DEFAULT_MAX_HEAD }
    }
}

impl EarlyRequests {
    /// How long a head may be unless told otherwise, in bytes.
    pub const DEFAULT_MAX_HEAD: usize = 16 << 10;

    /// Which methods are safe to handle in early data, instead of GET, HEAD and OPTIONS; compared with case, as HTTP does.
    #[must_use]
    pub fn methods<S: Into<String>>(mut self, methods: impl IntoIterator<Item = S>) -> Self {
        self.methods = methods.into_iter().map(Into::into).collect();
        self
    }

    /// What becomes of all others; by default they wait.
    #[must_use]
    pub fn others(mut self, others: Others) -> Self {
        self.others = others;
        self
    }

    /// How long a head may be, in bytes.
    #[must_use]
    pub fn max_head(mut self, max: usize) -> Self {
        self.max_head = max;
        self
    }

    /// Judges the request that `received` begins with.
    pub fn judge(&self, received: &[u8], handshake: Handshake) -> Verdict {
        let limited = received.get(..self.max_head).unwrap_or(received);
        let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
        let head = match Head::parse(limited, &mut fields) {
            Ok(Some(head)) => head,
            Ok(None) if limited.len() < self.max_head => return Verdict::NeedMore,
            Ok(None) => return Verdict::Refuse(BadHead::TooLong),
            Err(bad) => return Verdict::Refuse(bad),
        };
        let len = head.len;
        if self.methods.iter().any(|method| method == head.method) {
            return Verdict::Handle { head: len };
        }
        // RFC 8470 section 5.1: "Requests that contain the Early-Data header field and cannot be safely processed MUST be
        // rejected using the 425 (Too Early) status code." This handshake says nothing about an earlier hop's.
        if head.is_marked() {
            return Verdict::TooEarly { head: len };
        }
        match (handshake, self.others) {
            (Handshake::Complete, _) => Verdict::Handle { head: len },
            (Handshake::Pending, Others::Wait) => Verdict::Wait { head: len },
            (Handshake::Pending, Others::TooEarly) => Verdict::TooEarly { head: len },
        }
    }
}

/// The head of a request, to be forwarded before the handshake with its client is complete: the same, with `Early-Data: 1`
/// once. Written anew, so that nobody upstream reads it otherwise than we do. `head` ends with its empty line.
///
/// Only for origin servers that are known to understand the field (RFC 8470 section 6.1).
///
/// # Errors
///
/// What is wrong with the head, also when it is not whole or something follows it.
pub fn mark_early(head: &[u8]) -> Result<Vec<u8>, BadHead> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let parsed = Head::parse(head, &mut fields)?.ok_or(BadHead::Malformed)?;
    if parsed.len != head.len() {
        return Err(BadHead::Malformed);
    }
    let version: &[u8] = if parsed.version == 0 { b" HTTP/1.0\r\n" } else { b" HTTP/1.1\r\n" };
    let mut out = Vec::with_capacity(head.len().saturating_add(32));
    for part in [parsed.method.as_bytes(), b" ", parsed.target.as_bytes(), version] {
        out.extend_from_slice(part);
    }
    // RFC 8470 section 5.1: "An intermediary that forwards a request prior to the completion of the TLS handshake with its
    // client MUST send it with the Early-Data header field set to "1"". What the client sent may be invalid or repeated.
    let kept = parsed.fields.iter().filter(|field| !is_mark(field));
    for (name, value) in kept.map(|field| (field.name, field.value)).chain([("Early-Data", &b"1"[..])]) {
        for part in [name.as_bytes(), b": ", value, b"\r\n"] {
            out.extend_from_slice(part);
        }
    }
    out.extend_from_slice(b"\r\n");
    Ok(out)
}

/// A head whose syntax was right.
struct Head<'a> {
    method: &'a str,
    target: &'a str,
    /// The digit after "HTTP/1.".
    version: u8,
    fields: &'a [httparse::Header<'a>],
    /// In bytes, with empty lines before it and the one that ends it.
    len: usize,
}

impl<'a> Head<'a> {
    /// `None` when it is not whole.
    fn parse(
        bytes: &'a [u8],
        fields: &'a mut [httparse::Header<'a>; MAX_FIELDS],
    ) -> Result<Option<Self>, BadHead> {
        // Folded fields and spaces before a colon, which servers read differently, are refused by default.
        let mut request = httparse::Request::new(fields);
        let len = match request.parse(bytes) {
            Ok(httparse::Status::Complete(len)) => len,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(httparse::Error::TooManyHeaders) => return Err(BadHead::TooLong),
            Err(_) => return Err(BadHead::Malformed),
        };
        let (Some(method), Some(target), Some(version)) = (request.method, request.path, request.version)
        else {
            return Err(BadHead::Malformed);
        };
        let head = Self { method, target, version, fields: request.headers, len };
        // RFC 8470 section 5.1: "Early-Data MUST NOT appear in a Connection header field."
        if head.fields.iter().any(hides_mark) {
            return Err(BadHead::EarlyDataInConnection);
        }
        Ok(Some(head))
    }

    /// RFC 8470 section 5.1: "Multiple or invalid instances of the header field MUST be treated as equivalent to a single
    /// instance with a value of 1 by a server."
    fn is_marked(&self) -> bool {
        self.fields.iter().any(is_mark)
    }
}

fn is_mark(field: &httparse::Header<'_>) -> bool {
    field.name.eq_ignore_ascii_case("Early-Data")
}

fn hides_mark(field: &httparse::Header<'_>) -> bool {
    field.name.eq_ignore_ascii_case("Connection")
        && field
            .value
            .split(|byte| *byte == b',')
            .any(|option| option.trim_ascii().eq_ignore_ascii_case(b"Early-Data"))
}

#[cfg(test)]
mod tests {
    use std::format;
    use std::vec;

    use proptest::prelude::*;

    use super::*;

    fn judge(head: &str, handshake: Handshake) -> Verdict {
        EarlyRequests::default().judge(head.as_bytes(), handshake)
    }

    fn with(method: &str, fields: &str) -> String {
        format!("{method} /a?b HTTP/1.1\r\nHost: example.com\r\n{fields}\r\n")
    }

    fn marked(head: &str) -> Result<String, BadHead> {
        mark_early(head.as_bytes()).map(|head| String::from_utf8(head).unwrap())
    }

    #[test]
    fn safe_methods_are_handled_at_once() {
        for method in ["GET", "HEAD", "OPTIONS"] {
            let head = with(method, "");
            assert_eq!(judge(&head, Handshake::Pending), Verdict::Handle { head: head.len() }, "{method}");
        }
    }

    #[test]
    fn other_methods_wait_for_the_handshake() {
        for method in ["POST", "PUT", "DELETE", "PATCH", "CONNECT", "TRACE", "get", "GETS", "X"] {
            let head = with(method, "");
            assert_eq!(judge(&head, Handshake::Pending), Verdict::Wait { head: head.len() }, "{method}");
            assert_eq!(judge(&head, Handshake::Complete), Verdict::Handle { head: head.len() }, "{method}");
        }
    }

    #[test]
    fn other_methods_are_too_early_where_the_server_does_not_wait() {
        let rules = EarlyRequests::default().others(Others::TooEarly);
        let head = with("POST", "");
        assert_eq!(rules.judge(head.as_bytes(), Handshake::Pending), Verdict::TooEarly { head: head.len() });
        // RFC 8470 section 5.2: "The server cannot assume that a client is able to retry a request unless the request is
        // received in early data or the Early-Data header field is set to "1"."
        assert_eq!(rules.judge(head.as_bytes(), Handshake::Complete), Verdict::Handle { head: head.len() });
    }

    #[test]
    fn the_methods_can_be_chosen() {
        let rules = EarlyRequests::default().methods(["QUERY"]);
        let (query, get) = (with("QUERY", ""), with("GET", ""));
        assert_eq!(rules.judge(query.as_bytes(), Handshake::Pending), Verdict::Handle { head: query.len() });
        assert_eq!(rules.judge(get.as_bytes(), Handshake::Pending), Verdict::Wait { head: get.len() });
    }

    #[test]
    fn a_marked_request_is_not_made_safe_by_this_handshake() {
        for mark in [
            "Early-Data: 1\r\n",
            "early-data: 0\r\n",
            "EARLY-DATA:\r\n",
            "Early-Data: 1\r\nEarly-Data: x\r\n",
        ] {
            for handshake in [Handshake::Pending, Handshake::Complete] {
                let (post, get) = (with("POST", mark), with("GET", mark));
                assert_eq!(judge(&post, handshake), Verdict::TooEarly { head: post.len() }, "{mark}");
                assert_eq!(judge(&get, handshake), Verdict::Handle { head: get.len() }, "{mark}");
            }
        }
    }

    #[test]
    fn a_head_ends_where_its_content_begins() {
        let head = with("GET", "Content-Length: 5\r\n");
        let more = format!("{head}POST / HTTP/1.1\r\n\r\n");
        assert_eq!(judge(&more, Handshake::Pending), Verdict::Handle { head: head.len() });
    }

    #[test]
    fn an_incomplete_head_needs_more() {
        let head = with("GET", "Accept: */*\r\nEarly-Data: 1\r\n");
        for len in 0..head.len() {
            assert_eq!(judge(&head[..len], Handshake::Pending), Verdict::NeedMore, "{len}");
            assert_eq!(mark_early(&head.as_bytes()[..len]), Err(BadHead::Malformed));
        }
    }

    #[test]
    fn what_is_no_http_1_is_refused() {
        for head in [
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "\u{16}\u{3}\u{1}",
            "GET /\r\n\r\n",
            "GET  / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.2\r\n\r\n",
            "GET / HTTP/1.1\r\nno colon\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\rEarly-Data: 1\r\n\r\n",
        ] {
            for handshake in [Handshake::Pending, Handshake::Complete] {
                assert_eq!(judge(head, handshake), Verdict::Refuse(BadHead::Malformed), "{head:?}");
            }
            assert_eq!(marked(head), Err(BadHead::Malformed), "{head:?}");
        }
    }

    #[test]
    fn a_folded_or_disguised_field_is_refused() {
        for field in
            ["X: a\r\n Early-Data: 1\r\n", "X: a\r\n\tb\r\n", " Early-Data: 1\r\n", "Early-Data : 1\r\n"]
        {
            let head = with("POST", field);
            let refused = Verdict::Refuse(BadHead::Malformed);
            assert_eq!(judge(&head, Handshake::Complete), refused, "{field:?}");
            assert_eq!(marked(&head), Err(BadHead::Malformed), "{field:?}");
        }
    }

    #[test]
    fn early_data_in_the_connection_field_is_refused() {
        for field in [
            "Connection: Early-Data\r\n",
            "connection: close , early-data\r\n",
            "Connection: close\r\nConnection:\tEARLY-DATA,\r\nEarly-Data: 1\r\n",
        ] {
            let head = with("GET", field);
            let refused = Verdict::Refuse(BadHead::EarlyDataInConnection);
            assert_eq!(judge(&head, Handshake::Pending), refused, "{field:?}");
            assert_eq!(marked(&head), Err(BadHead::EarlyDataInConnection), "{field:?}");
        }
        let head = with("GET", "Connection: close, Early-Data-2\r\n");
        assert_eq!(judge(&head, Handshake::Pending), Verdict::Handle { head: head.len() });
    }

    #[test]
    fn a_head_that_is_too_long_is_refused() {
        let head = with("GET", "");
        let rules = EarlyRequests::default().max_head(head.len());
        assert_eq!(rules.judge(head.as_bytes(), Handshake::Pending), Verdict::Handle { head: head.len() });
        let rules = rules.max_head(head.len() - 1);
        let refused = Verdict::Refuse(BadHead::TooLong);
        assert_eq!(rules.judge(head.as_bytes(), Handshake::Pending), refused);
        assert_eq!(rules.judge(&head.as_bytes()[..head.len() - 1], Handshake::Pending), refused);
        assert_eq!(rules.judge(&head.as_bytes()[..head.len() - 2], Handshake::Pending), Verdict::NeedMore);
        let blank = vec![b'\n'; EarlyRequests::DEFAULT_MAX_HEAD];
        assert_eq!(EarlyRequests::default().judge(&blank, Handshake::Pending), refused);
    }

    #[test]
    fn a_head_with_too_many_fields_is_refused() {
        let fields = |count| "X: y\r\n".repeat(count);
        let head = with("GET", &fields(MAX_FIELDS - 1));
        assert_eq!(judge(&head, Handshake::Pending), Verdict::Handle { head: head.len() });
        let head = with("GET", &fields(MAX_FIELDS));
        assert_eq!(judge(&head, Handshake::Pending), Verdict::Refuse(BadHead::TooLong));
    }

    #[test]
    fn a_forwarded_head_is_marked_and_otherwise_the_same() {
        let head = with("POST", "X: a, b\r\nx-empty:\r\n");
        let expected = with("POST", "X: a, b\r\nx-empty: \r\nEarly-Data: 1\r\n");
        assert_eq!(marked(&head).unwrap(), expected);
        let old = "GET /resource HTTP/1.0\r\nHost: example.com\r\n\r\n";
        let expected = "GET /resource HTTP/1.0\r\nHost: example.com\r\nEarly-Data: 1\r\n\r\n";
        assert_eq!(marked(old).unwrap(), expected);
        assert_eq!(
            marked("OPTIONS * HTTP/1.1\r\n\r\n").unwrap(),
            "OPTIONS * HTTP/1.1\r\nEarly-Data: 1\r\n\r\n"
        );
    }

    #[test]
    fn marks_that_the_client_sent_are_replaced_by_one() {
        let head = with("GET", "early-data: 0\r\nX: y\r\nEarly-Data: 1\r\nEARLY-DATA:\r\n");
        assert_eq!(marked(&head).unwrap(), with("GET", "X: y\r\nEarly-Data: 1\r\n"));
    }

    #[test]
    fn a_forwarded_head_has_one_kind_of_line_ends() {
        let head = "\r\n\nGET / HTTP/1.1\nX:  a \r\n\n";
        assert_eq!(marked(head).unwrap(), "GET / HTTP/1.1\r\nX: a\r\nEarly-Data: 1\r\n\r\n");
    }

    #[test]
    fn a_forwarded_head_keeps_bytes_that_are_no_ascii() {
        let head = b"GET / HTTP/1.1\r\nX: \xE4\xFF\r\n\r\n";
        assert_eq!(mark_early(head).unwrap(), b"GET / HTTP/1.1\r\nX: \xE4\xFF\r\nEarly-Data: 1\r\n\r\n");
    }

    #[test]
    fn only_a_head_is_marked_and_not_what_follows() {
        let head = with("POST", "Content-Length: 1\r\n") + "x";
        assert_eq!(marked(&head), Err(BadHead::Malformed));
    }

    #[test]
    fn the_answer_is_a_whole_response() {
        let mut fields = [httparse::EMPTY_HEADER; 4];
        let mut response = httparse::Response::new(&mut fields);
        assert_eq!(response.parse(TOO_EARLY), Ok(httparse::Status::Complete(TOO_EARLY.len())));
        assert_eq!(
            (response.version, response.code, response.reason),
            (Some(1), Some(425), Some("Too Early"))
        );
        assert_eq!([BadHead::Malformed.status(), BadHead::TooLong.status()], [400, 431]);
    }

    /// Pieces that heads are made of, and some that they are not.
    fn piece() -> impl Strategy<Value = Vec<u8>> {
        const PIECES: [&str; 12] = [
            "GET ",
            "POST ",
            "/ ",
            "HTTP/1.1\r\n",
            "\r\n",
            "\n",
            " ",
            "Early-Data: 1\r\n",
            "Connection: ",
            "early-data",
            "X:",
            "\t",
        ];
        prop_oneof![
            6 => prop::sample::select(&PIECES[..]).prop_map(|piece| piece.as_bytes().to_vec()),
            1 => any::<u8>().prop_map(|byte| vec![byte]),
        ]
    }

    proptest! {
        #[test]
        fn a_forwarded_head_is_judged_as_marked_whatever_was_sent(pieces in prop::collection::vec(piece(), 0..20)) {
            let mut bytes = b"POST / HTTP/1.1\r\n".to_vec();
            bytes.extend(pieces.concat());
            let rules = EarlyRequests::default();
            match rules.judge(&bytes, Handshake::Pending) {
                Verdict::Wait { head } | Verdict::TooEarly { head } => {
                    let forwarded = mark_early(&bytes[..head]).unwrap();
                    let again = rules.judge(&forwarded, Handshake::Complete);
                    prop_assert_eq!(again, Verdict::TooEarly { head: forwarded.len() });
                    prop_assert_eq!(&mark_early(&forwarded).unwrap(), &forwarded);
                }
                Verdict::Handle { .. } => prop_assert!(false, "a POST was handled"),
                Verdict::NeedMore | Verdict::Refuse(_) => prop_assert!(mark_early(&bytes).is_err()),
            }
        }

        #[test]
        fn no_bytes_make_it_panic(pieces in prop::collection::vec(piece(), 0..30)) {
            let bytes = pieces.concat();
            let _ = EarlyRequests::default().judge(&bytes, Handshake::Pending);
            let _ = mark_early(&bytes);
        }
    }
}
