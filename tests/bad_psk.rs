//! Pre-shared keys, tickets and binders from peers that break the rules, and answers that belong elsewhere.
#![cfg(feature = "rustcrypto")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use support::forge::*;
use support::provider;
use support::psk::*;
use support::resumption::*;
use symbolon::codepoint::NamedGroup;
use symbolon::config::ClientConfigBuilder;
use symbolon::conn::{Client, Epoch, NotResumed, Offer, Resumed, Server};
use symbolon::psk::{ExternalPsk, PskHash, Session};
use symbolon::question::{KnownPsk, Question};
use symbolon::{AlertCode, Error, Misuse};

const ILLEGAL: AlertCode = AlertCode::ILLEGAL_PARAMETER;
const DECRYPT: AlertCode = AlertCode::DECRYPT_ERROR;
const DECODE: AlertCode = AlertCode::DECODE_ERROR;
const UNEXPECTED: AlertCode = AlertCode::UNEXPECTED_MESSAGE;

/// A server with one session.
fn scene(suite: symbolon::codepoint::CipherSuite) -> Scene {
    let scene = Scene::of(suite);
    scene.ticket();
    scene.serve(|b| b.suites(&[suite]).tickets(0))
}

/// A ClientHello by hand that offers the one session; `change` comes behind the binder.
fn altered(scene: &Scene, change: impl FnOnce(&mut Hello)) -> ByHand {
    let mut by_hand = ByHand::ready(scene, |hello, _| hello.remove(EARLY_DATA));
    let mut hello = Hello::parse(&by_hand.hello);
    change(&mut hello);
    by_hand.hello = hello.write();
    by_hand
}

/// Says the ClientHello.
fn say(by_hand: &mut ByHand) -> Result<(), Error> {
    let hello = by_hand.hello.clone();
    hello.chunks(16_384).try_for_each(|part| by_hand.server.say(Epoch::Plaintext, HANDSHAKE, part))
}

#[track_caller]
fn refuses(mut by_hand: ByHand, alert: AlertCode, what: &str) {
    let told = say(&mut by_hand);
    by_hand.server.refuses(told, alert, Epoch::Plaintext, what);
    assert!(by_hand.server.told().is_empty(), "{what}: nothing but the alert was said");
}

/// Identities with their obfuscated ages.
type Identities = Vec<(Vec<u8>, u32)>;

/// The identities and binders of a ClientHello.
fn parts(hello: &Hello) -> (Identities, Vec<Vec<u8>>) {
    let data = hello.data(PRE_SHARED_KEY).unwrap();
    let (identities, binders) = data[2..].split_at(usize::from(u16::from_be_bytes([data[0], data[1]])));
    let (mut rest, mut found) = (identities, (Vec::new(), Vec::new()));
    while !rest.is_empty() {
        let (identity, behind) = rest[2..].split_at(usize::from(u16::from_be_bytes([rest[0], rest[1]])));
        found.0.push((identity.to_vec(), u32::from_be_bytes(behind[..4].try_into().unwrap())));
        rest = &behind[4..];
    }
    rest = &binders[2..];
    while !rest.is_empty() {
        let (binder, behind) = rest[1..].split_at(usize::from(rest[0]));
        found.1.push(binder.to_vec());
        rest = behind;
    }
    found
}

/// Changes identities and binders, and leaves the rest.
fn repack(hello: &mut Hello, change: impl FnOnce(&mut Identities, &mut Vec<Vec<u8>>)) {
    let (mut identities, mut binders) = parts(hello);
    change(&mut identities, &mut binders);
    hello.set(PRE_SHARED_KEY, &pre_shared_key(&identities, &binders));
}

#[test]
fn the_ticket_by_hand_resumes() {
    for suite in [AES128, AES256, CHACHA] {
        let scene = scene(suite);
        let mut by_hand = altered(&scene, |_| {});
        say(&mut by_hand).unwrap();
        by_hand.finish().unwrap();
        assert_eq!(by_hand.server.party.summary.as_ref().unwrap().resumed, Ok(Resumed::Session));
    }
}

#[test]
fn a_ticket_changed_at_any_byte_is_unknown() {
    let scene = scene(AES128);
    let (ticket, _) = scene.memory.only();
    let mut forged: Vec<Vec<u8>> = (0..ticket.len()).map(|len| ticket[..len.max(1)].to_vec()).collect();
    forged.push([&ticket[..], &[0]].concat());
    for at in 0..ticket.len() {
        let mut changed = ticket.clone();
        changed[at] ^= 1;
        forged.push(changed);
    }
    for ticket in forged {
        let mut by_hand = ByHand::ready(&scene, |hello, offered| {
            hello.remove(EARLY_DATA);
            offered.identity = ticket;
        });
        say(&mut by_hand).unwrap();
        assert_eq!(by_hand.server.party.answers.asked, ["LookupPsk", "Sign"], "a full handshake");
        by_hand.finish().unwrap();
        let summary = by_hand.server.party.summary.as_ref().unwrap();
        assert_eq!(summary.resumed, Err(NotResumed::Unknown));
    }
}

//= testvectors/requirements/rfc9846.txt#section-4.3.11
//= type=test
//# Prior to accepting PSK key establishment, the server MUST validate the corresponding binder value (see
//# Section 4.3.11.2 below).
//= testvectors/requirements/rfc9846.txt#section-4.3.11
//= type=test
//# If this value is not present or does not validate, the server MUST abort the handshake.
#[test]
fn a_binder_wrong_at_any_byte_ends_the_handshake() {
    for (suite, len) in [(AES128, 32), (AES256, 48)] {
        let scene = scene(suite);
        for at in 0..len {
            refuses(
                altered(&scene, |hello| repack(hello, |_, binders| binders[0][at] ^= 0x80)),
                DECRYPT,
                &format!("byte {at}"),
            );
        }
    }
}

#[test]
fn binders_are_as_long_as_the_hash_and_as_many_as_identities() {
    for (suite, len) in [(AES128, 32), (AES256, 48)] {
        let scene = scene(suite);
        let bound =
            |change: &dyn Fn(&mut Vec<Vec<u8>>)| altered(&scene, |hello| repack(hello, |_, b| change(b)));
        refuses(bound(&|binders| binders.clear()), DECODE, "none");
        refuses(bound(&|binders| binders[0].clear()), DECODE, "an empty one");
        refuses(bound(&|binders| binders[0].truncate(31)), DECODE, "too short a one");
        refuses(bound(&|binders| binders.push(vec![0; len])), ILLEGAL, "one too many");
        for wrong in [32, 33, 47, 48, 49, 255] {
            if wrong != len {
                let alert = bound(&|binders| binders[0].resize(wrong, 0));
                refuses(alert, DECRYPT, &format!("{wrong} bytes"));
            }
        }
        let fewer = altered(&scene, |hello| repack(hello, |all, _| all.push((vec![1], 0))));
        refuses(fewer, ILLEGAL, "one too few");
    }
}

#[test]
fn a_binder_covers_the_whole_hello_before_it() {
    let scene = scene(AES128);
    let changes: [fn(&mut Hello); 7] = [
        |hello| hello.random[31] ^= 1,
        |hello| hello.session[0] ^= 1,
        |hello| hello.suites.extend([0x13, 2]),
        |hello| hello.extensions.insert(0, (0x0A0A, vec![])),
        |hello| hello.extensions.insert(0, (EARLY_DATA, vec![])),
        |hello| hello.extensions.swap(0, 1),
        |hello| repack(hello, |identities, _| identities[0].1 ^= 1),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        refuses(altered(&scene, change), DECRYPT, &format!("change {number}"));
    }
    // Or a binder of another ClientHello: the hello of another attempt has another key share.
    let other = parts(&Hello::parse(&altered(&scene, |_| {}).hello)).1;
    refuses(altered(&scene, |hello| repack(hello, |_, binders| *binders = other)), DECRYPT, "another's");
}

//= testvectors/requirements/rfc9846.txt#section-4.3.11
//= type=test
//# Servers MUST check that it is the last extension and otherwise fail the handshake with an
//# "illegal_parameter" alert.
#[test]
fn pre_shared_key_is_the_last_extension() {
    let scene = scene(AES128);
    refuses(altered(&scene, |hello| hello.set(0x0A0A, &[])), ILLEGAL, "an unknown one behind it");
    refuses(altered(&scene, |hello| hello.extensions.rotate_right(1)), ILLEGAL, "it is the first");
    refuses(altered(&scene, |hello| hello.remove(MODES)), AlertCode::MISSING_EXTENSION, "no modes");
}

#[test]
fn only_the_binder_of_the_selected_key_is_checked() {
    // RFC 9846 section 4.3.11: "servers SHOULD NOT attempt to validate multiple binders".
    let scene = scene(AES128);
    let (ticket, session) = scene.memory.only();
    let hash = suite().hash;
    // As many as fit one extension: the bytes of each are its least identity and its least binder.
    let unknown = |n: usize| Offered {
        identity: vec![n as u8],
        age: n as u32,
        key: vec![n as u8; 16],
        label: RESUMPTION,
        hash,
    };
    let known = Offered {
        identity: ticket,
        age: session.age_add,
        key: session.psk.expose().to_vec(),
        label: RESUMPTION,
        hash,
    };
    for place in [0, 800, 1599] {
        let mut keys: Vec<Offered> = (0..1599).map(unknown).collect();
        keys.insert(place, known.clone());
        let mut by_hand = altered(&scene, |hello| {
            offer(hello, &keys);
            repack(hello, |_, binders| {
                for (at, binder) in binders.iter_mut().enumerate() {
                    if at != place {
                        binder.fill(0);
                    }
                }
            });
        });
        say(&mut by_hand).unwrap();
        by_hand.finish().unwrap();
        let reply = Hello::parse(&by_hand.server.told()[0]);
        assert_eq!(reply.data(PRE_SHARED_KEY).unwrap(), &(place as u16).to_be_bytes());
    }
}

#[test]
fn very_many_known_identities_that_cannot_be_used_end_in_a_full_handshake() {
    let scene = scene(AES128);
    scene.memory.edit().now = NOW.plus(Duration::from_secs(1 << 30));
    let (ticket, _) = scene.memory.only();
    let key = |_| Offered {
        identity: ticket.clone(),
        age: 0,
        key: vec![1; 32],
        label: RESUMPTION,
        hash: suite().hash,
    };
    let keys: Vec<Offered> = (0..1200).map(key).collect();
    let mut by_hand = altered(&scene, |hello| offer(hello, &keys));
    say(&mut by_hand).unwrap();
    by_hand.finish().unwrap();
    let summary = by_hand.server.party.summary.as_ref().unwrap();
    assert_eq!(summary.resumed, Err(NotResumed::Expired));
    assert_eq!(scene.memory.edit().offered.last().unwrap().len(), 1200);
}

#[test]
fn the_same_identity_twice_is_the_first_of_both() {
    let scene = scene(AES128);
    let mut by_hand = altered(&scene, |hello| {
        repack(hello, |identities, binders| {
            identities.push(identities[0].clone());
            binders.push(vec![0; 32]);
        });
    });
    // The binder was made without the second identity.
    let told = say(&mut by_hand);
    by_hand.server.refuses(told, DECRYPT, Epoch::Plaintext, "a list that was longer than bound");
    let (ticket, session) = scene.memory.only();
    let (age, key) = (session.age_add, session.psk.expose().to_vec());
    let one = Offered { identity: ticket, age, key, label: RESUMPTION, hash: suite().hash };
    let mut by_hand = altered(&scene, |hello| offer(hello, &[one.clone(), one]));
    say(&mut by_hand).unwrap();
    by_hand.finish().unwrap();
}

#[test]
fn the_longest_identity_is_looked_up_and_unknown() {
    let scene = scene(AES128);
    let mut by_hand = ByHand::ready(&scene, |hello, offered| {
        hello.remove(EARLY_DATA);
        offered.identity = vec![7; 65_300];
    });
    say(&mut by_hand).unwrap();
    assert_eq!(scene.memory.edit().offered.last().unwrap()[0].identity.len(), 65_300);
    by_hand.finish().unwrap();
}

#[test]
fn pre_shared_key_cut_anywhere_is_refused() {
    let scene = scene(AES128);
    let whole = altered(&scene, |_| {}).hello;
    let data = Hello::parse(&whole).data(PRE_SHARED_KEY).unwrap().clone();
    for len in 0..data.len() {
        refuses(altered(&scene, |hello| hello.set(PRE_SHARED_KEY, &data[..len])), DECODE, "cut");
    }
    let longer = [&data[..], &[0]].concat();
    refuses(altered(&scene, |hello| hello.set(PRE_SHARED_KEY, &longer)), DECODE, "a byte behind");
    for (what, data) in [
        ("an empty identity", pre_shared_key(&[(vec![], 0)], &[vec![0; 32]])),
        ("no identity", pre_shared_key(&[], &[vec![0; 32]])),
        ("nothing", pre_shared_key(&[], &[])),
    ] {
        refuses(altered(&scene, |hello| hello.set(PRE_SHARED_KEY, &data)), DECODE, what);
    }
}

#[test]
fn a_session_of_another_connection_does_not_fit() {
    for suite in SUITES {
        let scene = Scene::of(suite);
        let ticket = scene.ticket();
        let (first, session) = scene.memory.only();
        let other = scene.ticket();
        let mut state = scene.memory.edit();
        assert_eq!(state.sessions.len(), 2);
        let stolen = state.sessions.iter().find(|(ticket, _)| **ticket != first).unwrap().1.clone();
        assert_ne!(Session::decode(&stolen).unwrap().psk.expose(), session.psk.expose());
        state.sessions.insert(first, stolen);
        drop(state);
        let mut pair = scene.pair(Offer::resume(ticket, NOW));
        assert_eq!(pair.run().unwrap_err().alert(), Some(DECRYPT));
        assert!(pair.server.summary.is_none());
        scene.resume(other);
    }
}

#[test]
fn a_session_with_a_key_of_another_length_does_no_harm() {
    for len in [0, 1, 31, 33, 48] {
        let scene = Scene::of(AES128);
        let ticket = scene.ticket();
        let key = symbolon::crypto::HashSecret::copy_of(&vec![1; len]).unwrap();
        scene.memory.change(|session| {
            session.psk = symbolon::crypto::HashSecret::copy_of(key.expose()).unwrap();
        });
        let mut pair = scene.pair(Offer::resume(ticket, NOW));
        assert_eq!(pair.run().unwrap_err().alert(), Some(DECRYPT), "{len}");
    }
}

#[test]
fn a_verdict_on_one_connection_is_none_on_another_with_the_same_hello() {
    let scene = Scene::early(AES128);
    let mut pair = scene.pair_with_early(scene.ticket(), b"early");
    let flight = pair.client.flush();
    let asked = |mut server: support::Party<Server>| {
        server.hold = vec!["CheckReplay"];
        server.inbox = flight.clone();
        server.run().unwrap();
        let Some(Question::CheckReplay(question)) = server.held.pop() else { panic!("no question") };
        (server, question)
    };
    let ((a, of_a), (mut b, of_b)) = (asked(scene.server()), asked(scene.server()));
    assert_eq!(of_a.flight(), of_b.flight());
    drop(a);
    let wrong = b.conn.resume(of_a.fresh(), &mut b.out);
    assert_eq!(wrong, Err(Error::Misuse(Misuse::WrongAnswer)));
    assert!(b.out.is_empty() && b.early.is_empty());
    b.conn.resume(of_b.replayed(), &mut b.out).unwrap();
    b.run().unwrap();
    assert!(b.early.is_empty());
    // The state was unharmed: the handshake goes on, without early data.
    pair.server = b;
    pair.run().unwrap();
    assert_eq!(pair.server.summary.as_ref().unwrap().resumed, Ok(Resumed::Session));
    pair.send_up(b"up");
}

#[test]
fn an_answer_to_a_lookup_is_for_its_own_connection_and_question() {
    let scene = Scene::early(AES128);
    let mut pair = scene.pair_with_early(scene.ticket(), b"early");
    let flight = pair.client.flush();
    let ask = || {
        let mut server = scene.server();
        server.hold = vec!["LookupPsk"];
        server.inbox = flight.clone();
        server.run().unwrap();
        let Some(Question::LookupPsk(question)) = server.held.pop() else { panic!("no question") };
        (server, question)
    };
    let ((_, of_a), (mut b, of_b)) = (ask(), ask());
    let answer = |question: symbolon::question::LookupPsk| {
        let session = Box::new(scene.memory.session(&question.identities()[0].identity));
        question.known(vec![(0, KnownPsk::Session(session))], NOW, NotResumed::Unknown)
    };
    let wrong = b.conn.resume(answer(of_a), &mut b.out);
    assert_eq!(wrong, Err(Error::Misuse(Misuse::WrongAnswer)));
    b.conn.resume(answer(of_b), &mut b.out).unwrap();
    b.run().unwrap();
    assert_eq!(b.early, b"early");
}

/// Groups of which the second is what the server wants.
const GROUPS: [NamedGroup; 2] = [NamedGroup::X25519, NamedGroup::SECP256R1];

/// A server that asked for another group, and what it was said before the second hello; `change` makes that of the first.
fn retried(change: impl FnOnce(&[u8], &mut Hello, &[Offered])) -> (Puppet<Server>, Result<(), Error>) {
    let scene = Scene::of(AES128);
    scene.ticket();
    scene.ticket();
    scene.memory.change(|session| session.server_name = None);
    let hash = suite().hash;
    let keys: Vec<Offered> = scene
        .memory
        .edit()
        .sessions
        .iter()
        .map(|(ticket, encoded)| {
            let session = Session::decode(encoded).unwrap();
            let (age, key) = (session.age_add, session.psk.expose().to_vec());
            Offered { identity: ticket.clone(), age, key, label: RESUMPTION, hash }
        })
        .collect();
    let scene = scene.serve(|b| b.groups(&GROUPS[1..]));
    let mut server = Puppet::new(scene.server(), Role::Server);
    let exchange = support::fake::x25519().start(&*provider().rng).unwrap();
    let mut first = support::fake::hello(suite(), &*exchange);
    first.set(10, &[0, 4, 0, 0x1D, 0, 0x17]);
    offer(&mut first, &keys);
    server.tell(Epoch::Plaintext, &first.write()).unwrap();
    let digest = hash.hash(&[&first.write()]);
    let before = [message(254, digest.as_ref()), server.told()[0].clone()].concat();
    let exchange = provider().group(GROUPS[1]).unwrap().start(&*provider().rng).unwrap();
    let (group, public) = exchange.shares()[0].unwrap();
    first.set(51, &vector(2, &support::fake::share(group, public)));
    change(&before, &mut first, &keys);
    let told = server.tell(Epoch::Plaintext, &first.write());
    (server, told)
}

/// The index that the server selected.
fn selected(server: &Puppet<Server>) -> Option<Vec<u8>> {
    Hello::parse(&server.told()[1]).data(PRE_SHARED_KEY).cloned()
}

#[test]
fn a_second_hello_is_bound_with_all_that_came_before() {
    let (server, told) = retried(offer_after);
    told.unwrap();
    assert_eq!(selected(&server), Some(vec![0, 0]));
    for (what, change) in [
        ("the first binders", (|_, _, _| {}) as fn(&[u8], &mut Hello, &[Offered])),
        ("bound without what came before", |_, hello, keys| offer(hello, keys)),
    ] {
        let (mut server, told) = retried(change);
        server.refuses(told, DECRYPT, Epoch::Plaintext, what);
    }
}

#[test]
fn the_key_of_a_first_hello_stays_wherever_the_second_puts_it() {
    let (server, told) = retried(|before, hello, keys| {
        offer_after(before, hello, &[keys[1].clone(), keys[0].clone()]);
    });
    told.unwrap();
    assert_eq!(selected(&server), Some(vec![0, 1]));
}

#[test]
fn a_second_hello_takes_back_no_key_that_fits_the_suite() {
    let (mut server, told) = retried(|before, hello, keys| offer_after(before, hello, &keys[1..]));
    server.refuses(told, ILLEGAL, Epoch::Plaintext, "another known one is left");
    let (mut server, told) = retried(|_, hello, _| hello.remove(PRE_SHARED_KEY));
    server.refuses(told, AlertCode::MISSING_EXTENSION, Epoch::Plaintext, "none is left");
}

/// A client that offers a ticket of SHA-256 and a key of SHA-384, with its ClientHello.
fn client(change: impl FnOnce(ClientConfigBuilder) -> ClientConfigBuilder) -> (Puppet<Client>, Hello) {
    let scene = Scene::new(|b| change(b.suites(&[AES128, AES256])), |b| b.suites(&[AES128]));
    let key = Arc::new(ExternalPsk::new(b"k", &[7; 32], PskHash::Sha384).unwrap());
    let offer = Offer::resume(scene.ticket(), NOW).with_psks([key]);
    let client = Puppet::new(scene.client(offer), Role::Client);
    let hello = Hello::parse(&client.told()[0]);
    assert_eq!(parts(&hello).0.len(), 2);
    (client, hello)
}

//= testvectors/requirements/rfc9846.txt#section-4.3.11
//= type=test
//# Clients MUST verify that the server's selected_identity is within the range supplied by the client, that
//# the server selected a cipher suite indicating a Hash associated with the PSK, and that a server
//# "key_share" extension is present if required by the ClientHello "psk_key_exchange_modes" extension.
//= testvectors/requirements/rfc9846.txt#section-4.3.11
//= type=test
//# If these values are not consistent, the client MUST abort the handshake with an "illegal_parameter"
//# alert.
#[test]
fn a_server_selects_a_key_that_was_offered_and_fits_its_suite() {
    // RFC 9846 section 4.3.11: "clients MUST verify that the server's selected_identity is within the range supplied by
    // the client, that the server selected a cipher suite indicating a Hash associated with the PSK".
    for (suite, index, fits) in [
        (AES128, 0, true),
        (AES256, 1, true),
        (AES256, 0, false),
        (AES128, 1, false),
        (AES128, 2, false),
        (AES256, 2, false),
        (AES128, u16::MAX, false),
    ] {
        let (mut client, hello) = client(|b| b);
        client.suite = provider().suite(suite).unwrap();
        let told = client.tell(Epoch::Plaintext, &server_hello(&hello, client.suite, Some(index)).write());
        if fits {
            told.unwrap();
        } else {
            client.refuses(told, ILLEGAL, Epoch::Plaintext, &format!("{suite} {index}"));
        }
    }
}

//= testvectors/requirements/rfc9846.txt#section-4.3.9
//= type=test
//# In this mode, the client and server MUST supply "key_share" values as described in Section 4.3.8.
//= testvectors/requirements/rfc9846.txt#section-4.3.11
//= type=test
//# Clients MUST verify that the server's selected_identity is within the range supplied by the client, that
//# the server selected a cipher suite indicating a Hash associated with the PSK, and that a server
//# "key_share" extension is present if required by the ClientHello "psk_key_exchange_modes" extension.
#[test]
fn a_server_may_leave_out_the_key_exchange_only_where_that_is_permitted() {
    let without_share = |psk_ke: bool, index| {
        let (mut client, hello) = client(|b| if psk_ke { b.psk_ke() } else { b });
        let mut reply = server_hello(&hello, client.suite, index);
        reply.remove(51);
        let told = client.tell(Epoch::Plaintext, &reply.write());
        (client, told)
    };
    let (mut client, told) = without_share(false, Some(0));
    client.refuses(told, ILLEGAL, Epoch::Plaintext, "psk_dhe_ke alone was offered");
    without_share(true, Some(0)).1.unwrap();
    for psk_ke in [false, true] {
        let (mut client, told) = without_share(psk_ke, None);
        client.refuses(told, AlertCode::MISSING_EXTENSION, Epoch::Plaintext, "neither key nor share");
    }
}

#[test]
fn a_key_that_was_not_offered_is_not_selected() {
    let scene = Scene::of(AES128);
    let mut client = Puppet::new(scene.client(Offer::fresh()), Role::Client);
    let hello = Hello::parse(&client.told()[0]);
    let told = client.tell(Epoch::Plaintext, &server_hello(&hello, client.suite, Some(0)).write());
    client.refuses(told, AlertCode::UNSUPPORTED_EXTENSION, Epoch::Plaintext, "none was offered");
}

#[test]
fn a_server_without_the_key_cannot_go_on() {
    let (mut client, hello) = client(|b| b);
    client.tell(Epoch::Plaintext, &server_hello(&hello, client.suite, Some(0)).write()).unwrap();
    let told = client.feed(&record(DATA, &[0x55; 60]));
    client.refuses(told, AlertCode::BAD_RECORD_MAC, Epoch::Handshake, "no key");
    assert!(client.party.summary.is_none());
}

//= testvectors/requirements/rfc9846.txt#appendix-F.1
//= type=test
//# implementations MUST NOT combine external PSKs with certificate-based authentication of either the
//# client or server
#[test]
fn a_key_goes_without_certificates() {
    // RFC 9846 section 4.4.2: servers that authenticate with a PSK "MUST NOT send the CertificateRequest message in the main
    // handshake".
    for kind in [CERTIFICATE_REQUEST, CERTIFICATE, CERTIFICATE_VERIFY] {
        let (mut client, hello) = client(|b| b);
        client.tell(Epoch::Plaintext, &server_hello(&hello, client.suite, Some(0)).write()).unwrap();
        client.tell(Epoch::Handshake, &encrypted_extensions(&[])).unwrap();
        let told = client.tell(Epoch::Handshake, &message(kind, &[0; 16]));
        client.refuses(told, UNEXPECTED, Epoch::Handshake, &format!("kind {kind}"));
    }
}

/// How long a server takes for the flight that answers `hello`, at best of some times.
fn answered_within(hello: &Hello, scene: &Scene) -> Duration {
    let once = || {
        let mut server = Puppet::new(scene.server(), Role::Server);
        let hello = hello.write();
        let before = std::time::Instant::now();
        hello.chunks(16_384).try_for_each(|part| server.say(Epoch::Plaintext, HANDSHAKE, part)).unwrap();
        before.elapsed()
    };
    (0..3).map(|_| once()).min().unwrap()
}

#[test]
fn many_known_keys_and_long_lists_do_not_multiply() {
    let scene = scene(AES128);
    let sha384 = Arc::new(ExternalPsk::new(b"k", &[1; 32], PskHash::Sha384).unwrap());
    let key =
        Offered { identity: b"k".to_vec(), age: 0, key: vec![1; 32], label: EXTERNAL, hash: suite().hash };
    let mut by_hand = altered(&scene, |hello| {
        // One suite of ours behind 14,000 that nobody has: no known key fits it.
        let unknown = (0x2000_u16..).take(14_000).flat_map(u16::to_be_bytes);
        hello.suites = unknown.chain(hello.suites.clone()).collect();
        offer(hello, &vec![key; 800]);
    });
    let hello = Hello::parse(&by_hand.hello);
    say(&mut by_hand).unwrap();
    let unknown = answered_within(&hello, &scene);
    scene.memory.edit().external = vec![sha384];
    let known = answered_within(&hello, &scene);
    assert!(known < unknown * 10, "{known:?} with known keys, {unknown:?} with unknown ones");
}
