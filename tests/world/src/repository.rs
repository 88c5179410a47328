//! A bare repository on disk, worked with the real git, cut off from the machine's settings.

use crate::push::{Move, NOWHERE};
use std::{
    collections::BTreeMap,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The first commit's time; each later commit by a person is a minute younger.
pub(crate) const FIRST_COMMIT: i64 = 1_785_575_400;
const MAINTAINER: (&str, &str) = ("Maya Maintainer", "maya@example.org");

/// Pushed branches may be forced and deleted, as on GitHub without protection; nothing is packed
/// in the background, where it would outlive the test.
const SETTINGS: &str = "[receive]\n\tdenyNonFastForwards = false\n\tdenyDeletes = false\n\tautogc = false\n[gc]\n\tauto = 0\n[uploadpack]\n\tallowAnySHA1InWant = true\n\tallowFilter = true\n";

/// The line with which a commit's signature begins.
const SIGNED: &str = "gpgsig -----BEGIN PGP SIGNATURE-----";

/// One bare repository.
#[derive(Debug, Clone)]
pub(crate) struct Repository {
    dir: PathBuf,
}

/// What a commit by a person puts at a path.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The file mode in octal; unless told, a file keeps its mode, and a new one is plain.
    pub(crate) mode: Option<String>,
    pub(crate) content: Vec<u8>,
}

/// A commit's fields.
#[derive(Debug, Clone)]
pub(crate) struct Commit {
    pub(crate) sha: String,
    pub(crate) tree: String,
    pub(crate) parents: Vec<String>,
    pub(crate) author: Signature,
    pub(crate) committer: Signature,
    pub(crate) message: String,
}

/// Who and when.
#[derive(Debug, Clone)]
pub(crate) struct Signature {
    pub(crate) name: String,
    pub(crate) email: String,
    /// Seconds since 1970.
    pub(crate) seconds: i64,
}

impl Signature {
    /// The person who works in the world.
    pub(crate) fn maintainer(seconds: i64) -> Self {
        let (name, email) = MAINTAINER;
        Self { name: name.to_owned(), email: email.to_owned(), seconds }
    }
}

/// A git process that sees nothing of this machine's configuration.
pub(crate) fn git() -> Command {
    let mut command = Command::new("git");
    command
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("HOME", "/nonexistent")
        .env("LC_ALL", "C")
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE");
    command
}

impl Repository {
    /// Makes a repository whose `main` holds the files in one commit.
    pub(crate) fn create(dir: PathBuf, files: BTreeMap<String, Vec<u8>>, message: &str) -> Self {
        let created =
            git().args(["init", "--quiet", "--bare", "--initial-branch=main"]).arg(&dir).status();
        assert!(created.is_ok_and(|status| status.success()), "git init fails");
        let config = dir.join("config");
        let mut text = std::fs::read_to_string(&config).unwrap_or_default();
        text.push_str(SETTINGS);
        std::fs::write(config, text).expect("the repository's config can be written");
        let repository = Self { dir };
        let entries = files.into_iter().map(|(path, content)| {
            let script = content.starts_with(b"#!");
            let mode = script.then(|| "100755".to_owned());
            (path, Entry { mode, content })
        });
        repository.import("main", None, &entries.collect(), message, FIRST_COMMIT);
        repository
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Runs git and gives its output's text; `Err` has what it said.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<String, String> {
        let bytes = self.run_with(arguments, &[], &[])?;
        Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
    }

    /// Runs git with an input and more environment; gives its output as it is.
    pub(crate) fn run_with(
        &self,
        arguments: &[&str],
        environment: &[(&str, &str)],
        input: &[u8],
    ) -> Result<Vec<u8>, String> {
        let mut command = git();
        command
            .arg("--git-dir")
            .arg(&self.dir)
            .args(arguments)
            .envs(environment.iter().copied())
            .stderr(Stdio::piped());
        let output = feed(command, input)?;
        if output.status.success() {
            Ok(output.stdout)
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// The commit that a branch, tag or id names.
    pub(crate) fn commit_id(&self, name: &str) -> Option<String> {
        if name.starts_with('-') || name.is_empty() {
            return None;
        }
        let wanted = format!("{name}^{{commit}}");
        self.run(&["rev-parse", "--verify", "--quiet", &wanted]).ok()
    }

    /// The head of a branch.
    pub(crate) fn branch(&self, name: &str) -> Option<String> {
        self.commit_id(&format!("refs/heads/{name}"))
    }

    /// All refs whose full name starts so.
    pub(crate) fn refs(&self, prefix: &str) -> BTreeMap<String, String> {
        let text =
            self.run(&["for-each-ref", "--format=%(objectname) %(refname)"]).unwrap_or_default();
        text.lines()
            .filter_map(|line| line.split_once(' '))
            .filter(|(_, name)| name.starts_with(prefix))
            .map(|(sha, name)| (name.to_owned(), sha.to_owned()))
            .collect()
    }

    /// A file's bytes at a branch or commit.
    pub(crate) fn file(&self, revision: &str, path: &str) -> Option<Vec<u8>> {
        let name = format!("{}:{path}", self.commit_id(revision)?);
        self.run_with(&["cat-file", "blob", &name], &[], &[]).ok()
    }

    /// Whether everything of `ancestor` is in `descendant`.
    pub(crate) fn contains(&self, descendant: &str, ancestor: &str) -> bool {
        self.run(&["merge-base", "--is-ancestor", ancestor, descendant]).is_ok()
    }

    /// A commit's fields.
    pub(crate) fn read_commit(&self, name: &str) -> Option<Commit> {
        let sha = self.commit_id(name)?;
        let format = "--format=%T%n%P%n%an%n%ae%n%at%n%cn%n%ce%n%ct%n%B";
        let text = self.run(&["log", "-1", format, &sha]).ok()?;
        let mut lines = text.splitn(9, '\n');
        let mut next = || lines.next().unwrap_or_default().to_owned();
        let tree = next();
        let parents = next().split_whitespace().map(str::to_owned).collect();
        let mut signature = || Signature {
            name: next(),
            email: next(),
            seconds: next().parse().unwrap_or_default(),
        };
        let author = signature();
        let committer = signature();
        Some(Commit { sha, tree, parents, author, committer, message: next() })
    }

    /// Writes a commit object.
    pub(crate) fn write_commit(
        &self,
        tree: &str,
        parents: &[String],
        message: &str,
        author: &Signature,
        committer: &Signature,
    ) -> Result<String, String> {
        let mut arguments = vec!["commit-tree", tree];
        for parent in parents {
            arguments.extend(["-p", parent.as_str()]);
        }
        let author_date = format!("{} +0000", author.seconds);
        let commit_date = format!("{} +0000", committer.seconds);
        let environment = [
            ("GIT_AUTHOR_NAME", author.name.as_str()),
            ("GIT_AUTHOR_EMAIL", author.email.as_str()),
            ("GIT_AUTHOR_DATE", author_date.as_str()),
            ("GIT_COMMITTER_NAME", committer.name.as_str()),
            ("GIT_COMMITTER_EMAIL", committer.email.as_str()),
            ("GIT_COMMITTER_DATE", commit_date.as_str()),
        ];
        let sha = self.run_with(&arguments, &environment, message.as_bytes())?;
        Ok(String::from_utf8_lossy(&sha).trim().to_owned())
    }

    /// Writes a commit object with a signature, which is another one each time: so is the commit.
    pub(crate) fn write_signed(&self, commit: &Commit, serial: u64) -> Result<String, String> {
        let Commit { tree, parents, author, committer, message, .. } = commit;
        // Nobody else looks whether what it names is there.
        self.run(&["cat-file", "-e", &format!("{tree}^{{tree}}")])?;
        for parent in parents {
            self.run(&["cat-file", "-e", &format!("{parent}^{{commit}}")])?;
        }
        let parents: Vec<String> = parents.iter().map(|id| format!("parent {id}\n")).collect();
        let parents = parents.concat();
        let by = |who: &Signature| format!("{} <{}> {} +0000", who.name, who.email, who.seconds);
        let text = format!(
            "tree {tree}\n{parents}author {}\ncommitter {}\n{SIGNED}\n \n {serial:016x}\n \
             -----END PGP SIGNATURE-----\n\n{message}",
            by(author),
            by(committer),
        );
        let arguments = ["hash-object", "-t", "commit", "-w", "--stdin"];
        let sha = self.run_with(&arguments, &[], text.as_bytes())?;
        Ok(String::from_utf8_lossy(&sha).trim().to_owned())
    }

    /// Whether a commit has a signature. Nobody but GitHub signs any here.
    pub(crate) fn is_signed(&self, sha: &str) -> bool {
        let text = self.run(&["cat-file", "commit", sha]).unwrap_or_default();
        text.lines().take_while(|line| !line.is_empty()).any(|line| line == SIGNED)
    }

    /// Moves, makes or (with no target) deletes a ref.
    pub(crate) fn set_ref(&self, name: &str, to: Option<&str>) -> Result<(), String> {
        match to {
            Some(sha) => self.run(&["update-ref", name, sha]).map(drop),
            None => self.run(&["update-ref", "-d", name]).map(drop),
        }
    }

    /// Moves refs, all of them or none: each must still be where its move begins.
    pub(crate) fn move_refs(&self, moves: &[Move]) -> Result<(), String> {
        let lines = moves.iter().map(|Move { name, before, after }| {
            let end = |end: &Option<String>| end.clone().unwrap_or_else(|| NOWHERE.to_owned());
            format!("update {name} {} {}\n", end(after), end(before))
        });
        let lines = format!("start\n{}prepare\ncommit\n", lines.collect::<String>());
        self.run_with(&["update-ref", "--stdin"], &[], lines.as_bytes()).map(drop)
    }

    /// Commits files on top of a commit and moves a branch there, as a person does.
    pub(crate) fn import(
        &self,
        branch: &str,
        from: Option<&str>,
        files: &BTreeMap<String, Entry>,
        message: &str,
        seconds: i64,
    ) -> String {
        let (name, email) = MAINTAINER;
        let who = format!("{name} <{email}> {seconds} +0000");
        let length = message.len();
        let mut stream = format!(
            "commit refs/heads/{branch}\nauthor {who}\ncommitter {who}\ndata {length}\n{message}\n"
        )
        .into_bytes();
        if let Some(from) = from {
            stream.extend_from_slice(format!("from {from}\n").as_bytes());
        }
        for (path, entry) in files {
            let known = || from.and_then(|from| self.mode(from, path));
            let mode = entry.mode.clone().or_else(known);
            let mode = mode.as_deref().unwrap_or("100644");
            let line = format!("M {mode} inline {path}\ndata {}\n", entry.content.len());
            stream.extend_from_slice(line.as_bytes());
            stream.extend_from_slice(&entry.content);
            stream.push(b'\n');
        }
        self.run_with(&["fast-import", "--quiet", "--force"], &[], &stream)
            .expect("git fast-import takes the files");
        self.branch(branch).expect("the branch is there after the import")
    }

    /// Puts a script before every change of a ref that is pushed over git, or takes it away.
    pub(crate) fn set_update_hook(&self, script: Option<&str>) -> std::io::Result<()> {
        let hook = self.dir.join("hooks/update");
        let Some(script) = script else {
            return std::fs::remove_file(hook);
        };
        std::fs::create_dir_all(self.dir.join("hooks"))?;
        std::fs::write(&hook, script)?;
        std::fs::set_permissions(hook, std::fs::Permissions::from_mode(0o755))
    }

    fn mode(&self, revision: &str, path: &str) -> Option<String> {
        let line = self.run(&["ls-tree", revision, "--", path]).ok()?;
        line.split_whitespace().next().map(str::to_owned)
    }
}

/// Runs a process to its end with an input.
pub(crate) fn feed(mut command: Command, input: &[u8]) -> Result<std::process::Output, String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let stdin = child.stdin.take();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if let Some(mut stdin) = stdin {
                // A process that needs no more input closes the pipe.
                let _ = stdin.write_all(input);
            }
        });
        child.wait_with_output().map_err(|error| error.to_string())
    })
}
