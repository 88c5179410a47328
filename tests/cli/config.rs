//! A config that cannot be used stops every command, and says all of why at once.

use crate::stand::{Stand, bare, said};
use std::fs;

#[tokio::test]
async fn a_missing_file() {
    let said = said(bare(&["status", "--config", "/nowhere/bot.toml"])).await;
    assert_eq!(said.code, 2);
    insta::assert_snapshot!(said.err, @"
    digest-bump: /nowhere/bot.toml cannot be used:
      - there is no such file: name the config by --config or DIGEST_BUMP_CONFIG; the README has a small one
    ");
}

#[tokio::test]
async fn the_file_may_be_named_in_the_environment() {
    let stand = Stand::new().await;
    let mut command = bare(&["status"]);
    command.env("DIGEST_BUMP_CONFIG", stand.config_file());
    assert_eq!(said(command).await.code, 0);
}

#[tokio::test]
async fn a_file_that_is_no_toml() {
    let stand = Stand::new().await;
    let file = stand.config_file();
    fs::write(&file, "state = \n").unwrap();
    let said = said(bare(&["once", "--config", file.to_str().unwrap()])).await;
    assert_eq!(said.code, 2);
    insta::assert_snapshot!(stand.redact(&said.err), @"
    digest-bump: FOLDER/config.toml cannot be used:
      - TOML parse error at line 1, column 9
          |
        1 | state = 
          |         ^
        string values must be quoted, expected literal string
    ");
}

#[tokio::test]
async fn a_value_of_the_wrong_kind_beside_an_unknown_key() {
    let stand = Stand::new().await;
    let file = stand.config_file();
    fs::write(&file, "stat = 1\nstate = 7\n").unwrap();
    let said = said(bare(&["once", "--config", file.to_str().unwrap()])).await;
    assert_eq!(said.code, 2);
    insta::assert_snapshot!(stand.redact(&said.err), @"
    digest-bump: FOLDER/config.toml cannot be used:
      - stat (line 1): there is no such key
      - TOML parse error at line 2, column 9
          |
        2 | state = 7
          |         ^
        invalid type: integer `7`, expected path string
    ");
}

#[tokio::test]
async fn every_problem_with_its_place() {
    let mut stand = Stand::new().await;
    stand.set("stat", "/x");
    stand.set("schedule.cronn", "* * * * *");
    stand.set("listen", "everywhere");
    stand.set("database", "mysql://bot@localhost/x");
    stand.set("schedule.cron", "61 * * * *");
    stand.set("schedule.time_zone", "Europe/Atlantis");
    stand.set("schedule.jitter", "soon");
    stand.set("npm.registry", "ftp://x.example");
    stand.set_watch("name", "Town House");
    stand.set_watch("upstream.imag", "x");
    stand.set_watch("upstream.tag_pattern", "v(");
    stand.set_watch("canary.step.0.command", Vec::<String>::new());
    stand.set_watch("canary.pass_env", vec!["DIGEST_BUMP_GITHUB_TOKEN"]);
    let site = toml::toml! { path = "../secrets" line = "{{digest" };
    let both = toml::toml! { path = "both" line = "{{digest}}" json = "/x" mode = "off" };
    let sites = vec![toml::Value::Table(site), toml::Value::Table(both)];
    stand.set_watch("downstream.site", sites);
    for command in ["serve", "once", "plan", "status"] {
        let said = stand.run(&[command]).await;
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{command}");
        if command == "serve" {
            insta::assert_snapshot!(stand.redact(&said.err), @"
            digest-bump: FOLDER/config.toml cannot be used:
              - schedule.cronn (line 18): there is no such key
              - stat (line 3): there is no such key
              - watch[0].downstream.site[1].mode (line 68): there is no such key
              - watch[0].upstream.imag (line 81): there is no such key
              - listen: `everywhere` is not an address such as `HOST`
              - database: `mysql://bot@localhost/x` is not a postgres:// URL
              - schedule.cron: `61 * * * *`: Component error: Number out of bounds.
              - schedule.time_zone: `Europe/Atlantis` is not an IANA time zone
              - schedule.jitter: `soon` is not a duration such as `45s`, `20m`, `24h` or `7d`
              - npm.registry: `ftp://x.example` is not an https URL
              - watch[0].name: `Town House` is not a watch name (lower-case letters, digits, dashes)
              - watch[0].upstream.tag_pattern: regex parse error:
                    v(
                     ^
                error: unclosed group
              - watch[0].downstream.site[0].path: `../secrets` is not a path inside a repository
              - watch[0].downstream.site[0].line: `{{digest` has neither `{{version}}` nor `{{digest}}`
              - watch[0].downstream.site[1]: needs either `json` (a pointer, which begins with `/`) or `line` (with a `count` of 1 or more, if any)
              - watch[0].downstream.site: none is an authority, so the pin cannot be read
              - watch[0].canary.pass_env: must not name DIGEST_BUMP_GITHUB_TOKEN: the canary runs foreign code
              - watch[0].canary.step[0].command: is empty
            ");
        }
    }
    assert!(!stand.state().exists(), "nothing was begun");
}

#[tokio::test]
async fn cron_lines_that_are_none() {
    let mut stand = Stand::new().await;
    for cron in ["", "hourly", "* * * *", "* * * * * * *", "0 25 * * *"] {
        stand.set("schedule.cron", cron);
        let said = stand.run(&["serve"]).await;
        assert_eq!(said.code, 2, "{cron}");
        assert!(said.err.contains("schedule.cron: "), "{cron}: {}", said.err);
    }
}

#[tokio::test]
async fn a_schedule_that_never_comes() {
    let mut stand = Stand::new().await;
    stand.set("schedule.cron", "0 0 30 2 *");
    let said = stand.run(&["config", "check"]).await;
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    assert!(said.err.contains("  - schedule.cron: `0 0 30 2 *` never comes\n"), "{}", said.err);
    stand.set("schedule.cron", "0 0 29 2 *");
    assert_eq!(stand.run(&["config", "check"]).await.code, 0);
}

#[tokio::test]
async fn a_state_directory_that_depends_on_where_one_is() {
    let mut stand = Stand::new().await;
    for state in ["~/state", "state", ""] {
        stand.set("state", state);
        let said = stand.run(&["status"]).await;
        assert_eq!(said.code, 2, "{state}");
        let why = format!("  - state: `{state}` is not an absolute path\n");
        assert!(said.err.contains(&why), "{}", said.err);
    }
}

#[tokio::test]
async fn what_config_check_finds_on_this_machine() {
    let mut stand = Stand::new().await;
    let file = stand.folder.path().join("file");
    fs::write(&file, "x").unwrap();
    let refused = async |stand: &Stand| {
        let said = stand.run(&["config", "check"]).await;
        assert_eq!((said.code, said.out.as_str()), (2, ""));
        stand.redact(&said.err)
    };
    let good = stand.config["sigstore"]["trusted_root"].clone();
    stand.set("state", file.to_str().unwrap());
    stand.set("sigstore.trusted_root", "/nowhere/root.json");
    insta::assert_snapshot!(refused(&stand).await, @"
    digest-bump: FOLDER/config.toml cannot be used:
      - state: `FOLDER/file` is not a directory
      - sigstore.trusted_root: `/nowhere/root.json` cannot be read: No such file or directory (os error 2)
    ");
    stand.set("state", file.join("below").to_str().unwrap());
    stand.set("sigstore.trusted_root", file.to_str().unwrap());
    let told = refused(&stand).await;
    assert!(told.contains("  - state: `FOLDER/file/below` cannot be made"), "{told}");
    assert!(told.contains("  - sigstore.trusted_root: "), "{told}");
    // One that is not there yet is made by the first pass, and not by a look at the config.
    stand.set("sigstore.trusted_root", good);
    let state = stand.folder.path().join("a/b");
    stand.set("state", state.to_str().unwrap());
    assert_eq!(stand.run(&["config", "check"]).await.code, 0);
    assert!(!state.exists());
}

#[tokio::test]
async fn a_watch_that_is_not_there() {
    let stand = Stand::new().await;
    for command in [&["plan"][..], &["status"], &["explain", "3.10.0"]] {
        let mut all = command.to_vec();
        all.extend(["--watch", "hub"]);
        let said = stand.run(&all).await;
        assert_eq!(said.code, 2);
        assert_eq!(
            said.err,
            "digest-bump: there is no watch `hub` in the config, only townhouse\n"
        );
    }
}

#[tokio::test]
async fn without_a_token_nothing_that_writes_begins() {
    let stand = Stand::new().await;
    for command in ["once", "serve"] {
        let said = said(stand.command(&[command])).await;
        assert_eq!((said.code, said.out.as_str()), (2, ""));
        assert_eq!(
            said.err,
            "digest-bump: there is no token for GitHub: set DIGEST_BUMP_GITHUB_TOKEN, or name a GitHub \
             App in `[github.app]`\n"
        );
    }
    assert!(!stand.state().exists());
    assert_eq!(stand.world.requests().len(), 0);
}

#[tokio::test]
async fn a_canary_that_is_left_to_checks_has_names_and_no_steps() {
    let mut stand = Stand::new().await;
    let problems = async |stand: &Stand| {
        let said = stand.run(&["status"]).await;
        assert_eq!(said.code, 2);
        stand.redact(&said.err)
    };
    stand.set_watch("canary.executor", "checks");
    stand.set_watch("canary.time_limit", "soon");
    insta::assert_snapshot!(problems(&stand).await, @r#"
    digest-bump: FOLDER/config.toml cannot be used:
      - watch[0].canary.step: is only for `executor = "local"`
      - watch[0].canary.sandbox: is only for `executor = "local"`
      - watch[0].canary.env: is only for `executor = "local"`
      - watch[0].canary.checks: names no check
      - watch[0].canary.time_limit: `soon` is not a duration such as `45s`, `20m`, `24h` or `7d`
    "#);
    let own =
        toml::toml! { executor = "checks" checks = ["connector contract canary", "a", "a", " "] };
    stand.set_watch("canary", own);
    insta::assert_snapshot!(problems(&stand).await, @"
    digest-bump: FOLDER/config.toml cannot be used:
      - watch[0].canary.checks: has an empty name
      - watch[0].canary.checks: names `connector contract canary`, which is the bot's own: give that another `check_name`
      - watch[0].canary.checks: names a check twice
    ");
    let named = toml::toml! { executor = "checks" checks = ["a"] check_name = "a" };
    stand.set_watch("canary", named);
    insta::assert_snapshot!(problems(&stand).await, @"
    digest-bump: FOLDER/config.toml cannot be used:
      - watch[0].canary.checks: names `a`, which is the bot's own: give that another `check_name`
    ");
    let local = toml::toml! { checks = ["a"] time_limit = "1h" sees_digest = true check_name = "" };
    stand.set_watch("canary", local);
    insta::assert_snapshot!(problems(&stand).await, @r#"
    digest-bump: FOLDER/config.toml cannot be used:
      - watch[0].canary.checks: is only for `executor = "checks"`
      - watch[0].canary.time_limit: is only for `executor = "checks"` and `executor = "github-actions"`
      - watch[0].canary.sees_digest: is only for `executor = "checks"` and `executor = "github-actions"`
      - watch[0].canary.check_name: is not one line of 1 to 255 characters without a space at its ends
      - watch[0].canary.step: none judges: there has to be one without `setup`
    "#);
}

#[tokio::test]
async fn a_key_that_does_nothing_with_its_executor_is_a_mistake() {
    let mut stand = Stand::new().await;
    let problems = async |stand: &Stand| {
        let said = stand.run(&["status"]).await;
        assert_eq!(said.code, 2);
        stand.redact(&said.err)
    };
    let idle = toml::toml! {
        executor = "checks"
        checks = ["a"]
        workflow = "canary.yml"
        attempts = 2
        keep_logs = "1d"
        pass_env = ["PATH"]
        env = { A = "b" }
        harness = ["packages"]
        sandbox = { demand = "off" }
        prepare = { command = ["pnpm"], files = [] }
    };
    stand.set_watch("canary", idle);
    insta::assert_snapshot!(problems(&stand).await, @r#"
    digest-bump: FOLDER/config.toml cannot be used:
      - watch[0].canary.workflow: is only for `executor = "github-actions"`
      - watch[0].canary.sandbox: is only for `executor = "local"`
      - watch[0].canary.attempts: is only for `executor = "local"`
      - watch[0].canary.env: is only for `executor = "local"`
      - watch[0].canary.pass_env: is only for `executor = "local"`
      - watch[0].canary.keep_logs: is only for `executor = "local"`
      - watch[0].canary.harness: is only for `executor = "local"` and `executor = "github-actions"`
      - watch[0].canary.prepare.command: is only for `executor = "local"`
      - watch[0].canary.prepare.workflow: is missing: the file of a workflow, such as `digest-bump-canary.yml`
    "#);
    let workflow = toml::toml! {
        executor = "github-actions"
        workflow = "../canary.yml"
        checks = ["a"]
        report = [{ name = "a", format = "tap", path = "../a", at_least = 0 }]
        prepare = { workflow = "prepare.yml", files = ["a"] }
    };
    stand.set_watch("canary", workflow);
    insta::assert_snapshot!(problems(&stand).await, @r#"
    digest-bump: FOLDER/config.toml cannot be used:
      - watch[0].canary.checks: is only for `executor = "checks"`
      - watch[0].canary.prepare.workflow: is only for `executor = "checks"`
      - watch[0].canary.workflow: is not the name of a file below `.github/workflows`
      - watch[0].canary.report[0].path: `../a` is not a path inside a repository
    "#);
    stand.set_watch("canary", toml::toml! { executor = "github-actions" });
    insta::assert_snapshot!(problems(&stand).await, @"
    digest-bump: FOLDER/config.toml cannot be used:
      - watch[0].canary.workflow: is missing: the file of a workflow, such as `digest-bump-canary.yml`
    ");
}
