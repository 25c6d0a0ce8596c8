//! The guest's file system: the bundle to read, two files to write, nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};

use manifest::sources::SourceBundle;

use super::errno::Errno;
use super::stop::Stop;
use crate::Output;

/// The guest's folder for outputs. No source path can hold a colon, so it collides with none.
pub(super) const OUTPUT_FOLDER: &str = "out:";

/// Where a guest path leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A source file, by its path in the bundle.
    Source(String),
    /// A folder of sources, or the root.
    SourceFolder,
    /// The output folder, or the folder in it that holds the witness wasm.
    OutputFolder,
    /// One of the two outputs.
    Output(Output),
    /// The text form of the witness wasm, which circom writes, reads back and removes.
    Scratch,
    /// A helper script that circom writes beside the witness wasm and nobody wants.
    Unwanted,
}

/// One output file and how far it has grown.
struct Sink {
    file: BufWriter<File>,
    length: u64,
    position: u64,
    written: bool,
}

/// All the guest can see.
pub(super) struct Files {
    sources: BTreeMap<String, Vec<u8>>,
    folders: BTreeSet<String>,
    stem: String,
    wasm_folder_made: bool,
    r1cs: Sink,
    wasm: Sink,
    scratch: Vec<u8>,
    output_limit: u64,
}

impl Files {
    pub(super) fn new(bundle: &SourceBundle, r1cs: File, wasm: File, output_limit: u64) -> Self {
        let mut folders = BTreeSet::from([String::new()]);
        let mut sources = BTreeMap::new();
        for file in bundle.files() {
            let path = file.path().as_str();
            for (end, _) in path.match_indices('/') {
                folders.insert(path.get(..end).unwrap_or_default().to_owned());
            }
            sources.insert(path.to_owned(), file.content().to_vec());
        }
        Self {
            sources,
            folders,
            stem: stem(bundle.main().file_name()).to_owned(),
            wasm_folder_made: false,
            r1cs: Sink::new(r1cs),
            wasm: Sink::new(wasm),
            scratch: Vec::new(),
            output_limit,
        }
    }

    /// Resolves a guest path by its letters alone. `..` beyond the root is refused.
    pub(super) fn resolve(&self, path: &[u8]) -> Result<Place, Errno> {
        let text = std::str::from_utf8(path).map_err(|_| Errno::INVAL)?;
        let mut components: Vec<&str> = Vec::new();
        if text.starts_with('/') || text.contains('\0') {
            return Err(Errno::NOTCAPABLE);
        }
        for component in text.split('/') {
            match component {
                "" | "." => {}
                ".." => {
                    components.pop().ok_or(Errno::NOTCAPABLE)?;
                }
                other => components.push(other),
            }
        }
        if let Some((&OUTPUT_FOLDER, inside)) = components.split_first() {
            return self.resolve_output(inside);
        }
        let path = components.join("/");
        if self.sources.contains_key(&path) {
            Ok(Place::Source(path))
        } else if self.folders.contains(&path) {
            Ok(Place::SourceFolder)
        } else {
            Err(Errno::NOENT)
        }
    }

    fn resolve_output(&self, inside: &[&str]) -> Result<Place, Errno> {
        let r1cs = format!("{}.r1cs", self.stem);
        let folder = format!("{}_js", self.stem);
        let wasm = format!("{}.wasm", self.stem);
        let text = format!("{}.wat", self.stem);
        match inside {
            [] => Ok(Place::OutputFolder),
            [name] if *name == r1cs => Ok(Place::Output(Output::R1cs)),
            [name] if *name == folder => Ok(Place::OutputFolder),
            [parent, name] if *parent == folder && *name == wasm => Ok(Place::Output(Output::Wasm)),
            [parent, name] if *parent == folder && *name == text => Ok(Place::Scratch),
            [parent, "generate_witness.js" | "witness_calculator.js"] if *parent == folder => {
                Ok(Place::Unwanted)
            }
            _ => Err(Errno::NOTCAPABLE),
        }
    }

    /// Size and kind of what a path leads to, where there is something.
    pub(super) fn stat(&self, path: &[u8]) -> Result<Stat, Errno> {
        match self.resolve(path)? {
            Place::Source(path) => Ok(Stat::file(self.source_length(&path))),
            Place::SourceFolder => Ok(Stat::folder()),
            Place::OutputFolder if self.output_folder_exists(path) => Ok(Stat::folder()),
            Place::Output(output) if self.sink(output).written => {
                Ok(Stat::file(self.sink(output).length))
            }
            Place::Scratch if !self.scratch.is_empty() => Ok(Stat::file(self.scratch_length())),
            Place::OutputFolder | Place::Output(_) | Place::Scratch | Place::Unwanted => {
                Err(Errno::NOENT)
            }
        }
    }

    fn output_folder_exists(&self, path: &[u8]) -> bool {
        self.wasm_folder_made || !path.ends_with(b"_js")
    }

    /// Makes the folder of the witness wasm, the only one that may be made.
    pub(super) fn make_folder(&mut self, path: &[u8]) -> Result<(), Errno> {
        match self.resolve(path)? {
            Place::OutputFolder if !self.output_folder_exists(path) => {
                self.wasm_folder_made = true;
                Ok(())
            }
            Place::OutputFolder => Err(Errno::EXIST),
            _ => Err(Errno::NOTCAPABLE),
        }
    }

    /// Removes the scratch file, the only one that may be removed.
    pub(super) fn remove(&mut self, path: &[u8]) -> Result<(), Errno> {
        match self.resolve(path)? {
            Place::Scratch => {
                self.scratch = Vec::new();
                Ok(())
            }
            _ => Err(Errno::NOTCAPABLE),
        }
    }

    /// Starts the scratch file anew.
    pub(super) fn clear_scratch(&mut self) {
        self.scratch.clear();
    }

    /// Appends to the scratch file, as far as its limit: the largest memory a guest can have, since
    /// it reads the file back into that.
    pub(super) fn write_scratch(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        let length = self.scratch.len().saturating_add(bytes.len());
        if u32::try_from(length).is_err() {
            return Err(Stop::OutputTooLarge {
                output: Output::Wasm,
            });
        }
        self.scratch.extend_from_slice(bytes);
        Ok(())
    }

    /// Bytes of the scratch file from a position on.
    pub(super) fn scratch(&self, position: u64) -> &[u8] {
        let start = usize::try_from(position).unwrap_or(usize::MAX);
        self.scratch.get(start..).unwrap_or_default()
    }

    /// Length of the scratch file in bytes.
    pub(super) fn scratch_length(&self) -> u64 {
        u64::try_from(self.scratch.len()).unwrap_or(u64::MAX)
    }

    /// Bytes of a source file from a position on.
    pub(super) fn source(&self, path: &str, position: u64) -> &[u8] {
        let start = usize::try_from(position).unwrap_or(usize::MAX);
        self.sources
            .get(path)
            .and_then(|content| content.get(start..))
            .unwrap_or_default()
    }

    /// Length of a source file in bytes.
    pub(super) fn source_length(&self, path: &str) -> u64 {
        self.sources
            .get(path)
            .and_then(|content| u64::try_from(content.len()).ok())
            .unwrap_or(0)
    }

    /// Starts an output anew.
    pub(super) fn truncate(&mut self, output: Output) -> Result<(), Stop> {
        let sink = self.sink_mut(output);
        sink.restart()
            .map_err(|source| Stop::OutputIo { output, source })
    }

    /// Writes at an output's position.
    pub(super) fn write(&mut self, output: Output, bytes: &[u8]) -> Result<(), Stop> {
        let limit = self.output_limit;
        let sink = self.sink_mut(output);
        let end = u64::try_from(bytes.len())
            .ok()
            .and_then(|length| sink.position.checked_add(length))
            .filter(|end| *end <= limit)
            .ok_or(Stop::OutputTooLarge { output })?;
        sink.file
            .write_all(bytes)
            .map_err(|source| Stop::OutputIo { output, source })?;
        sink.position = end;
        sink.length = sink.length.max(end);
        Ok(())
    }

    /// Moves an output's position; never beyond its limit.
    pub(super) fn seek(
        &mut self,
        output: Output,
        to: SeekFrom,
    ) -> Result<Result<u64, Errno>, Stop> {
        let limit = self.output_limit;
        let sink = self.sink_mut(output);
        let target = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(by) => sink.position.checked_add_signed(by),
            SeekFrom::End(by) => sink.length.checked_add_signed(by),
        };
        let Some(target) = target else {
            return Ok(Err(Errno::INVAL));
        };
        if target > limit {
            return Err(Stop::OutputTooLarge { output });
        }
        if target != sink.position {
            sink.file
                .seek(SeekFrom::Start(target))
                .map_err(|source| Stop::OutputIo { output, source })?;
            sink.position = target;
        }
        Ok(Ok(target))
    }

    /// Flushes both outputs and says whether each was written.
    pub(super) fn finish(&mut self) -> Result<[bool; 2], Stop> {
        for output in [Output::R1cs, Output::Wasm] {
            self.sink_mut(output)
                .file
                .flush()
                .map_err(|source| Stop::OutputIo { output, source })?;
        }
        Ok([self.r1cs.written, self.wasm.written])
    }

    /// Length of an output in bytes.
    pub(super) fn output_length(&self, output: Output) -> u64 {
        self.sink(output).length
    }

    fn sink(&self, output: Output) -> &Sink {
        match output {
            Output::R1cs => &self.r1cs,
            Output::Wasm => &self.wasm,
        }
    }

    fn sink_mut(&mut self, output: Output) -> &mut Sink {
        match output {
            Output::R1cs => &mut self.r1cs,
            Output::Wasm => &mut self.wasm,
        }
    }
}

impl Sink {
    fn new(file: File) -> Self {
        Self {
            file: BufWriter::with_capacity(1 << 18, file),
            length: 0,
            position: 0,
            written: false,
        }
    }

    fn restart(&mut self) -> std::io::Result<()> {
        self.file.flush()?;
        self.file.get_ref().set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.length = 0;
        self.position = 0;
        self.written = true;
        Ok(())
    }
}

/// What WASI wants to know of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) is_folder: bool,
    pub(super) size: u64,
}

impl Stat {
    pub(super) fn file(size: u64) -> Self {
        Self {
            is_folder: false,
            size,
        }
    }

    pub(super) fn folder() -> Self {
        Self {
            is_folder: true,
            size: 0,
        }
    }
}

/// A file name without its last extension, as circom names its outputs.
fn stem(name: &str) -> &str {
    match name.rfind('.') {
        Some(end) if end > 0 => name.get(..end).unwrap_or(name),
        _ => name,
    }
}
