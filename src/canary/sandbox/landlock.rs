//! The part that Landlock can do: files below some paths, TCP by port, signals and abstract sockets.
//! It has no process namespace, no sized file system and no word on UDP (before ABI 10), so that
//! alone it is never strict.

use super::{cell::Cell, wire::Network};
use ::landlock::{
    ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, LandlockStatus, NetPort,
    RestrictSelf, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _, RulesetError, RulesetStatus,
    Scope, path_beneath_rules,
};

/// Signals and abstract sockets are confined from here on: Linux 6.12.
pub(super) const OLDEST: i32 = 6;
/// From here on `connect` to a socket in the file system is confined: Linux 7.1.
const SOCKETS_FROM: i32 = 9;

/// What can be read and executed.
const READ: &[&str] = &[
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/proc",
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/group",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/pki/ca-trust",
    "/etc/pki/tls/certs",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/timezone",
];
/// Devices that every program may use.
const DEVICES: &[&str] =
    &["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"];

/// This kernel's ABI, if it has Landlock.
pub(super) fn abi() -> Option<i32> {
    // Asks without restricting anything.
    match RestrictSelf::default().no_new_privs(false).apply().ok()?.landlock {
        LandlockStatus::Available { effective_abi, kernel_abi } => {
            Some(kernel_abi.unwrap_or(effective_abi as i32))
        }
        LandlockStatus::NotEnabled | LandlockStatus::NotImplemented => None,
    }
}

/// What it cannot confine at this ABI, one clause each.
pub(super) fn leaves_open(abi: i32) -> Vec<&'static str> {
    let mut open = vec![
        "a process that leaves its session may outlive the step if the bot is killed",
        "the processes of this host can be listed, with their arguments",
        "the disk can be filled, up to the largest file many times over",
        "UDP, and with it DNS and whatever else is reached without TCP",
        "other places on the port that the proxy happens to have, and on forwarded ones",
    ];
    if abi < SOCKETS_FROM {
        open.push("every Unix socket that the bot's user may connect to, an engine's among them");
    }
    open
}

/// Why it is not strict, in one sentence.
pub(super) fn lacks(abi: i32) -> String {
    let mut lacks = vec!["it has no process namespace", "bounds no disk", "leaves UDP open"];
    if abi < SOCKETS_FROM {
        lacks.push("lets every Unix socket be connected to before ABI 9");
    }
    lacks.join(", ")
}

/// Restricts this thread and what it becomes.
///
/// # Errors
/// If something of it is not enforced.
pub(super) fn restrict(cell: &Cell, network: Network) -> Result<(), String> {
    match rules(cell, network) {
        Ok(RulesetStatus::FullyEnforced) => Ok(()),
        Ok(RulesetStatus::PartiallyEnforced | RulesetStatus::NotEnforced) => {
            Err("Landlock enforces only a part".to_owned())
        }
        Err(error) => Err(format!("Landlock: {error}")),
    }
}

fn rules(cell: &Cell, network: Network) -> Result<RulesetStatus, RulesetError> {
    let everything = AccessFs::from_all(ABI::V6);
    let confines_sockets = abi().is_some_and(|abi| abi >= SOCKETS_FROM);
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(everything)?
        .handle_access(AccessNet::from_all(ABI::V4))?
        .scope(Scope::AbstractUnixSocket | Scope::Signal)?;
    if confines_sockets {
        rules = rules.handle_access(AccessFs::ResolveUnix)?;
    }
    let mut rules = rules
        .create()?
        .add_rules(path_beneath_rules(READ, AccessFs::from_read(ABI::V6)))?
        .add_rules(path_beneath_rules(&cell.read_only, AccessFs::from_read(ABI::V6)))?
        .add_rules(path_beneath_rules(
            DEVICES,
            AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::IoctlDev,
        ))?
        .add_rules(path_beneath_rules([&cell.tree, &cell.home, &cell.tmp], everything))?;
    if confines_sockets {
        rules = rules.add_rules(path_beneath_rules(&cell.sockets, AccessFs::ResolveUnix))?;
    }
    if let Network::Port(port) = network {
        rules = rules.add_rule(NetPort::new(port, AccessNet::ConnectTcp))?;
    }
    // The step is on the host's own loopback: there is nothing to forward, but ports to allow.
    for address in &cell.forward {
        rules = rules.add_rule(NetPort::new(address.port(), AccessNet::ConnectTcp))?;
    }
    Ok(rules.restrict_self()?.ruleset)
}
