pragma circom 2.1.0;

include "poseidon.circom";
include "mux1.circom";

// Root of a binary Merkle tree of Poseidon hashes, from a leaf and its siblings.
// directions[i] is 0 where the path comes from the left at level i, 1 where from the right.
template MerkleRoot(depth) {
    signal input leaf;
    signal input siblings[depth];
    signal input directions[depth];
    signal output root;

    signal nodes[depth + 1];
    nodes[0] <== leaf;
    for (var i = 0; i < depth; i++) {
        directions[i] * (1 - directions[i]) === 0;
        var pair[2] = MultiMux1(2)(
            [[nodes[i], siblings[i]], [siblings[i], nodes[i]]],
            directions[i]
        );
        nodes[i + 1] <== Poseidon(2)(pair);
    }
    root <== nodes[depth];
}
