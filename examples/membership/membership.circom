pragma circom 2.1.0;

// An anonymous vote: the prover knows the secret behind one leaf of a Merkle tree of members, and
// reveals a nullifier that is the same for every vote of that member in the same poll.
//
//   leaf      = Poseidon(secret)
//   root      = Merkle root of the leaf and its siblings          (public output)
//   nullifier = Poseidon(secret, poll)                            (public output)
//   message   is bound to the proof and otherwise free            (public input)

include "poseidon.circom";
include "lib/merkle.circom";

template Membership(depth) {
    signal input secret;
    signal input siblings[depth];
    signal input directions[depth];
    signal input poll;
    signal input message;

    signal output root;
    signal output nullifier;

    signal leaf <== Poseidon(1)([secret]);
    root <== MerkleRoot(depth)(leaf, siblings, directions);
    nullifier <== Poseidon(2)([secret, poll]);

    // A square keeps the message in a constraint, so that a proof cannot be moved to another one.
    signal messageSquare <== message * message;
}

component main {public [poll, message]} = Membership(8);
