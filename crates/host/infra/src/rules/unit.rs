//! The systemd unit.

use super::need;

/// The values of a setting in a section, in order.
fn settings<'u>(unit: &'u str, section: &str, key: &str) -> Vec<&'u str> {
    let mut current = "";
    let mut found = Vec::new();
    for line in unit.lines() {
        let line = line.trim();
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            current = name;
        } else if current == section
            && let Some((name, value)) = line.split_once('=')
            && name == key
        {
            found.push(value);
        }
    }
    found
}

fn is(unit: &str, section: &str, key: &str, value: &str) -> Result<(), String> {
    let found = settings(unit, section, key);
    need(found == [value], format!("{key} is {found:?}, not {value}"))
}

pub(super) fn powers_off(unit: &str) -> Result<(), String> {
    is(unit, "Unit", "SuccessAction", "poweroff")?;
    is(unit, "Unit", "FailureAction", "poweroff")?;
    let after = settings(unit, "Service", "ExecStopPost");
    need(
        after
            .iter()
            .any(|line| line.starts_with('+') && line.contains("systemctl --no-block poweroff")),
        "nothing powers off after it",
    )
}

pub(super) fn limits(unit: &str) -> Result<(), String> {
    is(unit, "Service", "RuntimeMaxSec", "1d")?;
    is(unit, "Service", "TimeoutStopSec", "120")
}

pub(super) fn one_life(unit: &str) -> Result<(), String> {
    is(unit, "Service", "Restart", "no")
}

pub(super) fn privileges(unit: &str) -> Result<(), String> {
    for (key, value) in [
        ("User", "ceremony"),
        ("NoNewPrivileges", "yes"),
        ("CapabilityBoundingSet", ""),
        ("AmbientCapabilities", ""),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("ProtectKernelModules", "yes"),
        ("ProtectKernelTunables", "yes"),
        ("ProtectControlGroups", "yes"),
        ("PrivateTmp", "yes"),
        ("RestrictSUIDSGID", "yes"),
        ("RestrictNamespaces", "yes"),
        ("SystemCallFilter", "@system-service"),
        ("SystemCallArchitectures", "native"),
    ] {
        is(unit, "Service", key, value)?;
    }
    Ok(())
}

pub(super) fn devices(unit: &str) -> Result<(), String> {
    is(unit, "Service", "DevicePolicy", "closed")?;
    let allowed = settings(unit, "Service", "DeviceAllow");
    need(
        allowed == ["/dev/nitro_enclaves rw", "/dev/vsock rw"],
        format!("devices: {allowed:?}"),
    )
}

pub(super) fn no_core(unit: &str) -> Result<(), String> {
    is(unit, "Service", "LimitCORE", "0")
}
