// Inputs of the draw that the tests build on, and ways to take them apart.
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
export const draw = require('../../gateway/web/assets/draw.js');
export const bls = require('../../gateway/web/assets/bls.js');

export const sha256 = (...parts) => createHash('sha256').update(Buffer.concat(parts.map((p) => Buffer.from(p)))).digest();
export const hex = (bytes) => Buffer.from(bytes).toString('hex');

// checkBeacon makes every check once and remembers it: beacons come again and again in a run.
const known = new Map();
export function checkBeacon(hash, key, message, signature) {
  const name = [key, message, signature].map(draw.hex).join();
  if (!known.has(name)) known.set(name, bls.refuse(hash, key, message, signature));
  return known.get(name);
}

// quicknet is drand's public network, and round 1000 its published beacon.
export const quicknet = {
  chain: {
    scheme: 'bls-unchained-g1-rfc9380',
    publicKey: '83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a',
    period: 3,
    genesisTime: 1692803367,
    genesisSeed: 'f477d5c89f21a17c863a7f937c6a6d15859414d2be09cd448d4279af331c5d3e',
    beaconId: 'quicknet',
  },
  round: 1000,
  signature: 'b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39',
};

// share is an organisation's contribution; its secret is 32 times one byte.
export function share(drawId, org, byte, revealed = true) {
  const secret = new Uint8Array(32).fill(byte);
  return { org, commitment: hex(draw.commitment(drawId, org, secret)), secret: revealed ? hex(secret) : null };
}

// example is a small valid input; the members of changes replace its own.
export function example(changes = {}) {
  return {
    draw: 'D-1',
    plan: { quota: { A: 3, B: 1 }, assign: [['lead'], []] },
    objects: [1, 2, 3, 4, 5, 6, 7].map((n) => ({ id: `S-${n}`, stratum: n < 5 ? 'A' : 'B', weight: 1 })),
    inspectors: [1, 2, 3, 4].map((n) => ({ id: `I-${n}`, cap: 3, skills: n < 3 ? ['lead'] : [] })),
    ineligible: [['I-1', 'S-2']],
    contributions: [share('D-1', 'OrgA', 1), share('D-1', 'OrgB', 2, false)],
    beacon: quicknet,
    ...changes,
  };
}

// compute leaves the beacon unchecked: most tests are about something else.
export const compute = (input) => draw.compute(input, { checkBeacon: () => null });

// refusal returns the DrawError that run throws.
export function refusal(run) {
  try {
    run();
  } catch (error) {
    if (error instanceof draw.DrawError) return error;
    throw error;
  }
  throw new Error('the input was accepted');
}

// generator returns a small deterministic source of integers below its argument.
export function generator(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
