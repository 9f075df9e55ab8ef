//! Sending: frames sealed where they lie, gathering writes, and the bounds of the output buffer.
#![cfg(feature = "rustcrypto")]

mod support;
#[path = "support/tap.rs"]
mod tap;

use support::*;
use symbolon::conn::frame::{HEAD, MAX_CONTENT, TAIL};
use symbolon::conn::{Frame, Padding, SendBuf};
use symbolon::{Error, Misuse};
use tap::*;

/// What stands around the content of a record: header, content type, tag.
const AROUND: usize = HEAD + TAIL;

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|n| u8::try_from(n % 251).unwrap() + 1).collect()
}

/// Seals a frame of `content` bytes with `tail` behind them.
fn framed(pair: &mut Pair, content: usize, tail: usize) -> Result<Vec<u8>, Error> {
    let mut bytes = [&[0xEE; HEAD][..], &pattern(content), &vec![0xEE; tail]].concat();
    match pair.client.conn.seal_frame(&mut bytes, content, &mut pair.client.out)? {
        Frame::Sealed(record) => Ok(record.to_vec()),
        Frame::FlushFirst => panic!("nothing waits"),
    }
}

#[test]
fn a_frame_of_every_size_is_one_exact_record() {
    let mut pair = Pair::established();
    for content in [1, 2, 15, 16, 17, 255, 256, 1000, MAX_CONTENT - 1, MAX_CONTENT] {
        let record = framed(&mut pair, content, TAIL).unwrap();
        assert_eq!(record.len(), content + AROUND);
        assert_eq!(&record[..3], &[23, 3, 3]);
        assert_eq!(usize::from(u16::from_be_bytes([record[3], record[4]])), content + TAIL);
        pair.server.data.clear();
        feed(&mut pair.server, &record).unwrap();
        assert_eq!(pair.server.data, pattern(content));
        assert!(pair.client.out.is_empty(), "frames do not pass through the output buffer");
    }
}

#[test]
fn a_longer_tail_is_padding() {
    let Tapped { mut pair, mut up, .. } = tapped();
    for padding in [1, 7, 300] {
        let record = framed(&mut pair, 100, TAIL + padding).unwrap();
        assert_eq!(record.len(), 100 + AROUND + padding);
        assert_eq!(up.open(&record), (DATA, pattern(100)));
        feed(&mut pair.server, &record).unwrap();
    }
    assert_eq!(pair.server.data.len(), 300);
}

#[test]
fn a_frame_without_content_is_an_empty_record() {
    let Tapped { mut pair, mut up, .. } = tapped();
    let record = framed(&mut pair, 0, TAIL).unwrap();
    assert_eq!(up.open(&record), (DATA, Vec::new()));
}

#[test]
fn frames_of_wrong_sizes_are_refused_untouched() {
    let mut pair = Pair::established();
    let refused = Err(Error::Misuse(Misuse::FrameSize));
    let longest = HEAD + MAX_CONTENT + TAIL;
    for (len, content) in [
        (0, 0),
        (HEAD, 0),
        (AROUND - 1, 0),
        (AROUND, 1),
        (AROUND + 10, 11),
        (AROUND + 10, usize::MAX),
        (longest, MAX_CONTENT + 1),
        (longest + 1, MAX_CONTENT),
        (longest + 1, 0),
        (70_000, 5),
    ] {
        let mut bytes = vec![0xEE; len];
        let result = pair.client.conn.seal_frame(&mut bytes, content, &mut pair.client.out);
        assert_eq!(result, refused, "{len} {content}");
        assert!(bytes.iter().all(|byte| *byte == 0xEE));
        assert!(pair.client.out.is_empty());
    }
    // Nothing was harmed, no sequence number was used.
    let record = framed(&mut pair, 5, TAIL).unwrap();
    feed(&mut pair.server, &record).unwrap();
    let record = framed(&mut pair, 0, MAX_CONTENT + TAIL).unwrap();
    feed(&mut pair.server, &record).unwrap();
}

//= testvectors/requirements/rfc8449.txt#section-4
//= type=test
//# When the "record_size_limit" extension is negotiated, an endpoint MUST NOT generate a protected
//# record with plaintext that is larger than the RecordSizeLimit value it receives from its peer.
#[test]
fn a_peers_limit_holds_for_frames_padding_included() {
    let mut pair = Pair::new(
        &client_config(|b| b.record_size_limit(16_385)),
        &server_config(|b| b.record_size_limit(100)),
    );
    pair.run().unwrap();
    assert_eq!(framed(&mut pair, 100, TAIL), Err(Error::Misuse(Misuse::FrameSize)));
    assert_eq!(framed(&mut pair, 99, TAIL + 1), Err(Error::Misuse(Misuse::FrameSize)));
    for (content, tail) in [(99, TAIL), (1, TAIL + 98)] {
        let record = framed(&mut pair, content, tail).unwrap();
        feed(&mut pair.server, &record).unwrap();
    }
    assert_eq!(pair.server.data.len(), 100);
}

#[test]
fn bytes_that_wait_are_flushed_first() {
    let mut pair = Pair::established();
    pair.client.conn.write(&[b"first"], &mut pair.client.out).unwrap();
    let mut bytes = [&[0; HEAD][..], b"second", &[0; TAIL]].concat();
    let before = bytes.clone();
    assert_eq!(pair.client.conn.seal_frame(&mut bytes, 6, &mut pair.client.out), Ok(Frame::FlushFirst));
    assert_eq!(bytes, before);
    let first = pair.client.flush();
    let Ok(Frame::Sealed(second)) = pair.client.conn.seal_frame(&mut bytes, 6, &mut pair.client.out) else {
        panic!("nothing waits");
    };
    let sent = [&first, second].concat();
    feed(&mut pair.server, &sent).unwrap();
    assert_eq!(pair.server.data, b"firstsecond");
}

#[test]
fn frames_need_an_open_connection() {
    let mut pair = Pair::standard();
    assert_eq!(framed(&mut pair, 5, TAIL), Err(Error::Misuse(Misuse::NotEstablished)));
}

#[test]
fn any_number_of_parts_is_one_record() {
    let Tapped { mut pair, mut up, .. } = tapped();
    for count in 0..=40 {
        for every_other_empty in [0, 1] {
            let parts: Vec<Vec<u8>> =
                (0..count).map(|n| pattern(if n % 2 < every_other_empty { 0 } else { n + 1 })).collect();
            let slices: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            let whole = parts.concat();
            assert_eq!(pair.client.conn.write(&slices, &mut pair.client.out), Ok(whole.len()));
            let sent = up.read(&pair.client.flush());
            if whole.is_empty() {
                assert!(sent.is_empty(), "nothing to say is not said");
            } else {
                assert_eq!(sent, [(DATA, whole)], "{count}");
            }
        }
    }
}

#[test]
fn parts_across_records_stay_in_order() {
    let mut pair = Pair::established();
    let parts: Vec<Vec<u8>> = (0..37).map(|n| pattern(n * 97)).collect();
    let slices: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    let whole = parts.concat();
    assert!(whole.len() > 3 * MAX_CONTENT);
    assert_eq!(pair.client.conn.write(&slices, &mut pair.client.out), Ok(whole.len()));
    pair.run().unwrap();
    assert_eq!(pair.server.data, whole);
}

#[test]
fn a_write_is_short_at_the_buffers_limit_and_goes_on_after_a_flush() {
    for limit in [1500, 4096, 20_000, 65_536] {
        let mut pair = Pair::established();
        pair.client.out = SendBuf::with_limit(limit);
        let whole = pattern(200_000);
        let mut at = 0;
        while at < whole.len() {
            let written = pair.client.conn.write(&[&whole[at..]], &mut pair.client.out).unwrap();
            assert!(written > 0, "an empty buffer always takes something");
            assert!(pair.client.out.pending().len() <= limit, "{limit}");
            at += written;
            if at < whole.len() {
                let again = pair.client.conn.write(&[&whole[at..]], &mut pair.client.out).unwrap();
                assert_eq!(again, 0, "what fitted was taken at once");
            }
            let sent = pair.client.flush();
            feed(&mut pair.server, &sent).unwrap();
        }
        assert_eq!(pair.server.data, whole);
    }
}

#[test]
fn tiny_limits_never_exceed_themselves() {
    for limit in 0..=64 {
        let mut pair = Pair::established();
        pair.client.out = SendBuf::with_limit(limit);
        let written = pair.client.conn.write(&[&pattern(100)], &mut pair.client.out).unwrap();
        assert_eq!(written, limit.saturating_sub(AROUND), "{limit}");
        assert!(pair.client.out.pending().len() <= limit);
    }
}

#[test]
fn padding_keeps_the_buffers_limit() {
    let mut pair = Pair::new(&client_config(|b| b.padding(Padding::Multiple(4096))), &server_config(|b| b));
    pair.run().unwrap();
    pair.client.out = SendBuf::with_limit(6000);
    let mut written = 0;
    while written < 20_000 {
        written += pair.client.conn.write(&[&pattern(20_000 - written)], &mut pair.client.out).unwrap();
        assert!(pair.client.out.pending().len() <= 6000 + 4096, "at most the padding of one record more");
        let sent = pair.client.flush();
        feed(&mut pair.server, &sent).unwrap();
    }
    assert_eq!(pair.server.data.len(), 20_000);
}
