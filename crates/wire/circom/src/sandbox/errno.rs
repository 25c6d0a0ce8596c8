//! Error numbers of `wasi_snapshot_preview1`.

/// An error number the guest gets back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Errno(u32);

impl Errno {
    pub(super) const BADF: Self = Self(8);
    pub(super) const EXIST: Self = Self(20);
    pub(super) const FAULT: Self = Self(21);
    pub(super) const INVAL: Self = Self(28);
    pub(super) const ISDIR: Self = Self(31);
    pub(super) const MFILE: Self = Self(33);
    pub(super) const NOENT: Self = Self(44);
    pub(super) const NOTDIR: Self = Self(54);
    pub(super) const ROFS: Self = Self(69);
    pub(super) const SPIPE: Self = Self(70);
    pub(super) const NOTCAPABLE: Self = Self(76);

    /// The number.
    pub(super) fn number(self) -> u32 {
        self.0
    }
}
