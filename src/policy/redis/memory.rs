//! What a guard knows of its store's memory: which server it is, since when it remembers, and the marker that says so.

use alloc::format;
use alloc::string::String;

use crate::moment::Moment;

/// The longest marker that is one.
const LONGEST_MARKER: usize = 512;

/// How a marker begins.
const MARK: &str = "symbolon1";

/// What a server says of itself in its replies to INFO, as far as it matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    /// Another run, another dataset or an evicted key: another memory.
    pub(super) identity: String,
    pub(super) is_master: bool,
    pub(super) may_evict: bool,
}

impl Facts {
    /// Reads the sections server, replication, memory, stats and persistence, in any order.
    pub(super) fn read(info: &str) -> Option<Self> {
        let field = |name: &str| {
            let mut lines = info.lines();
            lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
        };
        let run = word(field("run_id")?)?;
        // It changes when a replica becomes the master, also where the process stays.
        let replication = word(field("master_replid")?)?;
        let evicted = word(field("evicted_keys")?)?;
        let unlimited = field("maxmemory")? == "0";
        Some(Self {
            identity: format!("{run} {replication} {evicted}"),
            is_master: field("role")? == "master" && field("loading")? == "0",
            may_evict: !unlimited && field("maxmemory_policy")? != "noeviction",
        })
    }
}

/// A short run of letters and digits, as identities are.
fn word(text: &str) -> Option<&str> {
    let short = (1..=64).contains(&text.len());
    (short && text.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(text)
}

/// What a store's memory begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Memory {
    /// What must be in the store for as long as it forgets nothing.
    pub(super) marker: String,
    pub(super) since: Moment,
}

impl Memory {
    /// A memory that begins now, in a store of this identity.
    pub(super) fn begin(identity: &str, now: Moment, random: [u8; 16]) -> Self {
        let random = u128::from_be_bytes(random);
        let marker = format!("{MARK} {} {identity} {random:032x}", now.as_millis());
        Self { marker, since: now }
    }

    /// The memory that a marker speaks of, if it is one of a store of this identity.
    pub(super) fn read(marker: &[u8], identity: &str) -> Option<Self> {
        if marker.len() > LONGEST_MARKER {
            return None;
        }
        let marker = core::str::from_utf8(marker).ok()?;
        let (since, rest) = marker.strip_prefix(MARK)?.strip_prefix(' ')?.split_once(' ')?;
        let random = rest.strip_prefix(identity)?.strip_prefix(' ')?;
        word(random)?;
        Some(Self { marker: marker.into(), since: Moment::from_millis(since.parse().ok()?) })
    }
}

/// What is to be done about the marker that was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// The store remembers since then.
    Remembers(Memory),
    /// It forgot: there is no marker, and a memory is to begin.
    Blank,
    /// It forgot: the marker says nothing of this store, and is to be replaced.
    Foreign,
}

/// How a store is found that had `known` before.
pub(super) fn judge(
    known: Option<&Memory>,
    found: Option<&[u8]>,
    identity: &str,
    now: Moment,
    latest: Moment,
) -> Finding {
    let Some(found) = found else { return Finding::Blank };
    match (Memory::read(found, identity), known) {
        // One from the future would keep early data away until then.
        (Some(memory), _) if memory.since > latest => Finding::Foreign,
        (Some(memory), Some(known)) if memory.marker == known.marker => Finding::Remembers(known.clone()),
        // Another guard noticed first that the store forgot. It happened before we noticed, whatever that one says.
        (Some(memory), Some(_)) => Finding::Remembers(Memory { since: memory.since.max(now), ..memory }),
        (Some(memory), None) => Finding::Remembers(memory),
        (None, _) => Finding::Foreign,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    const INFO: &str = "# Server\r\nrun_id:abc1\r\n# Replication\r\nrole:master\r\nmaster_replid:def2\r\n\
        # Memory\r\nmaxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\n# Stats\r\nevicted_keys:0\r\nloading:0\r\n";

    fn at(secs: u64) -> Moment {
        Moment::from_secs(secs)
    }

    fn memory(secs: u64, random: u8) -> Memory {
        Memory::begin("run repl 0", at(secs), [random; 16])
    }

    fn found(known: Option<&Memory>, marker: Option<&str>, now: u64) -> Finding {
        judge(known, marker.map(str::as_bytes), "run repl 0", at(now), at(now + 10))
    }

    #[test]
    fn facts_are_read_from_info() {
        let facts = Facts::read(INFO).unwrap();
        assert_eq!(facts.identity, "abc1 def2 0");
        assert!(facts.is_master && !facts.may_evict);
    }

    #[test]
    fn facts_need_every_field() {
        for name in ["run_id", "role", "master_replid", "maxmemory", "evicted_keys", "loading"] {
            let without = INFO.replace(&alloc::format!("{name}:"), "other:");
            assert_eq!(Facts::read(&without), None, "{name}");
        }
    }

    #[test]
    fn a_replica_a_loading_server_and_one_that_evicts_are_told_apart() {
        let read = |from, to| Facts::read(&INFO.replace(from, to)).unwrap();
        assert!(!read("role:master", "role:slave").is_master);
        assert!(!read("loading:0", "loading:1").is_master);
        assert!(read("maxmemory:0", "maxmemory:1024").may_evict);
        assert!(
            !Facts::read(&INFO.replace("maxmemory:0", "maxmemory:1").replace("allkeys-lru", "noeviction"))
                .unwrap()
                .may_evict
        );
    }

    #[test]
    fn another_run_another_dataset_and_an_evicted_key_are_another_identity() {
        let of = |from, to| Facts::read(&INFO.replace(from, to)).unwrap().identity;
        for (from, to) in [("abc1", "abc2"), ("def2", "def3"), ("evicted_keys:0", "evicted_keys:1")] {
            assert_ne!(of(from, to), of("", ""), "{from}");
        }
    }

    #[test]
    fn a_marker_is_read_back() {
        let begun = memory(7, 1);
        assert_eq!(Memory::read(begun.marker.as_bytes(), "run repl 0"), Some(begun.clone()));
        assert_eq!(Memory::read(begun.marker.as_bytes(), "other repl 0"), None);
        for garbage in ["", "symbolon1", "symbolon1 x run repl 0 ab", "symbolon1 1 run repl 0 ", "\u{e9}"] {
            assert_eq!(Memory::read(garbage.as_bytes(), "run repl 0"), None, "{garbage}");
        }
        let long = begun.marker + &"0".repeat(LONGEST_MARKER);
        assert_eq!(Memory::read(long.as_bytes(), "run repl 0"), None);
    }

    #[test]
    fn a_memory_goes_on_while_its_marker_stays() {
        let known = memory(7, 1);
        assert_eq!(found(Some(&known), Some(&known.marker), 20), Finding::Remembers(known.clone()));
    }

    #[test]
    fn a_newcomer_takes_the_memory_that_it_finds() {
        let theirs = memory(7, 1);
        assert_eq!(found(None, Some(&theirs.marker), 20), Finding::Remembers(theirs.clone()));
    }

    #[test]
    fn the_marker_of_another_guard_begins_a_memory_now() {
        let (ours, theirs) = (memory(7, 1), memory(8, 2));
        let wanted = Memory { since: at(20), marker: theirs.marker.to_string() };
        assert_eq!(found(Some(&ours), Some(&theirs.marker), 20), Finding::Remembers(wanted));
    }

    #[test]
    fn no_marker_and_a_foreign_one_are_a_store_that_forgot() {
        let known = memory(7, 1);
        assert_eq!(found(Some(&known), None, 20), Finding::Blank);
        assert_eq!(found(None, Some("x"), 20), Finding::Foreign);
        assert_eq!(found(None, Some(&memory(31, 2).marker), 20), Finding::Foreign);
    }
}
