//! What a connection was like, and why one failed, in words.

use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use symbolon::Error;
use symbolon::conn::{NoEarlyData, Resumed, Summary};
use symbolon::identity::{Identity, Peer};
use symbolon::io::tls_error;

/// Suite and group, in one line.
pub fn suite_and_group(summary: &Summary) -> String {
    let retried = if summary.retried { " after a HelloRetryRequest" } else { "" };
    format!("{}, {}{retried}", summary.suite, group(summary))
}

/// The group of the key exchange.
pub fn group(summary: &Summary) -> String {
    summary.group.map_or("no key exchange".into(), |group| group.to_string())
}

/// What authenticated the server.
pub fn authentication(summary: &Summary) -> String {
    match (summary.signature, summary.resumed) {
        (Some(scheme), _) => format!("signed with {scheme}"),
        (None, Ok(Resumed::ExternalPsk)) => "authenticated by an external pre-shared key".into(),
        (None, _) => "resumed".into(),
    }
}

/// What the connection rests on, or why on nothing that came before.
pub fn resumption(summary: &Summary) -> String {
    match summary.resumed {
        Ok(Resumed::Session) => "resumed".into(),
        Ok(Resumed::ExternalPsk) => "by an external pre-shared key".into(),
        Err(why) => format!("not resumed ({why})"),
    }
}

/// What became of early data, as the server sees it.
pub fn early_data(summary: &Summary) -> String {
    match summary.early_data {
        Ok(()) => "early data accepted".into(),
        Err(NoEarlyData::NotOffered) => "no early data".into(),
        Err(why) => format!("early data refused ({why})"),
    }
}

/// What became of `sent` bytes of early data, of `all` that were to be sent.
pub fn early_data_sent(summary: &Summary, sent: usize, all: usize) -> String {
    match summary.early_data {
        Ok(()) if sent == all => format!("early data: {sent} bytes sent and accepted"),
        Ok(()) => format!(
            "early data: {sent} bytes sent and accepted; the last {} were not sent, the ticket permits no more",
            all - sent
        ),
        Err(why) if sent == 0 => format!("early data: nothing was sent ({why}), and nothing will be"),
        Err(why) => {
            format!("early data: {sent} bytes sent and refused ({why}); nothing is sent again by itself")
        }
    }
}

/// The application protocol, if there is one, with a comma before it.
pub fn alpn(summary: &Summary) -> String {
    summary.alpn.as_deref().map(|name| format!(", ALPN {}", printable(name))).unwrap_or_default()
}

/// An ALPN name; whatever is not printable is escaped.
pub fn printable(name: &[u8]) -> String {
    name.escape_ascii().to_string()
}

/// Who the peer is, and for how long its certificates are good.
pub fn peer(peer: &Peer) -> String {
    let who = match &peer.identity {
        Identity::Psk { name, .. } => return format!("whoever else has the key {}", printable(name)),
        Identity::Dns { name, .. } => name.clone(),
        Identity::Ip { address, .. } => address.to_string(),
        Identity::Subject { name, .. } => name.clone(),
        other => other.to_string(),
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    let left = peer.expires.as_secs().saturating_sub(now);
    let left = match left / 86_400 {
        0 => format!("{} minutes", left / 60),
        1 => "1 day".into(),
        days => format!("{days} days"),
    };
    format!("{who}; the certificates are good for another {left}")
}

/// Who ended a connection, why, and with which alert.
pub fn why(error: &io::Error) -> String {
    match tls_error(error) {
        Some(Error::Alert(code)) => format!("the peer refused us with the alert {code}"),
        Some(Error::Peer(fault)) => {
            format!("we refused the peer with the alert {}: {}", fault.alert(), fault.rule())
        }
        Some(Error::Refused(refusal)) => {
            format!("we refused the peer with the alert {}: {}", refusal.alert(), refusal.cause())
        }
        Some(other) => other.to_string(),
        None => match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => "timed out waiting for the peer".into(),
            io::ErrorKind::ConnectionReset => "the peer reset the TCP connection".into(),
            io::ErrorKind::BrokenPipe => "the peer went away while we were sending".into(),
            _ => error.to_string(),
        },
    }
}

/// Whether what was received may be cut short: the transport ended, or was reset, without close_notify.
pub fn is_truncation(error: &io::Error) -> bool {
    match tls_error(error) {
        Some(error) => matches!(error, Error::Truncated),
        None => matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted),
    }
}
