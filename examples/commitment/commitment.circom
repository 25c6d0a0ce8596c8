pragma circom 2.1.0;

// Knowledge of the value behind a public commitment. Small enough for a ceremony under emulation.

include "poseidon.circom";

template Commitment() {
    signal input value;
    signal input blinding;
    signal output commitment;

    commitment <== Poseidon(2)([value, blinding]);
}

component main = Commitment();
