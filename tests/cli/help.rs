//! What the program says of itself.

use crate::stand::{bare, said};

async fn help(arguments: &[&str]) -> String {
    let said = said(bare(arguments)).await;
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{arguments:?}");
    said.out
}

#[tokio::test]
async fn the_whole() {
    insta::assert_snapshot!(help(&["--help"]).await, @"
    Watches a container image's releases and keeps a downstream repository's digest pin current

    Usage: digest-bump [OPTIONS] <COMMAND>

    Commands:
      serve    Run as a daemon: one pass at the start, then by the schedule
      once     Do one settled pass, canaries included, and end: for cron
      plan     Say what a pass would do; write nothing anywhere and run no canary
      explain  Say why a release was proposed, offered, held or skipped, from what is stored
      status   Show the pin, every release and what became of it, from what is stored
      verify   Say whether an image is what the release contract promises; record nothing
      config   Look at the config
      health   Ask the daemon on this machine whether it can read its database, over the config's `listen`
      request  Ask the bot for something
      pin      Move or check the pin in a plain directory, without network or database
      help     Print this message or the help of the given subcommand(s)

    Options:
      -c, --config <FILE>  The config file [default: /etc/digest-bump.toml]
          --json           Print JSON for machines instead of text for people
      -h, --help           Print help
      -V, --version        Print version

    Exit codes:
      0  Done, or the answer is yes
      1  The answer is no: sites disagree, a release is not known, the daemon is not healthy
      2  The arguments, the config or the environment cannot be used, or the token is missing
      3  Something could not be read or done, as where GitHub refuses the token; the next pass tries again
      4  Another process was at work the whole time

    Environment:
      DIGEST_BUMP_GITHUB_TOKEN       Needed by serve and once; for the others where repositories are private
      DIGEST_BUMP_GITHUB_APP_KEY     The same for a GitHub App, whose key is not in a file
      DIGEST_BUMP_CONFIG             The config file
      DIGEST_BUMP_DATABASE_PASSWORD  Opens the PostgreSQL server that the config names
      DIGEST_BUMP_WEBHOOK_SECRET     What GitHub signs webhooks with; without it none is taken
      DIGEST_BUMP_LOG                What is logged to standard error, such as digest_bump=debug
      DIGEST_BUMP_LOG_FORMAT         text or json
    ");
}

#[tokio::test]
async fn every_command() {
    insta::assert_snapshot!(help(&["serve", "--help"]).await, @"
    Run as a daemon: one pass at the start, then by the schedule

    Usage: digest-bump serve [OPTIONS]

    Options:
      -c, --config <FILE>  The config file [default: /etc/digest-bump.toml]
          --json           Print JSON for machines instead of text for people
      -h, --help           Print help
    ");
    insta::assert_snapshot!(help(&["once", "--help"]).await, @"
    Do one settled pass, canaries included, and end: for cron

    Usage: digest-bump once [OPTIONS]

    Options:
      -c, --config <FILE>  The config file [default: /etc/digest-bump.toml]
          --json           Print JSON for machines instead of text for people
      -h, --help           Print help
    ");
    insta::assert_snapshot!(help(&["plan", "--help"]).await, @"
    Say what a pass would do; write nothing anywhere and run no canary

    Usage: digest-bump plan [OPTIONS]

    Options:
      -c, --config <FILE>  The config file [default: /etc/digest-bump.toml]
          --watch <NAME>   The watch's name; not needed where there is one watch
          --json           Print JSON for machines instead of text for people
      -h, --help           Print help
    ");
    insta::assert_snapshot!(help(&["explain", "--help"]).await, @"
    Say why a release was proposed, offered, held or skipped, from what is stored

    Usage: digest-bump explain [OPTIONS] <VERSION>

    Arguments:
      <VERSION>  The release: a version such as 3.10.4, or a git tag

    Options:
      -c, --config <FILE>  The config file [default: /etc/digest-bump.toml]
          --watch <NAME>   The watch's name; not needed where there is one watch
          --json           Print JSON for machines instead of text for people
      -h, --help           Print help
    ");
    insta::assert_snapshot!(help(&["status", "--help"]).await, @"
    Show the pin, every release and what became of it, from what is stored

    Usage: digest-bump status [OPTIONS]

    Options:
      -c, --config <FILE>  The config file [default: /etc/digest-bump.toml]
          --watch <NAME>   The watch's name; not needed where there is one watch
          --json           Print JSON for machines instead of text for people
      -h, --help           Print help
    ");
    insta::assert_snapshot!(help(&["health", "--help"]).await, @"
    Ask the daemon on this machine whether it can read its database, over the config's `listen`

    Usage: digest-bump health [OPTIONS]

    Options:
      -c, --config <FILE>  The config file [default: /etc/digest-bump.toml]
          --json           Print JSON for machines instead of text for people
      -h, --help           Print help
    ");
    insta::assert_snapshot!(help(&["request", "--help"]).await, @"
    Ask the bot for something

    Usage: digest-bump request [OPTIONS] <COMMAND>

    Commands:
      bump      Propose this release: any newer one, an offered patch, a MAJOR after its migration
      canary    Run the canary again at this release, whatever it showed before: any newer one, or the pinned
      rebase    Make the open pull request for this release anew, on the base branch of today
      recreate  The same where people committed to its branch: what is lost is named in it first
      hold      Open and rewrite no pull request until `unhold`; releases are looked at as before
      unhold    Open and rewrite pull requests again
      ignore    Neither propose nor offer a release, or any of a kind, unless it is asked for
      unignore  Let everything count again that was ignored
      help      Print this message or the help of the given subcommand(s)

    Options:
      -c, --config <FILE>  The config file [default: /etc/digest-bump.toml]
          --json           Print JSON for machines instead of text for people
      -h, --help           Print help

    Where comments command (`watch.downstream.commands`), a comment asks for the same: `config check` says how comments are heard and who is admitted.
    ");
    insta::assert_snapshot!(help(&["request", "bump", "--help"]).await, @"
    Propose this release: any newer one, an offered patch, a MAJOR after its migration

    Usage: digest-bump request bump [OPTIONS] <VERSION>

    Arguments:
      <VERSION>  The release, such as 3.10.4

    Options:
      -c, --config <FILE>  The config file [default: /etc/digest-bump.toml]
          --watch <NAME>   The watch's name; not needed where there is one watch
          --json           Print JSON for machines instead of text for people
      -h, --help           Print help
    ");
    let canary = help(&["request", "canary", "--help"]).await;
    assert!(canary.contains("run them again at GitHub instead"), "{canary}");
    insta::assert_snapshot!(help(&["pin", "--help"]).await, @"
    Move or check the pin in a plain directory, without network or database

    Usage: digest-bump pin [OPTIONS] --tree <DIR>

    Options:
      -c, --config <FILE>    The config file [default: /etc/digest-bump.toml]
          --tree <DIR>       The directory, such as a checkout of the downstream
          --check            Only see whether all sites agree; exit 1 if they do not
          --json             Print JSON for machines instead of text for people
          --to <VERSION>     The version to move the pin to
          --digest <DIGEST>  The digest of its index, sha256:…
          --watch <NAME>     The watch's name; not needed where there is one watch
      -h, --help             Print help
    ");
}

#[tokio::test]
async fn the_version_is_the_crates() {
    let expected = format!("digest-bump {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(help(&["--version"]).await, expected);
}

#[tokio::test]
async fn bad_arguments_exit_with_2_and_say_what_is_wrong() {
    for (arguments, expected) in [
        (&[][..], "Usage: digest-bump"),
        (&["dance"], "unrecognized subcommand 'dance'"),
        (&["explain"], "<VERSION>"),
        (&["request", "bump", "three"], "invalid value 'three'"),
        (&["pin"], "--tree <DIR>"),
        (&["pin", "--tree", "."], "needs either --check, or --to and --digest"),
        (&["pin", "--tree", ".", "--to", "3.10.0"], "--digest <DIGEST>"),
        (
            &["pin", "--tree", ".", "--to", "3.10.0", "--digest", "sha256:1"],
            "invalid value 'sha256:1'",
        ),
        (&["pin", "--tree", ".", "--check", "--to", "3.10.0"], "cannot be used with"),
        (&["status", "--watch", "No Such"], "invalid value 'No Such'"),
    ] {
        let said = said(bare(arguments)).await;
        assert_eq!(said.code, 2, "{arguments:?}: {said:?}");
        assert!(said.err.contains(expected), "{arguments:?}: {}", said.err);
        assert_eq!(said.out, "", "{arguments:?}");
    }
}
