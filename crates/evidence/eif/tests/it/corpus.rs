//! The committed corpus, and thousands of mutations of it: no panic, no hang.

use eif::RawEif;

fn corpus() -> Vec<(String, Vec<u8>)> {
    let folder = testkit::workspace_root().join("tests/vectors/eif");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn files_called_accepted_are_and_all_others_are_refused() {
    let files = corpus();
    let called_accepted = |name: &str| name.starts_with("accepted-");
    assert!(files.iter().any(|(name, _)| called_accepted(name)));
    assert!(files.iter().any(|(name, _)| !called_accepted(name)));
    for (name, file) in files {
        let accepted = RawEif(&file)
            .validate()
            .is_ok_and(|eif| eif.files().is_ok());
        assert_eq!(accepted, called_accepted(&name), "{name}");
    }
}

#[test]
fn mutations_neither_panic_nor_pass_unless_the_checksum_is_mended() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    for (name, file) in corpus() {
        for _ in 0..500 {
            let mut changed = file.clone();
            let at = next() % changed.len();
            changed[at] ^= 1 << (next() % 8);
            assert!(RawEif(&changed).validate().is_err(), "{name}, byte {at}");
            if changed.len() > 548 {
                let mended = crate::builder::with_checksum(changed);
                if let Ok(eif) = RawEif(&mended).validate() {
                    drop(eif.files());
                }
            }
            drop(RawEif(&file[..at]).validate().unwrap_err());
        }
    }
}
