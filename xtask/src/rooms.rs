//! `xtask rooms`: the crates are folders by trust, and no edge may lead out of a room the wrong way.
//!
//! Evidence depends on nothing but evidence; the enclave never on the host; the host never on the
//! enclave; no service on the simulation or the test kit. Development dependencies are free: a test
//! may use anything. docs/architecture.md draws the rooms.

use cargo_metadata::{DependencyKind, MetadataCommand};

/// The trust room of a crate, from its folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Room {
    Evidence,
    Enclave,
    /// Simulated parts: may use the enclave's code, nothing measured may use them.
    Simulated,
    Wire,
    Host,
    Tools,
}

/// Crates that stand in for trusted parts on one machine.
const SIMULATED: [&str; 3] = [
    "simulation",
    "enclave-agent-simulated",
    "enclave-agent-emulated",
];

/// Names every forbidden edge, or says how many edges were looked at.
pub(crate) fn check() -> Result<String, String> {
    let metadata = MetadataCommand::new()
        .no_deps()
        .exec()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    let mut edges = 0_usize;
    let mut forbidden = Vec::new();
    for package in &metadata.packages {
        let from = room(&package.name, package.manifest_path.as_str());
        for dependency in &package.dependencies {
            let Some(path) = &dependency.path else {
                continue;
            };
            if dependency.kind == DependencyKind::Development {
                continue;
            }
            edges += 1;
            let to = room(&dependency.name, &format!("{path}/Cargo.toml"));
            if !allowed(from, to) {
                forbidden.push(format!(
                    "{} ({from:?}) -> {} ({to:?})",
                    package.name, dependency.name
                ));
            }
        }
    }
    if edges == 0 {
        return Err("no edges found: the room check has lost its subject".into());
    }
    if forbidden.is_empty() {
        Ok(format!("rooms: {edges} edges, none forbidden"))
    } else {
        Err(format!(
            "forbidden edges between rooms:\n  {}",
            forbidden.join("\n  ")
        ))
    }
}

fn allowed(from: Room, to: Room) -> bool {
    match from {
        Room::Evidence => to == Room::Evidence,
        Room::Wire => matches!(to, Room::Evidence | Room::Wire),
        Room::Enclave => matches!(to, Room::Evidence | Room::Wire | Room::Enclave),
        Room::Simulated => to != Room::Host && to != Room::Tools,
        Room::Host => matches!(to, Room::Evidence | Room::Wire | Room::Host),
        Room::Tools => true,
    }
}

fn room(name: &str, manifest: &str) -> Room {
    if SIMULATED.contains(&name) {
        return Room::Simulated;
    }
    for (folder, room) in [
        ("/crates/evidence/", Room::Evidence),
        ("/crates/enclave/", Room::Enclave),
        ("/crates/wire/", Room::Wire),
        ("/crates/host/", Room::Host),
    ] {
        if manifest.contains(folder) {
            return room;
        }
    }
    Room::Tools
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forbidden_edges_are_forbidden() {
        assert!(!allowed(Room::Evidence, Room::Wire));
        assert!(!allowed(Room::Evidence, Room::Host));
        assert!(!allowed(Room::Enclave, Room::Host));
        assert!(!allowed(Room::Enclave, Room::Simulated));
        assert!(!allowed(Room::Enclave, Room::Tools));
        assert!(!allowed(Room::Host, Room::Enclave));
        assert!(!allowed(Room::Host, Room::Simulated));
        assert!(!allowed(Room::Host, Room::Tools));
        assert!(allowed(Room::Enclave, Room::Evidence));
        assert!(allowed(Room::Simulated, Room::Enclave));
    }

    #[test]
    fn a_crate_s_room_is_its_folder() {
        assert_eq!(
            room("phase2", "/x/crates/evidence/phase2/Cargo.toml"),
            Room::Evidence
        );
        assert_eq!(
            room("simulation", "/x/crates/enclave/simulation/Cargo.toml"),
            Room::Simulated
        );
        assert_eq!(room("testkit", "/x/crates/testkit/Cargo.toml"), Room::Tools);
    }
}
