//! The guest's memory, read and written with every address checked.

use super::errno::Errno;

/// A view of the guest's linear memory.
pub(super) struct GuestMemory<'a>(pub(super) &'a mut [u8]);

impl GuestMemory<'_> {
    /// Bytes at an address.
    pub(super) fn bytes(&self, address: u32, length: u32) -> Result<&[u8], Errno> {
        let range = range(address, length)?;
        self.0.get(range).ok_or(Errno::FAULT)
    }

    /// Bytes at an address, to be written.
    pub(super) fn bytes_mut(&mut self, address: u32, length: u32) -> Result<&mut [u8], Errno> {
        let range = range(address, length)?;
        self.0.get_mut(range).ok_or(Errno::FAULT)
    }

    /// Copies bytes to an address.
    pub(super) fn put(&mut self, address: u32, bytes: &[u8]) -> Result<(), Errno> {
        let length = u32::try_from(bytes.len()).map_err(|_| Errno::FAULT)?;
        self.bytes_mut(address, length)?.copy_from_slice(bytes);
        Ok(())
    }

    pub(super) fn put_u32(&mut self, address: u32, value: u32) -> Result<(), Errno> {
        self.put(address, &value.to_le_bytes())
    }

    pub(super) fn put_u64(&mut self, address: u32, value: u64) -> Result<(), Errno> {
        self.put(address, &value.to_le_bytes())
    }

    fn u32_at(&self, address: u32) -> Result<u32, Errno> {
        let bytes = self.bytes(address, 4)?;
        let bytes = <[u8; 4]>::try_from(bytes).map_err(|_| Errno::FAULT)?;
        Ok(u32::from_le_bytes(bytes))
    }

    /// The `index`-th (address, length) pair of a vector of buffers.
    pub(super) fn buffer(&self, vectors: u32, index: u32) -> Result<(u32, u32), Errno> {
        let offset = index.checked_mul(8).ok_or(Errno::FAULT)?;
        let address = vectors.checked_add(offset).ok_or(Errno::FAULT)?;
        let length_address = address.checked_add(4).ok_or(Errno::FAULT)?;
        Ok((self.u32_at(address)?, self.u32_at(length_address)?))
    }
}

fn range(address: u32, length: u32) -> Result<std::ops::Range<usize>, Errno> {
    let start = usize::try_from(address).map_err(|_| Errno::FAULT)?;
    let length = usize::try_from(length).map_err(|_| Errno::FAULT)?;
    let end = start.checked_add(length).ok_or(Errno::FAULT)?;
    Ok(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_outside_are_faults() {
        let mut bytes = [0_u8; 16];
        let mut memory = GuestMemory(&mut bytes);
        assert!(memory.bytes(0, 16).is_ok());
        assert_eq!(memory.bytes(0, 17), Err(Errno::FAULT));
        assert_eq!(memory.bytes(u32::MAX, u32::MAX), Err(Errno::FAULT));
        assert_eq!(memory.put_u64(9, 0), Err(Errno::FAULT));
        assert_eq!(memory.put_u32(12, 7), Ok(()));
        assert_eq!(memory.u32_at(12), Ok(7));
        assert_eq!(memory.buffer(0, u32::MAX), Err(Errno::FAULT));
        assert_eq!(memory.buffer(8, 0), Ok((0, 7)));
    }
}
