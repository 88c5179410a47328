//! What this host can do, and why not.

use super::{
    Means, Run, Sandbox,
    bubblewrap::{self, OLDEST},
    cell::{Cell, Limits},
    landlock as rules,
    refusal::Refusal,
    room,
};
use std::{
    collections::BTreeMap, ffi::OsString, fs, path::Path, path::PathBuf, process::Stdio,
    time::Duration,
};
use tokio::process::Command;

/// How long an empty cell may take. It takes some hundredths of a second.
const CELL_WITHIN: Duration = Duration::from_secs(20);
/// The size of the room that is tried.
const SCRATCH: u64 = 1024 * 1024;
const INSTALL: &str = "install bubblewrap 0.8 or newer (Debian and Ubuntu: `apt install \
                       bubblewrap`)";

/// The strict sandbox, if an empty cell really runs here.
pub(super) async fn bubblewrap(launcher: PathBuf) -> Result<Sandbox, Refusal> {
    let Some(program) = bubblewrap::find() else {
        let what = without("bubblewrap is not installed");
        return Err(Refusal::new(what).remedy(INSTALL).or_elsewhere());
    };
    let printed = Command::new(&program).arg("--version").env_clear().output().await;
    let printed = printed.map(|it| String::from_utf8_lossy(&it.stdout).into_owned());
    let version = match printed.as_deref().map(bubblewrap::version) {
        Ok(Some((version, number))) if number >= OLDEST => version,
        Ok(found) => {
            let found = found.map_or_else(|| "of an unknown version".to_owned(), |it| it.0);
            let what = without(&format!("{} is {found}, which is too old", program.display()));
            return Err(Refusal::new(what).remedy(INSTALL).or_elsewhere());
        }
        Err(error) => {
            let what = without(&format!("{} cannot be run: {error}", program.display()));
            return Err(Refusal::new(what).remedy(INSTALL).or_elsewhere());
        }
    };
    let sandbox = Sandbox { means: Means::Bubblewrap { program, version }, launcher };
    match empty_cell(&sandbox).await {
        Ok(()) => Ok(sandbox),
        Err(reason) => Err(explain(&sandbox.describe(), &reason, &Knob::of_host())),
    }
}

/// Files, TCP and signals by Landlock, if this kernel can do all three.
pub(super) fn landlock() -> Result<Means, Refusal> {
    if nix::unistd::geteuid().is_root() {
        return Err(Refusal::new("Landlock does not confine root")
            .remedy("run the bot as another user")
            .or_elsewhere());
    }
    match rules::abi() {
        Some(abi) if abi >= rules::OLDEST => Ok(Means::Landlock { abi }),
        found => {
            let found = found.map_or_else(
                || "this kernel has no Landlock, or it is not in its list of security modules (`lsm=`)"
                    .to_owned(),
                |abi| format!("this kernel has Landlock ABI {abi}, and signals are confined from ABI {} on", rules::OLDEST),
            );
            Err(Refusal::new(found).remedy("run Linux 6.12 or newer with Landlock").or_elsewhere())
        }
    }
}

/// Why nothing else will do.
fn without(what: &str) -> String {
    let instead = match rules::abi() {
        Some(abi) => format!("Landlock (ABI {abi} here) alone cannot: {}", rules::lacks(abi)),
        None => "and this kernel has no Landlock, which could not either".to_owned(),
    };
    format!("a canary's steps cannot be confined here: {what}; {instead}")
}

async fn empty_cell(sandbox: &Sandbox) -> Result<(), String> {
    let (folder, path) = room::empty().map_err(|error| error.to_string())?;
    let run: Run = sandbox.open(&path, SCRATCH).await.map_err(|error| error.to_string())?;
    let command = run.command(&nothing(&path)).map_err(|error| error.to_string())?;
    let mut command = Command::from(command);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let ended = tokio::time::timeout(CELL_WITHIN, command.output()).await;
    drop(folder);
    match ended {
        Ok(Ok(output)) if output.status.success() => Ok(()),
        Ok(Ok(output)) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let said: Vec<&str> = said.lines().take(3).collect();
            Err(if said.is_empty() { output.status.to_string() } else { said.join("; ") })
        }
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("an empty cell takes too long".to_owned()),
    }
}

/// A cell whose program is none: its inside is prepared, and that is all.
fn nothing(tree: &Path) -> Cell {
    Cell {
        program: OsString::new(),
        arguments: Vec::new(),
        environment: BTreeMap::new(),
        directory: tree.to_owned(),
        tree: tree.to_owned(),
        home: tree.with_file_name("home"),
        tmp: tree.with_file_name("tmp"),
        read_only: Vec::new(),
        sockets: Vec::new(),
        network: Vec::new(),
        forward: Vec::new(),
        limits: Limits {
            memory: 1 << 30,
            processes: 16,
            open_files: 64,
            file_size: SCRATCH,
            cpu_seconds: 10,
        },
    }
}

/// What of a host is known to keep unprivileged processes from namespaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Knob {
    /// Debian's `kernel.unprivileged_userns_clone` is 0.
    CloneForbidden,
    /// `user.max_user_namespaces` is 0.
    NoneAllowed,
    /// Ubuntu's `kernel.apparmor_restrict_unprivileged_userns` is 1.
    AppArmor,
    /// This process is below a seccomp filter, as in a container.
    Filtered,
}

impl Knob {
    const ALL: [Self; 4] =
        [Self::CloneForbidden, Self::NoneAllowed, Self::AppArmor, Self::Filtered];

    fn of_host() -> Vec<Self> {
        Self::ALL.into_iter().filter(|knob| knob.is_found()).collect()
    }

    fn is_found(self) -> bool {
        let is = |path: &str, value: &str| {
            fs::read_to_string(path).is_ok_and(|text| text.lines().any(|line| line == value))
        };
        match self {
            Self::CloneForbidden => is("/proc/sys/kernel/unprivileged_userns_clone", "0"),
            Self::NoneAllowed => is("/proc/sys/user/max_user_namespaces", "0"),
            Self::AppArmor => is("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"),
            Self::Filtered => is("/proc/self/status", "Seccomp:\t2"),
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Self::CloneForbidden => {
                "allow unprivileged user namespaces (`sysctl kernel.unprivileged_userns_clone=1`)"
            }
            Self::NoneAllowed => {
                "allow user namespaces (`sysctl user.max_user_namespaces=10000`, not 0)"
            }
            Self::AppArmor => {
                "allow bubblewrap user namespaces in AppArmor (the profile \
                 `bwrap-userns-restrict`, or `sysctl \
                 kernel.apparmor_restrict_unprivileged_userns=0`)"
            }
            Self::Filtered => {
                "let the container make namespaces (for Docker `--security-opt \
                 seccomp=unconfined --security-opt systempaths=unconfined`, or a profile that \
                 allows unshare, mount and pivot_root)"
            }
        }
    }
}

fn explain(sandbox: &str, reason: &str, knobs: &[Knob]) -> Refusal {
    let what = without(&format!("{sandbox} cannot start a cell ({reason})"));
    let with = |refusal: Refusal, knob: &Knob| refusal.remedy(knob.remedy());
    knobs.iter().fold(Refusal::new(what), with).or_elsewhere()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_each_knob_that_was_found_and_no_other() {
        let said = |knobs: &[Knob]| {
            explain("bubblewrap 0.8.0", "bwrap: No permissions", knobs).to_string()
        };
        let none = said(&[]);
        assert!(none.contains("cannot start a cell (bwrap: No permissions)"), "{none}");
        assert!(
            none.contains("; either leave the canary to the downstream's own checks")
                && none.ends_with("if whatever is run may do all that the bot's user can"),
            "{none}"
        );
        for knob in Knob::ALL {
            assert!(said(&[knob]).contains(knob.remedy()) && !none.contains(knob.remedy()));
        }
    }
}
