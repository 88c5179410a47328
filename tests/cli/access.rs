//! As whom GitHub is asked: what the config takes for a GitHub App's key, and what `config check`
//! says of what the bot may do.

use crate::stand::{Stand, said};
use std::fs;

/// Runs a command of a bot that is an App.
async fn run(stand: &Stand, arguments: &[&str]) -> crate::stand::Said {
    said(stand.command(arguments)).await
}

async fn app() -> Stand {
    let mut stand = Stand::new().await;
    stand.become_app();
    stand
}

#[tokio::test]
async fn once_by_a_file_and_by_the_environment() {
    let mut stand = app().await;
    stand.world.release("3.10.0").publish().await;
    let said = run(&stand, &["once"]).await;
    assert_eq!(said.code, 0, "{said:#?}");
    assert_eq!(stand.world.open_pulls()[0].author, "digest-bump[bot]");
    stand.config["github"]["app"].as_table_mut().unwrap().remove("private_key_file");
    for key in [stand.world.app_key(), stand.world.app_key().trim().replace('\n', "\\n")] {
        let mut command = stand.command(&["once"]);
        command.env("DIGEST_BUMP_GITHUB_APP_KEY", key);
        let said = crate::stand::said(command).await;
        assert_eq!((said.code, said.out.contains("nothing to do")), (0, true), "{said:#?}");
    }
    let said = run(&stand, &["once"]).await;
    assert_eq!(said.code, 2);
    insta::assert_snapshot!(said.err, @"digest-bump: there is no key for GitHub App 7: name its file in `github.app.private_key_file`, or set DIGEST_BUMP_GITHUB_APP_KEY");
    assert_eq!(run(&stand, &["status"]).await.code, 0, "it asks nobody");
}

#[tokio::test]
async fn tokens_that_end_during_a_pass_and_its_canary_are_renewed() {
    let mut stand = app().await;
    stand.world.set_token_life(std::time::Duration::from_secs(3));
    stand.set_watch("canary.env.CANARY_DELAY_MS", "5000");
    stand.world.release("3.10.0").publish().await;
    let said = run(&stand, &["once"]).await;
    assert_eq!(said.code, 0, "{said:#?}");
    assert_eq!(stand.world.open_pulls().len(), 1);
    assert!(stand.world.minted_tokens().len() > 1, "the first one ended while the canary ran");
}

#[tokio::test]
async fn keys_that_are_none() {
    let mut stand = app().await;
    let file = stand.folder.path().join("app.pem");
    fs::write(&file, "-----BEGIN RSA PRIVATE KEY-----\nczNjcmV0\n-----END RSA PRIVATE KEY-----")
        .unwrap();
    let said = run(&stand, &["status"]).await;
    assert_eq!(said.code, 2);
    insta::assert_snapshot!(stand.redact(&said.err), @r#"
    digest-bump: FOLDER/config.toml cannot be used:
      - github.app.private_key_file: `FOLDER/app.pem` is no RSA private key in PEM: generate one on the App's page, under "Private keys", and give it as it was downloaded
    "#);
    fs::remove_file(&file).unwrap();
    insta::assert_snapshot!(stand.redact(&run(&stand, &["status"]).await.err), @"
    digest-bump: FOLDER/config.toml cannot be used:
      - github.app.private_key_file: `FOLDER/app.pem` cannot be read: No such file or directory (os error 2); it is the file that the App's page gives when a private key is generated
    ");
    let mut command = stand.command(&["status"]);
    command.env("DIGEST_BUMP_GITHUB_APP_KEY", "s3cret");
    insta::assert_snapshot!(stand.redact(&crate::stand::said(command).await.err), @"
    digest-bump: FOLDER/config.toml cannot be used:
      - github.app.private_key_file: DIGEST_BUMP_GITHUB_APP_KEY is set as well
    ");
    let both = crate::stand::said(stand.command_with_token(&["status"])).await;
    insta::assert_snapshot!(stand.redact(&both.err), @"
    digest-bump: FOLDER/config.toml cannot be used:
      - github.app: DIGEST_BUMP_GITHUB_TOKEN is set as well: unset it, or leave `[github.app]` out
    ");
    stand.config["github"]["app"].as_table_mut().unwrap().remove("private_key_file");
    let mut command = stand.command(&["status"]);
    command.env("DIGEST_BUMP_GITHUB_APP_KEY", "s3cret");
    let said = crate::stand::said(command).await;
    assert!(!said.err.contains("s3cret"));
    insta::assert_snapshot!(stand.redact(&said.err), @r#"
    digest-bump: FOLDER/config.toml cannot be used:
      - DIGEST_BUMP_GITHUB_APP_KEY: is no RSA private key in PEM: generate one on the App's page, under "Private keys", and give it as it was downloaded
    "#);
}

#[tokio::test]
async fn a_key_that_everybody_can_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt as _;
    let stand = app().await;
    let file = stand.folder.path().join("app.pem");
    let warned = async || run(&stand, &["config", "check"]).await.err.contains("chmod 0600");
    assert!(!warned().await);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(warned().await);
}

#[tokio::test]
async fn config_check_says_what_an_app_may_do() {
    let stand = app().await;
    let said = run(&stand, &["config", "check"]).await;
    assert_eq!(said.code, 0, "{said:#?}");
    insta::assert_snapshot!(said.out, @"
    the config can be used; it has townhouse
    toon-protocol/town: GitHub App 7 (digest-bump), installation 77
      Contents (read and write)       granted
      Pull requests (read and write)  granted
      Workflows (read and write)      granted
      Issues (read and write)         granted
      Checks (read and write)         granted
    ");
    stand.world.grant_app(&[("contents", "read"), ("pull_requests", "write")]);
    let said = run(&stand, &["config", "check"]).await;
    assert_eq!(said.code, 1, "{said:#?}");
    insta::assert_snapshot!(said.out, @"
    the config can be used; it has townhouse
    toon-protocol/town: GitHub App 7 (digest-bump), installation 77
      Contents (read and write)       missing: no branch can be pushed
      Pull requests (read and write)  granted
      Workflows (read and write)      missing: a pin site lies below .github/workflows: its edit is left to a person, and the pull request is a draft with the patch until then
      Issues (read and write)         missing: no issue can be written
      Checks (read and write)         missing: the bot has no check of its own, and sees none of a private repository
      the GitHub App may not do in toon-protocol/town what it has to, it lacks Contents (read and write): no branch can be pushed. Add it to the App's permissions, then accept them at https://github.com/organizations/toon-protocol/settings/installations/77
    ");
    stand.world.suspend_app(true);
    let said = run(&stand, &["config", "check", "--json"]).await;
    assert_eq!(said.code, 1, "{said:#?}");
    let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(json["downstreams"][0]["permissions"][0]["granted"], false);
    insta::assert_snapshot!(json["downstreams"][0]["wrong"].as_str().unwrap(), @"the installation of the GitHub App on toon-protocol/town is suspended: unsuspend it at https://github.com/organizations/toon-protocol/settings/installations/77");
    stand.world.install_app(false);
    let said = run(&stand, &["config", "check"]).await;
    assert_eq!(said.code, 1, "{said:#?}");
    insta::assert_snapshot!(said.out, @"
    the config can be used; it has townhouse
    toon-protocol/town: not known
      GitHub App 7 is not installed on toon-protocol/town: install it at https://github.com/apps/digest-bump/installations/new, or add the repository to the installation
    ");
    assert_eq!(stand.world.minted_tokens().len(), 0);
}

#[tokio::test]
async fn config_check_says_how_comments_are_heard_and_that_a_team_is_not_seen() {
    let mut stand = app().await;
    stand.set_watch("downstream.commands.enabled", true);
    stand.set_watch("downstream.commands.allow", vec!["ada", "toon-protocol/release"]);
    let said = run(&stand, &["config", "check"]).await;
    assert_eq!(said.code, 0, "{said:#?}");
    insta::assert_snapshot!(said.out, @"
    the config can be used; it has townhouse
    townhouse: comments command with /bump, heard in each pass; beside those with a permission admitted are ada, the team toon-protocol/release
    toon-protocol/town: GitHub App 7 (digest-bump), installation 77
      Contents (read and write)       granted
      Pull requests (read and write)  granted
      Workflows (read and write)      granted
      Issues (read and write)         granted
      Checks (read and write)         granted
      Members (read-only)             missing: nobody is known to be in a team that may command
    ");
    let all =
        ["contents", "pull_requests", "workflows", "issues", "checks"].map(|it| (it, "write"));
    stand.world.grant_app(&[&all[..], &[("members", "read")]].concat());
    stand.set_watch("downstream.commands.poll", false);
    let said = run(&stand, &["config", "check"]).await;
    assert_eq!(said.code, 1, "{said:#?}");
    insta::assert_snapshot!(said.out, @"
    the config can be used; it has townhouse
    townhouse: comments command with /bump, heard by nobody; beside those with a permission admitted are ada, the team toon-protocol/release
      nobody is heard: `poll` is off; DIGEST_BUMP_WEBHOOK_SECRET is not set, so no webhook is taken
    toon-protocol/town: GitHub App 7 (digest-bump), installation 77
      Contents (read and write)       granted
      Pull requests (read and write)  granted
      Workflows (read and write)      granted
      Issues (read and write)         granted
      Checks (read and write)         granted
      Members (read-only)             granted
    ");
    let said = run(&stand, &["config", "check", "--json"]).await;
    let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(json["commands"][0]["admitted"][1], "the team toon-protocol/release");
    // A token with a permission that nothing else takes is minted all the same.
    assert_eq!(run(&stand, &["once"]).await.code, 0);
}

#[tokio::test]
async fn config_check_says_what_a_token_may_do() {
    let mut stand = Stand::new().await;
    insta::assert_snapshot!(stand.ok(&["config", "check"]).await, @"
    the config can be used; it has townhouse
    toon-protocol/town: a token, whose owner may push there
    ");
    stand.world.set_permission("digest-bump[bot]", "read");
    let said = stand.run(&["config", "check"]).await;
    assert_eq!(said.code, 1);
    insta::assert_snapshot!(said.out, @"
    the config can be used; it has townhouse
    toon-protocol/town: a token
      its owner may not push there
    ");
    let said = crate::stand::said(stand.command(&["config", "check"])).await;
    assert_eq!(said.code, 2);
    insta::assert_snapshot!(format!("{}{}", said.out, said.err), @"
    the config can be used; it has townhouse
    digest-bump: there is no token for GitHub: set DIGEST_BUMP_GITHUB_TOKEN, or name a GitHub App in `[github.app]`
    ");
    stand.set("github.api_url", "http://127.0.0.1:1");
    let said = stand.run(&["config", "check"]).await;
    assert_eq!(said.code, 3);
}
