//! Name constraints (RFC 5280 section 4.2.1.10): which names an authority's certificates may bear.
//!
//! What cannot be judged is refused: a malformed constraint, a malformed name of a constrained type, a type that is
//! constrained and not known.

use alloc::format;
use alloc::string::String;

use super::der::{Elements, SEQUENCE};
use super::directory::{self, Compared, Name};
use super::names::{GeneralName, Mailbox, address, uri_host};
use super::subtrees::{List, MALFORMED, Presented, Subtrees};
use super::{Budget, VerifyError};

/// How many bytes of a distinguished name are compared at the price of one comparison.
const BYTES_PER_COMPARISON: usize = 64;

/// What an authority permits and excludes.
#[derive(Debug)]
pub(super) struct NameConstraints<'a> {
    permitted: Subtrees<'a>,
    excluded: Subtrees<'a>,
}

/// Why a certificate's names were not accepted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Violation {
    /// The comparisons cost more than the budget has.
    Budget(VerifyError),
    /// A name is not within the constraints; the text says which.
    Refused(String),
}

impl<'a> NameConstraints<'a> {
    /// Reads the extension's value.
    pub(super) fn parse(value: &'a [u8]) -> Result<Self, &'static str> {
        let mut elements = Elements::inside(value, SEQUENCE).ok_or(MALFORMED)?;
        // RFC 5280 section 4.2.1.10: "either the permittedSubtrees field or the excludedSubtrees MUST be present".
        if elements.is_empty() {
            return Err("its name constraints are empty");
        }
        let mut next = elements.next().ok_or(MALFORMED)?;
        let mut constraints = Self { permitted: Subtrees::default(), excluded: Subtrees::default() };
        if next.tag == 0xA0 {
            constraints.permitted = Subtrees::parse(next.content)?;
            if elements.is_empty() {
                return Ok(constraints);
            }
            next = elements.next().ok_or(MALFORMED)?;
        }
        if next.tag != 0xA1 || !elements.is_empty() {
            return Err(MALFORMED);
        }
        constraints.excluded = Subtrees::parse(next.content)?;
        Ok(constraints)
    }

    /// Whether no base of DNS names has a period before it.
    pub(super) fn are_in_form(&self) -> bool {
        let mut bases = self.permitted.dns.iter().chain(&self.excluded.dns);
        bases.all(|base| !base.starts_with('.'))
    }

    /// Judges all alternative names of a certificate, and its subject.
    ///
    /// # Errors
    ///
    /// [`Violation::Refused`] for the first name that may not be, [`Violation::Budget`] when that took too long.
    pub(super) fn check(
        &self,
        names: &[GeneralName<'_>],
        subject_der: &[u8],
        budget: &mut Budget,
    ) -> Result<(), Violation> {
        for name in names {
            self.check_name(name, budget)?;
        }
        if !directory::is_name(subject_der) {
            return Err(Violation::Refused(String::from("the subject is malformed")));
        }
        // "Restrictions of the form directoryName MUST be applied to the subject field in the certificate (when the
        // certificate includes a non-empty subject field)".
        if Elements::inside(subject_der, SEQUENCE).is_some_and(|relatives| !relatives.is_empty()) {
            self.check_name(&GeneralName::Directory(subject_der), budget)?;
        }
        // "When constraints are imposed on the rfc822Name name form, but the certificate does not include a subject
        // alternative name, the rfc822Name constraint MUST be applied to the attribute of type emailAddress in the
        // subject distinguished name." Here also when there are alternative names of other types only.
        if !names.iter().any(|name| matches!(name, GeneralName::Email(_))) {
            for mailbox in directory::email_addresses(subject_der) {
                // One in an unknown encoding is refused where mailboxes are constrained, as an empty one is.
                self.check_name(&GeneralName::Email(mailbox.unwrap_or_default().as_bytes()), budget)?;
            }
        }
        Ok(())
    }

    fn check_name(&self, name: &GeneralName<'_>, budget: &mut Budget) -> Result<(), Violation> {
        let malformed = || Violation::Refused(format!("{} is malformed and constrained", name.shown()));
        let Self { permitted, excluded } = self;
        match *name {
            GeneralName::Dns(bytes) => {
                let lists = Lists { permitted: &permitted.dns, excluded: &excluded.dns };
                if lists.are_empty() {
                    return Ok(());
                }
                let presented = Presented::parse(bytes).ok_or_else(malformed)?;
                lists.judge(name, budget, |base, list, _| Ok(presented.is_within(base, list)))
            }
            GeneralName::Email(bytes) => {
                let lists = Lists { permitted: &permitted.emails, excluded: &excluded.emails };
                if lists.are_empty() {
                    return Ok(());
                }
                let mailbox = Mailbox::parse(bytes).ok_or_else(malformed)?;
                lists.judge(name, budget, |base, _, _| Ok(base.covers(&mailbox)))
            }
            GeneralName::Uri(bytes) => {
                let lists = Lists { permitted: &permitted.uris, excluded: &excluded.uris };
                if lists.are_empty() {
                    return Ok(());
                }
                // A URI "that does not include an authority component with a host name specified as a fully qualified
                // domain name": "the application MUST reject the certificate".
                let no_host =
                    || Violation::Refused(format!("{} has no host name and is constrained", name.shown()));
                let host = uri_host(bytes).ok_or_else(no_host)?;
                lists.judge(name, budget, |base, _, _| Ok(base.covers(host)))
            }
            GeneralName::Ip(bytes) => {
                let lists = Lists { permitted: &permitted.networks, excluded: &excluded.networks };
                if lists.are_empty() {
                    return Ok(());
                }
                let address = address(bytes).ok_or_else(malformed)?;
                lists.judge(name, budget, |base, _, _| Ok(base.covers(address)))
            }
            GeneralName::Directory(der) => {
                let lists = Lists { permitted: &permitted.directories, excluded: &excluded.directories };
                if lists.are_empty() {
                    return Ok(());
                }
                let own = Name::parse(der).ok_or_else(malformed)?;
                lists.judge(name, budget, |base, list, budget| {
                    let mut pay = |bytes| pay_for(bytes, budget);
                    Ok(match own.within(base, &mut pay)? {
                        Compared::Same => true,
                        Compared::Different => false,
                        Compared::Unclear => matches!(list, List::Excluded),
                    })
                })
            }
            // ".. the application MUST either process the constraint or reject the certificate."
            GeneralName::Other(kind)
                if permitted.others.contains(&kind) || excluded.others.contains(&kind) =>
            {
                Err(Violation::Refused(format!("{} is of a type that is not evaluated", name.shown())))
            }
            GeneralName::Other(_) => Ok(()),
        }
    }
}

fn pay_for(bytes: usize, budget: &mut Budget) -> Result<(), Violation> {
    (0..=bytes / BYTES_PER_COMPARISON).try_for_each(|_| budget.pay_comparison().map_err(Violation::Budget))
}

/// The bases of one type.
struct Lists<'s, B> {
    permitted: &'s [B],
    excluded: &'s [B],
}

impl<B> Lists<'_, B> {
    fn are_empty(&self) -> bool {
        self.permitted.is_empty() && self.excluded.is_empty()
    }

    fn judge(
        &self,
        name: &GeneralName<'_>,
        budget: &mut Budget,
        covers: impl Fn(&B, List, &mut Budget) -> Result<bool, Violation>,
    ) -> Result<(), Violation> {
        let mut pays_and_covers = |base, list| {
            budget.pay_comparison().map_err(Violation::Budget)?;
            covers(base, list, budget)
        };
        // "Any name matching a restriction in the excludedSubtrees field is invalid regardless of information
        // appearing in the permittedSubtrees."
        for base in self.excluded {
            if pays_and_covers(base, List::Excluded)? {
                return Err(Violation::Refused(format!("{} is within an excluded subtree", name.shown())));
            }
        }
        for base in self.permitted {
            if pays_and_covers(base, List::Permitted)? {
                return Ok(());
            }
        }
        match self.permitted {
            [] => Ok(()),
            _ => Err(Violation::Refused(format!("{} is not within the permitted subtrees", name.shown()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// `O=Org` and `CN=x`, each in a set.
    const ORG: &[u8] = b"\x31\x0c\x30\x0a\x06\x03\x55\x04\x0a\x0c\x03Org";
    const CN_X: &[u8] = b"\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01x";
    /// `emailAddress=me@a.test`, and one in a BMPString.
    const MAIL: &[u8] = b"\x31\x18\x30\x16\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01\x16\x09me@a.test";
    const ODD_MAIL: &[u8] = b"\x31\x11\x30\x0f\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01\x1e\x02\0a";
    const NOBODY: &[u8] = &[0x30, 0];

    fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
        [&[tag, u8::try_from(content.len()).unwrap()], content].concat()
    }

    fn name(sets: &[&[u8]]) -> Vec<u8> {
        tlv(SEQUENCE, &sets.concat())
    }

    /// A base, by its tag.
    type Base<'a> = (u8, &'a [u8]);

    fn list(tag: u8, bases: &[Base<'_>]) -> Vec<u8> {
        let subtree = |(tag, base): &Base<'_>| tlv(SEQUENCE, &tlv(*tag, base));
        let content: Vec<_> = bases.iter().flat_map(subtree).collect();
        if bases.is_empty() { Vec::new() } else { tlv(tag, &content) }
    }

    fn constraints(permitted: &[Base<'_>], excluded: &[Base<'_>]) -> Vec<u8> {
        tlv(SEQUENCE, &[list(0xA0, permitted), list(0xA1, excluded)].concat())
    }

    fn judge(value: &[u8], names: &[GeneralName<'_>], subject: &[u8]) -> Result<(), Violation> {
        NameConstraints::parse(value).unwrap().check(names, subject, &mut Budget::default())
    }

    /// Whether a name may be when just this base is permitted, and whether it may when just this one is excluded.
    fn verdicts(base: Base<'_>, name: GeneralName<'_>) -> (bool, bool) {
        let accepts = |value: &[u8]| match judge(value, &[name], NOBODY) {
            Ok(()) => true,
            Err(Violation::Refused(_)) => false,
            Err(other) => panic!("{other:?}"),
        };
        (accepts(&constraints(&[base], &[])), accepts(&constraints(&[], &[base])))
    }

    const INSIDE: (bool, bool) = (true, false);
    const OUTSIDE: (bool, bool) = (false, true);
    const REFUSED: (bool, bool) = (false, false);

    #[test]
    fn a_dns_name_is_within_a_base_that_is_its_last_labels() {
        for (base, dns, expected) in [
            ("a.test", "a.test", INSIDE),
            ("a.test", "A.TEST", INSIDE),
            ("a.test", "x.y.a.test", INSIDE),
            ("a.test", "xa.test", OUTSIDE),
            ("a.test", "test", OUTSIDE),
            ("a.test", "a.test.b", OUTSIDE),
            ("", "a.test", INSIDE),
            ("a.test", ".a.test", REFUSED),
            ("a.test", "a.test.", REFUSED),
            ("a.test", "b..test", REFUSED),
            ("a.test", "x*.b.test", REFUSED),
            ("", "b c", REFUSED),
        ] {
            let found = verdicts((0x82, base.as_bytes()), GeneralName::Dns(dns.as_bytes()));
            assert_eq!(found, expected, "{dns} within {base}");
        }
    }

    #[test]
    fn a_wildcard_is_permitted_when_all_its_names_are_and_excluded_when_any_is() {
        for (base, dns, expected) in [
            ("a.test", "*.a.test", INSIDE),
            ("a.test", "*.b.a.test", INSIDE),
            ("x.a.test", "*.a.test", REFUSED),
            ("X.A.test", "*.a.test", REFUSED),
            ("x.y.a.test", "*.a.test", OUTSIDE),
            ("a.test", "*.b.test", OUTSIDE),
            ("a.test", "*.test", REFUSED),
        ] {
            let found = verdicts((0x82, base.as_bytes()), GeneralName::Dns(dns.as_bytes()));
            assert_eq!(found, expected, "{dns} within {base}");
        }
    }

    #[test]
    fn a_period_before_a_base_permits_what_is_below_it_and_excludes_it_too() {
        for (base, dns, expected) in [
            (".a.test", "x.a.test", INSIDE),
            (".a.test", "x.Y.A.test", INSIDE),
            (".a.test", "a.test", REFUSED),
            (".a.test", "xa.test", OUTSIDE),
            (".a.test", "b.test", OUTSIDE),
            (".a.test", "*.a.test", INSIDE),
            (".a.test", "*.test", REFUSED),
            (".x.a.test", "*.a.test", REFUSED),
        ] {
            let found = verdicts((0x82, base.as_bytes()), GeneralName::Dns(dns.as_bytes()));
            assert_eq!(found, expected, "{dns} within {base}");
        }
        let in_form = |permitted: &[Base<'_>], excluded: &[Base<'_>]| {
            NameConstraints::parse(&constraints(permitted, excluded)).unwrap().are_in_form()
        };
        let (plain, period) = ((0x82, &b"a.test"[..]), (0x82, &b".a.test"[..]));
        assert!(in_form(&[plain], &[plain]) && in_form(&[(0x81, b".a.test")], &[]));
        assert!(!in_form(&[plain, period], &[plain]) && !in_form(&[], &[period]));
    }

    #[test]
    fn an_address_is_within_a_network_of_its_version() {
        let net = [192, 0, 2, 77, 255, 255, 255, 0];
        let loopback = [&[0; 15][..], &[1], &[255; 16]].concat();
        let any = [0; 32];
        for (base, host, expected) in [
            (&net[..], &[192, 0, 2, 1][..], INSIDE),
            (&net, &[192, 0, 3, 1], OUTSIDE),
            (&net, &loopback[..16], OUTSIDE),
            (&loopback, &loopback[..16], INSIDE),
            (&loopback, &[0; 16], OUTSIDE),
            (&any, &loopback[..16], INSIDE),
            (&any, &[192, 0, 2, 1], OUTSIDE),
            (&net, &[192, 0, 2], REFUSED),
        ] {
            assert_eq!(verdicts((0x87, base), GeneralName::Ip(host)), expected, "{host:?} within {base:?}");
        }
    }

    #[test]
    fn a_mailbox_is_within_itself_its_host_or_the_domain_above_its_host() {
        for (base, mailbox, expected) in [
            ("me@a.test", "me@A.test", INSIDE),
            ("me@a.test", "Me@a.test", OUTSIDE),
            ("me@a.test", "me@x.a.test", OUTSIDE),
            ("a.test", "me@A.test", INSIDE),
            ("a.test", "me@x.a.test", OUTSIDE),
            (".a.test", "me@x.a.test", INSIDE),
            (".a.test", "me@x.y.a.test", INSIDE),
            (".a.test", "me@a.test", OUTSIDE),
            (".a.test", "me@xa.test", OUTSIDE),
            ("*@a.test", "*@a.test", INSIDE),
            ("*@a.test", "me@a.test", OUTSIDE),
            ("**@a.test", "*@a.test", OUTSIDE),
            ("a.test", "me@b@a.test", REFUSED),
            ("a.test", "a.test", REFUSED),
            ("a.test", "\"me\"@a.test", REFUSED),
        ] {
            let found = verdicts((0x81, base.as_bytes()), GeneralName::Email(mailbox.as_bytes()));
            assert_eq!(found, expected, "{mailbox} within {base}");
        }
    }

    #[test]
    fn a_uri_is_judged_by_its_host_and_refused_without_one() {
        for (base, uri, expected) in [
            ("a.test", "https://A.test:443/x", INSIDE),
            ("a.test", "spiffe://a.test/x", INSIDE),
            ("a.test", "https://x.a.test/", OUTSIDE),
            (".a.test", "https://x.y.a.test", INSIDE),
            (".a.test", "https://a.test", OUTSIDE),
            (".a.test", "https://b.test/.a.test", OUTSIDE),
            ("a.test", "https://a.test@b.test", OUTSIDE),
            ("a.test", "https://192.0.2.1/", REFUSED),
            ("a.test", "https://[::1]/", REFUSED),
            ("a.test", "urn:a.test", REFUSED),
            ("a.test", "a.test", REFUSED),
        ] {
            let found = verdicts((0x86, base.as_bytes()), GeneralName::Uri(uri.as_bytes()));
            assert_eq!(found, expected, "{uri} within {base}");
        }
    }

    #[test]
    fn directory_names_are_judged_wherever_they_stand() {
        let (org, both, cn) = (name(&[ORG]), name(&[ORG, CN_X]), name(&[CN_X]));
        let bases: [Base<'_>; 1] = [(0xA4, &org)];
        let (permits, excludes) = (constraints(&bases, &[]), constraints(&[], &bases));
        assert!(judge(&permits, &[], &both).is_ok());
        assert!(judge(&permits, &[], &cn).is_err());
        assert!(judge(&permits, &[], NOBODY).is_ok(), "an empty subject is none");
        assert!(judge(&permits, &[GeneralName::Directory(&cn)], &both).is_err());
        assert!(judge(&permits, &[GeneralName::Directory(&both)], &cn).is_err());
        assert!(judge(&excludes, &[], &both).is_err());
        assert!(judge(&excludes, &[], &cn).is_ok());
        assert!(judge(&excludes, &[GeneralName::Directory(&both)], &cn).is_err());
        assert!(judge(&permits, &[], b"\x30\x01").is_err(), "malformed");
    }

    #[test]
    fn a_directory_name_that_cannot_be_compared_is_neither_permitted_nor_let_through() {
        let org = name(&[ORG]);
        let bmp = name(&[b"\x31\x0f\x30\x0d\x06\x03\x55\x04\x0a\x1e\x06\0O\0r\0g"]);
        assert_eq!(verdicts((0xA4, &org), GeneralName::Directory(&bmp)), REFUSED);
        assert_eq!(verdicts((0xA4, &bmp), GeneralName::Directory(&bmp)), INSIDE);
    }

    #[test]
    fn a_mailbox_in_the_subject_counts_when_there_is_none_beside_it() {
        let subject = name(&[CN_X, MAIL]);
        let permits = |base: &'static [u8]| constraints(&[(0x81, base)], &[]);
        assert!(judge(&permits(b"a.test"), &[], &subject).is_ok());
        assert!(judge(&permits(b"b.test"), &[], &subject).is_err());
        assert!(judge(&permits(b"b.test"), &[GeneralName::Dns(b"a.test")], &subject).is_err());
        assert!(judge(&permits(b"b.test"), &[GeneralName::Email(b"me@b.test")], &subject).is_ok());
        assert!(judge(&permits(b"a.test"), &[], &name(&[ODD_MAIL])).is_err(), "in an unknown encoding");
        assert!(judge(&constraints(&[(0x82, b"b.test")], &[]), &[], &subject).is_ok(), "another type");
    }

    #[test]
    fn a_type_that_is_not_evaluated_refuses_only_names_of_that_type() {
        let other = [tlv(0x06, &[0x2A, 3]), tlv(0xA0, &[5, 0])].concat();
        for (base, kind) in
            [((0xA0, &other[..]), 0), ((0xA3, b""), 3), ((0xA5, b""), 5), ((0x88, &[0x2A]), 8)]
        {
            assert_eq!(verdicts(base, GeneralName::Other(kind)), REFUSED, "{kind}");
            assert_eq!(verdicts(base, GeneralName::Other(kind + 1)), (true, true), "{kind}");
            assert_eq!(verdicts(base, GeneralName::Dns(b"a.test")), (true, true), "{kind}");
        }
    }

    #[test]
    fn a_constraint_on_one_type_restricts_no_other() {
        let dns = (0x82, &b"a.test"[..]);
        for name in [GeneralName::Ip(&[1; 4]), GeneralName::Email(b"?"), GeneralName::Uri(b"?")] {
            assert_eq!(verdicts(dns, name), (true, true), "{name:?}");
        }
        assert_eq!(verdicts((0x86, b"a.test"), GeneralName::Dns(b"?")), (true, true));
    }

    #[test]
    fn one_permitted_subtree_suffices_and_an_excluded_one_wins() {
        let dns = |name: &'static str| GeneralName::Dns(name.as_bytes());
        let both = constraints(&[(0x82, b"a.test"), (0x82, b"b.test")], &[(0x82, b"x.b.test")]);
        assert!(judge(&both, &[dns("a.test"), dns("b.test")], NOBODY).is_ok());
        assert!(judge(&both, &[dns("a.test"), dns("c.test")], NOBODY).is_err());
        let excluded = judge(&both, &[dns("y.x.b.test")], NOBODY);
        assert_eq!(
            excluded,
            Err(Violation::Refused(String::from("y.x.b.test is within an excluded subtree")))
        );
    }

    #[test]
    fn every_comparison_pays() {
        let value = constraints(&[(0x82, b"a.test"), (0x82, b"b.test")], &[(0x82, b"c.test")]);
        let parsed = NameConstraints::parse(&value).unwrap();
        let spent = |names: &[GeneralName<'_>], subject: &[u8], comparisons: usize| {
            let mut budget = Budget { comparisons, ..Budget::default() };
            parsed.check(names, subject, &mut budget).map(|()| comparisons - budget.comparisons)
        };
        let dns = [GeneralName::Dns(b"b.test"); 2];
        assert_eq!(spent(&dns, NOBODY, 100), Ok(6));
        assert!(matches!(spent(&dns, NOBODY, 5), Err(Violation::Budget(VerifyError::Budget(_)))));

        let (org, long) = (name(&[ORG]), [b' '; 100]);
        let value = tlv(SEQUENCE, &list(0xA1, &[(0xA4, &org)]));
        let parsed = NameConstraints::parse(&value).unwrap();
        let attribute = tlv(SEQUENCE, &[&b"\x06\x03\x55\x04\x0a"[..], &tlv(0x0C, &long)].concat());
        let mut budget = Budget::default();
        let before = budget.comparisons;
        parsed.check(&[], &name(&[&tlv(0x31, &attribute)]), &mut budget).unwrap();
        assert_eq!(before - budget.comparisons, 1 + 2, "one, and two for more than 64 bytes");
    }

    #[test]
    fn constraints_need_a_list_and_a_list_needs_a_subtree() {
        let list = |tag| tlv(tag, &tlv(SEQUENCE, &tlv(0x82, b"a.test")));
        let accepted = |lists: &[Vec<u8>]| NameConstraints::parse(&tlv(SEQUENCE, &lists.concat())).is_ok();
        assert!(accepted(&[list(0xA0)]) && accepted(&[list(0xA1)]) && accepted(&[list(0xA0), list(0xA1)]));
        assert!(!accepted(&[]));
        assert!(!accepted(&[tlv(0xA0, b"")]) && !accepted(&[tlv(0xA1, b"")]));
        assert!(!accepted(&[tlv(0xA0, b""), tlv(0xA1, b"")]));
        assert!(!accepted(&[list(0xA0), tlv(0xA1, b"")]));
        assert!(!accepted(&[list(0xA1), list(0xA0)]), "out of order");
        assert!(!accepted(&[list(0xA0), list(0xA0)]) && !accepted(&[list(0xA1), list(0xA1)]), "twice");
        assert!(!accepted(&[list(0xA0), list(0xA1), list(0xA2)]));
    }

    #[test]
    fn no_truncation_and_no_changed_byte_makes_the_reader_panic() {
        let org = name(&[ORG, CN_X]);
        let bases: [Base<'_>; 6] = [
            (0x82, b"a.test"),
            (0x81, b"me@a.test"),
            (0x86, b".a.test"),
            (0x87, &[192, 0, 2, 0, 255, 255, 255, 0]),
            (0xA4, &org),
            (0x88, &[0x2A, 3]),
        ];
        let value = constraints(&bases[..3], &bases[3..]);
        let names = [GeneralName::Dns(b"*.test"), GeneralName::Ip(&[192, 0, 2, 1]), GeneralName::Other(8)];
        for at in 0..value.len() {
            assert!(NameConstraints::parse(&value[..at]).is_err(), "{at}");
            for byte in 0..=255 {
                let mut bad = value.clone();
                bad[at] = byte;
                if let Ok(parsed) = NameConstraints::parse(&bad) {
                    let _ = parsed.check(&names, &org, &mut Budget::default());
                }
            }
        }
    }
}
