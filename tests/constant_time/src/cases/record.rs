//! Opening and sealing records, with every amount of padding.

use symbolon::conn::Kernel;
use symbolon::crypto::{AeadKey, Nonce};

use super::Case;
use crate::known::{Known, Why};
use crate::link::{Link, client_config, server_config};
use crate::marked::{Plaintext, plain, treat};
use crate::valgrind::{make_public, make_secret, secret_bytes, unreported};

/// RFC 9846 appendix F.3 (timing of padding): what is told by how long the scan takes is how long the padding is.
const LENGTH: &str = "how many bytes of padding there are, which is what the application is told anyway";

pub const CASES: &[Case] = &[
    Case {
        name: "record, opened; its content is secret",
        run: || open(Plaintext::SecretContent),
        known: &[],
    },
    Case {
        name: "record, opened; its padding is secret too",
        run: || open(Plaintext::Secret),
        known: &[Known {
            place: "symbolon/src/record/opener.rs",
            functions: &["strip_padding"],
            most: PADDING_BYTES + ZEROS + 4 * (RECORDS + 1),
            why: Why::Leak(LENGTH),
        }],
    },
    Case { name: "record, sealed; its content is secret", run: seal, known: &[] },
];

/// Lengths of content and padding.
const SHAPES: [(usize, usize); 12] = [
    (0, 0),
    (0, 1),
    (1, 0),
    (1, 1),
    (1, 255),
    (100, 0),
    (100, 7),
    (100, 64),
    (1_000, 24),
    (1, 16_383),
    (16_000, 384),
    (16_384, 0),
];
/// A record that holds nothing else.
const ZEROS: u64 = 100;
const RECORDS: u64 = SHAPES.len() as u64;
const PADDING_BYTES: u64 = {
    let (mut sum, mut at) = (0, 0);
    while at < SHAPES.len() {
        sum += SHAPES[at].1 as u64;
        at += 1;
    }
    sum
};

const APPLICATION_DATA: u8 = 23;

/// A client's keys in the case's own hands: what it sends need not be as the library would.
struct Forger {
    key: Box<dyn AeadKey>,
    iv: [u8; 12],
    sequence: u64,
}

impl Forger {
    fn new(kernel: &Kernel) -> Self {
        make_public(kernel.send.key.expose());
        make_public(&kernel.send.iv);
        let key = plain().suite(kernel.suite).unwrap().aead.key(kernel.send.key.expose()).unwrap();
        Self { key, iv: kernel.send.iv, sequence: kernel.send.sequence }
    }

    fn record(&mut self, inner: &[u8]) -> Vec<u8> {
        let len = u16::try_from(inner.len() + 16).unwrap().to_be_bytes();
        let header = [APPLICATION_DATA, 3, 3, len[0], len[1]];
        let mut nonce = self.iv;
        for (byte, counted) in nonce[4..].iter_mut().zip(self.sequence.to_be_bytes()) {
            *byte ^= counted;
        }
        self.sequence += 1;
        let (mut body, mut tag) = (inner.to_vec(), [0; 16]);
        self.key.seal_in_place(&Nonce(nonce), &header, &mut body, &mut tag).unwrap();
        [&header[..], &body, &tag].concat()
    }
}

/// A server, and who forges its client's records.
fn forged() -> (Link, Forger) {
    let server = server_config(|builder| builder);
    let mut link = Link::established(&client_config(|builder| builder), &server);
    let other = unreported(|| Link::established(&client_config(|builder| builder), &server));
    let client = std::mem::replace(&mut link.client, other.client);
    let forger = unreported(|| Forger::new(&client.conn.into_kernel(&client.out).unwrap()));
    (link, forger)
}

fn open(plaintext: Plaintext) {
    let (mut link, mut forger) = forged();
    treat(plaintext);
    let mut expected = 0;
    for (content, padding) in SHAPES {
        let inner = [&vec![0x41; content][..], &[APPLICATION_DATA], &vec![0; padding]].concat();
        let record = unreported(|| forger.record(&inner));
        link.server.inbox.extend(record);
        link.server.run(&mut link.answers).unwrap();
        expected += content;
        assert_eq!(link.server.data, (expected, expected), "its data is secret");
    }
    // RFC 9846 section 5.4: without a content type a record is refused.
    let record = unreported(|| forger.record(&[0; ZEROS as usize]));
    link.server.inbox.extend(record);
    assert!(link.server.run(&mut link.answers).is_err());
}

fn seal() {
    let server = server_config(|builder| builder);
    let mut link = Link::established(&client_config(|builder| builder), &server);
    for (content, _) in SHAPES {
        let mut content = vec![0x41; content];
        make_secret(&mut content);
        let middle = content.len() / 2;
        let parts = [&content[..middle], &content[middle..]];
        assert_eq!(link.client.conn.write(&parts, &mut link.client.out), Ok(content.len()));
        let sent = link.client.flush();
        assert!(sent.len() >= content.len() && secret_bytes(&content) == content.len());
    }
    assert_eq!(link.client.in_the_clear, 0);
}
