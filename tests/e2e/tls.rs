//! Everything over TLS, under a certificate authority that no system knows.

use crate::stand::{Stand, run_in};
use world::{Service, World};

/// The contract canary of these worlds: it looks at the tree and at nobody's port.
const CANARY: &str = r#"grep -q "\"tag\": \"$V\"" packages/townhouse/dist/image-manifest.json"#;

/// Puts the world's authority where an operator would.
fn trust(stand: &mut Stand) {
    let file = stand.state.path().join("ca.pem");
    std::fs::write(&file, stand.world.ca_pem().unwrap()).unwrap();
    let tls = toml::toml! { ca_file = "" };
    stand.config.insert("tls".into(), tls.into());
    stand.config["tls"]["ca_file"] = file.to_str().unwrap().into();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minor_becomes_a_pull_request_over_tls_git_included() {
    run_in(World::builder().tls(), async |stand| {
        trust(stand);
        stand.canary_script(CANARY);
        stand.world.release("3.10.0").publish().await;
        stand.settle().await;
        let pull = stand.only();
        assert_eq!(pull.title, "chore(connector): bump 3.9.3 → 3.10.0");
        let subject = stand.git(&["log", "-1", "--format=%s", &pull.head_branch]);
        assert_eq!(subject, pull.title);
        assert_eq!(stand.runs().await, ["3.10.0 passed"]);
        // Each of them was really asked, and spoke nothing but TLS.
        let asked = stand.world.requests();
        for service in [Service::GitHub, Service::Git, Service::Registry, Service::Npm] {
            assert!(asked.iter().any(|request| request.service == service), "{service:?}");
        }
        let urls = [
            stand.world.github_url(),
            stand.world.git_url(),
            stand.world.registry_url(),
            stand.world.npm_url(),
        ];
        assert!(urls.iter().all(|url| url.starts_with("https://127.0.0.1:")), "{urls:?}");
        // Three went to the storage behind the registry: each platform's config, and what was signed.
        assert_eq!(asked.iter().filter(|one| one.path.starts_with("/storage/")).count(), 3);
    })
    .await;
}

/// A bot that does not believe the world's certificate: it asks nobody anything, and says why.
async fn refused(stand: &Stand) -> String {
    stand.world.release("3.10.0").publish().await;
    let report = stand.once().await;
    assert_eq!(stand.world.requests(), []);
    assert_eq!(stand.world.pulls().len(), 0);
    stand.redact(&report.troubles.join("\n"))
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_authority_everybody_is_refused_and_the_certificate_named() {
    run_in(World::builder().tls(), async |stand| {
        insta::assert_snapshot!(refused(stand).await, @"
        the releases of toon-protocol/connector: github (http://github) is out of reach: invalid peer certificate: UnknownIssuer
        the npm package @toon-protocol/connector: npm (http://npm) is out of reach: invalid peer certificate: UnknownIssuer
        main of toon-protocol/town: the git server could not be used: http://git: invalid peer certificate: UnknownIssuer
        the pull requests of toon-protocol/town: github (http://github) is out of reach: invalid peer certificate: UnknownIssuer
        ");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_for_another_name_is_refused_though_its_authority_is_known() {
    run_in(World::builder().tls_for(&["elsewhere.example"]), async |stand| {
        trust(stand);
        insta::assert_snapshot!(refused(stand).await, @r#"
        the releases of toon-protocol/connector: github (http://github) is out of reach: invalid peer certificate: certificate not valid for name "127.0.0.1"; certificate is only valid for DnsName("elsewhere.example")
        the npm package @toon-protocol/connector: npm (http://npm) is out of reach: invalid peer certificate: certificate not valid for name "127.0.0.1"; certificate is only valid for DnsName("elsewhere.example")
        main of toon-protocol/town: the git server could not be used: http://git: invalid peer certificate: certificate not valid for name "127.0.0.1"; certificate is only valid for DnsName("elsewhere.example")
        the pull requests of toon-protocol/town: github (http://github) is out of reach: invalid peer certificate: certificate not valid for name "127.0.0.1"; certificate is only valid for DnsName("elsewhere.example")
        "#);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_alone_that_is_not_believed_is_waited_for() {
    let stranger = World::builder().tls().start().await;
    run_in(World::builder(), async |stand| {
        let url = |stand: &mut Stand, url: String| {
            std::mem::replace(&mut stand.config["registries"]["ghcr.io"]["url"], url.into())
        };
        let own = url(stand, stranger.registry_url());
        stand.world.release("3.10.0").publish().await;
        stand.once().await;
        let (word, line) = stand.stage("3.10.0").await;
        let line = line.replace(&stranger.registry_url(), "https://stranger");
        insta::assert_snapshot!(format!("{word}: {line}"), @"waiting: its image could not be asked for: the registry (https://stranger) is out of reach: invalid peer certificate: UnknownIssuer; until 2026-06-12T08:01:00Z (1 min from now)");
        assert_eq!(stranger.requests(), []);
        assert_eq!(stand.world.writes(), []);
        url(stand, own.as_str().unwrap().to_owned());
        stand.wait_minutes(1);
        stand.settle().await;
        stand.only();
    })
    .await;
}
