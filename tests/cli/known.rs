//! `explain`, where more is known of a version than what was observed.

use crate::stand::Stand;

#[tokio::test]
async fn a_missing_release_is_explained_with_the_digest_to_pin_by_hand() {
    let stand = Stand::new().await;
    let explain = async |version: &str| stand.redact(&stand.ok(&["explain", version]).await);
    // Nothing was read yet: then it says how to find out.
    insta::assert_snapshot!(explain("3.5.0").await, @"
    3.5.0 is no release that was read
      known: there is no image 3.5.0: its content is under the tag 3.4.2
      known: to pin 3.5.0 by hand, take the digest that `docker buildx imagetools inspect ghcr.io/toon-protocol/connector:3.4.2` prints: the tag 3.4.2 was not resolved here
    ");
    stand.world.release("3.4.2").publish().await;
    stand.ok(&["once"]).await;
    insta::assert_snapshot!(explain("3.5.0").await, @"
    3.5.0 is no release that was read
      known: there is no image 3.5.0: its content is under the tag 3.4.2
      known: to pin 3.5.0 by hand: ghcr.io/toon-protocol/connector@sha256:… (the tag 3.4.2 was resolved to it at TIME)
    ");
    let digest = stand.world.image_digest("3.4.2").unwrap();
    let told = stand.json(&["explain", "3.5.0"]).await;
    let lines = told["known_issues"].as_array().unwrap();
    assert!(lines.last().unwrap().as_str().unwrap().contains(&digest), "{told:#}");
    stand.world.release("3.5.0").without_image().publish().await;
    stand.ok(&["once"]).await;
    insta::assert_snapshot!(explain("v3.5.0").await, @"
    3.5.0 (published TIME) is older: it is older than the pin
      known: there is no image 3.5.0: its content is under the tag 3.4.2
      known: to pin 3.5.0 by hand: ghcr.io/toon-protocol/connector@sha256:… (the tag 3.4.2 was resolved to it at TIME)
    ");
    insta::assert_snapshot!(explain("3.4.2").await, @"
    3.4.2 (published TIME) is older: it is older than the pin
      image sha256:…
      platforms linux/amd64, linux/arm64
      known: the tag 3.4.2 is known to hold the content of 3.5.0
      known: the content of 3.4.2 is under the tag 3.4.1
      known: to pin 3.4.2 by hand, take the digest that `docker buildx imagetools inspect ghcr.io/toon-protocol/connector:3.4.1` prints: the tag 3.4.1 was not resolved here
    ");
}

#[tokio::test]
async fn a_list_that_makes_no_sense_is_a_problem_of_the_config() {
    let mut stand = Stand::new().await;
    let file = stand.folder.path().join("issues.toml");
    stand.set_watch("upstream.known_issues", file.to_str().unwrap());
    let said = stand.run(&["status"]).await;
    assert_eq!(said.code, 2);
    insta::assert_snapshot!(stand.redact(&said.err), @"
    digest-bump: FOLDER/config.toml cannot be used:
      - watch[0].upstream.known_issues: FOLDER/issues.toml: No such file or directory (os error 2)
    ");
    let name = "[[image]]\nname = \"ghcr.io/toon-protocol/connector\"\n";
    std::fs::write(&file, format!("{name}[[image.corrupt]]\ntag = \"3.4.2\"\n")).unwrap();
    let said = stand.run(&["status"]).await;
    assert_eq!(said.code, 2);
    insta::assert_snapshot!(stand.redact(&said.err), @"
    digest-bump: FOLDER/config.toml cannot be used:
      - watch[0].upstream.known_issues: FOLDER/issues.toml: ghcr.io/toon-protocol/connector: the tag 3.4.2 needs either another `version` or `what`
    ");
}
