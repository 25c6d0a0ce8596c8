//! The kernel's command line as the image was built with it.
//!
//! Bytes can be moved between the kernel and the command line of an image without changing a PCR, so
//! the measurement alone does not say what the kernel was told. Nothing that counts for security stands
//! there; it is compared all the same.

/// What the image's command line section holds (`enclave-image/cmdline`).
const IMAGE: &str = include_str!("../../../../../enclave-image/cmdline");

/// What our kernel puts before it, compiled in by `enclave-image/kernel.config`. A kernel of someone
/// else's (`scripts/image --kernel`) does not.
const BUILT_IN: &str = "random.trust_cpu=off random.trust_bootloader=off ";

/// Devices that a hypervisor announces behind it: `virtio_mmio.device=SIZE@ADDRESS:INTERRUPT`.
const DEVICE: &str = "virtio_mmio.device=";

/// The device words behind what the image was built with; `None` if `seen` (the contents of
/// `/proc/cmdline`) is anything but that, with nothing but device words added at its end.
pub fn added(seen: &str) -> Option<&str> {
    let seen = seen.strip_suffix('\n').unwrap_or(seen);
    let seen = seen.strip_prefix(BUILT_IN).unwrap_or(seen);
    let added = seen.strip_prefix(IMAGE.trim_end())?;
    let devices = added.is_empty() || (added.starts_with(' ') && added.split(' ').all(is_device));
    devices.then(|| added.trim())
}

fn is_device(word: &str) -> bool {
    word.is_empty()
        || word.strip_prefix(DEVICE).is_some_and(|value| {
            value
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'@' | b':'))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_as_built(seen: &str) -> bool {
        added(seen).is_some()
    }

    fn built() -> String {
        format!("{BUILT_IN}{}", IMAGE.trim_end())
    }

    #[test]
    fn as_built_with_devices() {
        let with = |end: &str| format!("{}{end}", built());
        assert!(is_as_built(&with("\n")));
        assert!(is_as_built(&with(
            " virtio_mmio.device=4K@0xd0000000:5 virtio_mmio.device=512@0xfeb00e00:12\n"
        )));
        assert!(is_as_built(&with(
            "  virtio_mmio.device=512@0xfeb00e00:12\n"
        )));
        assert!(is_as_built(IMAGE), "the kernel of someone else");
        let device = "virtio_mmio.device=4K@0xd0000000:5";
        assert_eq!(added(&with(&format!(" {device}\n"))), Some(device));
        assert_eq!(added(&with("\n")), Some(""));
    }

    #[test]
    fn r1_every_other_command_line_is_refused() {
        let built = built();
        let (_, cut) = IMAGE.split_once(' ').unwrap();
        for other in [
            String::new(),
            format!("{BUILT_IN}{cut}"),
            cut.to_owned(),
            format!("{built} quiet"),
            format!("{built} init=/sh"),
            format!("{built}x"),
            format!("quiet {built}"),
            format!("{built} virtio_mmio.device=a\tinit=/sh"),
            format!("{built} virtio_mmio.device=4K@0xd0000000:5 quiet"),
            built.replace("pci=off", "pci=on"),
        ] {
            assert!(!is_as_built(&other), "{other}");
        }
    }

    #[test]
    fn the_kernel_s_part_is_what_its_configuration_says() {
        let config = include_str!("../../../../../enclave-image/kernel.config");
        let line = format!("CONFIG_CMDLINE=\"{}\"", BUILT_IN.trim_end());
        assert!(config.lines().any(|text| text == line));
    }
}
