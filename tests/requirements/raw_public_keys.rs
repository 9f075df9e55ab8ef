//! What a server says of the types of certificates (RFC 7250 section 4.2).

use crate::support::flow::*;
use crate::support::forge::*;
use symbolon::codepoint::CertificateType;
use symbolon::config::ClientAuth;
use symbolon::conn::Epoch;

const OF_CLIENTS: u16 = 19;
const X509: u8 = 0;
const RAW: u8 = 2;

/// What a server by `mode`, which accepts both types and prefers raw keys, tells a client that has these.
fn told(mode: ClientAuth, offered: &[u8]) -> Vec<Vec<u8>> {
    let mut hello = Hello::parse(&FULL.record().client[0]);
    hello.set(OF_CLIENTS, &vector(1, offered));
    let types = [CertificateType::RAW_PUBLIC_KEY, CertificateType::X509];
    let mut server = FULL.server_with(|b| b.client_auth(mode).client_certificate_types(types));
    server.tell(Epoch::Plaintext, &hello.write()).unwrap();
    server.told()
}

/// The type in EncryptedExtensions, and whether a CertificateRequest follows.
fn answered(told: &[Vec<u8>]) -> (Option<Vec<u8>>, bool) {
    let message = told.iter().find(|message| message[0] == ENCRYPTED_EXTENSIONS).unwrap();
    let found = extensions(&message[6..]).into_iter().find(|(kind, _)| *kind == OF_CLIENTS);
    (found.map(|(_, data)| data), told.iter().any(|message| message[0] == CERTIFICATE_REQUEST))
}

//= testvectors/requirements/rfc7250.txt#section-4.2
//= type=test
//# it MUST include the client_certificate_type extension in the server hello.
//= testvectors/requirements/rfc7250.txt#section-4.2
//= type=test
//# The value conveyed in the client_certificate_type extension MUST be selected from one of the values
//# provided in the client_certificate_type extension sent in the client hello.
//= testvectors/requirements/rfc7250.txt#section-4.2
//= type=test
//# The server MUST also include a certificate_request payload in the server hello message.
#[test]
fn a_request_comes_with_a_type_that_the_client_offered() {
    let required = || ClientAuth::Required { authorities: Vec::new() };
    for (offered, answer) in [(&[RAW][..], RAW), (&[X509, RAW], RAW), (&[X509, 3], X509), (&[1, X509], X509)]
    {
        assert_eq!(answered(&told(required(), offered)), (Some(vec![answer]), true), "{offered:?}");
    }
}

//= testvectors/requirements/rfc7250.txt#section-4.2
//= type=test
//# then the client_certificate_type payload in the server hello MUST be omitted.
#[test]
fn without_a_request_there_is_no_type() {
    let optional = ClientAuth::Optional { authorities: Vec::new() };
    for (mode, offered) in [(ClientAuth::Off, &[RAW][..]), (ClientAuth::Off, &[X509, RAW]), (optional, &[1])]
    {
        assert_eq!(answered(&told(mode, offered)), (None, false), "{offered:?}");
    }
}
