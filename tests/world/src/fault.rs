//! Faults: what goes wrong, where, and how often.

use crate::log::Service;
use crate::wire::Call;
use std::time::Duration;

/// Something that will go wrong. Made with [`Fault::on`], armed by `World::fault`.
///
/// A fault strikes once unless told otherwise. Of several that match, the first armed one strikes.
#[derive(Debug, Clone)]
#[must_use = "a fault is armed by `World::fault`"]
pub struct Fault {
    service: Service,
    method: Option<String>,
    path: Option<String>,
    body: Option<String>,
    left: Option<u32>,
    pub(crate) delay: Option<Duration>,
    pub(crate) kind: Kind,
}

/// How it goes wrong.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// Only the delay.
    Nothing,
    /// Nothing is done, and this is answered.
    Answer(Scripted),
    /// It is done, and the answer claims this status.
    AfterCommit(u16),
    /// It is done, and the connection breaks in the middle of the answer's body.
    CutBody,
    /// It is done, and the answer's `Docker-Content-Digest` is of something else.
    WrongDigestHeader,
    /// It is done, and one bit in the middle of the answer's body is another.
    OtherBody,
    /// The connection is closed without an answer.
    Close,
}

/// An answer that a test wrote.
#[derive(Debug, Clone)]
pub(crate) struct Scripted {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<String>,
}

impl Fault {
    /// A fault of one service. Without a kind it does nothing.
    pub fn on(service: Service) -> Self {
        Self {
            service,
            method: None,
            path: None,
            body: None,
            left: Some(1),
            delay: None,
            kind: Kind::Nothing,
        }
    }

    /// Only for this HTTP method.
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// Only where the path and query contain this text.
    pub fn path_contains(mut self, text: &str) -> Self {
        self.path = Some(text.to_owned());
        self
    }

    /// Only where the request's body contains this text.
    pub fn body_contains(mut self, text: &str) -> Self {
        self.body = Some(text.to_owned());
        self
    }

    /// Strike this often.
    pub fn times(mut self, times: u32) -> Self {
        self.left = Some(times);
        self
    }

    /// Strike until the faults are cleared.
    pub fn always(mut self) -> Self {
        self.left = None;
        self
    }

    /// Do nothing and answer this status, with a body as the service would write it.
    pub fn status(self, status: u16) -> Self {
        self.scripted(|answer| answer.status = status)
    }

    /// A header of the answer; 200 unless a status is given.
    pub fn header(self, name: &str, value: &str) -> Self {
        let header = (name.to_lowercase(), value.to_owned());
        self.scripted(|answer| answer.headers.push(header))
    }

    /// The answer's body; 200 unless a status is given.
    pub fn body(self, text: &str) -> Self {
        self.scripted(|answer| answer.body = Some(text.to_owned()))
    }

    /// A page for people where a program's answer should be, with status 200.
    pub fn html(self) -> Self {
        self.header("content-type", "text/html; charset=utf-8")
            .body("<!DOCTYPE html>\n<html><body><h1>Whoa there!</h1></body></html>\n")
    }

    /// Do nothing and send the client elsewhere, with status 302.
    pub fn redirect(self, url: &str) -> Self {
        self.status(302).header("location", url).body("")
    }

    /// Do it, and break the connection in the middle of the answer's body.
    pub fn cut_body(mut self) -> Self {
        self.kind = Kind::CutBody;
        self
    }

    /// Do it, and lie in `Docker-Content-Digest`.
    pub fn wrong_digest_header(mut self) -> Self {
        self.kind = Kind::WrongDigestHeader;
        self
    }

    /// Do it, and change one bit in the middle of the answer's body: it has another digest then.
    pub fn corrupt_body(mut self) -> Self {
        self.kind = Kind::OtherBody;
        self
    }

    /// Wait this long first; goes together with any other kind.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = Some(delay);
        self
    }

    /// Do it, and claim this status: the caller cannot know that it was done.
    pub fn after_commit(mut self, status: u16) -> Self {
        self.kind = Kind::AfterCommit(status);
        self
    }

    /// Close the connection without an answer; nothing is done.
    pub fn close_connection(mut self) -> Self {
        self.kind = Kind::Close;
        self
    }

    fn scripted(mut self, change: impl FnOnce(&mut Scripted)) -> Self {
        let mut answer = match self.kind {
            Kind::Answer(answer) => answer,
            _ => Scripted { status: 200, headers: Vec::new(), body: None },
        };
        change(&mut answer);
        self.kind = Kind::Answer(answer);
        self
    }

    fn matches(&self, call: &Call) -> bool {
        let body = || String::from_utf8_lossy(&call.body);
        self.service == call.service
            && self.method.as_ref().is_none_or(|wanted| *wanted == call.method)
            && self.path.as_ref().is_none_or(|text| call.uri().contains(text))
            && self.body.as_ref().is_none_or(|text| body().contains(text))
            && self.left != Some(0)
    }
}

/// Takes one strike from the first armed fault that matches.
pub(crate) fn strike(faults: &mut Vec<Fault>, call: &Call) -> Option<Fault> {
    let at = faults.iter().position(|fault| fault.matches(call))?;
    if let Some(left) = &mut faults[at].left {
        *left -= 1;
    }
    let struck = faults[at].clone();
    faults.retain(|fault| fault.left != Some(0));
    Some(struck)
}
