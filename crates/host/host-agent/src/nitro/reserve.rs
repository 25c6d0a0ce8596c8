//! Sets memory and processors aside for the enclave, first thing after boot, and looks whether they are there: the allocator's service
//! reports success when it fails.
//!
//! Amazon's allocator reserves huge pages of one node, the largest first, from `/etc/nitro_enclaves/allocator.yaml`. Memory that is in
//! use may be scattered; then caches are dropped, memory is compacted, and it is tried again, and in the end small huge pages are
//! reserved without the allocator.

use std::io;
use std::time::Duration;

use super::NitroError;

const CONFIG: &str = "/etc/nitro_enclaves/allocator.yaml";
const POOL: &str = "/sys/module/nitro_enclaves/parameters/ne_cpus";
const NODES: &str = "/sys/devices/system/node";
const DROP_CACHES: &str = "/proc/sys/vm/drop_caches";
const COMPACT: &str = "/proc/sys/vm/compact_memory";
const SERVICE: &str = "nitro-enclaves-allocator.service";
/// How often the allocator is asked.
const ATTEMPTS: u32 = 3;

/// What is asked of the machine; a test stands in for it.
pub trait Machine {
    /// Reads a small file.
    fn read(&self, path: &str) -> io::Result<String>;
    /// Replaces a file, or sets a value of the kernel.
    fn write(&self, path: &str, text: &str) -> io::Result<()>;
    /// Names in a folder.
    fn list(&self, folder: &str) -> io::Result<Vec<String>>;
    /// Restarts a service and waits for that; false if it says that it failed.
    fn restart(&self, service: &str) -> io::Result<bool>;
    /// Waits for memory to settle.
    fn settle(&self);
}

/// What was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserved {
    /// The node, for example `node0`.
    pub node: String,
    /// MiB of huge pages on it.
    pub memory_mib: u64,
    /// Processors in the pool.
    pub cpus: u32,
    /// How often the allocator was asked.
    pub attempts: u32,
    /// Whether the pages were reserved without it in the end.
    pub fell_back: bool,
}

/// The allocator's configuration, in the one form that its parser takes: a line `---`, no blank line, no comment behind a value, a
/// newline at the end.
pub fn allocator_yaml(memory_mib: u32, cpus: u32) -> String {
    format!("---\nmemory_mib: {memory_mib}\ncpu_count: {cpus}\n")
}

/// Sets `memory_mib` and `cpus` aside. Blocks for seconds, on a large machine for minutes.
pub fn reserve(machine: &dyn Machine, memory_mib: u32, cpus: u32) -> Result<Reserved, NitroError> {
    let wanted = u64::from(memory_mib);
    write(machine, CONFIG, &allocator_yaml(memory_mib, cpus))?;
    let mut attempts = 0;
    let mut fell_back = false;
    let (node, got) = loop {
        attempts += 1;
        // A service that failed has not necessarily reserved nothing: sysfs is the authority.
        let restarted = machine.restart(SERVICE);
        tracing::info!("allocator: {restarted:?}");
        let (node, got) = largest_node(machine)?;
        if got >= wanted {
            break (node, got);
        }
        tracing::warn!("{got} MiB of {wanted} MiB on {node} after attempt {attempts}");
        make_room(machine);
        if attempts == ATTEMPTS {
            fell_back = true;
            let node = pool_node(machine)?.unwrap_or(node);
            break (node.clone(), reserve_small(machine, &node, wanted)?);
        }
        machine.settle();
    };
    if got < wanted {
        return Err(NitroError::Memory { wanted, got });
    }
    let pool = processors(&read(machine, POOL)?);
    let in_pool = u32::try_from(pool.len()).unwrap_or(u32::MAX);
    if in_pool < cpus {
        return Err(NitroError::Processors {
            wanted: cpus,
            got: in_pool,
        });
    }
    Ok(Reserved {
        node,
        memory_mib: got,
        cpus: in_pool,
        attempts,
        fell_back,
    })
}

/// The node with most huge pages, and how many MiB they are. An enclave takes its memory from one node only.
fn largest_node(machine: &dyn Machine) -> Result<(String, u64), NitroError> {
    let mut best = (String::from("node0"), 0);
    for node in nodes(machine)? {
        let mut mib = 0_u64;
        for (kib, path) in page_sizes(machine, &node)? {
            let pages: u64 = read(machine, &path)?.trim().parse().unwrap_or(0);
            mib = mib.saturating_add(pages.saturating_mul(kib) >> 10);
        }
        if mib > best.1 {
            best = (node, mib);
        }
    }
    Ok(best)
}

fn nodes(machine: &dyn Machine) -> Result<Vec<String>, NitroError> {
    let mut nodes = list(machine, NODES)?;
    nodes.retain(|name| {
        name.strip_prefix("node")
            .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
    });
    nodes.sort();
    Ok(nodes)
}

/// Sizes of huge pages in KiB and the files that say how many there are, smallest first.
fn page_sizes(machine: &dyn Machine, node: &str) -> Result<Vec<(u64, String)>, NitroError> {
    let folder = format!("{NODES}/{node}/hugepages");
    let mut sizes: Vec<(u64, String)> = list(machine, &folder)?
        .iter()
        .filter_map(|name| {
            let kib = name
                .strip_prefix("hugepages-")?
                .strip_suffix("kB")?
                .parse()
                .ok()?;
            Some((kib, format!("{folder}/{name}/nr_hugepages")))
        })
        .collect();
    sizes.sort();
    Ok(sizes)
}

/// Lets the kernel free what it can and push the rest together. What an older kernel does not know is left out.
fn make_room(machine: &dyn Machine) {
    for (path, value) in [(DROP_CACHES, "3"), (COMPACT, "1")] {
        if let Err(error) = machine.write(path, value) {
            tracing::warn!("{path}: {error}");
        }
    }
}

/// The node of the first processor in the pool: memory on another one is of no use.
fn pool_node(machine: &dyn Machine) -> Result<Option<String>, NitroError> {
    let Some(cpu) = processors(&read(machine, POOL)?).first().copied() else {
        return Ok(None);
    };
    for node in nodes(machine)? {
        let cpus = read(machine, &format!("{NODES}/{node}/cpulist"))?;
        // Processors of the pool are offline and in no list; the allocator takes them from one node, so a node without
        // any other processor than its own is told by its folder of processors.
        let folder = list(machine, &format!("{NODES}/{node}"))?;
        if processors(&cpus).contains(&cpu) || folder.contains(&format!("cpu{cpu}")) {
            return Ok(Some(node));
        }
    }
    Ok(None)
}

/// Reserves the smallest huge pages of a node only: they need no long stretch of free memory. Gives the MiB that are there then.
fn reserve_small(machine: &dyn Machine, node: &str, wanted: u64) -> Result<u64, NitroError> {
    let sizes = page_sizes(machine, node)?;
    let Some(((kib, path), larger)) = sizes.split_first() else {
        return Ok(0);
    };
    for (_, path) in larger {
        write(machine, path, "0")?;
    }
    let pages = wanted.saturating_mul(1 << 10).div_ceil((*kib).max(1));
    write(machine, path, &pages.to_string())?;
    let got: u64 = read(machine, path)?.trim().parse().unwrap_or(0);
    Ok(got.saturating_mul(*kib) >> 10)
}

/// `1-3,7` as numbers. What is no such list has none.
fn processors(list: &str) -> Vec<u32> {
    let mut all = Vec::new();
    for part in list.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(first), Ok(last)) = (first.trim().parse::<u32>(), last.trim().parse::<u32>())
            && last.saturating_sub(first) < 4096
        {
            all.extend(first..=last);
        }
    }
    all
}

fn read(machine: &dyn Machine, path: &str) -> Result<String, NitroError> {
    machine.read(path).map_err(|source| failed(path, source))
}

fn write(machine: &dyn Machine, path: &str, text: &str) -> Result<(), NitroError> {
    machine
        .write(path, text)
        .map_err(|source| failed(path, source))
}

fn list(machine: &dyn Machine, folder: &str) -> Result<Vec<String>, NitroError> {
    machine
        .list(folder)
        .map_err(|source| failed(folder, source))
}

fn failed(path: &str, source: io::Error) -> NitroError {
    NitroError::File {
        path: path.to_owned(),
        source,
    }
}

/// This machine.
#[derive(Debug, Clone, Copy)]
pub struct ThisMachine;

impl Machine for ThisMachine {
    fn read(&self, path: &str) -> io::Result<String> {
        std::fs::read_to_string(path)
    }

    fn write(&self, path: &str, text: &str) -> io::Result<()> {
        std::fs::write(path, text)
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        std::fs::read_dir(folder)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect()
    }

    fn restart(&self, service: &str) -> io::Result<bool> {
        let status = std::process::Command::new("systemctl")
            .args(["restart", service])
            .status()?;
        Ok(status.success())
    }

    fn settle(&self) {
        std::thread::sleep(Duration::from_secs(2));
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::collections::BTreeMap;

    use super::*;

    /// Two nodes of 4 GiB. Free memory lies in one piece only as often as `whole` says; compaction makes it whole.
    struct Fake {
        files: RefCell<BTreeMap<String, String>>,
        /// MiB that a node can give as 1 GiB pages, and as 2 MiB pages.
        large: Cell<u64>,
        small: Cell<u64>,
        /// MiB that compaction turns from small into large.
        compacts: u64,
        restarts: Cell<u32>,
        pool: &'static str,
    }

    impl Fake {
        fn new(large: u64, small: u64, compacts: u64) -> Self {
            Self {
                files: RefCell::new(BTreeMap::new()),
                large: Cell::new(large),
                small: Cell::new(small),
                compacts,
                restarts: Cell::new(0),
                pool: "2-3,6-7",
            }
        }

        fn pages(&self, node: u32, kib: u32) -> u64 {
            let path = format!("{NODES}/node{node}/hugepages/hugepages-{kib}kB/nr_hugepages");
            self.files
                .borrow()
                .get(&path)
                .map_or(0, |text| text.parse().unwrap())
        }
    }

    impl Machine for Fake {
        fn read(&self, path: &str) -> io::Result<String> {
            if path == POOL {
                return Ok(format!("{}\n", self.pool));
            }
            if path.ends_with("cpulist") {
                return Ok(if path.contains("node0") {
                    "0-3\n"
                } else {
                    "4-7\n"
                }
                .to_owned());
            }
            Ok(self
                .files
                .borrow()
                .get(path)
                .cloned()
                .unwrap_or_else(|| "0\n".to_owned()))
        }

        fn write(&self, path: &str, text: &str) -> io::Result<()> {
            if path == COMPACT {
                self.large.set(self.large.get() + self.compacts);
            }
            // The kernel gives what it can, and says nothing.
            let text = if path.contains("hugepages-2048kB") {
                let pages: u64 = text.parse().unwrap();
                pages.min(self.small.get() / 2).to_string()
            } else {
                text.to_owned()
            };
            self.files.borrow_mut().insert(path.to_owned(), text);
            Ok(())
        }

        fn list(&self, folder: &str) -> io::Result<Vec<String>> {
            let names: &[&str] = match folder {
                NODES => &["node0", "node1", "online", "power"],
                _ if folder.ends_with("hugepages") => &["hugepages-1048576kB", "hugepages-2048kB"],
                _ => &["cpulist", "hugepages"],
            };
            Ok(names.iter().map(|name| (*name).to_owned()).collect())
        }

        /// As the allocator: the configured memory, or nothing. It reports success either way.
        fn restart(&self, service: &str) -> io::Result<bool> {
            assert_eq!(service, SERVICE);
            self.restarts.set(self.restarts.get() + 1);
            let config = self.files.borrow().get(CONFIG).cloned().unwrap();
            let wanted: u64 = config
                .lines()
                .find_map(|line| line.strip_prefix("memory_mib: "))
                .unwrap()
                .parse()
                .unwrap();
            let pages = if self.large.get() >= wanted {
                wanted / 1024
            } else {
                0
            };
            let path = format!("{NODES}/node0/hugepages/hugepages-1048576kB/nr_hugepages");
            self.files.borrow_mut().insert(path, pages.to_string());
            Ok(true)
        }

        fn settle(&self) {}
    }

    #[test]
    fn memory_in_one_piece_is_reserved_at_once() {
        let machine = Fake::new(4096, 4096, 0);
        let reserved = reserve(&machine, 3072, 4).unwrap();
        let expected = Reserved {
            node: "node0".into(),
            memory_mib: 3072,
            cpus: 4,
            attempts: 1,
            fell_back: false,
        };
        assert_eq!(reserved, expected);
        assert_eq!(
            machine.read(CONFIG).unwrap(),
            "---\nmemory_mib: 3072\ncpu_count: 4\n"
        );
    }

    #[test]
    fn scattered_memory_is_compacted_and_the_allocator_asked_again() {
        let machine = Fake::new(1024, 4096, 1024);
        let reserved = reserve(&machine, 3072, 4).unwrap();
        assert_eq!((reserved.attempts, reserved.fell_back), (3, false));
        assert_eq!(machine.restarts.get(), 3);
    }

    #[test]
    fn small_pages_are_the_last_resort() {
        let machine = Fake::new(0, 4096, 0);
        let reserved = reserve(&machine, 3071, 4).unwrap();
        assert_eq!((reserved.memory_mib, reserved.fell_back), (3072, true));
        assert_eq!(
            (machine.pages(0, 1_048_576), machine.pages(0, 2048)),
            (0, 1536)
        );
        // On the node of the pool's processors, not on the first.
        let machine = Fake {
            pool: "6-7",
            ..Fake::new(0, 4096, 0)
        };
        assert_eq!(reserve(&machine, 1024, 2).unwrap().node, "node1");
    }

    #[test]
    fn what_is_not_there_is_not_believed_to_be() {
        let short = reserve(&Fake::new(0, 2000, 0), 3072, 4).unwrap_err();
        assert!(
            matches!(
                short,
                NitroError::Memory {
                    wanted: 3072,
                    got: 2000
                }
            ),
            "{short}"
        );
        let few = reserve(&Fake::new(4096, 4096, 0), 1024, 5).unwrap_err();
        assert!(
            matches!(few, NitroError::Processors { wanted: 5, got: 4 }),
            "{few}"
        );
        let none = Fake {
            pool: "",
            ..Fake::new(4096, 4096, 0)
        };
        assert!(matches!(
            reserve(&none, 1024, 1),
            Err(NitroError::Processors { got: 0, .. })
        ));
    }

    #[test]
    fn the_allocator_s_own_parser_takes_the_configuration() {
        // Its rules, from bootstrap/nitro-enclaves-allocator: everything before `---` is skipped, a line that is no known key
        // fails, and so does a key without a value; `read` leaves out a last line without a newline.
        let text = allocator_yaml(1024, 2);
        assert!(text.ends_with('\n'));
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("---"));
        for line in lines {
            let (key, value) = line.split_once(": ").unwrap();
            assert!(["memory_mib", "cpu_count"].contains(&key));
            assert!(value.bytes().all(|b| b.is_ascii_digit()), "{line}");
        }
    }

    #[test]
    fn lists_of_processors_are_read() {
        assert_eq!(processors("1-3,7\n"), [1, 2, 3, 7]);
        for nothing in ["", "\n", "x", "3-1", "0-4294967295", "1-"] {
            assert!(processors(nothing).is_empty(), "{nothing:?}");
        }
    }
}
