//! Writes `docs/commands.md` from the table of verbs, the arguments and the limits, and holds the
//! committed file to them. Compiled for tests alone.

use super::args::Arguments;
use crate::command::{Grammar, MAX_COMMANDS, Verb, parse};
use crate::config::DEFAULT_PREFIX;
use crate::reconcile::{ANSWERS_TO_ONE_STRANGER, ANSWERS_TO_STRANGERS};
use clap::CommandFactory as _;
use std::{fmt::Write as _, fs, path::Path};

#[test]
#[expect(clippy::disallowed_methods, reason = "for whoever runs the test, not for the program")]
fn the_commands_are_documented_as_they_are() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/commands.md");
    let expected = document();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(file, expected).unwrap();
        return;
    }
    let hint = "run `UPDATE=1 cargo test --lib cli::reference`";
    let committed = fs::read_to_string(file).unwrap_or_default();
    assert!(committed == expected, "docs/commands.md is not as the commands are; {hint}");
}

fn grammar() -> Grammar {
    Grammar { prefix: DEFAULT_PREFIX.to_owned(), mention: None }
}

/// A command as it is written, as code.
fn code(words: &str) -> String {
    format!("`{}`", grammar().spell(words))
}

fn document() -> String {
    let [introduction, limits] = [introduction(), limits()];
    let [written, who, seen] = [how_it_is_written(), who_may(), what_is_seen()];
    let (verbs, switch, shell) = (verbs(), switching_on(), command_line());
    [introduction, written, verbs, who, seen, bound(), limits, switch, shell].join("\n")
}

fn introduction() -> String {
    let help = code(Verb::Help.name());
    format!(
        "\
# Commands in comments

<!-- Written by `UPDATE=1 cargo test --lib cli::reference` from src/command/verb.rs; changes by hand are lost. -->

Where [the config says so](#switching-it-on), comments command the bot: in its own pull requests, open or not, and on its
dashboard issue. Elsewhere it hears nothing. {help} as a comment there lists what follows here.
"
    )
}

fn how_it_is_written() -> String {
    let prefix = &grammar().prefix;
    let (rebase, hold) = (grammar().spell(Verb::Rebase), grammar().spell(Verb::Hold.example()));
    let canary = grammar().spell(Verb::Canary);
    let good = format!("Thanks! This has to wait a little.\n\n{hold}\n{canary}\n");
    let bad = format!(
        "> {rebase}\n\nPlease {rebase}\n\n`{rebase}`\n\n- {rebase}\n\n# {rebase}\n\n\
         [{rebase}](https://example.com)\n\n<p>\n{rebase}\n</p>\n"
    );
    assert_eq!(said(&good), [Verb::Hold, Verb::Canary]);
    assert_eq!(said(&bad), []);
    assert_eq!(said(&format!("{}, please.", grammar().spell(Verb::Rebase))), [Verb::Rebase]);
    format!(
        "\
## How a command is written

A command is a line of a comment that begins with `{prefix}`, or with what the config has as `prefix`. If the config has a
`mention`, say `digest-bump`, a line may begin with `@digest-bump` or `@digest-bump[bot]` as well. Capitals do not
matter, nor do a full stop and a \"please\" at the end. A comment may have up to {MAX_COMMANDS} commands, each on a line of its own:

```markdown
{good}```

Only a line of ordinary text commands. What is quoted, code, a list, a table, a heading, a link, a footnote or HTML does
not, nor does a line with words before the command. So nothing is commanded here:

```markdown
{bad}```

Comments count in the conversation and within the diff. The text of a pull request, the summary of a review and the message
of a commit command nothing. Nor does an edited comment: what was edited before the bot read it is not heard, and what is
edited afterwards changes nothing. Write a new one.
"
    )
}

/// What a comment commands.
fn said(body: &str) -> Vec<Verb> {
    parse(body, &grammar()).iter().map(|line| line.said.as_ref().unwrap().verb()).collect()
}

fn verbs() -> String {
    let mut out = String::from(
        "## The commands\n\n| command | example | permission | what it does |\n| --- | --- | --- | --- |\n",
    );
    for verb in Verb::ALL {
        let cells = [
            code(verb.usage()),
            code(verb.example()),
            verb.needs().to_string(),
            verb.effect().to_owned(),
        ];
        let _ = writeln!(out, "| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | "));
    }
    let full = Verb::Bump.example();
    let short = full.trim_start_matches(Verb::Bump.name()).trim_start();
    let _ = write!(
        out,
        "
What stands in brackets may be left out. {} is short for {}. A version is written in full, with
or without `v`.
",
        code(short),
        code(full)
    );
    assert_eq!(said(&grammar().spell(short)), [Verb::Bump]);
    out
}

fn who_may() -> String {
    "\
## Who may

The permission is the one in the downstream repository, in GitHub's words; a greater one includes the smaller ones. GitHub
is asked for it when the command is carried out, not when it was written.

Whoever `allow` in the config names may do all of it, whatever the permission is: people by login, teams as
`organisation/team`, as far as the bot's token sees who is in them: as a GitHub App it takes *Members* (read-only) of the
organisation for that. Apps and other machines' accounts are not listened to, unless `allow` names them as `name[bot]`. The
bot never listens to itself.
"
    .to_owned()
}

fn what_is_seen() -> String {
    let typo = "rebse";
    let mistake = parse(&grammar().spell(typo), &grammar()).remove(0).said.unwrap_err().why;
    let typo = code(typo);
    assert!(mistake.contains("Did you mean"), "{mistake}");
    format!(
        "\
## What you see

First 👀 at your comment: it was heard. Then one comment, or a reply in the thread of the diff, with a line for each
command; it is rewritten as things proceed. When everything has its answer, 👀 gives way to

* 🚀 if all of it was done,
* 👎 if something was refused, or a canary failed: the answer says why,
* 😕 if something was not understood. A typo is told what it may have meant: {typo} is answered by
  \"{mistake}\"

The rest of the comment is carried out all the same.

Where something goes wrong on the bot's side, the answer says so, with the `id` of the line in the bot's log that says what
it is. It is tried again in each pass, and 👀 stays until it worked. Where nobody could even look into it for a day, it is
refused, so that nothing surprises you later.
"
    )
}

fn bound() -> String {
    let explained = |verb: Verb| code(verb.name());
    let (canary, rebase) = (explained(Verb::Canary), explained(Verb::Rebase));
    let recreate = explained(Verb::Recreate);
    let (hold, unhold) = (explained(Verb::Hold), explained(Verb::Unhold));
    let (ignore, unignore) = (explained(Verb::Ignore), explained(Verb::Unignore));
    format!(
        "\
## What a command is about

{canary} without a version, {rebase}, {recreate} and {ignore} `this` are about the open
pull request in which they stand, and about its branch as the bot knew it when it heard them. If the branch is elsewhere by
the time they are carried out, they are refused: whoever wrote them has not seen what is there now. Look at it, and say it
again. So nobody's commits are given up by somebody who has not seen them, also where the canary runs in between.

Of several orders ({hold}, {unhold}, {ignore}, {unignore}) the one that was written last
counts, in whichever order they were heard.
"
    )
}

fn limits() -> String {
    let free = Verb::ALL.into_iter().filter(|verb| verb.needs() == crate::command::Needs::Read);
    let free: Vec<String> = free.map(|verb| code(verb.name())).collect();
    format!(
        "\
## How much strangers may say

{} are for whoever may read the repository, which in a public one is everybody. So that
nobody makes the bot talk, whoever may not push gets {ANSWERS_TO_ONE_STRANGER} answers in 24 hours, refusals among them, and all of those together get {ANSWERS_TO_STRANGERS}.
After that the bot gives them no answer, and hears everybody else as before.
",
        free.join(" and ")
    )
}

fn switching_on() -> String {
    "\
## Switching it on

```toml
[watch.downstream.commands]
enabled = true
```

The other keys are in [the reference](configuration.md#watchdownstreamcommands). `digest-bump config check` says how comments
are heard and who is admitted.

With `poll`, the default, each pass looks for new comments: a command waits until `schedule` brings the next one. That takes
no more than the bot has. With the variable `DIGEST_BUMP_WEBHOOK_SECRET` set, `serve` takes GitHub's webhooks at `/webhook`
below `listen`, and hears a comment at once; [the README](../README.md#install-and-set-up) lists the events to send. Both together do
no harm: each comment is heard once.

Polling alone misses what was edited or deleted before the pass came, and who ticked a box on the dashboard; and it binds
a command about a branch to where the bot last saw that, which may be a whole pause ago. What was written before the first
pass with commands on is not heard.

What comes late is not heard any more: by polling what was said more than a day ago, by webhooks a comment or a tick that is
older than 4 days. GitHub redelivers nothing that is older than 3, and the bot remembers what it heard for longer: whoever
records a delivery and sends it again has nothing carried out twice.
"
    .to_owned()
}

/// The verbs as arguments of this program.
fn command_line() -> String {
    let mut out = String::from(
        "\
## The same from the command line

Where the bot runs, `digest-bump` asks for the same. It asks nobody for a permission: whoever may write to the bot's database
may ask. Nothing is bound to a branch, and what is about a pull request takes the version that it proposes.

| in a comment | on the command line |
| --- | --- |
",
    );
    let program = Arguments::command();
    let request = program.find_subcommand("request").unwrap();
    for verb in Verb::ALL {
        let line = match request.find_subcommand(verb.name()) {
            Some(wish) => format!("digest-bump request {}", usage(wish)),
            None if verb == Verb::Help => "digest-bump request --help".to_owned(),
            None => format!("digest-bump {}", usage(program.find_subcommand(verb.name()).unwrap())),
        };
        let comment = code(verb.usage()).replace('|', "\\|");
        let _ = writeln!(out, "| {comment} | `{}` |", line.replace('|', "\\|"));
    }
    out
}

/// The name and what must follow it; in brackets what may.
fn usage(command: &clap::Command) -> String {
    let mut out = command.get_name().to_owned();
    for argument in command.get_positionals() {
        let name = argument.get_value_names().and_then(|names| names.first());
        let name =
            name.map_or_else(|| argument.get_id().as_str().to_uppercase(), ToString::to_string);
        let _ = if argument.is_required_set() {
            write!(out, " {name}")
        } else {
            write!(out, " [{name}]")
        };
    }
    out
}
