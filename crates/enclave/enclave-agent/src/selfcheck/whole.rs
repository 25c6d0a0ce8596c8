//! The whole list on a machine made of files: as an enclave is, then with one thing changed.

use std::fs;
use std::path::Path;

use ceremony::{CheckOutcome, SelfCheck};
use manifest::AgentMode;
use tempfile::TempDir;

use super::machine::Machine;
use super::tests::Module;
use super::{RNG_CURRENT, enclave};

const CLOCK: &str = "sys/devices/system/clocksource/clocksource0/current_clocksource";

/// A tree with what the checks read of a Nitro enclave's kernel.
fn tree() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in [
        (RNG_CURRENT, "nsm-hwrng\n"),
        (
            "proc/self/limits",
            "Max core file size        0                    0                    bytes\n",
        ),
        (
            "proc/meminfo",
            "MemTotal:        2000000 kB\nSwapTotal:             0 kB\n",
        ),
        (CLOCK, "kvm-clock\n"),
    ] {
        put(root.path(), path, text);
    }
    root
}

fn put(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn machine(root: &Path) -> Machine {
    Machine {
        root: root.to_owned(),
        root_files: Ok(14),
        command_line: include_str!("../../../../../enclave-image/cmdline").to_owned(),
    }
}

/// What the tree has no place for: the modules, their machine code, and this very process.
const ELSEWHERE: [&str; 4] = [
    "file-contents",
    "module-circom",
    "module-solc",
    "not-dumpable",
];

/// Names of the checks that failed, but for [`ELSEWHERE`].
fn failed(checks: &[SelfCheck]) -> Vec<&'static str> {
    checks
        .iter()
        .filter(|check| check.outcome == CheckOutcome::Failed && !ELSEWHERE.contains(&check.name))
        .map(|check| check.name)
        .collect()
}

fn checked(module: &Module, machine: &Machine) -> Vec<&'static str> {
    let modules = machine.root.join("modules");
    let checks = enclave(AgentMode::Production, module, &modules, machine);
    failed(&checks)
}

#[test]
fn a_machine_as_an_enclave_is_passes() {
    let root = tree();
    assert!(checked(&Module::good(), &machine(root.path())).is_empty());
}

#[test]
fn r21_r23_one_wrong_file_of_the_kernel_fails_its_check_alone() {
    for (path, text, name) in [
        (RNG_CURRENT, "virtio_rng.0\n", "rng-current"),
        (RNG_CURRENT, "none\n", "rng-current"),
        (RNG_CURRENT, "", "rng-current"),
        (
            "proc/self/limits",
            "Max core file size        0                    unlimited            bytes\n",
            "core-limit",
        ),
        ("proc/self/limits", "", "core-limit"),
        (
            "proc/meminfo",
            "MemTotal:        2000000 kB\nSwapTotal:          1024 kB\n",
            "no-swap",
        ),
        (
            "proc/meminfo",
            "MemTotal:         100000 kB\nSwapTotal:             0 kB\n",
            "memory",
        ),
        (CLOCK, "refined-jiffies\n", "clock-source"),
    ] {
        let root = tree();
        put(root.path(), path, text);
        assert_eq!(
            checked(&Module::good(), &machine(root.path())),
            [name],
            "{path}: {text:?}"
        );
    }
}

#[test]
fn a_file_of_the_kernel_that_is_missing_passes_nothing() {
    for (path, names) in [
        (RNG_CURRENT, &["rng-current"][..]),
        ("proc/self/limits", &["core-limit"]),
        ("proc/meminfo", &["no-swap", "memory"]),
        (CLOCK, &["clock-source"]),
    ] {
        let root = tree();
        fs::remove_file(root.path().join(path)).unwrap();
        assert_eq!(
            checked(&Module::good(), &machine(root.path())),
            names,
            "{path}"
        );
    }
}

#[test]
fn r1_r2_another_module_command_line_or_root_fails_its_check_alone() {
    let root = tree();
    let good = || machine(root.path());
    let with = |change: fn(&mut Module)| {
        let mut module = Module::good();
        change(&mut module);
        checked(&module, &good())
    };
    assert_eq!(with(|module| module.pcr = [0; 48]), ["not-debug"]);
    assert_eq!(with(|module| module.stuck = true), ["nsm-random"]);
    assert_eq!(
        with(|module| module.locked = (1..16).collect()),
        ["nsm-locked"]
    );

    let mut cut = good();
    cut.command_line = cut.command_line.replace("reboot=k ", "");
    assert_eq!(checked(&Module::good(), &cut), ["command-line"]);
    let mut less = good();
    less.root_files = Err("modules/solc.wasm is missing".into());
    assert_eq!(checked(&Module::good(), &less), ["root-files"]);
}

#[test]
fn r1_machine_code_that_is_not_there_or_other_fails() {
    let root = tree();
    let seen = |root: &Path| {
        let modules = root.join("modules");
        let checks = enclave(
            AgentMode::Production,
            &Module::good(),
            &modules,
            &machine(root),
        );
        let check = checks
            .into_iter()
            .find(|check| check.name == "file-contents");
        check.unwrap()
    };
    assert_eq!(seen(root.path()).outcome, CheckOutcome::Failed);
    let listed = include_str!("../../../../../enclave-image/files.txt");
    let (path, _) = listed
        .lines()
        .find_map(|line| line.strip_prefix("file 0644 ")?.split_once(" sha256:"))
        .unwrap();
    put(root.path(), path, "other");
    let check = seen(root.path());
    assert_eq!(check.outcome, CheckOutcome::Failed);
    assert!(check.seen.starts_with(path), "{}", check.seen);
}
