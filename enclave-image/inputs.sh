# shellcheck shell=bash disable=SC2034
# Every input of the enclave image that is not in this repository. scripts/image refuses others.
# The Rust crates are pinned by Cargo.lock, the Rust compiler by rust-toolchain.toml, the circom and solc
# modules by package-lock.json and once more by the digests compiled into the crates that run them.

# Kernel: Debian's source package. The digest is of the tar.xz inside it.
KERNEL_PACKAGE=linux-source-6.12
KERNEL_PACKAGE_VERSION=6.12.117-1~deb12u1
KERNEL_SOURCE_SHA256=585a4a074597aefa2b1a68ada83a3184ba351c127544dea80618bbcceaa3961f
KERNEL_NAME=6.12.117-ceremony

# What compiles the kernel and what is linked into the agent (the C library's static archive).
DEBIAN_PACKAGES=(
  gcc-12=12.2.0-14+deb12u1
  binutils=2.40-2
  libc6-dev=2.36-9+deb12u14
)

# Emulator: not part of any image, pinned all the same.
QEMU_SUITE=trixie
QEMU_VERSION=10.0.13
QEMU_SOURCE_SHA256=6a0888e806c2ffc0c5f0733e974f9aea55491950d3c47c98669c8b236dde59ae
MESON_VERSION=1.7.0
PYCOTAP_VERSION=1.3.1
VHOST_DEVICE_VSOCK_VERSION=0.3.0
