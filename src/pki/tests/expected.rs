//! Who a leaf speaks for: SPIFFE IDs and the rules of X.509-SVIDs, alternatives, and nobody in particular.

use std::string::{String, ToString};
use std::vec::Vec;

use rustls_pki_types::ServerName;

use super::forge::{
    AGREES, BASIC, Forged, KEY_USAGE, NAMES, SIGNS, SIGNS_CERTIFICATES, SIGNS_CRLS, authority_of, dns_names,
    element, key_usage, sequence, uris,
};
use crate::pki::{Certificate, Expected, Matched, VerifyError};

const ID: &str = "spiffe://example.test/web";

fn with_uris(all: &[&str]) -> Forged {
    Forged::leaf("root", "leaf").with(NAMES, &uris(all))
}

fn svid() -> Forged {
    with_uris(&[ID])
}

fn find(expected: &Expected, leaf: &Forged) -> Result<Matched, VerifyError> {
    let der = leaf.der();
    expected.find(&Certificate::parse(&der).unwrap())
}

fn spiffe(id: &str) -> Expected {
    Expected::Spiffe(id.parse().unwrap())
}

fn domain(name: &str) -> Expected {
    Expected::TrustDomain(name.parse().unwrap())
}

fn dns(name: &'static str) -> Expected {
    Expected::Name(ServerName::try_from(name).unwrap())
}

fn matched(id: &str) -> Matched {
    Matched::Spiffe(id.parse().unwrap())
}

/// What stands against the form of the leaf.
#[track_caller]
fn broken(expected: &Expected, leaf: &Forged) -> &'static str {
    match find(expected, leaf) {
        Err(VerifyError::Usage { subject, why }) => {
            assert_eq!(subject, "CN=leaf");
            why
        }
        other => panic!("{other:?}"),
    }
}

/// Who was wanted, and who was there.
#[track_caller]
fn another(expected: &Expected, leaf: &Forged) -> (String, String) {
    match find(expected, leaf) {
        Err(VerifyError::WrongName { wanted, presented }) => (wanted, presented),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_workload_is_found_by_its_id_and_by_its_trust_domain() {
    for expected in [spiffe(ID), domain("example.test"), Expected::Anyone] {
        assert_eq!(find(&expected, &svid()), Ok(matched(ID)), "{expected}");
    }
    let (wanted, presented) = another(&spiffe("spiffe://example.test/other"), &svid());
    assert_eq!(wanted, "spiffe://example.test/other");
    assert!(presented.contains(ID), "{presented}");
    another(&spiffe("spiffe://example.test/web/more"), &svid());
    assert_eq!(another(&domain("other.test"), &svid()).0, "any workload of spiffe://other.test");
    another(&domain("test"), &svid());
}

#[test]
fn a_trust_domain_is_no_dns_name_and_a_dns_name_no_trust_domain() {
    another(&dns("example.test"), &svid());
    another(&domain("leaf.test"), &Forged::leaf("root", "leaf.test"));
    another(&spiffe(ID), &Forged::leaf("root", "example.test"));
}

#[test]
fn a_path_is_compared_to_the_letter_and_a_trust_domain_in_lower_case_alone() {
    another(&spiffe("spiffe://example.test/Web"), &svid());
    let upper = with_uris(&["spiffe://EXAMPLE.test/web"]);
    another(&spiffe(ID), &upper);
    another(&domain("example.test"), &upper);
}

#[test]
fn an_svid_has_exactly_one_uri() {
    for others in [&[ID, "https://example.test/"][..], &["https://example.test/", ID], &[ID, ID]] {
        for expected in [spiffe(ID), domain("example.test"), Expected::Anyone] {
            assert!(broken(&expected, &with_uris(others)).contains("exactly one URI"), "{expected}");
        }
    }
    // "An X.509 SVID MAY contain any number of other SAN field types".
    let mixed = [&element(0x82, &[b"leaf.test"])[..], &element(0x86, &[ID.as_bytes()])];
    let mixed = Forged::leaf("root", "leaf").with(NAMES, &sequence(&mixed));
    assert_eq!(find(&spiffe(ID), &mixed), Ok(matched(ID)));
    assert_eq!(find(&dns("leaf.test"), &mixed), Ok(Matched::Dns("leaf.test".to_string())));
}

#[test]
fn a_leaf_svid_has_a_path_in_its_id() {
    let bare = with_uris(&["spiffe://example.test"]);
    for expected in [spiffe("spiffe://example.test"), domain("example.test"), Expected::Anyone] {
        assert!(broken(&expected, &bare).contains("its SPIFFE ID has no path"), "{expected}");
    }
}

#[test]
fn a_leaf_svid_is_no_authority() {
    let authority = svid().critical(BASIC, &authority_of(None));
    assert!(broken(&spiffe(ID), &authority).contains("is a certification authority"));
    let said = svid().critical(BASIC, &sequence(&[]));
    assert_eq!(find(&spiffe(ID), &said), Ok(matched(ID)));
}

#[test]
fn a_leaf_svid_signs_and_issues_nothing() {
    let using = |bits| svid().critical(KEY_USAGE, &key_usage(bits));
    assert_eq!(find(&spiffe(ID), &using(SIGNS | AGREES)), Ok(matched(ID)));
    for silent in [using(AGREES), svid().without(KEY_USAGE)] {
        assert!(broken(&spiffe(ID), &silent).contains("must have digitalSignature"));
    }
    for issuing in [SIGNS_CERTIFICATES, SIGNS_CRLS] {
        assert!(broken(&spiffe(ID), &using(SIGNS | issuing)).contains("keyCertSign or cRLSign"));
    }
}

/// URIs that claim to be SPIFFE IDs, and are none.
const MALFORMED: &[&str] = &[
    "spiffe:",
    "spiffe://",
    "spiffe:///web",
    "spiffe:example.test/web",
    "spiffe://example.test/",
    "spiffe://example.test//web",
    "spiffe://example.test/../web",
    "spiffe://example.test/web?x",
    "spiffe://example.test/web#x",
    "spiffe://example.test:8443/web",
    "spiffe://user@example.test/web",
    "spiffe://Example.test/web",
    "spiffe://example.test/%77eb",
    "SPIFFE:no",
];

#[test]
fn a_malformed_spiffe_id_is_nobodys_and_not_even_anyones() {
    for uri in MALFORMED {
        let leaf = with_uris(&[uri]);
        assert!(broken(&Expected::Anyone, &leaf).contains("scheme of SPIFFE IDs that is none"), "{uri}");
        another(&domain("example.test"), &leaf);
        another(&spiffe(ID), &leaf);
        another(&dns("example.test"), &leaf);
        // One that is well-formed does not make up for it.
        assert!(broken(&Expected::Anyone, &with_uris(&[uri, ID])).contains("exactly one URI"), "{uri}");
    }
}

#[test]
fn anyone_may_have_other_uris_or_no_name_at_all() {
    for leaf in [
        with_uris(&["https://example.test/", "urn:x:y"]),
        with_uris(&["spiffe-like:x"]),
        Forged::leaf("root", "leaf").without(NAMES),
        Forged::leaf("root", "leaf.test"),
    ] {
        assert_eq!(find(&Expected::Anyone, &leaf), Ok(Matched::Anyone));
    }
}

#[test]
fn any_of_several_gives_the_first_that_matches() {
    let leaf = Forged::leaf("root", "leaf").with(NAMES, &dns_names(&["a.test", "b.test"]));
    let any = |names: &[&'static str]| Expected::AnyOf(names.iter().map(|name| dns(name)).collect());
    assert_eq!(find(&any(&["c.test", "b.test", "a.test"]), &leaf), Ok(Matched::Dns("b.test".to_string())));
    let nested = Expected::AnyOf(Vec::from([any(&["c.test"]), any(&["a.test"])]));
    assert_eq!(find(&nested, &leaf), Ok(Matched::Dns("a.test".to_string())));
    assert_eq!(another(&any(&["c.test", "d.test"]), &leaf).0, "c.test or d.test");
}

#[test]
fn any_of_none_is_nobody() {
    assert_eq!(another(&Expected::AnyOf(Vec::new()), &svid()).0, "nobody");
}

#[test]
fn a_broken_svid_among_several_is_told_unless_another_name_matches() {
    let names = [&element(0x82, &[b"leaf.test"])[..], &element(0x86, &[ID.as_bytes()])];
    let broken_svid = Forged::leaf("root", "leaf").with(NAMES, &sequence(&names)).without(KEY_USAGE);
    let either = |name| Expected::AnyOf(Vec::from([spiffe(ID), dns(name)]));
    assert_eq!(find(&either("leaf.test"), &broken_svid), Ok(Matched::Dns("leaf.test".to_string())));
    assert!(broken(&either("other.test"), &broken_svid).contains("must have digitalSignature"));
}

#[test]
fn a_uri_is_matched_to_the_letter_and_not_as_a_workload() {
    let leaf = with_uris(&["https://example.test/a"]);
    let uri = |text: &str| Expected::Uri(text.to_string());
    let found = Matched::Uri("https://example.test/a".to_string());
    assert_eq!(find(&uri("https://example.test/a"), &leaf), Ok(found));
    for other in ["https://example.test/A", "https://example.test/", "https://example.test/a/"] {
        another(&uri(other), &leaf);
    }
}
