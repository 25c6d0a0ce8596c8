use std::sync::Arc;
use std::time::Duration;

use formats::progress::NoProgress;
use formats::ptau::published::{self, PtauFamily, PublishedPtau};

use super::{PtauError, check, origins, smallest_sufficient};
use crate::job::PtauChoice;
use crate::story::{Config, EnclaveChoice};

fn file(family: PtauFamily, power: u32) -> &'static PublishedPtau {
    published::find(family, power).unwrap()
}

fn size(file: &PublishedPtau) -> usize {
    usize::try_from(file.size).unwrap()
}

#[test]
fn r11_the_smallest_sufficient_published_file_is_chosen() {
    for (family, needed, chosen) in [
        (PtauFamily::Hermez, 1, 8),
        (PtauFamily::Hermez, 8, 8),
        (PtauFamily::Hermez, 9, 9),
        (PtauFamily::Hermez, 28, 28),
        (PtauFamily::Ppot0080, 1, 1),
        (PtauFamily::Ppot0080, 20, 20),
    ] {
        assert_eq!(smallest_sufficient(family, needed).unwrap().power, chosen);
    }
    assert!(matches!(
        smallest_sufficient(PtauFamily::Hermez, 29),
        Err(PtauError::TooLarge {
            needed: 29,
            largest: 28
        })
    ));
}

/// Where a file is asked for, in order.
fn asked(mirror: bool, choice: &PtauChoice) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn cloud::ObjectStore> =
        Arc::new(cloud::FolderStore::open(folder.path()).unwrap());
    let config = Config {
        work: folder.path().into(),
        modules: folder.path().into(),
        enclave: EnclaveChoice::Start(folder.path().into()),
        ptau_cache: folder.path().into(),
        ptau_mirror: mirror.then_some(store),
        memory_bytes: 0,
        beacon_patience: Duration::ZERO,
    };
    let origins = origins(&config, choice, file(PtauFamily::Ppot0080, 5)).unwrap();
    origins.iter().map(ToString::to_string).collect()
}

#[test]
fn the_mirror_is_asked_first_then_the_publisher_then_the_user_s_mirror() {
    let published = file(PtauFamily::Ppot0080, 5).url;
    let mirror = "the mirror's ptau/ppot_0080_05.ptau";
    let own = PtauChoice::Url("https://mirror.example/{NN}.ptau".into());
    let user = "https://mirror.example/05.ptau";
    assert_eq!(asked(true, &PtauChoice::Published), [mirror, published]);
    assert_eq!(asked(true, &own), [mirror, published, user]);
    assert_eq!(asked(false, &PtauChoice::Published), [published]);
    // On one machine a user who names a mirror means that one.
    assert_eq!(asked(false, &own), [user]);
}

#[test]
fn r10_a_file_that_is_not_the_published_one_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let wanted = file(PtauFamily::Ppot0080, 5);
    let path = folder.path().join(wanted.file_name);

    std::fs::write(&path, vec![0; size(wanted)]).unwrap();
    assert!(matches!(
        check::published_file(&path, wanted, &NoProgress),
        Err(PtauError::Digest { .. })
    ));
    std::fs::write(&path, vec![0; size(wanted) - 1]).unwrap();
    let error = check::published_file(&path, wanted, &NoProgress).unwrap_err();
    let PtauError::Size {
        expected,
        got,
        reason,
        ..
    } = error
    else {
        panic!("{error}")
    };
    assert_eq!((expected, got), (wanted.size, wanted.size - 1));
    assert!(reason.is_some(), "it is not even a ptau");

    std::fs::write(&path, vec![0; size(file(PtauFamily::Ppot0080, 6))]).unwrap();
    let error = check::published_file(&path, wanted, &NoProgress).unwrap_err();
    let PtauError::OtherFile { looks_like, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(looks_like, "ppot_0080_06.ptau");
}

#[test]
fn a_real_published_file_is_taken() {
    for (name, family, power) in [
        (
            "ptau/powersOfTau28_hez_final_08.ptau",
            PtauFamily::Hermez,
            8,
        ),
        ("ptau/ppot_0080_11.ptau", PtauFamily::Ppot0080, 11),
    ] {
        let Some(path) = testkit::shared_data(name) else {
            continue;
        };
        check::published_file(&path, file(family, power), &NoProgress).unwrap();
    }
}
