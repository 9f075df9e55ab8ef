//! The twins of the cases in `refused`: the same intent, done as the types want it.

mod server_key_in_the_servers_opener {
    use symbolon::internals::{Client, EpochBoundary, Keys, Opener};

    pub fn read(opener: &mut Opener<Client>, keys: Keys<Client>, boundary: EpochBoundary) {
        opener.rekey(keys, boundary);
    }
}

mod key_change_without_boundary {
    use symbolon::internals::{Client, EpochBoundary, Keys, Opener};

    pub fn change(opener: &mut Opener<Client>, keys: Keys<Client>, boundary: EpochBoundary) {
        opener.rekey(keys, boundary);
    }
}

mod invented_boundary {
    use symbolon::internals::{Client, EpochBoundary, Keys, Opener};

    pub fn change(opener: &mut Opener<Client>, keys: Keys<Client>, boundary: EpochBoundary) {
        opener.rekey(keys, boundary);
    }
}

mod boundary_used_twice {
    use symbolon::internals::{Client, EpochBoundary, Keys, Opener};

    pub fn change(opener: &mut Opener<Client>, keys: [Keys<Client>; 2], boundaries: [EpochBoundary; 2]) {
        let [first, second] = keys;
        let [earlier, later] = boundaries;
        opener.rekey(first, earlier);
        opener.rekey(second, later);
    }
}

mod verdict_skipped {
    use symbolon::internals::{Verified, WaitFinished, WaitPeerVerdict};

    pub fn go_on(state: WaitPeerVerdict, peer: Verified) -> WaitFinished {
        state.on_verified(peer)
    }
}

mod finished_awaited_without_verdict {
    use symbolon::conn::{NoEarlyData, NotResumed, Resumed};
    use symbolon::internals::{Flight, Request, Verified, WaitFinished};

    pub fn go_on(
        flight: Flight,
        early_data: Result<(), NoEarlyData>,
        resumed: Result<Resumed, NotResumed>,
        request: Option<Request>,
        peer: Verified,
    ) -> WaitFinished {
        WaitFinished { flight, early_data, resumed, request, signature: None, peer }
    }
}

mod invented_verdict {
    use symbolon::internals::{Verified, WaitFinished, WaitPeerVerdict};

    pub fn trust(state: WaitPeerVerdict, peer: Verified) -> WaitFinished {
        state.on_verified(peer)
    }
}

mod completion_without_finished {
    use symbolon::conn::Summary;
    use symbolon::crypto::Suite;
    use symbolon::internals::{
        ApplicationEpoch, Established, Exporter, FinishedMatched, Remember, Server, Traffic,
    };

    pub fn complete(
        suite: &'static Suite,
        read: Traffic<Server, ApplicationEpoch>,
        exporter: Exporter,
        summary: Box<Summary>,
        remember: Option<Box<Remember>>,
        finished: FinishedMatched<Server>,
    ) -> Established<Server> {
        Established { suite, read, exporter, summary, tickets: Vec::new(), remember, finished }
    }
}

mod completion_with_our_own_finished {
    use symbolon::conn::Summary;
    use symbolon::crypto::Suite;
    use symbolon::internals::{
        ApplicationEpoch, Established, Exporter, FinishedMatched, Remember, Server, Traffic,
    };

    pub fn complete(
        suite: &'static Suite,
        read: Traffic<Server, ApplicationEpoch>,
        exporter: Exporter,
        summary: Box<Summary>,
        remember: Option<Box<Remember>>,
        finished: FinishedMatched<Server>,
    ) -> Established<Server> {
        Established { suite, read, exporter, summary, tickets: Vec::new(), remember, finished }
    }
}

mod invented_finished {
    use symbolon::crypto::{Digest, Failed};
    use symbolon::internals::{Finished, FinishedMatched, Server};

    pub fn matched(
        key: &Finished<Server>,
        hash: &Digest,
        received: &[u8],
    ) -> Result<Option<FinishedMatched<Server>>, Failed> {
        key.check(hash, received)
    }
}

mod handshake_stage_used_twice {
    use symbolon::crypto::{Digest, Failed};
    use symbolon::internals::{Handshake, Main};

    pub fn derive(stage: Handshake, hello: &Digest) -> Result<Main, Failed> {
        Ok(stage.derive(hello)?.main)
    }
}

mod application_secrets_derived_twice {
    use symbolon::crypto::{Digest, Failed};
    use symbolon::internals::{Ending, Main};

    pub fn derive(stage: Main, finished: &Digest) -> Result<Ending, Failed> {
        Ok(stage.application(finished)?.main)
    }
}

mod handshake_secret_kept_for_updates {
    use symbolon::crypto::Failed;
    use symbolon::internals::{ApplicationEpoch, Server, Traffic};

    pub fn update(secret: &mut Traffic<Server, ApplicationEpoch>) -> Result<(), Failed> {
        secret.update()
    }
}

mod handshake_keys_made_twice {
    use symbolon::crypto::{Aead, Failed};
    use symbolon::internals::{Finished, HandshakeEpoch, Keys, Server, Traffic};

    pub fn keys(
        secret: Traffic<Server, HandshakeEpoch>,
        aead: &dyn Aead,
    ) -> Result<(Keys<Server>, Finished<Server>), Failed> {
        secret.into_keys(aead)
    }
}

mod early_secret_read_after_the_handshake {
    use symbolon::conn::Summary;
    use symbolon::crypto::Suite;
    use symbolon::internals::{
        ApplicationEpoch, Client, Established, Exporter, FinishedMatched, Remember, Traffic,
    };

    pub fn complete(
        suite: &'static Suite,
        read: Traffic<Client, ApplicationEpoch>,
        exporter: Exporter,
        summary: Box<Summary>,
        remember: Option<Box<Remember>>,
        finished: FinishedMatched<Client>,
    ) -> Established<Client> {
        Established { suite, read, exporter, summary, tickets: Vec::new(), remember, finished }
    }
}

mod early_data_read_without_fresh {
    use symbolon::crypto::{Digest, Failed};
    use symbolon::internals::{Client, EarlyEpoch, Fresh, Proven, Traffic};

    pub fn read(key: &Proven, fresh: &Fresh, hello: &Digest) -> Result<Traffic<Client, EarlyEpoch>, Failed> {
        Ok(key.read_early(fresh, hello)?.client)
    }
}

mod early_data_read_before_the_binder {
    use symbolon::crypto::{Digest, Failed};
    use symbolon::internals::{Client, EarlyEpoch, Fresh, Proven, Traffic};

    pub fn read(key: &Proven, fresh: &Fresh, hello: &Digest) -> Result<Traffic<Client, EarlyEpoch>, Failed> {
        Ok(key.read_early(fresh, hello)?.client)
    }
}

mod early_data_read_as_a_client_sends_it {
    use symbolon::crypto::{Digest, Failed};
    use symbolon::internals::{Client, EarlyEpoch, Offered, Traffic};

    pub fn send(key: &Offered, hello: &Digest) -> Result<Traffic<Client, EarlyEpoch>, Failed> {
        Ok(key.send_early(hello)?.client)
    }
}

mod replay_looked_for_before_the_binder {
    use symbolon::internals::Proven;

    pub fn look_for(key: &Proven) -> [u8; 32] {
        key.id()
    }
}

mod invented_fresh {
    use symbolon::question::{Answer, CheckReplay};

    pub fn fresh(question: CheckReplay) -> Answer {
        question.fresh()
    }
}

mod resumed_without_binder {
    use symbolon::crypto::{Failed, SharedSecret};
    use symbolon::internals::{Handshake, Proven};

    pub fn go_on(key: Proven, shared: &SharedSecret) -> Result<Handshake, Failed> {
        Ok(key.handshake(Some(shared))?.0)
    }
}

mod invented_proof_of_the_key {
    use symbolon::crypto::{Digest, Failed};
    use symbolon::internals::{Claimed, Proven};

    pub fn prove(key: Claimed, truncated: &Digest, binder: &[u8]) -> Result<Option<Proven>, Failed> {
        key.prove(truncated, binder)
    }
}

mod peer_verified_without_its_key {
    use std::sync::Arc;

    use symbolon::identity::Peer;
    use symbolon::internals::{PskUsed, Verified};

    pub fn trust(peer: Arc<Peer>, used: &PskUsed) -> Verified {
        Verified::by_psk(peer, used)
    }
}

mod invented_use_of_a_key {
    use symbolon::crypto::{Failed, SharedSecret};
    use symbolon::internals::{Offered, PskUsed};

    pub fn used(key: Offered, shared: &SharedSecret) -> Result<PskUsed, Failed> {
        Ok(key.handshake(Some(shared))?.1)
    }
}

mod pre_shared_key_used_twice {
    use symbolon::crypto::Failed;
    use symbolon::internals::Offered;

    pub fn resume(key: Offered) -> Result<(), Failed> {
        key.handshake(None)?;
        Ok(())
    }
}

mod early_keys_made_twice {
    use symbolon::crypto::{Aead, Failed};
    use symbolon::internals::{Client, EarlyEpoch, Keys, Traffic};

    pub fn keys(secret: Traffic<Client, EarlyEpoch>, aead: &dyn Aead) -> Result<Keys<Client>, Failed> {
        secret.into_keys(aead)
    }
}
