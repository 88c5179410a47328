//! A token server for Debian's `docker-registry`, with GHCR's manners: whoever asks may pull from
//! the one repository that is public, and nobody learns of another.

use super::docker::{Docker, Guard};
use super::{REPOSITORY, content::content, image, registry_at};
use crate::http;
use crate::server::{Asked, Reply, Server, reply};
use digest_bump::clients::registry::RegistryError;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{CertificateParams, DnType, KeyPair};
use serde_json::json;
use std::time::SystemTime;

const SERVICE: &str = "registry.example";
const ISSUER: &str = "the tests' token server";
/// How long a token holds, by this machine's clock.
const LIFE_SECONDS: u64 = 300;

/// Signs tokens, and has a certificate for its key.
#[derive(Clone)]
pub(super) struct Issuer {
    key: EncodingKey,
    certificate_pem: String,
}

impl Issuer {
    pub(super) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut certificate = CertificateParams::default();
        certificate.distinguished_name.push(DnType::CommonName, ISSUER);
        let certificate = certificate.self_signed(&key).unwrap();
        Self {
            key: EncodingKey::from_ec_der(&key.serialize_der()),
            certificate_pem: certificate.pem(),
        }
    }

    /// Starts the token server; what a registry has to know of it.
    pub(super) async fn guard(&self) -> Guard {
        let issuer = self.clone();
        let server = Server::start(move |asked| issuer.answer(asked)).await;
        Guard {
            realm: format!("{}/token", server.url),
            service: SERVICE,
            issuer: ISSUER,
            certificate_pem: self.certificate_pem.clone(),
        }
    }

    /// As GHCR does: a token and nothing else, or no token and no reason.
    fn answer(&self, asked: &Asked) -> Reply {
        let scope = format!("scope=repository%3A{}%3Apull", REPOSITORY.replace('/', "%2F"));
        let query = asked.path.strip_prefix("/token?").unwrap_or_default();
        if query.split('&').any(|pair| pair == scope) {
            let token = json!({ "token": self.token(&["pull"]) });
            return reply(200, &[("content-type", "application/json")], token.to_string());
        }
        let denied = r#"{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}"#;
        reply(403, &[("content-type", "application/json")], denied)
    }

    /// A token for these actions in the repository (distribution's "Token authentication
    /// implementation").
    pub(super) fn token(&self, actions: &[&str]) -> String {
        let body = self.certificate_pem.lines().filter(|line| !line.starts_with("-----"));
        let header = Header { x5c: Some(vec![body.collect()]), ..Header::new(Algorithm::ES256) };
        let now = now();
        let claims = json!({
            "iss": ISSUER, "aud": SERVICE, "sub": "", "jti": "1",
            "iat": now, "nbf": now - 10, "exp": now + LIFE_SECONDS,
            "access": [{"type": "repository", "name": REPOSITORY, "actions": actions}],
        });
        encode(&header, &claims, &self.key).unwrap()
    }
}

#[expect(clippy::disallowed_methods, reason = "the registry goes by this machine's clock")]
fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

/// Without this, the tests behind tokens could pass at a registry that asks for none.
#[tokio::test]
async fn the_guarded_registry_really_looks_at_tokens() {
    let (issuer, stranger) = (Issuer::new(), Issuer::new());
    let guard = issuer.guard().await;
    let Some(docker) = Docker::start(Some(&guard)) else { return };
    let client = reqwest::Client::new();
    let url = format!("{}/v2/{REPOSITORY}/manifests/3.10.0", docker.url);
    let get = async |token: &str| {
        client.get(&url).bearer_auth(token).send().await.unwrap().status().as_u16()
    };
    let put = async |token: &str| {
        client.put(&url).bearer_auth(token).body("{}").send().await.unwrap().status().as_u16()
    };
    assert_eq!(client.get(&url).send().await.unwrap().status(), 401);
    assert_eq!(get(&issuer.token(&["pull"])).await, 404);
    assert_eq!(get(&issuer.token(&["push"])).await, 401);
    assert_eq!(get(&stranger.token(&["pull"])).await, 401);
    assert_eq!(put(&issuer.token(&["pull"])).await, 401);
    assert_eq!(put(&issuer.token(&["push", "pull"])).await, 400);
}

#[tokio::test]
async fn tokens_that_the_registry_does_not_believe_end_in_a_denial() {
    let (issuer, stranger) = (Issuer::new(), Issuer::new());
    let guard = Guard { realm: stranger.guard().await.realm, ..issuer.guard().await };
    let Some(docker) = Docker::start(Some(&guard)) else { return };
    docker.push(REPOSITORY, &content(1), Some(&issuer.token(&["push", "pull"]))).await;
    let registry = registry_at(&http(), &docker.url);
    let error = registry.fetch_index(&image(), "3.10.0").await.unwrap_err();
    assert!(matches!(error, RegistryError::Denied { .. }), "{error:?}");
    assert!(!format!("{error:?}").contains("eyJ"), "a token is shown: {error:?}");
}
