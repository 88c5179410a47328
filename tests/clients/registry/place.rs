//! The registries that the client is tested against. Each holds the release's image, and can be
//! given another one under the same tags.

use super::content::{Content, content};
use super::docker::Docker;
use super::tokens::Issuer;
use super::{RELEASE, REPOSITORY, registry_at};
use crate::http;
use crate::server::{Asked, Reply, Server, reply};
use digest_bump::clients::registry::Registry;
use digest_bump::domain::Digest;
use std::sync::{Arc, Mutex};
use world::World;

/// A registry with one image in it, and a client of it.
pub(super) struct Place {
    pub(super) registry: Registry,
    /// The digest of the index that the tags lead to.
    pub(super) index: Digest,
    /// Whether one needs a token to read, if only an anonymous one.
    pub(super) has_tokens: bool,
    held: Held,
}

enum Held {
    Fake(Arc<Mutex<Vec<Content>>>),
    World(Box<World>),
    Docker(Docker, Option<Issuer>),
}

impl Place {
    /// The fake of these tests.
    pub(super) async fn fake() -> Option<Self> {
        let held = Arc::new(Mutex::new(vec![content(1)]));
        let pushed = Arc::clone(&held);
        let server = fake_server(move || pushed.lock().unwrap().clone(), |_| None).await;
        Some(Self::of(&server.url, content(1).index, true, Held::Fake(held)))
    }

    /// The world's registry, with a release that the world builds.
    pub(super) async fn world() -> Option<Self> {
        let world = World::start().await;
        world.release(&RELEASE.to_string()).publish().await;
        let index = digest_in(&world);
        Some(Self::of(&world.registry_url(), index, true, Held::World(Box::new(world))))
    }

    /// Debian's `docker-registry`, open to everybody.
    pub(super) async fn docker_plain() -> Option<Self> {
        Some(Self::of_docker(Docker::start(None)?, None).await)
    }

    /// Debian's `docker-registry`, behind a token server with GHCR's manners.
    pub(super) async fn docker_with_tokens() -> Option<Self> {
        let issuer = Issuer::new();
        let docker = Docker::start(Some(&issuer.guard().await))?;
        Some(Self::of_docker(docker, Some(issuer)).await)
    }

    async fn of_docker(docker: Docker, issuer: Option<Issuer>) -> Self {
        let (url, has_tokens, content) = (docker.url.clone(), issuer.is_some(), content(1));
        let held = Held::Docker(docker, issuer);
        let place = Self::of(&url, content.index.clone(), has_tokens, held);
        place.push(&content).await;
        place
    }

    fn of(url: &str, index: Digest, has_tokens: bool, held: Held) -> Self {
        Self { registry: registry_at(&http(), url), index, has_tokens, held }
    }

    /// Builds the image anew and pushes it under the same tags.
    pub(super) async fn push_again(&mut self) {
        let again = content(2);
        self.index = match &self.held {
            Held::World(world) => {
                world.retag(&RELEASE.to_string()).await;
                digest_in(world)
            }
            Held::Fake(_) | Held::Docker(..) => again.index.clone(),
        };
        self.push(&again).await;
    }

    async fn push(&self, content: &Content) {
        match &self.held {
            // The world builds its images itself.
            Held::World(_) => {}
            Held::Fake(held) => held.lock().unwrap().insert(0, content.clone()),
            Held::Docker(docker, issuer) => {
                let token = issuer.as_ref().map(|issuer| issuer.token(&["push", "pull"]));
                docker.push(REPOSITORY, content, token.as_deref()).await;
            }
        }
    }
}

fn digest_in(world: &World) -> Digest {
    world.image_digest(&RELEASE.to_string()).unwrap().parse().unwrap()
}

/// A registry with GHCR's token dance; the newest content comes first. `twist` may answer first.
pub(super) async fn fake_server(
    pushed: impl Fn() -> Vec<Content> + Send + Sync + 'static,
    twist: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static,
) -> Server {
    Server::start(move |asked| twist(asked).unwrap_or_else(|| honest(&pushed(), asked))).await
}

fn honest(pushed: &[Content], asked: &Asked) -> Reply {
    let json = ("content-type", "application/json");
    let refused = |status, code: &str, more: &[(&'static str, &str)]| {
        let headers: Vec<_> = std::iter::once(json).chain(more.iter().copied()).collect();
        reply(status, &headers, format!(r#"{{"errors":[{{"code":"{code}"}}]}}"#))
    };
    if let Some(query) = asked.path.strip_prefix("/token?") {
        let known = query.contains(&REPOSITORY.replace('/', "%2F"));
        let granted = reply(200, &[json], r#"{"token":"anon-secret"}"#);
        return if known { granted } else { refused(403, "DENIED", &[]) };
    }
    if asked.header("authorization") != Some("Bearer anon-secret") {
        let host = asked.header("host").unwrap();
        let challenge = format!(
            r#"Bearer realm="http://{host}/token",service="ghcr.io",scope="repository:x:pull,push""#
        );
        return refused(401, "UNAUTHORIZED", &[("www-authenticate", &challenge)]);
    }
    let reference = asked.path.rsplit('/').next().unwrap();
    let Some(document) = pushed.iter().find_map(|content| content.find(reference)) else {
        return refused(404, "MANIFEST_UNKNOWN", &[]);
    };
    let kind = document.media_type.unwrap_or("application/octet-stream");
    if document.media_type.is_some() && !asked.header("accept").unwrap_or_default().contains(kind) {
        return refused(404, "MANIFEST_UNKNOWN", &[]);
    }
    let digest = document.digest.as_str();
    let known = asked.header("if-none-match").map(|known| known.trim_matches('"'));
    if known == Some(digest) {
        return reply(304, &[("docker-content-digest", digest)], "");
    }
    reply(200, &[("content-type", kind), ("docker-content-digest", digest)], &document.bytes)
}
