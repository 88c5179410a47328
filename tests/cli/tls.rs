//! A private certificate authority: the setting, and the real binary with it.

use crate::stand::{Said, Stand};
use std::fs;
use world::World;

/// What stands in a file with this text is named as the authority, and the binary called.
async fn once_with(stand: &mut Stand, text: &str) -> Said {
    let file = stand.folder.path().join("ca.pem");
    fs::write(&file, text).unwrap();
    stand.set("tls.ca_file", file.to_str().unwrap());
    stand.run(&["once"]).await
}

#[tokio::test]
async fn a_minor_is_proposed_over_tls() {
    let mut stand = Stand::of(World::builder().tls()).await;
    stand.set_watch(
        "canary.step.0.command",
        vec!["test", "-f", "packages/townhouse/src/constants.ts"],
    );
    stand.world.release("3.10.0").publish().await;

    let said = stand.run(&["once"]).await;
    assert_eq!(said.code, 3, "{said:#?}");
    insta::assert_snapshot!(stand.redact(&said.out), @"
    townhouse: not done: the releases of toon-protocol/connector: github (https://HOST) is out of reach: invalid peer certificate: UnknownIssuer
    townhouse: not done: the npm package @toon-protocol/connector: npm (https://HOST) is out of reach: invalid peer certificate: UnknownIssuer
    townhouse: not done: main of toon-protocol/town: the git server could not be used: https://HOST: invalid peer certificate: UnknownIssuer
    townhouse: not done: the pull requests of toon-protocol/town: github (https://HOST) is out of reach: invalid peer certificate: UnknownIssuer
    ");
    assert_eq!(stand.world.requests(), []);

    let authority = stand.world.ca_pem().unwrap().to_owned();
    let said = once_with(&mut stand, &authority).await;
    assert_eq!(said.code, 0, "{said:#?}");
    insta::assert_snapshot!(stand.redact(&said.out), @"
    townhouse: canary started at 3.10.0
    townhouse: opened pull request #1: chore(connector): bump 3.9.3 → 3.10.0
    ");
    assert_eq!(stand.world.open_pulls().len(), 1);
    let plan = stand.ok(&["plan"]).await;
    insta::assert_snapshot!(plan, @"
    townhouse: a pass would
      do nothing
    Releases:
      3.10.0     proposed  pull request #1 proposes it
      3.9.3      pinned    the downstream pins it
    ");
    stand.world.clear_requests();
    insta::assert_snapshot!(stand.ok(&["once"]).await, @"townhouse: nothing to do");
    assert_eq!(stand.world.writes(), []);
}

#[tokio::test]
async fn a_file_that_is_none_is_a_problem_among_the_others() {
    let mut stand = Stand::new().await;
    stand.set("schedule.jitter", "soon");
    stand.set("tls.ca_file", "/nowhere/ca.pem");
    let said = stand.run(&["once"]).await;
    assert_eq!(said.code, 2, "{said:#?}");
    insta::assert_snapshot!(stand.redact(&said.err), @"
    digest-bump: FOLDER/config.toml cannot be used:
      - schedule.jitter: `soon` is not a duration such as `45s`, `20m`, `24h` or `7d`
      - tls.ca_file: `/nowhere/ca.pem` cannot be read: No such file or directory (os error 2)
    ");

    stand.set("schedule.jitter", "0");
    let block = |content: &str| {
        format!("-----BEGIN CERTIFICATE-----\n{content}\n-----END CERTIFICATE-----\n")
    };
    let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let mut told = Vec::new();
    for text in ["", "no PEM at all\n", key, &block("AAAA"), &block("?"), &block("AAAA")[..40]] {
        let said = once_with(&mut stand, text).await;
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{text}");
        told.push(stand.redact(said.err.lines().last().unwrap()));
    }
    insta::assert_snapshot!(told.join("\n"), @"
    - tls.ca_file: `FOLDER/ca.pem` holds no certificate in PEM
    - tls.ca_file: `FOLDER/ca.pem` holds no certificate in PEM
    - tls.ca_file: `FOLDER/ca.pem` holds no certificate in PEM
    - tls.ca_file: block 1 of `FOLDER/ca.pem` is no X.509 certificate
    - tls.ca_file: `FOLDER/ca.pem` is no PEM file: base64 decode error: InvalidCharacter(63)
    - tls.ca_file: a block of `FOLDER/ca.pem` does not end
    ");
    assert!(!stand.state().exists(), "nothing was begun");
}

#[tokio::test]
async fn plain_http_stays_on_this_machine_whatever_authority_is_named() {
    let mut stand = Stand::of(World::builder().tls()).await;
    stand.set("github.api_url", "http://github.example");
    let authority = stand.world.ca_pem().unwrap().to_owned();
    let said = once_with(&mut stand, &authority).await;
    assert_eq!(said.code, 2, "{said:#?}");
    insta::assert_snapshot!(stand.redact(&said.err), @"
    digest-bump: FOLDER/config.toml cannot be used:
      - github.api_url: `http://github.example` is not an https URL
    ");
}
