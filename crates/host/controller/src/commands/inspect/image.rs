//! An enclave image.

use eif::{EifError, KernelBoundary, RawEif};
use sha2::{Digest, Sha256};

use super::Findings;
use crate::checklist::Outcome;
use crate::exit::Exit;

pub(super) fn inspect(bytes: &[u8], findings: &mut Findings<'_>) -> Exit {
    findings.fact("file", "enclave image");
    let title = "one kernel, one command line, one gzip ramdisk, and nothing else";
    let image = match RawEif(bytes).validate() {
        Ok(image) => image,
        Err(error) => {
            findings.list.add("image-form", title, &failed(&error));
            return Exit::Success;
        }
    };
    findings.fact("sha256", hex::encode(Sha256::digest(bytes)));
    findings.fact("kernel", sized(image.kernel()));
    findings.fact("command line", image.command_line());
    findings.fact("ramdisk", sized(image.ramdisk()));
    if let Some(metadata) = image.unmeasured_metadata() {
        findings.fact("unmeasured metadata", String::from_utf8_lossy(metadata));
    }
    for (index, value) in image.pcrs().numbered() {
        findings.fact(&format!("PCR{index}"), hex::encode(value));
    }
    findings
        .list
        .add("image-form", title, &Outcome::Passed(String::new()));

    let title = "the kernel has the length that it says";
    let outcome = match image.kernel_boundary() {
        KernelBoundary::Declared => Outcome::Passed(String::new()),
        KernelBoundary::Unknown => Outcome::NotChecked("it is no bzImage".into()),
    };
    findings.list.add("image-kernel", title, &outcome);

    let title = "the ramdisk is one archive of distinct files";
    match image.files() {
        Ok(files) => {
            for file in &files {
                findings.fact("ramdisk file", file);
            }
            let count = format!("{} entries", files.len());
            findings
                .list
                .add("image-files", title, &Outcome::Passed(count));
        }
        Err(error) => findings.list.add("image-files", title, &failed(&error)),
    }
    Exit::Success
}

fn failed(error: &EifError) -> Outcome {
    Outcome::Failed(format!("[{}] {error}", error.code()))
}

fn sized(bytes: &[u8]) -> String {
    format!(
        "{} bytes, sha256 {}",
        bytes.len(),
        hex::encode(Sha256::digest(bytes))
    )
}
