//! The systemd unit: its rules, and systemd's own judgement.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test"
)]

use std::collections::BTreeSet;
use std::process::Command;

use infra::rules;

#[test]
fn the_unit_keeps_every_rule() {
    let changes: &[(&str, &str, &str)] = &[
        (
            "its end is the machine's end",
            "SuccessAction=poweroff\n",
            "",
        ),
        (
            "its end is the machine's end",
            "FailureAction=poweroff\n",
            "FailureAction=none\n",
        ),
        (
            "its end is the machine's end",
            "ExecStopPost=+",
            "ExecStopPost=",
        ),
        (
            "it cannot run for ever",
            "RuntimeMaxSec=1d\n",
            "RuntimeMaxSec=infinity\n",
        ),
        ("it cannot run for ever", "TimeoutStopSec=120\n", ""),
        (
            "it is not started twice",
            "Restart=no\n",
            "Restart=always\n",
        ),
        ("it has no privileges", "User=ceremony\n", ""),
        (
            "it has no privileges",
            "NoNewPrivileges=yes\n",
            "NoNewPrivileges=no\n",
        ),
        ("it has no privileges", "CapabilityBoundingSet=\n", ""),
        (
            "it has no privileges",
            "SystemCallFilter=@system-service\n",
            "",
        ),
        (
            "it sees two devices",
            "DevicePolicy=closed\n",
            "DevicePolicy=auto\n",
        ),
        (
            "it sees two devices",
            "DeviceAllow=/dev/vsock rw\n",
            "DeviceAllow=/dev/vsock rw\nDeviceAllow=/dev/mem rw\n",
        ),
        ("no core dumps", "LimitCORE=0\n", ""),
    ];
    for rule in rules::UNIT {
        (rule.check)(infra::HOST_AGENT_UNIT)
            .unwrap_or_else(|problem| panic!("{}: {problem}", rule.name));
    }
    let tried: BTreeSet<&str> = changes.iter().map(|(name, ..)| *name).collect();
    let all: BTreeSet<&str> = rules::UNIT.iter().map(|rule| rule.name).collect();
    assert_eq!(tried, all, "every rule is seen to refuse");
    for (name, from, to) in changes {
        let rule = rules::UNIT.iter().find(|rule| rule.name == *name).unwrap();
        let changed = infra::HOST_AGENT_UNIT.replacen(from, to, 1);
        assert_ne!(changed, infra::HOST_AGENT_UNIT, "{from:?} is not there");
        assert!(
            (rule.check)(&changed).is_err(),
            "{name} does not see that {from:?} is {to:?}"
        );
    }
}

/// What systemd says about a unit: whether it takes it, and its words.
fn verify(unit: &str) -> Option<(bool, String)> {
    if Command::new("systemd-analyze")
        .arg("--version")
        .output()
        .is_err()
    {
        testkit::skipped("no systemd-analyze (Debian: apt-get install systemd)");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("host-agent.service");
    // The program is not on this machine; everything else is judged as it stands.
    let unit = unit.replace("/opt/ceremony/host-agent ", "/bin/true ");
    std::fs::write(&path, unit).unwrap();
    let output = Command::new("systemd-analyze")
        .arg("verify")
        .arg(&path)
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    Some((
        output.status.success() && !words.contains("host-agent.service:"),
        words,
    ))
}

#[test]
fn systemd_takes_the_unit_and_refuses_a_broken_one() {
    let Some((taken, words)) = verify(infra::HOST_AGENT_UNIT) else {
        return;
    };
    assert!(taken, "{words}");
    for (from, to) in [
        ("RuntimeMaxSec=1d", "RuntimeMaxSec=soon"),
        ("ProtectSystem=strict", "ProtektSystem=strict"),
        ("FailureAction=poweroff", "FailureAction=burn"),
        ("ExecStart=/opt", "ExecStart=opt"),
    ] {
        let (taken, words) = verify(&infra::HOST_AGENT_UNIT.replacen(from, to, 1)).unwrap();
        assert!(!taken, "{to} is taken: {words}");
    }
}

#[test]
fn systemd_finds_little_exposed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("host-agent.service");
    std::fs::write(&path, infra::HOST_AGENT_UNIT).unwrap();
    let Ok(output) = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--threshold=30"])
        .arg(&path)
        .output()
    else {
        testkit::skipped("no systemd-analyze (Debian: apt-get install systemd)");
        return;
    };
    let words = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "exposure of 3.0 or more: {words}");
}
