//! The traces of RFC 8448, read from `testvectors/rfc8448.json`; its tests replay them byte for byte.

mod machines;

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::Value;

/// The sections without a pre-shared key.
pub(crate) const FULL_HANDSHAKES: [&str; 4] = ["3.", "5.", "6.", "7."];

/// The section whose ticket [`RESUMED`] uses.
pub(crate) const RESUMABLE: &str = "3.";

/// The section with a ticket and early data.
pub(crate) const RESUMED: &str = "4.";

/// One trace.
pub(crate) struct Section {
    pub(crate) name: String,
    pub(crate) steps: Vec<Step>,
}

/// One thing that one side does.
pub(crate) struct Step {
    pub(crate) role: Role,
    pub(crate) action: String,
    fields: Vec<(String, Vec<u8>)>,
}

/// Who does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Client,
    Server,
}

/// All traces, in order.
pub(crate) fn sections() -> Vec<Section> {
    let json: Value = serde_json::from_str(include_str!("../testvectors/rfc8448.json")).unwrap();
    json.as_array().unwrap().iter().map(Section::read).collect()
}

/// The trace of the section whose heading starts with `number`.
pub(crate) fn section(number: &str) -> Section {
    sections().into_iter().find(|section| section.name.starts_with(number)).unwrap()
}

impl Section {
    fn read(json: &Value) -> Self {
        let mut steps: Vec<Step> = json["steps"].as_array().unwrap().iter().map(Step::read).collect();
        // A ClientHello with a pre-shared key is constructed without its binders; only its record has them.
        let sent = |step: &Step| step.record().map(|(payload, _)| payload.to_vec());
        let whole = steps.iter().find_map(sent).unwrap();
        let hello = steps.iter_mut().find(|step| step.message().is_some()).unwrap();
        assert!(whole.starts_with(hello.message().unwrap()));
        hello.fields[0].1 = whole;
        Self { name: text(&json["section"]), steps }
    }

    /// Whether it is the one with a HelloRetryRequest.
    pub(crate) fn retries(&self) -> bool {
        self.name.starts_with("5.")
    }

    /// The values called `field` in the steps of `role` whose action starts with `action`.
    pub(crate) fn all(&self, role: Role, action: &str, field: &str) -> Vec<&[u8]> {
        let steps = self.steps.iter().filter(|step| step.role == role && step.action.starts_with(action));
        steps.filter_map(|step| step.field(field)).collect()
    }

    /// What the client sends before the server has answered, in one record.
    pub(crate) fn early_data(&self) -> Option<&[u8]> {
        let mut before =
            self.steps.iter().take_while(|step| step.role == Role::Client || step.record().is_none());
        before.find(|step| step.action.starts_with("send application_data"))?.field("payload")
    }

    /// The pre-shared key of the ticket that the section ends with.
    pub(crate) fn ticket_psk(&self) -> &[u8] {
        self.first(Role::Server, "generate resumption secret", "expanded")
    }

    /// The first of [`Section::all`].
    pub(crate) fn first(&self, role: Role, action: &str, field: &str) -> &[u8] {
        self.all(role, action, field)[0]
    }

    /// The first handshake message of `role` of this kind, without its header.
    pub(crate) fn body(&self, role: Role, kind: &str) -> &[u8] {
        &self.messages(role, kind)[0][4..]
    }

    /// The handshake messages of `role` of this kind, such as "ServerHello".
    pub(crate) fn messages(&self, role: Role, kind: &str) -> Vec<&[u8]> {
        self.all(role, "construct a", kind)
    }
}

impl Step {
    fn read(json: &Value) -> Self {
        let role = match json["role"].as_str().unwrap() {
            "client" => Role::Client,
            "server" => Role::Server,
            other => panic!("unknown role {other}"),
        };
        let fields = json["fields"].as_array().unwrap().iter().map(|field| {
            let bytes = unhex(field["hex"].as_str().unwrap());
            assert_eq!(bytes.len() as u64, field["len"].as_u64().unwrap());
            (text(&field["name"]), bytes)
        });
        Self { role, action: text(&json["action"]), fields: fields.collect() }
    }

    /// The value called `name`.
    pub(crate) fn field(&self, name: &str) -> Option<&[u8]> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_slice())
    }

    /// Payload and record, where the step sends one.
    pub(crate) fn record(&self) -> Option<(&[u8], &[u8])> {
        if !self.action.starts_with("send ") {
            return None;
        }
        Some((self.field("payload").unwrap(), self.field("complete record").unwrap()))
    }

    /// The handshake message that the step constructs.
    pub(crate) fn message(&self) -> Option<&[u8]> {
        if !self.action.starts_with("construct ") {
            return None;
        }
        self.fields.first().map(|(_, message)| message.as_slice())
    }

    /// The label of HKDF-Expand-Label in the action, without "tls13 ".
    pub(crate) fn label(&self) -> Option<&str> {
        let (_, quoted) = self.action.split_once("\"tls13 ")?;
        quoted.split('"').next()
    }
}

fn text(json: &Value) -> String {
    json.as_str().unwrap().to_string()
}

fn unhex(digits: &str) -> Vec<u8> {
    let digits = digits.as_bytes();
    assert!(digits.len().is_multiple_of(2));
    let nibble = |digit: u8| (digit as char).to_digit(16).unwrap() as u8;
    digits.chunks(2).map(|pair| nibble(pair[0]) << 4 | nibble(pair[1])).collect()
}
