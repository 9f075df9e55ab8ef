//! How a connection ends, and what must be true of it then.

use symbolon::Error;
use symbolon::conn::{Resumed, Summary};
use symbolon::identity::Identity;

use super::answers;
use super::invariants;
use super::link::Link;
use super::peer::{Around, Peer};
use super::stream::Way;
use super::tally::Tally;
use super::wallet::{Kept, Pass};
use super::world::{World, around};

const WAYS: [Way; 2] = [Way::Up, Way::Down];

/// Brings a connection to its end, and judges it.
pub fn finish(link: &mut Link, world: &mut World) {
    drain(link, world);
    if !link.is_forged() {
        world.attacker.record(link.started, &link.up.recorded, &link.down.recorded);
        if !link.harmed {
            went_as_predicted(link, world);
        }
    }
    end(link, world);
    judge(link, world);
    keep_tickets(link, world);
    world.settle_early(link);
    for peer in [&mut link.client, &mut link.server].into_iter().flatten() {
        peer.held.clear();
        peer.finish();
    }
}

/// Lets everything happen that can.
pub fn drain(link: &mut Link, world: &mut World) {
    loop {
        link.drain(around!(world));
        if !link.wants_successor() {
            return;
        }
        world.follow(link);
    }
}

/// Without a harm, everything is established and delivered, or what is not in common is told.
fn went_as_predicted(link: &Link, world: &mut World) {
    let (Some(client), Some(server)) = (&link.client, &link.server) else { return };
    if let Some(flaw) = world.setting.flaw {
        let alert = flaw.alert();
        assert_eq!(server.log.error.as_ref().and_then(Error::alert), Some(alert), "{:?}", server.log.error);
        assert_eq!(client.log.error, Some(Error::Alert(alert)));
        world.tally.count(&format!("nothing in common: {flaw:?}"));
        return;
    }
    for (one, other) in [(client, server), (server, client)] {
        assert_eq!(one.log.error, None, "an unharmed connection failed");
        assert!(one.log.established.is_some(), "an unharmed connection is not established");
        assert_eq!(one.log.got, other.sent, "an unharmed connection lost data");
        assert_eq!(one.log.peer_closed, other.closing);
    }
}

fn end(link: &mut Link, world: &mut World) {
    let strict = !link.harmed && !link.is_forged() && world.setting.flaw.is_none();
    tell_all(link, around!(world));
    match world.dice.within(0..8) {
        0 => cut(link, strict, &mut world.tally),
        1 if strict && hand_over(link, &mut world.tally) => {}
        _ => close(link, strict, around!(world)),
    }
}

/// What was sent on request is reported by the next call.
fn tell_all(link: &mut Link, around: &mut Around<'_>) {
    for peer in [&mut link.client, &mut link.server].into_iter().flatten() {
        if peer.log.error.is_none() {
            peer.run(around);
        }
    }
}

/// The transport ends as it is.
fn cut(link: &mut Link, strict: bool, tally: &mut Tally) {
    for way in WAYS {
        let Some(peer) = link.peer(way) else { continue };
        let (closed, failed) = (peer.log.peer_closed, peer.log.error.is_some());
        let end = peer.eof();
        assert_eq!(end.is_ok(), closed && !failed, "a truncation passes for an end, or an end for one");
        if !closed && !failed {
            assert_eq!(end, Err(Error::Truncated));
        }
        if strict && !closed {
            tally.count("cut without an end");
        }
    }
}

/// One side closes; the other one may go on, and closes too.
fn close(link: &mut Link, strict: bool, around: &mut Around<'_>) {
    let first = *around.dice.one_of(&WAYS);
    let second = if first == Way::Up { Way::Down } else { Way::Up };
    for way in [first, second] {
        let Some(peer) = link.peer(way) else { continue };
        if peer.is_open() && !peer.closing {
            if around.dice.once_in(2) {
                if way == second && peer.log.peer_closed {
                    around.tally.count("closed one way, and data the other");
                }
                peer.write(around.dice.within(1..500), around);
            }
            peer.close(around);
        }
        link.drain(around);
    }
    // Something may have gone wrong on the way.
    link.look_for_failure(around);
    let strict = strict && !link.harmed;
    tell_all(link, around);
    if strict {
        for (one, other) in [(&link.client, &link.server), (&link.server, &link.client)] {
            let (Some(one), Some(other)) = (one, other) else { continue };
            assert!(
                one.log.peer_closed && one.log.got == other.sent,
                "a clean end did not arrive: {} of {} bytes, {:?}, {:?}",
                one.log.got,
                other.sent,
                one.log.error,
                other.log.error
            );
        }
        around.tally.count("closed cleanly");
    }
    cut(link, strict, around.tally);
}

/// Both ends' keys are taken out: they fit each other.
fn hand_over(link: &mut Link, tally: &mut Tally) -> bool {
    let (Some(client), Some(server)) = (&mut link.client, &mut link.server) else { return false };
    if client.conn.is_halved() || server.conn.is_halved() || client.closing || server.closing {
        return false;
    }
    let Some(mine) = client.take_kernel() else { return false };
    // An answer to a KeyUpdate may be owed: then this is the end of it, too.
    let Some(theirs) = server.take_kernel() else { return true };
    assert_eq!(mine.suite, theirs.suite);
    for (send, receive) in [(&mine.send, &theirs.receive), (&theirs.send, &mine.receive)] {
        assert!(send.key.matches(receive.key.expose()) && send.secret.matches(receive.secret.expose()));
        assert_eq!((send.iv, send.sequence), (receive.iv, receive.sequence));
    }
    tally.count("keys handed over");
    true
}

/// What must hold of both ends, whatever happened.
fn judge(link: &Link, world: &mut World) {
    let peers = [&link.client, &link.server].into_iter().flatten();
    for peer in peers {
        invariants::what_was_written_was_said(peer);
        invariants::a_close_is_protected(peer);
        invariants::reports_are_true(peer);
        invariants::early_data_was_announced_truly(peer);
        if link.is_forged() {
            invariants::a_recording_completes_nothing(peer);
        }
    }
    let (Some(client), Some(server)) = (&link.client, &link.server) else { return };
    invariants::both_ends_agree(client, server);
    for (one, other) in [(client, server), (server, client)] {
        invariants::a_clean_end_misses_nothing(one, other);
        if !link.struck {
            invariants::an_alert_is_understood(other, one);
        }
    }
    count(link, client, server, &mut world.tally);
    if let (Some(mine), Some(theirs)) = (&client.log.established, &server.log.established) {
        world.tally.count(&world.setting.authentication);
        let pass = link.pass.as_ref();
        let serving = world.setting.serving.as_deref().map(answers::identity);
        know_each_other(mine, theirs, pass, serving, client.desk.presented.as_ref());
    }
}

/// Each side sees in the other who it is.
fn know_each_other(
    mine: &Summary,
    theirs: &Summary,
    pass: Option<&Pass>,
    serving: Option<Identity>,
    presented: Option<&Identity>,
) {
    match mine.resumed {
        Ok(Resumed::Session) => {
            let pass = pass.expect("a ticket was used");
            assert_eq!((mine.identity(), theirs.identity()), (&pass.server, &pass.client));
        }
        Ok(Resumed::ExternalPsk) => {
            assert!(matches!(mine.identity(), Identity::Psk { .. }));
            assert_eq!(mine.identity(), theirs.identity());
        }
        Err(_) => {
            assert_eq!(Some(mine.identity()), serving.as_ref());
            assert_eq!(theirs.identity(), presented.unwrap_or(&Identity::Anonymous));
        }
    }
}

/// Tickets are kept with what they stand for.
fn keep_tickets(link: &mut Link, world: &mut World) {
    let (Some(client), Some(server)) = (&mut link.client, &link.server) else { return };
    let tickets = std::mem::take(&mut client.log.tickets);
    let (Some(mine), Some(theirs)) = (&client.log.established, &server.log.established) else {
        assert!(tickets.is_empty(), "tickets of no connection");
        return;
    };
    let pass = Pass { server: mine.identity().clone(), client: theirs.identity().clone() };
    for ticket in tickets {
        let ticket = ticket.received(world.now);
        world.wallet.push(Kept { ticket, pass: pass.clone() });
    }
}

fn count(link: &Link, client: &Peer, server: &Peer, tally: &mut Tally) {
    if client.tap.forced_updates + server.tap.forced_updates > 0 {
        tally.count("record keys changed by themselves");
    }
    let (Some(mine), Some(theirs)) = (&client.log.established, &server.log.established) else {
        return tally.count("failed");
    };
    tally.count("established");
    if link.struck {
        tally.count("established after damage, a cut or an injection");
    }
    tally.count(match mine.resumed {
        Ok(Resumed::Session) => "resumed",
        Ok(Resumed::ExternalPsk) => "resumed with an external key",
        Err(_) => "full handshake",
    });
    let early = if mine.early_data.is_ok() { "early data accepted" } else { "early data refused" };
    if client.early_sent > 0 {
        tally.count(early);
    }
    for (happened, event) in [
        (mine.group.is_none(), "without a key exchange"),
        (mine.retried, "HelloRetryRequest"),
        (theirs.anonymous, "client anonymous though asked"),
        (client.desk.presented.is_some(), "client authenticated"),
        (matches!(mine.identity(), Identity::RawPublicKey { .. }), "raw public key of the server"),
        (matches!(theirs.identity(), Identity::RawPublicKey { .. }), "raw public key of the client"),
        (client.tap.has_limit(), "record size limit agreed on"),
    ] {
        if happened {
            tally.count(event);
        }
    }
    tally.count(&format!("{} {:?}", mine.suite, mine.group));
}
