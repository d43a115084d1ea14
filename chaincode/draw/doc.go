// Package draw is the draw DR-1: objects and inspectors drawn at random as a
// pure function of public data, so that anybody can recompute it.
//
// Everything here is arithmetic on integers and byte strings. There is no
// clock, no floating point, no map order, no goroutine and no Fabric, so every
// processor, peer and browser gives the same bytes; package parallel beneath
// this one spreads the same work over processors for the command line and the
// gateway, never for the contract.
//
// Compute is the whole function at once, from the input of `draw compute` to
// its output. Its parts stand alone for those who need only one:
//
//   - Directory, Inspectors, Ineligible: validated, sorted lists with their
//     RFC 6962 roots and proofs;
//   - Plan: the plan's canonical bytes, hash and quotas;
//   - Freeze, Commitment, Contribution, Seed, SealedSeed: the chain of hashes;
//   - Chain: the beacon's pinned parameters and the check of a signature;
//   - Survey and Selector: strata, tickets, thresholds and standby ranks over
//     a directory that is streamed, never sorted as a whole;
//   - Assign: inspectors to objects, with the ladder or the deficient set;
//   - CheckFeasible: the conservative check before the directories freeze;
//   - Post, Posting, Challenge, FindChallenge: a result by its roots, and what
//     refutes a wrong one (POSTING.md);
//   - Prove, Absence, Tiles, SealedLeaf: proofs for merchants and inspectors;
//   - Transcript and Verify: the check of a whole draw after the fact.
package draw
