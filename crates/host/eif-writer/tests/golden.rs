//! Byte for byte what `eif_build` 0.2.1 writes. `scripts/eif-golden` makes the golden files again.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;

use eif::{EifError, RawEif};
use eif_writer::{BuildMetadata, FileList, ImageMetadata, ramdisk};

fn golden(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    std::fs::read(folder.join(name)).unwrap()
}

fn made_by_eif_build(name: &str) -> Vec<u8> {
    let folder = testkit::workspace_root().join("tests/vectors/eif");
    std::fs::read(folder.join(name)).unwrap()
}

/// What `eif_build` says about itself; it writes its image's name where the version belongs.
fn metadata() -> ImageMetadata {
    ImageMetadata {
        image_name: "golden".into(),
        image_version: "golden".into(),
        build_metadata: BuildMetadata {
            build_time: "1970-01-01T00:00:00+00:00".into(),
            build_tool: "eif_build".into(),
            build_tool_version: "0.2.1".into(),
            operating_system: "none".into(),
            kernel_version: "none".into(),
        },
        docker_info: (),
        custom_metadata: serde_json::Value::Null,
    }
}

#[test]
fn the_image_is_that_of_eif_build() {
    let command_line = String::from_utf8(golden("cmdline")).unwrap();
    let image = eif_writer::write(
        &golden("kernel"),
        command_line.trim_end(),
        &metadata(),
        &golden("ramdisk.cpio.gz"),
    )
    .unwrap();
    assert!(image == made_by_eif_build("accepted-eif_build-0.2.1.eif"));
}

#[test]
fn the_pcrs_are_those_of_eif_build() {
    let measured: serde_json::Value = serde_json::from_slice(&golden("measurements.json")).unwrap();
    let file = made_by_eif_build("accepted-eif_build-0.2.1.eif");
    let pcrs = RawEif(&file).validate().unwrap().pcrs();
    for (index, value) in pcrs.numbered() {
        let name = format!("PCR{index}");
        assert_eq!(measured.get(&name).unwrap(), &hex::encode(value), "{name}");
    }
}

#[test]
fn two_ramdisks_are_refused() {
    let file = made_by_eif_build("eif_section_count-eif_build-0.2.1-two-ramdisks.eif");
    assert_eq!(
        RawEif(&file).validate().unwrap_err(),
        EifError::SectionCount { got: 5 }
    );
}

#[test]
fn the_ramdisk_is_made_again_byte_for_byte() {
    let list = "dir 0755 dev\nchar 0600 dev/console 5 1\nfile 0755 init\n";
    let archive = ramdisk::archive(&FileList::parse(list).unwrap(), |_| Ok(b"program".to_vec()));
    assert!(ramdisk::gzip(&archive.unwrap()) == golden("ramdisk.cpio.gz"));
}
