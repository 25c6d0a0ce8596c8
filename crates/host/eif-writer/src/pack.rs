//! The EIF itself: header, then kernel, command line, metadata and ramdisk.

use eif::layout::{
    CRC_AT, HEADER_LEN, MAGIC, MAX_SECTIONS, SECTION_HEADER_LEN, SectionType, VERSION,
};
use serde::Serialize;

/// What `eif_build` suggests to whoever starts the enclave; nobody has to follow it.
const MEMORY_BYTES: u64 = 1 << 30;
const PROCESSORS: u64 = 2;

/// Why an image cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The metadata cannot be written as JSON.
    #[error("metadata")]
    Metadata(#[from] serde_json::Error),
    /// A size that no field holds.
    #[error("section of {bytes} bytes is too large")]
    TooLarge {
        /// Size of the section.
        bytes: usize,
    },
    /// What came out is not what the strict parser accepts: an input is wrong.
    #[error("the image would not be accepted")]
    Refused(#[from] eif::EifError),
}

/// The metadata section, with `eif_build`'s fields in its order. It is in no PCR.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ImageMetadata {
    /// Name of the image.
    pub image_name: String,
    /// Its version.
    pub image_version: String,
    /// How it was built.
    pub build_metadata: BuildMetadata,
    /// `null`: no container is involved.
    pub docker_info: (),
    /// Anything else, `null` for nothing.
    pub custom_metadata: serde_json::Value,
}

/// How an image was built.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct BuildMetadata {
    /// A time, fixed for reproducible images.
    pub build_time: String,
    /// The program that packed it.
    pub build_tool: String,
    /// The program's version.
    pub build_tool_version: String,
    /// The operating system inside.
    pub operating_system: String,
    /// The kernel inside.
    pub kernel_version: String,
}

/// The bytes of an image. They have passed the strict parser.
///
/// # Errors
/// [`WriteError::Refused`] where the parser would refuse the result, for example because `ramdisk` is
/// not one gzip member.
pub fn write(
    kernel: &[u8],
    command_line: &str,
    metadata: &ImageMetadata,
    ramdisk: &[u8],
) -> Result<Vec<u8>, WriteError> {
    let metadata = serde_json::to_vec(metadata)?;
    let sections = [
        (SectionType::Kernel, kernel),
        (SectionType::CommandLine, command_line.as_bytes()),
        (SectionType::Metadata, metadata.as_slice()),
        (SectionType::Ramdisk, ramdisk),
    ];
    let mut image = header(&sections)?;
    for (kind, contents) in sections {
        image.extend(kind.number().to_be_bytes());
        image.extend(0_u16.to_be_bytes());
        image.extend(size(contents)?.to_be_bytes());
        image.extend(contents);
    }
    let mut crc = crc32fast::Hasher::new();
    crc.update(image.get(..CRC_AT).unwrap_or_default());
    crc.update(image.get(HEADER_LEN..).unwrap_or_default());
    for (place, byte) in image
        .iter_mut()
        .skip(CRC_AT)
        .zip(crc.finalize().to_be_bytes())
    {
        *place = byte;
    }
    eif::RawEif(&image).validate()?;
    Ok(image)
}

/// The header, its CRC still zero.
fn header(sections: &[(SectionType, &[u8]); 4]) -> Result<Vec<u8>, WriteError> {
    let mut offsets = [0_u64; MAX_SECTIONS];
    let mut sizes = [0_u64; MAX_SECTIONS];
    let mut at = HEADER_LEN;
    for ((offset, size_field), (_, contents)) in offsets.iter_mut().zip(&mut sizes).zip(sections) {
        let bytes = contents.len();
        *offset = u64::try_from(at).map_err(|_| WriteError::TooLarge { bytes })?;
        *size_field = size(contents)?;
        at = at
            .checked_add(SECTION_HEADER_LEN)
            .and_then(|at| at.checked_add(bytes))
            .ok_or(WriteError::TooLarge { bytes })?;
    }
    let mut header = Vec::with_capacity(at);
    header.extend(MAGIC);
    header.extend(VERSION.to_be_bytes());
    header.extend(0_u16.to_be_bytes());
    header.extend(MEMORY_BYTES.to_be_bytes());
    header.extend(PROCESSORS.to_be_bytes());
    header.extend(0_u16.to_be_bytes());
    header.extend(4_u16.to_be_bytes());
    header.extend(offsets.iter().flat_map(|offset| offset.to_be_bytes()));
    header.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
    header.extend([0; 8]);
    Ok(header)
}

fn size(contents: &[u8]) -> Result<u64, WriteError> {
    u64::try_from(contents.len()).map_err(|_| WriteError::TooLarge {
        bytes: contents.len(),
    })
}
