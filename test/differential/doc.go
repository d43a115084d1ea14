// Package differential holds the two implementations of the draw against each
// other: chaincode/draw in Go and gateway/web/assets/draw.js, which was written
// from the definition alone. Its tests feed both the same random inputs, valid
// and broken, and compare every byte of the answers.
//
// It needs Node 20 or later on PATH and skips without it. An ordinary run makes
// 1,000 cases; STEELYARD_DIFFERENTIAL=10000 makes as many as it says, and
// STEELYARD_DIFFERENTIAL_SEED another sequence of them.
package differential
