//! The host's side of a running guest: its open files, what it printed, what it may use.

use std::io::SeekFrom;

use super::errno::Errno;
use super::files::{Files, Place, Stat};
use super::memory::GuestMemory;
use super::stop::Stop;
use crate::Output;

/// Most bytes kept of what the guest prints.
const MAX_PRINTED: usize = 256 << 10;
/// Most files open at once.
const MAX_OPEN: usize = 256;
/// Descriptor of the one folder the guest is given.
pub(super) const ROOT: u32 = 3;
/// First descriptor for files the guest opens.
const FIRST_FREE: u32 = 4;

/// Either an error number for the guest, or the end of the guest.
#[derive(Debug)]
pub(super) enum Fault {
    Errno(Errno),
    Stop(Stop),
}

impl From<Errno> for Fault {
    fn from(errno: Errno) -> Self {
        Self::Errno(errno)
    }
}

impl From<Stop> for Fault {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

/// An open file of the guest.
enum Open {
    Source {
        path: String,
        position: u64,
    },
    Folder,
    Output(Output),
    /// The scratch file, appended to or read from a position.
    Scratch {
        position: u64,
    },
    Unwanted,
}

/// Memory limit and what was asked for.
pub(super) struct MemoryUse {
    pub(super) limit: u64,
    pub(super) peak: u64,
    /// Size in bytes of the request that was refused.
    pub(super) refused: Option<u64>,
}

/// Everything the host keeps for one guest.
pub(super) struct Guest {
    pub(super) arguments: Vec<String>,
    pub(super) files: Files,
    pub(super) memory: MemoryUse,
    pub(super) printed: Vec<u8>,
    open: Vec<Option<Open>>,
}

impl Guest {
    pub(super) fn new(arguments: Vec<String>, files: Files, memory_limit: u64) -> Self {
        Self {
            arguments,
            files,
            memory: MemoryUse {
                limit: memory_limit,
                peak: 0,
                refused: None,
            },
            printed: Vec::new(),
            open: Vec::new(),
        }
    }

    /// Opens a path. `for_writing`, `create` and `truncate` are only for outputs.
    pub(super) fn open_path(
        &mut self,
        path: &[u8],
        wants_folder: bool,
        writes: bool,
    ) -> Result<u32, Fault> {
        let open = match self.files.resolve(path)? {
            Place::Source(_) | Place::SourceFolder if writes => return Err(Errno::ROFS.into()),
            Place::Source(_) if wants_folder => return Err(Errno::NOTDIR.into()),
            Place::Source(path) => Open::Source { path, position: 0 },
            Place::SourceFolder => Open::Folder,
            Place::OutputFolder => {
                self.files.stat(path)?;
                Open::Folder
            }
            Place::Scratch if writes => {
                self.files.clear_scratch();
                Open::Scratch { position: 0 }
            }
            Place::Scratch if self.files.scratch_length() == 0 => return Err(Errno::NOENT.into()),
            Place::Scratch => Open::Scratch { position: 0 },
            // An output is written once, from its start, and never read back by the guest.
            Place::Output(_) | Place::Unwanted if !writes => return Err(Errno::NOTCAPABLE.into()),
            Place::Output(output) => {
                self.files.truncate(output)?;
                Open::Output(output)
            }
            Place::Unwanted => Open::Unwanted,
        };
        let free = self.open.iter().position(Option::is_none);
        let index = match free {
            Some(index) => index,
            None if self.open.len() < MAX_OPEN => {
                self.open.push(None);
                self.open.len() - 1
            }
            None => return Err(Errno::MFILE.into()),
        };
        if let Some(slot) = self.open.get_mut(index) {
            *slot = Some(open);
        }
        let index = u32::try_from(index).map_err(|_| Errno::MFILE)?;
        Ok(FIRST_FREE + index)
    }

    pub(super) fn close(&mut self, descriptor: u32) -> Result<(), Errno> {
        let slot = slot(descriptor).and_then(|index| self.open.get_mut(index));
        match slot {
            Some(slot @ Some(_)) => {
                *slot = None;
                Ok(())
            }
            _ => Err(Errno::BADF),
        }
    }

    pub(super) fn stat(&self, descriptor: u32) -> Result<Stat, Errno> {
        if descriptor == ROOT {
            return Ok(Stat::folder());
        }
        match self.opened(descriptor)? {
            Open::Source { path, .. } => Ok(Stat::file(self.files.source_length(path))),
            Open::Output(output) => Ok(Stat::file(self.files.output_length(*output))),
            Open::Scratch { .. } => Ok(Stat::file(self.files.scratch_length())),
            Open::Unwanted => Ok(Stat::file(0)),
            Open::Folder => Ok(Stat::folder()),
        }
    }

    /// Reads into the guest's buffer; 0 at the end.
    pub(super) fn read(&mut self, descriptor: u32, buffer: &mut [u8]) -> Result<usize, Errno> {
        let slot = slot(descriptor).and_then(|index| self.open.get_mut(index));
        let (rest, position) = match slot {
            Some(Some(Open::Source { path, position })) => {
                (self.files.source(path, *position), position)
            }
            Some(Some(Open::Scratch { position })) => (self.files.scratch(*position), position),
            Some(Some(Open::Folder)) => return Err(Errno::ISDIR),
            // Nothing to read on standard input.
            None if descriptor == 0 => return Ok(0),
            _ => return Err(Errno::BADF),
        };
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        *position = position.saturating_add(u64::try_from(count).unwrap_or(0));
        Ok(count)
    }

    /// Takes bytes the guest writes.
    pub(super) fn write(&mut self, descriptor: u32, bytes: &[u8]) -> Result<(), Fault> {
        if matches!(descriptor, 1 | 2) {
            let room = MAX_PRINTED.saturating_sub(self.printed.len());
            let kept = bytes.get(..room).unwrap_or(bytes);
            self.printed.extend_from_slice(kept);
            return Ok(());
        }
        match self.opened(descriptor)? {
            Open::Output(output) => {
                let output = *output;
                Ok(self.files.write(output, bytes)?)
            }
            Open::Scratch { .. } => Ok(self.files.write_scratch(bytes)?),
            Open::Unwanted => Ok(()),
            Open::Source { .. } | Open::Folder => Err(Errno::BADF.into()),
        }
    }

    pub(super) fn seek(&mut self, descriptor: u32, to: SeekFrom) -> Result<u64, Fault> {
        if descriptor <= 2 {
            return Err(Errno::SPIPE.into());
        }
        let slot = slot(descriptor).and_then(|index| self.open.get_mut(index));
        let (position, length) = match slot {
            Some(Some(Open::Source { path, position })) => {
                (position, self.files.source_length(path))
            }
            Some(Some(Open::Scratch { position })) => (position, self.files.scratch_length()),
            Some(Some(Open::Output(output))) => return Ok(self.files.seek(*output, to)??),
            Some(Some(Open::Unwanted | Open::Folder)) => return Err(Errno::INVAL.into()),
            _ => return Err(Errno::BADF.into()),
        };
        let target = match to {
            SeekFrom::Start(target) => Some(target),
            SeekFrom::Current(by) => position.checked_add_signed(by),
            SeekFrom::End(by) => length.checked_add_signed(by),
        };
        *position = target.ok_or(Errno::INVAL)?;
        Ok(*position)
    }

    fn opened(&self, descriptor: u32) -> Result<&Open, Errno> {
        slot(descriptor)
            .and_then(|index| self.open.get(index))
            .and_then(Option::as_ref)
            .ok_or(Errno::BADF)
    }

    /// A path argument of a call relative to a folder descriptor; only the root is one.
    pub(super) fn path<'m>(
        memory: &'m GuestMemory<'_>,
        folder: u32,
        address: u32,
        length: u32,
    ) -> Result<&'m [u8], Errno> {
        if folder != ROOT {
            return Err(Errno::NOTCAPABLE);
        }
        memory.bytes(address, length)
    }
}

fn slot(descriptor: u32) -> Option<usize> {
    usize::try_from(descriptor.checked_sub(FIRST_FREE)?).ok()
}

impl wasmtime::ResourceLimiter for Guest {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let desired = u64::try_from(desired).unwrap_or(u64::MAX);
        if desired > self.memory.limit {
            self.memory.refused = Some(desired);
            return Ok(false);
        }
        self.memory.peak = self.memory.peak.max(desired);
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        // The system had no room although the limit allows it.
        self.memory.refused = Some(self.memory.limit);
        Ok(())
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= 1 << 20)
    }
}
