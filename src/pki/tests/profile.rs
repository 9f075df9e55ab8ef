//! Every rule of the profiles: a chain that breaks just this one is refused for it, and is good without it.

use std::string::ToString;
use std::vec;
use std::vec::Vec;

use super::forge::{
    AGREES, AKI, ANY_PURPOSE, BASIC, EXCLUDED, Forged, KEY_USAGE, NAME_CONSTRAINTS, NAMES, PERMITTED,
    POLICY_CONSTRAINTS, PURPOSES, SERVER_AUTH, SIGNS, SIGNS_CERTIFICATES, SKI, authority_of, dns_names,
    element, generalized, key_usage, name, oid, purposes, sequence, spki, subtrees, utc,
};
use super::{NOW, at};
use crate::crypto::rustcrypto::provider;
use crate::pki::{Chain, Expected, Profile, Purpose, Rule, Verifier, VerifyError};

const RULES: [Rule; 20] = [
    Rule::DigitalSignature,
    Rule::AuthorityKeyIdentifier,
    Rule::AuthorityKeyIdentifierForm,
    Rule::SubjectKeyIdentifier,
    Rule::SerialNumber,
    Rule::Criticality,
    Rule::NameConstraintsCritical,
    Rule::NameConstraintsForm,
    Rule::AuthorityExtensions,
    Rule::IssuerName,
    Rule::TimeForm,
    Rule::CriticalAlternativeNames,
    Rule::PlainAlternativeNames,
    Rule::CommonName,
    Rule::Purposes,
    Rule::NoAnyPurpose,
    Rule::RootPurposes,
    Rule::LeafIsNoAuthority,
    Rule::Keys,
    Rule::Version,
];

fn all() -> Profile {
    RULES.into_iter().fold(Profile::web(), Profile::with)
}

fn none() -> Profile {
    RULES.into_iter().fold(Profile::web(), Profile::without)
}

#[derive(Clone)]
struct Links {
    root: Forged,
    between: Forged,
    leaf: Forged,
}

impl Links {
    fn sound() -> Self {
        let between = Forged::authority("root", "between");
        Self { root: Forged::root("root"), between, leaf: Forged::leaf("between", "leaf.test") }
    }

    fn root(mut self, change: impl FnOnce(Forged) -> Forged) -> Self {
        self.root = change(self.root);
        self
    }

    fn between(mut self, change: impl FnOnce(Forged) -> Forged) -> Self {
        self.between = change(self.between);
        self
    }

    fn leaf(mut self, change: impl FnOnce(Forged) -> Forged) -> Self {
        self.leaf = change(self.leaf);
        self
    }

    fn verify(&self, profile: Profile) -> Result<(), VerifyError> {
        let verifier = Verifier::new(provider(), [self.root.der()]).unwrap().profile(profile);
        let (leaf, intermediates) = (self.leaf.der(), [self.between.der()]);
        let chain = Chain { leaf: &leaf, intermediates: &intermediates, staples: &[] };
        verifier.verify(&chain, Purpose::Server, &Expected::Anyone, at(NOW)).map(|_| ())
    }
}

fn not_critical_constraints(forged: Forged) -> Forged {
    forged.with(NAME_CONSTRAINTS, &subtrees(PERMITTED, 0x82, b"leaf.test"))
}

/// Chains each of which breaks this rule and no other.
fn breaking(rule: Rule) -> Vec<Links> {
    let sound = Links::sound;
    let leaf_aki = |parts: &[&[u8]]| sound().leaf(|leaf| leaf.with(AKI, &sequence(parts)));
    match rule {
        Rule::DigitalSignature => vec![sound().leaf(|leaf| leaf.critical(KEY_USAGE, &key_usage(AGREES)))],
        Rule::AuthorityKeyIdentifier => {
            vec![sound().leaf(|leaf| leaf.without(AKI)), sound().between(|between| between.without(AKI))]
        }
        Rule::AuthorityKeyIdentifierForm => vec![
            leaf_aki(&[
                b"\x80\x07between",
                &element(0xA1, &[&element(0xA4, &[&name("root")])]),
                &[0x82, 1, 7],
            ]),
            leaf_aki(&[b"\x80\x07between", &[0x82, 1, 7]]),
            sound().root(|root| root.with(AKI, &sequence(&[]))),
        ],
        Rule::SubjectKeyIdentifier => vec![
            sound().between(|between| between.without(SKI)),
            sound().root(|root| root.without(SKI)),
            sound().between(|between| between.with(SKI, &[4, 0])),
        ],
        Rule::SerialNumber => {
            let numbers = [vec![0], vec![0xFF], vec![1; 21], vec![0x80; 20]];
            let numbers = numbers.into_iter().map(|serial| sound().leaf(|leaf| Forged { serial, ..leaf }));
            let too_long = sound().root(|root| Forged { serial: vec![1; 21], ..root });
            numbers.chain([too_long]).collect()
        }
        Rule::Criticality => vec![
            sound().leaf(|leaf| leaf.critical(AKI, &sequence(&[b"\x80\x07between"]))),
            sound().between(|between| between.critical(SKI, b"\x04\x07between")),
            sound().between(|between| between.with(BASIC, &authority_of(None))),
            sound().between(|between| between.with(POLICY_CONSTRAINTS, &sequence(&[&[0x81, 1, 0]]))),
        ],
        Rule::NameConstraintsCritical => {
            vec![sound().between(not_critical_constraints), sound().root(not_critical_constraints)]
        }
        Rule::NameConstraintsForm => {
            let period = subtrees(PERMITTED, 0x82, b".test");
            vec![sound().between(|between| between.critical(NAME_CONSTRAINTS, &period))]
        }
        Rule::AuthorityExtensions => vec![
            sound().leaf(|leaf| leaf.critical(KEY_USAGE, &key_usage(SIGNS | SIGNS_CERTIFICATES))),
            sound().leaf(|leaf| leaf.critical(BASIC, &sequence(&[&[2, 1, 0]]))),
            sound().leaf(|leaf| leaf.critical(NAME_CONSTRAINTS, &subtrees(EXCLUDED, 0x82, b"other.test"))),
        ],
        Rule::IssuerName => vec![nameless()],
        Rule::TimeForm => vec![
            sound().leaf(|leaf| Forged { not_after: generalized("20270101000000Z"), ..leaf }),
            sound().root(|root| Forged { not_before: generalized("20260101000000Z"), ..root }),
        ],
        Rule::CriticalAlternativeNames => vec![sound().leaf(|leaf| Forged { subject: name(""), ..leaf })],
        Rule::PlainAlternativeNames => {
            vec![sound().leaf(|leaf| leaf.critical(NAMES, &dns_names(&["leaf.test"])))]
        }
        Rule::CommonName => vec![
            sound().leaf(|leaf| Forged { subject: name("other.test"), ..leaf }),
            sound().leaf(|leaf| Forged { subject: name("LEAF.test"), ..leaf }),
        ],
        Rule::Purposes => vec![sound().leaf(|leaf| leaf.without(PURPOSES))],
        Rule::NoAnyPurpose => {
            let any = purposes(&[SERVER_AUTH, ANY_PURPOSE]);
            vec![sound().leaf(|leaf| leaf.with(PURPOSES, &any))]
        }
        Rule::RootPurposes => vec![sound().root(|root| root.with(PURPOSES, &purposes(&[SERVER_AUTH])))],
        Rule::LeafIsNoAuthority => vec![sound().leaf(|leaf| leaf.critical(BASIC, &authority_of(None)))],
        Rule::Keys => {
            let ed25519 = spki(&[&oid(&[0x2B, 0x65, 0x70])], &[9; 32]);
            vec![sound().leaf(|leaf| Forged { spki: ed25519, ..leaf })]
        }
        // What is of version 1 is refused anyway: see below.
        Rule::Version => Vec::new(),
    }
}

/// An authority without a name has issued the leaf.
fn nameless() -> Links {
    Links::sound()
        .between(|between| Forged { subject: name(""), ..between })
        .leaf(|leaf| Forged { issuer: name(""), ..leaf })
}

/// Whether `rule`, and it alone, is why the chain or the one candidate for it was refused.
fn names(error: &VerifyError, rule: Rule) -> bool {
    match error {
        VerifyError::Rule { rule: broken, .. } => *broken == rule,
        VerifyError::Usage { why, .. } => {
            rule == Rule::DigitalSignature && why.contains("its key usage lacks digitalSignature")
        }
        VerifyError::NoPath(no_path) => match &no_path.rejected[..] {
            [only] => names(&only.why, rule),
            _ => false,
        },
        _ => false,
    }
}

#[test]
fn a_sound_chain_keeps_every_rule() {
    Links::sound().verify(all()).unwrap();
    assert_eq!(RULES.into_iter().filter(|rule| all().has(*rule)).count(), RULES.len());
    assert!(!RULES.into_iter().any(|rule| none().has(rule)));
}

#[test]
fn each_rule_refuses_what_breaks_it_and_nothing_else_does() {
    for rule in RULES {
        for (place, broken) in breaking(rule).iter().enumerate() {
            for profile in [all(), none().with(rule)] {
                let error = broken.verify(profile).unwrap_err();
                assert!(names(&error, rule), "{rule:?} {place}: {error}");
                assert!(!error.to_string().is_empty());
            }
            assert_eq!(broken.verify(all().without(rule)), Ok(()), "{rule:?} {place}");
        }
    }
}

#[test]
fn each_rule_but_that_of_the_version_can_be_broken() {
    let unbroken: Vec<_> = RULES.into_iter().filter(|rule| breaking(*rule).is_empty()).collect();
    assert_eq!(unbroken, [Rule::Version]);
}

//= testvectors/requirements/rfc9846.txt#section-4.5.1.2
//= type=test
//# The certificate type MUST be X.509v3 [RFC5280], unless explicitly negotiated otherwise (e.g.,
//# [RFC7250]).
#[test]
fn a_certificate_of_version_1_is_refused_by_every_profile() {
    let bare = |forged: Forged| {
        [AKI, SKI, KEY_USAGE, PURPOSES, NAMES, BASIC].into_iter().fold(forged, Forged::without)
    };
    let leaf = Links::sound().leaf(|leaf| Forged { version: 1, ..bare(leaf) });
    let root = Links::sound().root(|root| Forged { version: 1, ..bare(root) });
    for broken in [&leaf, &root] {
        assert!(names(&broken.verify(none().with(Rule::Version)).unwrap_err(), Rule::Version));
    }
    let error = leaf.verify(none()).unwrap_err().to_string();
    assert!(error.contains("is of an X.509 version other than 3"), "{error}");
    let error = root.verify(none()).unwrap_err().to_string();
    assert!(error.contains("is no certification authority"), "{error}");
}

#[test]
fn serial_numbers_of_twenty_bytes_are_sound() {
    for serial in [vec![1], vec![0x7F; 20], [vec![0], vec![0x80; 20]].concat()] {
        Links::sound().leaf(|leaf| Forged { serial, ..leaf }).verify(all()).unwrap();
    }
}

#[test]
fn times_change_their_form_with_the_year_2050() {
    let until = |not_after| Links::sound().leaf(|leaf| Forged { not_after, ..leaf }).verify(all());
    until(utc("491231235959Z")).unwrap();
    until(generalized("20500101000000Z")).unwrap();
    assert!(names(&until(generalized("20491231235959Z")).unwrap_err(), Rule::TimeForm));
}

#[test]
fn a_self_issued_root_needs_no_authority_key_identifier_and_another_one_does() {
    Links::sound().root(|root| root.without(AKI)).verify(all()).unwrap();
    let cross = || Links::sound().root(|root| Forged { issuer: name("elsewhere"), ..root });
    cross().verify(all()).unwrap();
    let error = cross().root(|root| root.without(AKI)).verify(all()).unwrap_err();
    assert!(names(&error, Rule::AuthorityKeyIdentifier), "{error}");
}

#[test]
fn a_leaf_without_a_subject_has_critical_names() {
    let leaf =
        |leaf: Forged| Forged { subject: name(""), ..leaf }.critical(NAMES, &dns_names(&["leaf.test"]));
    Links::sound().leaf(leaf).verify(all()).unwrap();
}

#[test]
fn the_profiles_hold_what_they_say() {
    let (private, rfc5280, web) = (Profile::private_pki(), Profile::rfc5280(), Profile::web());
    let held = |profile: Profile| RULES.into_iter().filter(|rule| profile.has(*rule)).collect::<Vec<_>>();
    assert_eq!(held(private), [Rule::DigitalSignature]);
    assert_eq!(held(rfc5280), [&RULES[..2], &RULES[3..12]].concat());
    let gained: Vec<_> = RULES.into_iter().filter(|rule| *rule != Rule::NameConstraintsCritical).collect();
    assert_eq!(held(web), gained);
}
