//! The parts of the mesh example that decide and parse.
#![cfg(all(feature = "rustcrypto", feature = "pki"))]

#[path = "../examples/support/devpki.rs"]
mod devpki;
#[allow(dead_code)] // its story is for the example to tell
#[path = "../examples/support/mesh/mod.rs"]
mod mesh;

use std::io::BufReader;

use mesh::allow::{BACKEND, PROXY};
use mesh::http::{Afterwards, Response, read_request, read_response, write_request, write_response};
use symbolon::identity::SpiffeId;

fn id(text: &str) -> SpiffeId {
    text.parse().unwrap()
}

#[test]
fn a_caller_is_known_by_its_whole_identity() {
    assert!(BACKEND.knows(&id("spiffe://mesh.example/proxy")));
    for stranger in [
        "spiffe://mesh.example/intruder",
        "spiffe://mesh.example/proxy/a",
        "spiffe://mesh.example",
        "spiffe://elsewhere.example/proxy",
    ] {
        assert!(!BACKEND.knows(&id(stranger)), "{stranger}");
    }
}

#[test]
fn a_path_is_permitted_to_those_who_are_listed_for_it() {
    let (frontend, proxy) = (id("spiffe://mesh.example/frontend"), id("spiffe://mesh.example/proxy"));
    assert!(BACKEND.permits(&proxy, "/stock") && BACKEND.permits(&frontend, "/health"));
    assert!(!BACKEND.permits(&frontend, "/stock") && !BACKEND.permits(&proxy, "/health"));
    assert!(PROXY.permits(&frontend, "/stock") && !PROXY.permits(&proxy, "/stock"));
    for close in ["/stock/", "/stock?a", "/Stock", "stock", "/"] {
        assert!(!BACKEND.permits(&proxy, close), "{close}");
    }
}

#[test]
fn two_requests_on_one_connection_are_told_apart_however_they_arrive() {
    let mut sent = Vec::new();
    write_request(&mut sent, "backend.mesh.example", "/stock", Some("spiffe://mesh.example/frontend"))
        .unwrap();
    write_request(&mut sent, "backend.mesh.example", "/orders", None).unwrap();
    for size in [1, 7, sent.len()] {
        let mut stream = BufReader::with_capacity(size, &sent[..]);
        let first = read_request(&mut stream).unwrap().unwrap();
        assert_eq!(first.path, "/stock");
        assert_eq!(first.on_behalf_of.as_deref(), Some("spiffe://mesh.example/frontend"));
        let second = read_request(&mut stream).unwrap().unwrap();
        assert_eq!((second.path.as_str(), second.on_behalf_of), ("/orders", None));
        assert!(read_request(&mut stream).unwrap().is_none());
    }
}

#[test]
fn a_response_says_whether_it_is_the_last_one() {
    for afterwards in [Afterwards::Open, Afterwards::Closed] {
        let mut sent = Vec::new();
        write_response(&mut sent, &Response::new(403, "no\n"), afterwards).unwrap();
        let (response, read) = read_response(&mut &sent[..]).unwrap();
        assert_eq!((response.status, response.body.as_str(), read), (403, "no\n", afterwards));
        read_response(&mut &sent[..sent.len() - 1]).unwrap_err();
    }
}

#[test]
fn an_endless_head_and_an_immense_body_are_refused() {
    let mut endless = BufReader::new(std::io::repeat(b'a'));
    assert!(read_request(&mut endless).is_err());
    let immense = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n";
    assert!(read_response(&mut &immense[..]).is_err());
    assert!(read_request(&mut &b"POST / HTTP/1.1\r\n\r\n"[..]).is_err());
}
