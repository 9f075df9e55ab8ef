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
    use symbolon::codepoint::SignatureScheme;
    use symbolon::internals::{Flight, Request, Verified, WaitFinished};

    pub fn go_on(
        flight: Flight,
        request: Option<Request>,
        signature: SignatureScheme,
        peer: Verified,
    ) -> WaitFinished {
        WaitFinished { flight, request, signature, peer }
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
        ApplicationEpoch, Client, Established, Exporter, FinishedMatched, Server, Traffic,
    };

    pub fn complete(
        suite: &'static Suite,
        read: Traffic<Server, ApplicationEpoch>,
        write: Traffic<Client, ApplicationEpoch>,
        exporter: Exporter,
        summary: Box<Summary>,
        finished: FinishedMatched<Server>,
    ) -> Established<Server, Client> {
        Established { suite, read, write, exporter, summary, tickets: Vec::new(), finished }
    }
}

mod completion_with_our_own_finished {
    use symbolon::conn::Summary;
    use symbolon::crypto::Suite;
    use symbolon::internals::{
        ApplicationEpoch, Client, Established, Exporter, FinishedMatched, Server, Traffic,
    };

    pub fn complete(
        suite: &'static Suite,
        read: Traffic<Server, ApplicationEpoch>,
        write: Traffic<Client, ApplicationEpoch>,
        exporter: Exporter,
        summary: Box<Summary>,
        finished: FinishedMatched<Server>,
    ) -> Established<Server, Client> {
        Established { suite, read, write, exporter, summary, tickets: Vec::new(), finished }
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
