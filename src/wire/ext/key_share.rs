//! key_share: the endpoints' public key-exchange values (RFC 9846 section 4.3.8).

use super::{U16Set, encode, non_empty, parse_all};
use crate::codepoint::{ExtensionType, NamedGroup};
use crate::error::{Fault, Misuse};
use crate::wire::{List, Reader, U16, Writer};

/// One public value and its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyShareEntry<'a> {
    /// The group.
    pub group: NamedGroup,
    /// The public value: never empty; its length is judged by the group's implementation.
    pub key_exchange: &'a [u8],
}

impl<'a> KeyShareEntry<'a> {
    fn read(r: &mut Reader<'a>) -> Result<Self, Fault> {
        let group = NamedGroup(r.u16()?);
        let key_exchange = non_empty::<U16>(r, "key_exchange must not be empty")?;
        Ok(Self { group, key_exchange })
    }

    fn write(&self, w: &mut Writer<'_>) -> Result<(), Misuse> {
        w.u16(self.group.0);
        w.vec::<U16>(self.key_exchange)
    }
}

/// In ClientHello: the shares offered, possibly none; no two of one group.
pub(crate) fn parse_client(data: &[u8]) -> Result<List<'_, KeyShareEntry<'_>>, Fault> {
    let shares = parse_all(data, |r| r.vec::<U16>())?;
    let mut groups = U16Set::default();
    List::parse_with(shares, KeyShareEntry::read, |entry| {
        //= testvectors/requirements/rfc9846.txt#section-4.3.8
        //# Clients MUST NOT offer multiple KeyShareEntry values for the same group.
        if groups.insert(entry.group.0) {
            return Ok(());
        }
        Err(Fault::illegal_parameter("key_share must not hold two shares of one group"))
    })
}

/// In ClientHello.
pub(crate) fn encode_client<'a>(
    w: &mut Writer<'_>,
    shares: impl IntoIterator<Item = KeyShareEntry<'a>>,
) -> Result<(), Misuse> {
    encode(w, ExtensionType::KEY_SHARE, |w| {
        w.block::<U16>(|w| shares.into_iter().try_for_each(|share| share.write(w)))
    })
}

/// In HelloRetryRequest: the group selected.
pub(crate) fn parse_retry(data: &[u8]) -> Result<NamedGroup, Fault> {
    parse_all(data, |r| r.u16().map(NamedGroup))
}

/// In HelloRetryRequest.
pub(crate) fn encode_retry(w: &mut Writer<'_>, selected: NamedGroup) -> Result<(), Misuse> {
    encode(w, ExtensionType::KEY_SHARE, |w| {
        w.u16(selected.0);
        Ok(())
    })
}

/// In ServerHello: the server's share.
pub(crate) fn parse_server(data: &[u8]) -> Result<KeyShareEntry<'_>, Fault> {
    parse_all(data, KeyShareEntry::read)
}

/// In ServerHello.
pub(crate) fn encode_server(w: &mut Writer<'_>, share: KeyShareEntry<'_>) -> Result<(), Misuse> {
    encode(w, ExtensionType::KEY_SHARE, |w| share.write(w))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::AlertCode;
    use crate::wire::testing::{alert, extension_data, truncations_and_extra_byte_are_refused};
    use alloc::vec::Vec;

    const X25519: KeyShareEntry<'_> = KeyShareEntry { group: NamedGroup::X25519, key_exchange: &[1, 2, 3] };
    const P256: KeyShareEntry<'_> = KeyShareEntry { group: NamedGroup::SECP256R1, key_exchange: &[4] };
    const EMPTY: KeyShareEntry<'_> = KeyShareEntry { group: NamedGroup::X25519, key_exchange: &[] };

    fn client(shares: &[KeyShareEntry<'_>]) -> Vec<u8> {
        extension_data(ExtensionType::KEY_SHARE, |w| encode_client(w, shares.iter().copied()))
    }

    #[test]
    fn shares_offered_are_read_back_in_order() {
        let data = client(&[X25519, P256]);
        let shares = parse_client(&data).unwrap();
        assert_eq!(shares.iter().collect::<Vec<_>>(), [X25519, P256]);
        truncations_and_extra_byte_are_refused(&data, |d| parse_client(d).map(drop));
    }

    #[test]
    fn a_client_may_offer_no_share() {
        assert!(parse_client(&client(&[])).unwrap().is_empty());
    }

    //= testvectors/requirements/rfc9846.txt#section-4.3.8
    //= type=test
    //# Clients MUST NOT offer multiple KeyShareEntry values for the same group.
    #[test]
    fn two_shares_of_one_group_are_refused() {
        let refused = client(&[X25519, P256, X25519]);
        assert_eq!(alert(parse_client(&refused)), AlertCode::ILLEGAL_PARAMETER);
    }

    #[test]
    fn empty_key_exchange_is_refused() {
        assert_eq!(alert(parse_client(&client(&[P256, EMPTY]))), AlertCode::DECODE_ERROR);
        let server = extension_data(ExtensionType::KEY_SHARE, |w| encode_server(w, EMPTY));
        assert_eq!(alert(parse_server(&server)), AlertCode::DECODE_ERROR);
    }

    #[test]
    fn the_selected_group_is_read_back() {
        let data = extension_data(ExtensionType::KEY_SHARE, |w| encode_retry(w, NamedGroup::X25519));
        assert_eq!(parse_retry(&data), Ok(NamedGroup::X25519));
        truncations_and_extra_byte_are_refused(&data, |d| parse_retry(d).map(drop));
    }

    #[test]
    fn the_servers_share_is_read_back() {
        let data = extension_data(ExtensionType::KEY_SHARE, |w| encode_server(w, P256));
        assert_eq!(parse_server(&data), Ok(P256));
        truncations_and_extra_byte_are_refused(&data, |d| parse_server(d).map(drop));
    }
}
