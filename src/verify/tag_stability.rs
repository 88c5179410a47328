//! Does the tag still give what it was first resolved to?

use super::{Answer, Subject, failed, passed};
use crate::policy::tag_drift;

/// A tag that moved freezes its version, whatever it leads to now: who can move it can move it
/// back, too.
pub(super) fn verify(subject: Subject<'_>) -> Answer {
    let version = &subject.image.version;
    match tag_drift(subject.memory, version) {
        Some(drift) => failed(drift),
        None => passed(format!("{} each time", subject.image.digest.digest().short())),
    }
}
