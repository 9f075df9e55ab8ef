//! The lists of this model against the library itself: whatever is added there and has no row here is seen.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use symbolon::codepoint::{ContentType, HandshakeType};

use crate::answers::{honest_place, minted};
use crate::input::{Command, NUMBERS, REPLIES, Reply};
use crate::place::{Place, QUESTIONS};
use crate::places::{clients, servers};
use crate::support::forge::{ALERT, CCS, DATA, HANDSHAKE};
use crate::then::Then;

type Names = BTreeSet<String>;

fn text(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file)).unwrap()
}

/// The variants of the enumeration that begins with `head`.
fn variants(file: &str, head: &str) -> Names {
    let text = text(file);
    let (_, body) = text.split_once(head).unwrap_or_else(|| panic!("{file} has no {head:?}"));
    let (body, _) = body.split_once("\n}").unwrap();
    let lines = body.lines().filter_map(|line| line.strip_prefix("    "));
    let name = |line: &str| line.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned();
    let found: Names = lines.map(name).filter(|name| name.starts_with(char::is_uppercase)).collect();
    assert!(found.len() > 2, "{file}: {found:?}");
    found
}

/// The public functions whose lines hold `part`.
fn functions(file: &str, part: &str) -> Vec<String> {
    let text = text(file);
    let lines = text.lines().filter_map(|line| line.trim().strip_prefix("pub fn "));
    let found = lines.filter(|line| line.contains(part));
    found.map(|line| line.split(['(', '<']).next().unwrap().to_owned()).collect()
}

fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> Names {
    names.into_iter().map(str::to_owned).collect()
}

#[test]
fn every_state_of_both_machines_and_of_a_connection_has_a_place() {
    let places = |places: Vec<Place>| names(places.iter().map(|place| place.state));
    let with = |file: &str| {
        let mut states = variants(file, "pub(crate) enum State {");
        states.extend(variants("conn/core.rs", "pub(super) enum Phase<S: Side> {"));
        // Its states are the machine's.
        assert!(states.remove("Handshake"));
        states
    };
    assert_eq!(places(clients()), with("handshake/client/mod.rs"));
    assert_eq!(places(servers()), with("handshake/server/mod.rs"));
}

#[test]
fn every_number_of_a_message_or_of_a_record_is_tried() {
    let known = (0..=255).filter(|number| HandshakeType(*number).name().is_some());
    assert!(known.eq(NUMBERS));
    let known = (0..=255).filter(|number| ContentType(*number).name().is_some());
    assert!(known.eq([CCS, ALERT, HANDSHAKE, DATA]));
}

/// What a question can be answered with: the methods that make answers.
const ANSWERS: [(&str, &[&str]); 5] = [
    ("question/configure.rs", &["with", "with_psks_only", "refused"]),
    ("question/credential.rs", &["with", "none", "refused", "with_own_key", "signed", "failed"]),
    ("question/peer.rs", &["verified", "refused"]),
    // `seen` says what the three before it say.
    ("question/psk.rs", &["known", "none", "refused", "fresh", "replayed", "unknown", "seen"]),
    ("question/ticket.rs", &["sealed", "none"]),
];

#[test]
fn every_answer_to_every_question_is_tried() {
    assert_eq!(variants("question.rs", "pub enum Question {"), names(QUESTIONS));
    for (file, methods) in ANSWERS {
        assert_eq!(functions(file, "-> Answer"), methods, "{file}");
    }
    let said = |reply: &Reply| {
        let (role, place) = honest_place(*reply);
        let answer = format!("{:?}", minted(place, role, *reply));
        answer.split(['(', ' ']).nth(1).unwrap().to_owned()
    };
    let verdicts: Names = REPLIES.iter().map(said).collect();
    assert_eq!(verdicts, variants("question.rs", "pub(crate) enum Verdict {"));
}

/// Every public function of a connection, and what of it is tried.
const SURFACE: [(&str, &[Command]); 21] = [
    // A place begins with these.
    ("start", &[]),
    ("new", &[]),
    ("new_at", &[]),
    // These take what comes from the wire, and answers.
    ("process", &[Command::ProcessNothing]),
    ("resume", &[]),
    ("eof", &[]),
    ("is_established", &[Command::IsEstablished]),
    ("write", &[Command::Write, Command::WriteNothing]),
    ("seal_frame", &[Command::SealFrame]),
    ("update_keys", &[Command::UpdateKeys, Command::UpdateKeysOfBoth]),
    ("close", &[Command::Close]),
    ("abort", &[Command::Abort]),
    ("exporter", &[Command::Exporter]),
    ("early_exporter", &[Command::EarlyExporter]),
    ("channel_binding", &[Command::ChannelBinding]),
    ("split", &[Command::Split]),
    ("into_kernel", &[Command::IntoKernel]),
    ("early_writer", &[Command::WriteBefore]),
    ("half_rtt_writer", &[Command::WriteBefore]),
    ("to_unauthenticated", &[Command::WriteToAnyone]),
    // Of early writers: it is what `write` leaves.
    ("remaining", &[]),
];

#[test]
fn every_call_is_tried() {
    let files = ["conn/methods.rs", "conn/client.rs", "conn/server.rs", "conn/early.rs"];
    let mut found: Names = files.iter().flat_map(|file| functions(file, "")).collect();
    // Of `EarlyPlaintext`, which is no connection.
    assert!(found.remove("accept_replayable"));
    assert_eq!(found, names(SURFACE.map(|(name, _)| name)));
    let tried: Vec<Command> = SURFACE.iter().flat_map(|(_, calls)| *calls).copied().collect();
    assert!(crate::input::CALLS.iter().all(|call| tried.contains(call)));
}

/// Misuses that depend on what is given, not on the state.
const ELSEWHERE: [&str; 5] = ["FrameSize", "ExporterLength", "KeyLimit", "TooLong", "EarlyDataWaits"];

/// Events that are what a row itself says, or that have to be asked for.
const UNTOLD: [&str; 6] = ["NeedInput", "Progress", "Ask", "Waiting", "Secret", "Message"];

#[test]
fn everything_that_a_caller_can_hear_is_in_a_row() {
    let places = [clients(), servers()].concat();
    let rows: Vec<_> = places.iter().flat_map(Place::rows).collect();
    let misuses = rows.iter().filter_map(|row| match row.1 {
        Then::Refused(misuse) | Then::Breaks(misuse) => Some(format!("{misuse:?}")),
        _ => None,
    });
    let misuses: Names = misuses.chain(ELSEWHERE.map(str::to_owned)).collect();
    assert_eq!(misuses, variants("error.rs", "pub enum Misuse {"));
    let told: Names = rows.iter().flat_map(|row| row.2).map(|told| (*told).to_owned()).collect();
    let events = variants("conn/event.rs", "pub enum Event<'b> {");
    for event in events {
        assert!(told.contains(&event) != UNTOLD.contains(&&*event), "{event}");
    }
    for question in QUESTIONS {
        let asked = places.iter().any(|place| place.question == Some(question));
        assert!(asked && told.contains(&format!("asks {question}")), "{question}");
    }
}

#[test]
fn every_row_says_by_which_rule() {
    let places = [clients(), servers()].concat();
    for (inputs, then, _, rule) in places.iter().flat_map(Place::rows) {
        let section = rule.trim_start_matches("A.").split('.').all(|part| part.parse::<u8>().is_ok());
        assert!(section || *rule == "surface", "{inputs:?} => {then:?}: {rule}");
    }
}
