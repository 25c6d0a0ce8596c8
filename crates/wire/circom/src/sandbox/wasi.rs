//! The twenty functions of `wasi_snapshot_preview1` that the circom module imports.
//!
//! Each is as small as the guest needs: one folder, two writable files, a clock that stands
//! still, randomness that is all zeros (circom's output does not depend on it).

use std::io::SeekFrom;

use wasmtime::{Caller, Extern, Linker};

use super::errno::Errno;
use super::files::Stat;
use super::guest::{Fault, Guest, ROOT};
use super::memory::GuestMemory;
use super::stop::Stop;

const MODULE: &str = "wasi_snapshot_preview1";
const FILETYPE_DIRECTORY: u8 = 3;
const FILETYPE_REGULAR: u8 = 4;
const OFLAG_CREAT: u32 = 1;
const OFLAG_DIRECTORY: u32 = 2;
const OFLAG_TRUNC: u32 = 8;
const RIGHT_FD_WRITE: u64 = 64;
/// Name the guest sees for its folder.
const ROOT_NAME: &[u8] = b".";

/// Defines all functions.
pub(super) fn define(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    define_process(linker)?;
    define_descriptors(linker)?;
    define_transfers(linker)?;
    define_paths(linker)
}

type Answer = wasmtime::Result<u32>;

/// Runs a function body on the guest's memory and state, and turns its outcome into WASI's.
fn call(
    caller: &mut Caller<'_, Guest>,
    body: impl FnOnce(&mut GuestMemory<'_>, &mut Guest) -> Result<(), Fault>,
) -> Answer {
    let Some(Extern::Memory(memory)) = caller.get_export("memory") else {
        return Ok(Errno::FAULT.number());
    };
    let (bytes, guest) = memory.data_and_store_mut(caller);
    match body(&mut GuestMemory(bytes), guest) {
        Ok(()) => Ok(0),
        Err(Fault::Errno(errno)) => Ok(errno.number()),
        Err(Fault::Stop(stop)) => Err(wasmtime::Error::new(stop)),
    }
}

fn define_process(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.func_wrap(
        MODULE,
        "args_sizes_get",
        |mut caller: Caller<'_, Guest>, count: u32, bytes: u32| -> Answer {
            call(&mut caller, |memory, guest| {
                let size: usize = guest.arguments.iter().map(|one| one.len() + 1).sum();
                let size = u32::try_from(size).map_err(|_| Errno::FAULT)?;
                let number = u32::try_from(guest.arguments.len()).map_err(|_| Errno::FAULT)?;
                memory.put_u32(count, number)?;
                Ok(memory.put_u32(bytes, size)?)
            })
        },
    )?;
    linker.func_wrap(
        MODULE,
        "args_get",
        |mut caller: Caller<'_, Guest>, pointers: u32, buffer: u32| -> Answer {
            call(&mut caller, |memory, guest| {
                let (mut pointer, mut place) = (pointers, buffer);
                for argument in &guest.arguments {
                    memory.put_u32(pointer, place)?;
                    memory.put(place, argument.as_bytes())?;
                    let length = u32::try_from(argument.len()).map_err(|_| Errno::FAULT)?;
                    place = place.checked_add(length).ok_or(Errno::FAULT)?;
                    memory.put(place, &[0])?;
                    place = place.checked_add(1).ok_or(Errno::FAULT)?;
                    pointer = pointer.checked_add(4).ok_or(Errno::FAULT)?;
                }
                Ok(())
            })
        },
    )?;
    linker.func_wrap(
        MODULE,
        "environ_sizes_get",
        |mut caller: Caller<'_, Guest>, count: u32, bytes: u32| -> Answer {
            call(&mut caller, |memory, _| {
                memory.put_u32(count, 0)?;
                Ok(memory.put_u32(bytes, 0)?)
            })
        },
    )?;
    linker.func_wrap(MODULE, "environ_get", |_: u32, _: u32| -> u32 { 0 })?;
    linker.func_wrap(
        MODULE,
        "clock_time_get",
        |mut caller: Caller<'_, Guest>, _clock: u32, _precision: u64, time: u32| -> Answer {
            call(&mut caller, |memory, _| Ok(memory.put_u64(time, 0)?))
        },
    )?;
    linker.func_wrap(
        MODULE,
        "random_get",
        |mut caller: Caller<'_, Guest>, buffer: u32, length: u32| -> Answer {
            call(&mut caller, |memory, _| {
                memory.bytes_mut(buffer, length)?.fill(0);
                Ok(())
            })
        },
    )?;
    linker.func_wrap(MODULE, "proc_exit", |status: u32| -> wasmtime::Result<()> {
        Err(wasmtime::Error::new(Stop::Exit { status }))
    })?;
    Ok(())
}

fn define_descriptors(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.func_wrap(
        MODULE,
        "fd_prestat_get",
        |mut caller: Caller<'_, Guest>, descriptor: u32, result: u32| -> Answer {
            call(&mut caller, |memory, _| {
                if descriptor != ROOT {
                    return Err(Errno::BADF.into());
                }
                // A tag (0: folder) and the length of its name.
                memory.put_u32(result, 0)?;
                let length_address = result.checked_add(4).ok_or(Errno::FAULT)?;
                let length = u32::try_from(ROOT_NAME.len()).map_err(|_| Errno::FAULT)?;
                Ok(memory.put_u32(length_address, length)?)
            })
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_prestat_dir_name",
        |mut caller: Caller<'_, Guest>, descriptor: u32, name: u32, length: u32| -> Answer {
            call(&mut caller, |memory, _| {
                if descriptor != ROOT || usize::try_from(length) != Ok(ROOT_NAME.len()) {
                    return Err(Errno::INVAL.into());
                }
                Ok(memory.put(name, ROOT_NAME)?)
            })
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_close",
        |mut caller: Caller<'_, Guest>, descriptor: u32| -> Answer {
            call(&mut caller, |_, guest| Ok(guest.close(descriptor)?))
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_filestat_get",
        |mut caller: Caller<'_, Guest>, descriptor: u32, result: u32| -> Answer {
            call(&mut caller, |memory, guest| {
                Ok(put_stat(memory, result, guest.stat(descriptor)?)?)
            })
        },
    )?;
    Ok(())
}

fn define_transfers(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.func_wrap(
        MODULE,
        "fd_read",
        |mut caller: Caller<'_, Guest>,
         descriptor: u32,
         vectors: u32,
         count: u32,
         result: u32|
         -> Answer {
            call(&mut caller, |memory, guest| {
                let mut total = 0_u32;
                for index in 0..count {
                    let (address, length) = memory.buffer(vectors, index)?;
                    let read = guest.read(descriptor, memory.bytes_mut(address, length)?)?;
                    let read = u32::try_from(read).map_err(|_| Errno::FAULT)?;
                    total = total.checked_add(read).ok_or(Errno::FAULT)?;
                    if read < length {
                        break;
                    }
                }
                Ok(memory.put_u32(result, total)?)
            })
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_write",
        |mut caller: Caller<'_, Guest>,
         descriptor: u32,
         vectors: u32,
         count: u32,
         result: u32|
         -> Answer {
            call(&mut caller, |memory, guest| {
                let mut total = 0_u32;
                for index in 0..count {
                    let (address, length) = memory.buffer(vectors, index)?;
                    guest.write(descriptor, memory.bytes(address, length)?)?;
                    total = total.checked_add(length).ok_or(Errno::FAULT)?;
                }
                Ok(memory.put_u32(result, total)?)
            })
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_seek",
        |mut caller: Caller<'_, Guest>,
         descriptor: u32,
         offset: i64,
         whence: u32,
         result: u32|
         -> Answer {
            call(&mut caller, |memory, guest| {
                let to = match whence {
                    0 => SeekFrom::Start(u64::try_from(offset).map_err(|_| Errno::INVAL)?),
                    1 => SeekFrom::Current(offset),
                    2 => SeekFrom::End(offset),
                    _ => return Err(Errno::INVAL.into()),
                };
                let position = guest.seek(descriptor, to)?;
                Ok(memory.put_u64(result, position)?)
            })
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_readdir",
        |_: u32, _: u32, _: u32, _: u64, _: u32| -> u32 { Errno::NOTCAPABLE.number() },
    )?;
    Ok(())
}

fn define_paths(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.func_wrap(
        MODULE,
        "path_open",
        |mut caller: Caller<'_, Guest>,
         folder: u32,
         _lookup: u32,
         path: u32,
         length: u32,
         flags: u32,
         rights: u64,
         _inheriting: u64,
         _descriptor_flags: u32,
         result: u32|
         -> Answer {
            call(&mut caller, |memory, guest| {
                let writes =
                    flags & (OFLAG_CREAT | OFLAG_TRUNC) != 0 || rights & RIGHT_FD_WRITE != 0;
                let wants_folder = flags & OFLAG_DIRECTORY != 0;
                let path = Guest::path(memory, folder, path, length)?;
                let descriptor = guest.open_path(path, wants_folder, writes)?;
                Ok(memory.put_u32(result, descriptor)?)
            })
        },
    )?;
    linker.func_wrap(
        MODULE,
        "path_filestat_get",
        |mut caller: Caller<'_, Guest>,
         folder: u32,
         _flags: u32,
         path: u32,
         length: u32,
         result: u32|
         -> Answer {
            call(&mut caller, |memory, guest| {
                let stat = guest
                    .files
                    .stat(Guest::path(memory, folder, path, length)?)?;
                Ok(put_stat(memory, result, stat)?)
            })
        },
    )?;
    linker.func_wrap(
        MODULE,
        "path_create_directory",
        |mut caller: Caller<'_, Guest>, folder: u32, path: u32, length: u32| -> Answer {
            call(&mut caller, |memory, guest| {
                let path = Guest::path(memory, folder, path, length)?;
                Ok(guest.files.make_folder(path)?)
            })
        },
    )?;
    linker.func_wrap(
        MODULE,
        "path_unlink_file",
        |mut caller: Caller<'_, Guest>, folder: u32, path: u32, length: u32| -> Answer {
            call(&mut caller, |memory, guest| {
                let path = Guest::path(memory, folder, path, length)?;
                Ok(guest.files.remove(path)?)
            })
        },
    )?;
    // The outputs start empty: there is no folder to remove.
    linker.func_wrap(
        MODULE,
        "path_remove_directory",
        |_: u32, _: u32, _: u32| -> u32 { Errno::NOTCAPABLE.number() },
    )?;
    Ok(())
}

/// WASI's 64-byte file status: kind at 16, links at 24, size at 32; no times, no identity.
fn put_stat(memory: &mut GuestMemory<'_>, address: u32, stat: Stat) -> Result<(), Errno> {
    memory.put(address, &[0; 64])?;
    let at = |offset: u32| address.checked_add(offset).ok_or(Errno::FAULT);
    let kind = if stat.is_folder {
        FILETYPE_DIRECTORY
    } else {
        FILETYPE_REGULAR
    };
    memory.put(at(16)?, &[kind])?;
    memory.put_u64(at(24)?, 1)?;
    memory.put_u64(at(32)?, stat.size)
}
