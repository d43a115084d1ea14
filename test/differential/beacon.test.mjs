// Unit tests of bls.js: vectors of RFC 9380 and of drand's quicknet, and bad points.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { bls, draw, quicknet } from './fixtures.mjs';

const key = draw.unhex(quicknet.chain.publicKey);
const signature = draw.unhex(quicknet.signature);
const P = BigInt('0x1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab');

function message(round) {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(round));
  return draw.sha256(bytes);
}
const refuse = (changes = {}) => bls.refuse(draw.sha256, changes.key ?? key, message(changes.round ?? 1000), changes.signature ?? signature);

// encoded is x in big-endian bytes with the flag of a compressed point.
function encoded(...coordinates) {
  const bytes = draw.unhex(coordinates.map((x) => x.toString(16).padStart(96, '0')).join(''));
  bytes[0] |= 0x80;
  return bytes;
}
// firstRefused returns the first small x whose encoding is refused with the reason.
function firstRefused(make, reason) {
  for (let x = 0n; x < 64n; x++) {
    const got = refuse(make(x));
    if (got.includes(reason)) return x;
  }
  return null;
}

describe('Beacon', () => {
  test('QuicknetRound1000', () => assert.equal(refuse(), null));
  test('PublishedRounds', () => {
    const file = new URL('../../chaincode/draw/testdata/quicknet.json', import.meta.url);
    const published = JSON.parse(readFileSync(file, 'utf8'));
    assert.notEqual(published.rounds.length, 0);
    for (const { round, signature: text } of published.rounds) {
      const own = draw.unhex(text);
      assert.equal(refuse({ round, signature: own }), null, `round ${round}`);
      assert.match(refuse({ round: round + 1, signature: own }), /does not fit/, `round ${round}`);
    }
  });
  test('RefusesTheNextRound', () => assert.match(refuse({ round: 1001 }), /does not fit/));
  test('RefusesTheOtherSquareRoot', () => {
    const negated = signature.slice();
    negated[0] ^= 0x20;
    assert.match(refuse({ signature: negated }), /does not fit/);
    const otherKey = key.slice();
    otherKey[0] ^= 0x20;
    assert.match(refuse({ key: otherKey }), /does not fit/);
  });
  test('RefusesEveryFlippedBitOfTheFirstBytes', () => {
    for (let bit = 0; bit < 24; bit++) {
      const bad = signature.slice();
      bad[bit >> 3] ^= 0x80 >> (bit & 7);
      assert.notEqual(refuse({ signature: bad }), null, `bit ${bit}`);
    }
  });
  test('RefusesWrongLengths', () => {
    assert.match(refuse({ signature: signature.subarray(1) }), /47 bytes/);
    assert.match(refuse({ key: signature }), /48 bytes/);
  });
  test('RefusesInfinity', () => {
    const infinity = (n) => Uint8Array.of(0xc0, ...new Uint8Array(n - 1));
    assert.match(refuse({ signature: infinity(48) }), /signature is the point at infinity/);
    assert.match(refuse({ key: infinity(96) }), /key is the point at infinity/);
  });
  test('RefusesUncompressedForm', () => {
    const plain = signature.slice();
    plain[0] &= 0x7f;
    assert.match(refuse({ signature: plain }), /compressed/);
  });
  test('RefusesCoordinatesOutsideTheField', () => {
    assert.match(refuse({ signature: encoded(P) }), /outside the field/);
    assert.match(refuse({ key: encoded(P, 1n) }), /outside the field/);
    assert.match(refuse({ key: encoded(1n, P) }), /outside the field/);
  });
  test('RefusesPointsOffTheCurveAndOutsideTheSubgroup', () => {
    for (const reason of ['signature is not on the curve', 'signature is outside the subgroup']) {
      assert.notEqual(firstRefused((x) => ({ signature: encoded(x) }), reason), null, reason);
    }
    for (const reason of ['key is not on the curve', 'key is outside the subgroup']) {
      assert.notEqual(firstRefused((x) => ({ key: encoded(x, 1n) }), reason), null, reason);
    }
  });
});

describe('HashToCurve', () => {
  // RFC 9380 appendix J.9.1, the x of P; its domain is not the beacon's.
  const domain = 'QUUX-V01-CS02-with-BLS12381G1_XMD:SHA-256_SSWU_RO_';
  const vectors = {
    '': '052926add2207b76ca4fa57a8734416c8dc95e24501772c814278700eed6d1e4e8cf62d9c09db0fac349612b759e79a1',
    abc: '03567bc5ef9c690c2ab2ecdf6a96ef1c139cc0b2f284dca0a9a7943388a49a3aee664ba5379a7655d3c68900be2f6903',
  };
  for (const [text, x] of Object.entries(vectors)) {
    test(`Vector ${JSON.stringify(text)}`, () => {
      const point = bls.hashToCurve(draw.sha256, new TextEncoder().encode(text), domain);
      assert.equal(point[0].toString(16).padStart(96, '0'), x);
    });
  }
});
