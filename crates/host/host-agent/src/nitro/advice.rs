//! Every error code of `nitro-cli`, and what to do. `docs/operations.md` shows the same table; a test holds them together.
//!
//! Source of the codes: `src/common/document_errors.rs` of aws/aws-nitro-enclaves-cli, up to 1.4.

/// One code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advice {
    /// `E00` to `E59`.
    pub code: &'static str,
    /// What happened.
    pub meaning: &'static str,
    /// What to do.
    pub action: &'static str,
}

/// What to do about a code; `None` for one that is not known here.
pub fn advice(code: &str) -> Option<&'static Advice> {
    ADVICE.iter().find(|advice| advice.code == code)
}

const fn row(code: &'static str, meaning: &'static str, action: &'static str) -> Advice {
    Advice {
        code,
        meaning,
        action,
    }
}

/// All codes, ascending.
pub const ADVICE: [Advice; 60] = [
    row(
        "E00",
        "anything without a code of its own",
        "read /var/log/nitro_enclaves on the host; try again, then take another instance type",
    ),
    row(
        "E01",
        "an argument is missing",
        "a bug of host-agent, or another version of nitro-cli: report it",
    ),
    row(
        "E02",
        "two arguments exclude each other",
        "a bug of host-agent, or another version of nitro-cli: report it",
    ),
    row(
        "E03",
        "an argument is no number",
        "a bug of host-agent, or another version of nitro-cli: report it",
    ),
    row(
        "E04",
        "no pair of sockets",
        "the host is out of file descriptors: start a new host",
    ),
    row(
        "E05",
        "the enclave process was not started",
        "the host is out of memory or processes: take more memory for the host",
    ),
    row(
        "E06",
        "the enclave process did not become a daemon",
        "the host is out of memory or processes: take more memory for the host",
    ),
    row(
        "E07",
        "/run/nitro_enclaves cannot be read",
        "host-agent needs the group ne; the package aws-nitro-enclaves-cli makes the folder",
    ),
    row(
        "E08",
        "an enclave that is gone was asked",
        "it ended while it was asked: see why in its log, and run again",
    ),
    row("E09", "a socket was not closed", "start a new host"),
    row("E10", "a socket got no time limit", "start a new host"),
    row("E11", "a socket failed", "start a new host"),
    row("E12", "epoll failed", "start a new host"),
    row("E13", "inotify failed", "start a new host"),
    row(
        "E14",
        "the enclave process does not know a command",
        "nitro-cli and its enclave process are of different versions: install the package again",
    ),
    row(
        "E15",
        "a lock was not got",
        "another nitro-cli is at work: wait for it, nothing else should run on this host",
    ),
    row("E16", "a thread did not end", "start a new host"),
    row(
        "E17",
        "a message between nitro-cli and its process cannot be read",
        "nitro-cli and its enclave process are of different versions: install the package again",
    ),
    row(
        "E18",
        "the log file belongs to another user",
        "remove /var/log/nitro_enclaves/nitro_enclaves.log, or run as its owner",
    ),
    row(
        "E19",
        "a file cannot be opened or read",
        "the image is not where host-agent put it, or not readable: check the disk and --eif",
    ),
    row(
        "E20",
        "a processor is named twice",
        "a bug of host-agent, or another version of nitro-cli: report it",
    ),
    row(
        "E21",
        "a processor is not in the pool",
        "the allocator's pool changed: run host-agent reserve again",
    ),
    row(
        "E22",
        "more processors are wanted than the pool has",
        "run host-agent reserve again, or ask for fewer enclave processors",
    ),
    row(
        "E23",
        "lscpu says something odd",
        "another version of lscpu than nitro-cli knows: use the image of the template",
    ),
    row(
        "E24",
        "the list of processors cannot be read",
        "another kernel than nitro-cli knows: use the image of the template",
    ),
    row(
        "E25",
        "a size of huge pages that is not known",
        "another kernel than nitro-cli knows: use the image of the template",
    ),
    row(
        "E26",
        "less memory is wanted than the image needs",
        "ask for at least four times the image's size as enclave memory",
    ),
    row(
        "E27",
        "more memory is wanted than is set aside",
        "run host-agent reserve again; take a larger instance type, or less enclave memory",
    ),
    row(
        "E28",
        "the driver made no enclave",
        "the instance was started without EnclaveOptions, or its type has no enclaves: take another type",
    ),
    row(
        "E29",
        "the driver refused",
        "start a new host; if it stays, take another instance type",
    ),
    row(
        "E30",
        "the driver did not say where to load the image",
        "start a new host; if it stays, take another instance type",
    ),
    row(
        "E31",
        "the driver did not take memory",
        "the pages are not of the node of the processors: run host-agent reserve again on a new host",
    ),
    row(
        "E32",
        "the driver did not take a processor",
        "the pool holds half a core or another node's: run host-agent reserve again",
    ),
    row(
        "E33",
        "the driver did not start the enclave",
        "start a new host; the hypervisor may lack room: take another zone or type",
    ),
    row(
        "E34",
        "the image is larger than memory can hold",
        "the image is broken: build it again",
    ),
    row(
        "E35",
        "a part of the image was not loaded",
        "huge pages ran out while it was loaded, or the image is cut: run host-agent reserve again, fetch the image again",
    ),
    row(
        "E36",
        "the enclave did not say that it booted",
        "the image does not boot on this type, or memory is too small for its root files: try it in the emulator, then with more memory",
    ),
    row(
        "E37",
        "waiting for the enclave's events failed",
        "start a new host",
    ),
    row(
        "E38",
        "no enclave carried the command out",
        "the enclave ended: see why in its log, and run again",
    ),
    row(
        "E39",
        "no enclave process answered",
        "nothing runs: the code before this one says why; with no code before it, the enclave ended",
    ),
    row(
        "E40",
        "no socket for this enclave id",
        "the enclave ended: see why in its log, and run again",
    ),
    row(
        "E41",
        "the answer was not sent",
        "nitro-cli was ended while it waited: run again",
    ),
    row(
        "E42",
        "memory was not mapped",
        "huge pages are fewer than the allocator said: run host-agent reserve again",
    ),
    row("E43", "memory was not unmapped", "start a new host"),
    row(
        "E44",
        "no console",
        "a console is there in debug mode only, which is never used: nothing to do",
    ),
    row(
        "E45",
        "the console cannot be read",
        "a console is there in debug mode only, which is never used: nothing to do",
    ),
    row(
        "E46",
        "the console's text was not written",
        "a console is there in debug mode only, which is never used: nothing to do",
    ),
    row(
        "E47",
        "a context id is no number",
        "a bug of host-agent, or another version of nitro-cli: report it",
    ),
    row(
        "E48",
        "an image was not built",
        "images are not built on the host: scripts/image builds them",
    ),
    row(
        "E49",
        "a container image was not built",
        "images are not built on the host: scripts/image builds them",
    ),
    row(
        "E50",
        "a container image was not fetched",
        "images are not built on the host: scripts/image builds them",
    ),
    row(
        "E51",
        "no folder for building images",
        "images are not built on the host: scripts/image builds them",
    ),
    row(
        "E52",
        "no folder of kernel files",
        "images are not built on the host: scripts/image builds them",
    ),
    row("E53", "the clock went backwards", "start a new host"),
    row("E54", "signals were not masked", "start a new host"),
    row("E55", "signals were not unmasked", "start a new host"),
    row(
        "E56",
        "no log",
        "make /var/log/nitro_enclaves writable for the group ne",
    ),
    row(
        "E57",
        "hashing failed",
        "the image cannot be read to its end: fetch it again",
    ),
    row(
        "E58",
        "a name of an enclave is not taken",
        "a bug of host-agent, or another version of nitro-cli: report it",
    ),
    row(
        "E59",
        "the image's signature is wrong",
        "the image is signed and was changed after: build it again",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_place_and_the_page_says_the_same() {
        let page = include_str!("../../../../../docs/operations.md");
        for (number, advice) in ADVICE.iter().enumerate() {
            assert_eq!(advice.code, format!("E{number:02}"));
            let row = format!(
                "| `{}` | {} | {} |",
                advice.code, advice.meaning, advice.action
            );
            assert!(page.contains(&row), "docs/operations.md lacks: {row}");
        }
        assert_eq!(super::advice("E60"), None);
    }
}
