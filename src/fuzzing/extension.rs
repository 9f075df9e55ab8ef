//! An extension, parsed and written again.

use alloc::vec::Vec;

use crate::codepoint::ExtensionType as E;
use crate::error::{Fault, Misuse};
use crate::wire::ext::{
    In, alpn, certificate_authorities, certificate_type, cookie, early_data, encode, key_share, oid_filters,
    post_handshake_auth, pre_shared_key, psk_key_exchange_modes, record_size_limit, server_name,
    signature_algorithms, signed_certificate_timestamp, status_request, supported_groups, supported_versions,
    ticket_request,
};
use crate::wire::{U16List, Writer};

/// Why an extension is not written as it was read.
pub(super) const NAME_LOST: &str = "of a server_name a view keeps one DNS name, without its trailing dot";
pub(super) const STATUS_LOST: &str = "of a status_request a view keeps its kind alone";

/// Writes what the parser made of an extension, type and length included; and why it differs, where it may.
pub(super) fn again(
    place: In,
    kind: E,
    data: &[u8],
    out: &mut Vec<u8>,
) -> Result<Option<&'static str>, Fault> {
    let start = out.len();
    let reason = match place {
        In::ClientHello => client_hello(kind, data, out)?,
        In::CertificateRequest => certificate_request(kind, data, out)?,
        _ => {
            response(place, kind, data, &mut Writer::new(out))?;
            None
        }
    };
    let mut raw = Vec::new();
    fits(copied(&mut Writer::new(&mut raw), kind, data));
    let differs = out[start..] != raw;
    assert!(!differs || reason.is_some(), "{kind:?} in {place:?} is written as it was read");
    if differs && kind == E::SERVER_NAME {
        // What is lost is lost once.
        let (before, after) = (server_name::parse_client(data)?, &out[start..]);
        match before {
            Some(name) => assert_eq!(server_name::parse_client(&after[4..]), Ok(Some(name))),
            None => assert!(after.is_empty()),
        }
    }
    Ok(reason.filter(|_| differs))
}

/// What was read fits what it was read from.
pub(super) fn fits<T>(written: Result<T, Misuse>) -> T {
    written.expect("what was parsed can be encoded")
}

fn copied(w: &mut Writer<'_>, kind: E, data: &[u8]) -> Result<(), Misuse> {
    encode(w, kind, |w| {
        w.bytes(data);
        Ok(())
    })
}

fn items<T: crate::wire::list::CodePoint>(list: &U16List<'_, T>) -> Vec<T> {
    list.iter().collect()
}

fn client_hello(kind: E, data: &[u8], out: &mut Vec<u8>) -> Result<Option<&'static str>, Fault> {
    if kind == E::PRE_SHARED_KEY {
        pre_shared(data, out)?;
        return Ok(None);
    }
    let w = &mut Writer::new(out);
    fits(match kind {
        E::SERVER_NAME => {
            if let Some(name) = server_name::parse_client(data)? {
                fits(server_name::encode_client(w, name));
            }
            return Ok(Some(NAME_LOST));
        }
        E::STATUS_REQUEST => {
            match status_request::parse_client(data)? {
                status_request::StatusRequest::Ocsp => fits(status_request::encode_client(w)),
                status_request::StatusRequest::Other => {}
            }
            return Ok(Some(STATUS_LOST));
        }
        E::SUPPORTED_VERSIONS => {
            supported_versions::encode_client(w, &items(&supported_versions::parse_client(data)?))
        }
        E::SUPPORTED_GROUPS => supported_groups::encode(w, &items(&supported_groups::parse(data)?)),
        E::KEY_SHARE => key_share::encode_client(w, key_share::parse_client(data)?),
        E::SIGNATURE_ALGORITHMS => {
            signature_algorithms::encode(w, &items(&signature_algorithms::parse(data)?))
        }
        E::SIGNATURE_ALGORITHMS_CERT => {
            signature_algorithms::encode_cert(w, &items(&signature_algorithms::parse(data)?))
        }
        E::ALPN => alpn::encode_client(w, alpn::parse_client(data)?),
        E::COOKIE => cookie::encode(w, cookie::parse(data)?),
        E::RECORD_SIZE_LIMIT => record_size_limit::encode(w, record_size_limit::parse(data)?),
        E::CERTIFICATE_AUTHORITIES => {
            certificate_authorities::encode(w, certificate_authorities::parse(data)?)
        }
        E::PSK_KEY_EXCHANGE_MODES => {
            let modes: Vec<_> = psk_key_exchange_modes::parse(data)?.iter().collect();
            psk_key_exchange_modes::encode(w, &modes)
        }
        E::EARLY_DATA => early_data::parse(data).map(|()| early_data::encode_flag(w))?,
        E::POST_HANDSHAKE_AUTH => {
            post_handshake_auth::parse(data).map(|()| post_handshake_auth::encode(w))?
        }
        E::CLIENT_CERTIFICATE_TYPE | E::SERVER_CERTIFICATE_TYPE => {
            let types: Vec<_> = certificate_type::parse_client(data)?.iter().collect();
            certificate_type::encode_client(w, kind, &types)
        }
        E::TICKET_REQUEST => ticket_request::encode_client(w, ticket_request::parse_client(data)?),
        E::SIGNED_CERTIFICATE_TIMESTAMP => signed_certificate_timestamp::parse_request(data)
            .map(|()| signed_certificate_timestamp::encode_request(w))?,
        _ => copied(w, kind, data),
    });
    Ok(None)
}

/// The binders are written over zeros, as a client does.
fn pre_shared(data: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
    let offered = pre_shared_key::parse_client(data)?;
    let lens = || offered.binders.iter().map(<[u8]>::len);
    assert_eq!(pre_shared_key::binders_len(lens()), offered.binders_len);
    fits(pre_shared_key::encode_client(&mut Writer::new(out), offered.identities, lens()));
    fits(pre_shared_key::put_binders(out, offered.binders));
    Ok(())
}

fn certificate_request(kind: E, data: &[u8], out: &mut Vec<u8>) -> Result<Option<&'static str>, Fault> {
    let w = &mut Writer::new(out);
    fits(match kind {
        E::SIGNATURE_ALGORITHMS => {
            signature_algorithms::encode(w, &items(&signature_algorithms::parse(data)?))
        }
        E::SIGNATURE_ALGORITHMS_CERT => {
            signature_algorithms::encode_cert(w, &items(&signature_algorithms::parse(data)?))
        }
        E::CERTIFICATE_AUTHORITIES => {
            certificate_authorities::encode(w, certificate_authorities::parse(data)?)
        }
        E::OID_FILTERS => oid_filters::parse(data).map(|()| copied(w, kind, data))?,
        E::STATUS_REQUEST => {
            status_request::parse_request(data).map(|()| status_request::encode_request(w))?
        }
        E::SIGNED_CERTIFICATE_TIMESTAMP => signed_certificate_timestamp::parse_request(data)
            .map(|()| signed_certificate_timestamp::encode_request(w))?,
        _ => copied(w, kind, data),
    });
    Ok(None)
}

/// An extension that answers one of the peer's, or goes with a certificate or a ticket.
fn response(place: In, kind: E, data: &[u8], w: &mut Writer<'_>) -> Result<(), Fault> {
    fits(match (place, kind) {
        (In::ServerHello | In::HelloRetryRequest, E::SUPPORTED_VERSIONS) => {
            supported_versions::encode_server(w, supported_versions::parse_server(data)?)
        }
        (In::ServerHello, E::KEY_SHARE) => key_share::encode_server(w, key_share::parse_server(data)?),
        (In::ServerHello, E::PRE_SHARED_KEY) => {
            pre_shared_key::encode_server(w, pre_shared_key::parse_server(data)?)
        }
        (In::HelloRetryRequest, E::COOKIE) => cookie::encode(w, cookie::parse(data)?),
        (In::HelloRetryRequest, E::KEY_SHARE) => key_share::encode_retry(w, key_share::parse_retry(data)?),
        (In::EncryptedExtensions, E::SERVER_NAME) => {
            server_name::parse_server(data).map(|()| server_name::encode_server(w))?
        }
        (In::EncryptedExtensions, E::SUPPORTED_GROUPS) => {
            supported_groups::encode(w, &items(&supported_groups::parse(data)?))
        }
        (In::EncryptedExtensions, E::ALPN) => alpn::encode_server(w, alpn::parse_server(data)?),
        (In::EncryptedExtensions, E::RECORD_SIZE_LIMIT) => {
            record_size_limit::encode(w, record_size_limit::parse(data)?)
        }
        (In::EncryptedExtensions, E::EARLY_DATA) => {
            early_data::parse(data).map(|()| early_data::encode_flag(w))?
        }
        (In::EncryptedExtensions, E::CLIENT_CERTIFICATE_TYPE | E::SERVER_CERTIFICATE_TYPE) => {
            certificate_type::encode_server(w, kind, certificate_type::parse_server(data)?)
        }
        (In::EncryptedExtensions, E::TICKET_REQUEST) => {
            ticket_request::encode_server(w, ticket_request::parse_server(data)?)
        }
        (In::NewSessionTicket, E::EARLY_DATA) => {
            early_data::encode_ticket(w, early_data::parse_ticket(data)?)
        }
        (In::Certificate, E::STATUS_REQUEST) => {
            status_request::encode_entry(w, status_request::parse_entry(data)?)
        }
        (In::Certificate, E::SIGNED_CERTIFICATE_TIMESTAMP) => {
            signed_certificate_timestamp::encode_entry(w, signed_certificate_timestamp::parse_entry(data)?)
        }
        _ => copied(w, kind, data),
    });
    Ok(())
}
