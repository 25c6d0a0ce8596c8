//! whatever the order of commands, the machine goes where an independent model says.

use std::cell::RefCell;
use std::collections::BTreeSet;

use ceremony::{Ceremony, CeremonyError, CommandKind, Stage};
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};

use crate::world::{Flaw, IN_ORDER, boot, command, reach};

#[derive(Debug, Clone, Copy)]
enum Asked {
    /// The command that belongs to the stage, if one does.
    Next(Option<Flaw>),
    /// Any command.
    Any(CommandKind, Option<Flaw>),
    /// The work of a stage went wrong.
    Fail,
}

fn flaw() -> impl Strategy<Value = Option<Flaw>> {
    prop_oneof![
        3 => Just(None),
        1 => Just(Some(Flaw::Content)),
        1 => Just(Some(Flaw::Early)),
    ]
}

fn asked() -> impl Strategy<Value = Asked> {
    prop_oneof![
        40 => Just(Asked::Next(None)),
        2 => flaw().prop_map(Asked::Next),
        10 => ((0..IN_ORDER.len()), flaw())
            .prop_map(|(index, flaw)| Asked::Any(IN_ORDER[index].0, flaw)),
        1 => Just(Asked::Fail),
    ]
}

/// What must happen, told independently of the machine: the stage afterwards.
fn model(stage: Stage, kind: CommandKind, flaw: Option<Flaw>) -> Stage {
    use CommandKind as C;
    match (stage, kind, flaw) {
        // An input that is wrong once ends the ceremony.
        (Stage::Opened, C::CompileCircuit, Some(_))
        | (Stage::Compiled, C::CheckPhase1, Some(_))
        | (Stage::Phase1Ready, C::CheckInitialKey, Some(_))
        | (Stage::Contributed, C::AttestContribution, Some(_))
        | (Stage::Finalized, C::Seal, Some(Flaw::Content)) => Stage::Failed,
        // What only the right answer passes, and what can be asked again, moves nothing.
        (Stage::Booted, C::Open, Some(_))
        | (Stage::Committed, C::SubmitCertificates, Some(_))
        | (Stage::RoundAssigned, C::ApplyBeacon, Some(_))
        | (Stage::Finalized, C::Seal, Some(Flaw::Early)) => stage,
        (Stage::Booted, C::Open, None) => Stage::Opened,
        (Stage::Opened, C::CompileCircuit, None) => Stage::Compiled,
        (Stage::Compiled, C::CheckPhase1, None) => Stage::Phase1Ready,
        (Stage::Phase1Ready, C::CheckInitialKey, None) => Stage::InitialReady,
        (Stage::InitialReady, C::Contribute, _) => Stage::Contributed,
        (Stage::Contributed, C::AttestContribution, None) => Stage::Committed,
        (Stage::Committed, C::SubmitCertificates, None) => Stage::RoundAssigned,
        (Stage::RoundAssigned, C::ApplyBeacon, None) => Stage::Finalized,
        (Stage::Finalized, C::Seal, None) => Stage::Sealed,
        (same, _, _) => same,
    }
}

fn next_command(stage: Stage) -> Option<CommandKind> {
    IN_ORDER
        .into_iter()
        .map(|(kind, _)| kind)
        .find(|kind| Stage::before(*kind) == stage)
}

/// One order of commands; the stages it went through.
fn follow(orders: Vec<Asked>) -> Result<BTreeSet<Stage>, TestCaseError> {
    let mut ceremony = Ceremony::new(boot());
    let mut stages = BTreeSet::from([ceremony.stage()]);
    let mut receipts = 0;
    for asked in orders {
        let before = ceremony.stage();
        let (kind, flaw) = match asked {
            Asked::Fail => {
                ceremony = ceremony.fail("test", "asked to".to_owned());
                prop_assert_eq!(ceremony.stage(), Stage::Failed);
                continue;
            }
            Asked::Any(kind, flaw) => (kind, flaw),
            Asked::Next(flaw) => match next_command(before) {
                Some(kind) => (kind, flaw),
                None => break,
            },
        };
        let expected = model(before, kind, flaw);
        let asked = command(&ceremony, kind, flaw);
        let expects = ceremony.expects(kind).is_ok();
        let step = ceremony.advance(asked);
        ceremony = step.ceremony;
        prop_assert_eq!(ceremony.stage(), expected, "{:?} in {}", kind, before);
        stages.insert(expected);
        match step.outcome {
            Ok(reached) => {
                prop_assert!(expects);
                prop_assert_eq!(reached, expected);
                // Each stage leaves one receipt; the last two are about each other, so not both.
                receipts += usize::from(reached != Stage::Sealed);
                let opened = ceremony.opened().unwrap();
                prop_assert_eq!(opened.receipts().receipts().len(), receipts);
            }
            Err(CeremonyError::WrongStage { stage, command, .. }) => {
                prop_assert!(!expects);
                prop_assert_eq!(stage, before);
                prop_assert_eq!(command, kind);
                prop_assert_eq!(ceremony.stage(), before);
            }
            Err(error) => {
                prop_assert_eq!(error.ends_ceremony(), ceremony.stage() == Stage::Failed);
            }
        }
    }
    Ok(stages)
}

#[test]
fn r16_every_order_of_commands_follows_the_model() {
    let config = ProptestConfig {
        cases: 256,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let seen = RefCell::new(BTreeSet::new());
    TestRunner::new(config)
        .run(&prop::collection::vec(asked(), 0..30), |orders| {
            seen.borrow_mut().extend(follow(orders)?);
            Ok(())
        })
        .unwrap();
    // The orders led everywhere: a model that is never asked about a stage says nothing of it.
    let mut all: BTreeSet<Stage> = IN_ORDER.into_iter().map(|(_, stage)| stage).collect();
    all.extend([Stage::Booted, Stage::Failed]);
    assert_eq!(seen.into_inner(), all);
}

#[test]
fn every_command_names_the_stage_it_follows() {
    let stages: Vec<Stage> = IN_ORDER
        .into_iter()
        .map(|(kind, _)| Stage::before(kind))
        .collect();
    assert!(stages.is_sorted());
    let mut reached: Vec<Stage> = IN_ORDER.into_iter().map(|(_, stage)| stage).collect();
    reached.insert(0, Stage::Booted);
    for stage in reached {
        let ceremony = reach(stage);
        for (kind, _) in IN_ORDER {
            let right = ceremony.expects(kind).is_ok();
            assert_eq!(right, Stage::before(kind) == stage, "{kind} in {stage}");
        }
    }
}
