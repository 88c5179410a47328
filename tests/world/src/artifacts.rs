//! What a test may do to releases, tokens and time.

use crate::ReleaseBuilder;
use crate::World;
use crate::webhook::Hook;
use crate::wire::rfc3339;
use serde_json::json;

impl World {
    /// Describes a release of upstream; `.publish().await` publishes it with all its artifacts.
    pub fn release(&self, version: &str) -> ReleaseBuilder<'_> {
        ReleaseBuilder::new(self, version)
    }

    /// Makes one of the bot's tokens worthless.
    pub fn revoke_token(&self, token: &str) {
        self.later().tokens.remove(token);
    }

    /// Somebody downloads something: the release list's `ETag` changes, its releases do not.
    pub fn bump_download_count(&self) {
        for release in &mut self.later().releases {
            release.downloads += 1;
        }
    }

    /// Deletes a release, as a person does; its git tag and its images stay.
    pub fn withdraw_release(&self, version: &str) {
        let mut state = self.later();
        state.emit_release(version, "deleted", json!({}));
        state.releases.retain(|release| release.version != version);
        drop(state);
        self.inner.deliver();
    }

    /// Marks a release as a pre-release, or as none.
    pub fn mark_prerelease(&self, version: &str, prerelease: bool) {
        let mut state = self.later();
        state.release_mut(version).prerelease = prerelease;
        let action = if prerelease { "prereleased" } else { "released" };
        state.emit_release(version, action, json!({}));
        drop(state);
        self.inner.deliver();
    }

    /// Rewrites the notes of a release.
    pub fn edit_notes(&self, version: &str, markdown: &str) {
        let mut state = self.later();
        let mut known = state.releases.iter_mut();
        if let Some(release) = known.find(|release| release.version == version) {
            let before = std::mem::replace(&mut release.notes, markdown.to_owned());
            let more = json!({ "changes": { "body": { "from": before } } });
            state.emit_release(version, "edited", more);
        }
        drop(state);
        self.inner.deliver();
    }

    /// How many requests a user has left (`""` is everybody without a token).
    pub fn set_rate_limit_remaining(&self, login: &str, left: u32) {
        self.later().rate.insert(login.to_owned(), left);
    }

    /// Stops the world's clock at this time (RFC 3339).
    ///
    /// # Panics
    /// If it is no such time.
    pub fn set_now(&self, time: &str) {
        self.later().fixed_now = Some(rfc3339(time));
    }

    /// Sends signed deliveries of these events to a URL from now on.
    pub fn subscribe_webhook(&self, url: &str, secret: &str, events: &[&str]) {
        let mut state = self.inner.state();
        let id = state.id();
        state.hooks.push(Hook {
            id,
            url: url.to_owned(),
            secret: secret.to_owned(),
            events: events.iter().map(|&name| name.to_owned()).collect(),
        });
    }

    /// Sends the last delivery again, with the same id, as a person does from the settings page.
    pub fn redeliver_last(&self) {
        let last = self.inner.last_delivery().clone();
        if let Some(last) = last {
            self.inner.send(last);
        }
    }
}
