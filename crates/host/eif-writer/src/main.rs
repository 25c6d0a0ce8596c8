//! The `eif-writer` program: packs the enclave image from files that are already built.
//!
//! `scripts/image` calls it. It says what it packed as JSON, for `enclave-image/pcrs.json`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use eif_writer::{BuildMetadata, FileList, ImageMetadata, ramdisk};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Makes enclave image files
#[derive(Debug, Parser)]
#[command(name = "eif-writer", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a ramdisk: one gzip member holding one cpio archive
    Ramdisk {
        /// List of the ramdisk's entries (enclave-image/files.txt)
        #[arg(long, value_name = "FILE")]
        list: PathBuf,
        /// Contents of a listed file
        #[arg(long = "file", value_name = "PATH=FILE", value_parser = named_file)]
        files: Vec<(String, PathBuf)>,
        /// Where to write it
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Make the image, and print its PCRs and digests as JSON
    Pack(PackArgs),
    /// Compare what an image's ramdisk holds with the list
    Compare {
        /// List of the ramdisk's entries (enclave-image/files.txt)
        #[arg(long, value_name = "FILE")]
        list: PathBuf,
        /// The image
        #[arg(long, value_name = "FILE")]
        image: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
struct PackArgs {
    /// The kernel, a bzImage
    #[arg(long, value_name = "FILE")]
    kernel: PathBuf,
    /// File with the kernel's command line, one line
    #[arg(long, value_name = "FILE")]
    cmdline: PathBuf,
    /// The ramdisk
    #[arg(long, value_name = "FILE")]
    ramdisk: PathBuf,
    /// Name of the image, in no PCR
    #[arg(long, value_name = "TEXT")]
    name: String,
    /// Version of the image, in no PCR
    #[arg(long, value_name = "TEXT")]
    image_version: String,
    /// What to call the kernel, in no PCR
    #[arg(long, value_name = "TEXT")]
    kernel_version: String,
    /// What to call the operating system, in no PCR
    #[arg(long, value_name = "TEXT")]
    system: String,
    /// Fixed build time, in no PCR
    #[arg(long, value_name = "TEXT", default_value = "1970-01-01T00:00:00+00:00")]
    build_time: String,
    /// Name of the packing program, in no PCR
    #[arg(long, value_name = "TEXT", default_value = env!("CARGO_PKG_NAME"))]
    build_tool: String,
    /// Version of the packing program, in no PCR
    #[arg(long, value_name = "TEXT", default_value = env!("CARGO_PKG_VERSION"))]
    build_tool_version: String,
    /// Where to write it
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// What `pack` prints.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Packed {
    eif_sha256: String,
    eif_bytes: usize,
    kernel_sha256: String,
    command_line: String,
    ramdisk_sha256: String,
    files: Vec<String>,
    measurements: BTreeMap<String, String>,
}

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Ramdisk { list, files, out } => make_ramdisk(&list, files, &out),
        Command::Pack(args) => pack(&args),
        Command::Compare { list, image } => compare(&list, &image),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let causes = std::iter::successors(error.source(), |error| error.source());
            let text = causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"));
            anstream::eprintln!("error: {text}");
            ExitCode::FAILURE
        }
    }
}

fn make_ramdisk(list: &Path, files: Vec<(String, PathBuf)>, out: &Path) -> Result<(), Failure> {
    let list = FileList::parse(&String::from_utf8(read(list)?)?)?;
    let mut files: BTreeMap<String, PathBuf> = files.into_iter().collect();
    let archive = ramdisk::archive(&list, |path| {
        let file = files.remove(path).ok_or(io::ErrorKind::NotFound)?;
        fs::read(file)
    })?;
    if let Some(path) = files.keys().next() {
        return Err(format!("{path} is given but not in the list").into());
    }
    fs::write(out, ramdisk::gzip(&archive)).map_err(|error| failed(out, &error))
}

fn pack(args: &PackArgs) -> Result<(), Failure> {
    let kernel = read(&args.kernel)?;
    let ramdisk = read(&args.ramdisk)?;
    let text = String::from_utf8(read(&args.cmdline)?)?;
    let command_line = text.strip_suffix('\n').unwrap_or(&text);
    let metadata = ImageMetadata {
        image_name: args.name.clone(),
        image_version: args.image_version.clone(),
        build_metadata: BuildMetadata {
            build_time: args.build_time.clone(),
            build_tool: args.build_tool.clone(),
            build_tool_version: args.build_tool_version.clone(),
            operating_system: args.system.clone(),
            kernel_version: args.kernel_version.clone(),
        },
        docker_info: (),
        custom_metadata: serde_json::Value::Null,
    };
    let image = eif_writer::write(&kernel, command_line, &metadata, &ramdisk)?;
    let parsed = eif::RawEif(&image).validate()?;
    let packed = Packed {
        eif_sha256: sha256(&image),
        eif_bytes: image.len(),
        kernel_sha256: sha256(&kernel),
        command_line: command_line.to_owned(),
        ramdisk_sha256: sha256(&ramdisk),
        files: parsed.files()?.iter().map(ToString::to_string).collect(),
        measurements: parsed
            .pcrs()
            .numbered()
            .into_iter()
            .map(|(index, value)| (format!("PCR{index}"), hex::encode(value)))
            .collect(),
    };
    fs::write(&args.out, &image).map_err(|error| failed(&args.out, &error))?;
    anstream::println!("{}", serde_json::to_string_pretty(&packed)?);
    Ok(())
}

fn compare(list: &Path, image: &Path) -> Result<(), Failure> {
    let entries = FileList::parse(&String::from_utf8(read(list)?)?)?;
    let bytes = read(image)?;
    let found = eif::RawEif(&bytes).validate()?.files()?;
    entries.compare(&found).map_err(|differences| {
        format!(
            "{} does not hold what {} lists:\n{differences}",
            image.display(),
            list.display()
        )
    })?;
    anstream::println!("{}: {} entries, as listed", image.display(), found.len());
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| failed(path, &error))
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    format!("{}: {error}", path.display()).into()
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn named_file(text: &str) -> Result<(String, PathBuf), String> {
    text.split_once('=')
        .map(|(path, file)| (path.to_owned(), file.into()))
        .ok_or_else(|| "expected PATH=FILE".into())
}
