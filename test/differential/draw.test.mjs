// Unit tests of the draw in JavaScript; run by Go's tests, or by `node --test`.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';
import { compute, draw, example, generator, hex, quicknet, refusal, sha256, share } from './fixtures.mjs';

const assets = fileURLToPath(new URL('../../gateway/web/assets/', import.meta.url));

describe('SHA-256', () => {
  test('AgreesWithNodeAtEveryPaddingLength', () => {
    for (let n = 0; n < 200; n++) {
      const bytes = Uint8Array.from({ length: n }, (_, i) => i * 7 + n);
      assert.equal(hex(draw.sha256(bytes)), hex(sha256(bytes)), `length ${n}`);
    }
  });
});

describe('JSON', () => {
  test('AcceptsAndKeepsValues', () => {
    const value = draw.parse(' {"b":[1,-2,0,"\\u00e9\\n",true,null],"a":{},"__proto__":3} ');
    assert.equal(draw.canonical(value), '{"__proto__":3,"a":{},"b":[1,-2,0,"é\\n",true,null]}');
  });
  for (const text of ['', '{', '{"a":1,"a":2}', '{"a":1,"\\u0061":2}', '1.0', '1e3', '-0', '01', '9007199254740992', '"\\ud800"', '[1,]', '{} x',
    '"\u0001"', "'a'", '[NaN]', '['.repeat(200), '\ufeff{}']) {
    test(`ErrSyntax ${JSON.stringify(text).slice(0, 30)}`, () => assert.equal(refusal(() => draw.parse(text)).kind, 'syntax'));
  }
  test('CanonicalSortsByUTF16Units', () => {
    // The member names of RFC 8785 section 3.2.3; the emoji's first unit is 0xd83d, below U+FB33.
    const names = ['\u20ac', '\r', '\ufb33', '1', '\u{1f600}', '\u0080', '\u00f6'];
    const value = draw.parse(JSON.stringify(Object.fromEntries(names.map((n) => [n, 0]))));
    const sorted = ['\r', '1', '\u0080', '\u00f6', '\u20ac', '\u{1f600}', '\ufb33'];
    assert.deepEqual(draw.canonical(value), `{${sorted.map((n) => `${JSON.stringify(n)}:0`).join(',')}}`);
  });
});

describe('Merkle', () => {
  // The leaves and roots that Certificate Transparency's implementations share.
  const leaves = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
  const roots = ['6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d', 'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77', 'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4', '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
    'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c', '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328'];
  test('KnownRoots', () => {
    assert.equal(hex(draw.merkleRoot([], draw.unhex)), hex(sha256('')));
    roots.forEach((root, i) => assert.equal(hex(draw.merkleRoot(leaves.slice(0, i + 1), draw.unhex)), root));
  });
  // tree follows the recursive definition: the root, and the path of the leaf at index.
  function tree(list, index) {
    if (list.length === 1) return { root: sha256([0], list[0]), path: [] };
    let split = 1;
    while (2 * split < list.length) split *= 2;
    const left = tree(list.slice(0, split), index < split ? index : 0);
    const right = tree(list.slice(split), index < split ? 0 : index - split);
    const root = sha256([1], left.root, right.root);
    return { root, path: index < split ? [...left.path, right.root] : [...right.path, left.root] };
  }
  test('InclusionOfEveryLeafAndNoOther', () => {
    for (let n = 1; n < 34; n++) {
      const list = Array.from({ length: n }, (_, i) => Uint8Array.of(i));
      const root = draw.merkleRoot(list, (leaf) => leaf);
      for (let i = 0; i < n; i++) {
        const made = tree(list, i);
        assert.equal(hex(root), hex(made.root));
        assert.ok(draw.verifyInclusion(list[i], i, n, made.path, root));
        assert.ok(!draw.verifyInclusion(list[i], i + 1, n, made.path, root));
        assert.ok(!draw.verifyInclusion(Uint8Array.of(99), i, n, made.path, root));
        assert.ok(!draw.verifyInclusion(list[i], i, n, [...made.path, root], root));
        if (made.path.length > 0) assert.ok(!draw.verifyInclusion(list[i], i, n, made.path.slice(1), root));
      }
    }
  });
});

describe('Seed', () => {
  const u32 = (n) => Buffer.from([n >>> 24, n >>> 16, n >>> 8, n]);
  const u64 = (n) => Buffer.concat([u32(0), u32(n)]);
  const lp = (x) => Buffer.concat([u32(Buffer.byteLength(x)), Buffer.from(x)]);
  const bytes = (text) => Buffer.from(text, 'hex');

  test('EveryHashWrittenOutByHand', () => {
    const input = example({ plan: { ...example().plan, note: '计量' }, contributions: [share('D-1', '市监局', 9), share('D-1', 'OrgA', 1, false)] });
    const out = draw.compute(input);
    const plan = '{"assign":[["lead"],[]],"note":"计量","quota":{"A":3,"B":1}}';
    assert.equal(out.planHash, hex(sha256(lp('DR1/plan'), lp(plan))));
    const counts = { objects: 7, inspectors: 4, ineligible: 1 };
    assert.equal(out.ineligibleRoot, hex(sha256([0], lp('I-1'), lp('S-2'))));
    const freeze = sha256(lp('DR1/freeze'), lp('D-1'), bytes(out.planHash), bytes(out.objectsRoot), u64(counts.objects),
      bytes(out.inspectorsRoot), u64(counts.inspectors), bytes(out.ineligibleRoot), u64(counts.ineligible));
    assert.equal(out.freeze, hex(freeze));
    const silent = sha256(lp('DR1/commit'), lp('D-1'), lp('OrgA'), Buffer.alloc(32, 1));
    const contribution = sha256(lp('DR1/contrib'), u32(2), lp('OrgA'), [0], silent, lp('市监局'), [1], Buffer.alloc(32, 9));
    assert.equal(out.contribution, hex(contribution));
    assert.equal(out.chainHash, '52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971');
    const randomness = bytes('fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd');
    assert.equal(out.seed, hex(sha256(lp('DR1/seed'), freeze, contribution, bytes(out.chainHash), u64(1000), randomness)));
    assert.ok(!('sealedSeed' in out));
    const target = sha256(lp('DR1/target'), bytes(out.seed));
    for (const { id, ticket } of out.strata.A.selected) assert.equal(ticket, hex(sha256(target, id)));
  });
  test('SealedSeedDrawsDifferently', () => {
    const secret = Buffer.alloc(32, 5);
    const plan = { ...example().plan, seal: hex(sha256(lp('DR1/seal'), lp('D-1'), secret)) };
    const out = compute(example({ plan, sealedSecret: hex(secret) }));
    assert.equal(out.sealedSeed, hex(sha256(lp('DR1/sealed'), bytes(out.seed), secret)));
    const target = sha256(lp('DR1/target'), bytes(out.sealedSeed));
    assert.equal(out.strata.B.selected[0].ticket, hex(sha256(target, out.strata.B.selected[0].id)));
  });
  test('DefaultBeaconIdAddsNothing', () => {
    const chainHash = (beaconId) => compute(example({ beacon: { ...quicknet, chain: { ...quicknet.chain, beaconId } } })).chainHash;
    assert.equal(chainHash('default'), chainHash(''));
    assert.notEqual(chainHash('default'), chainHash('quicknet'));
  });
  test('InvariantUnderShuffling', () => {
    const input = example();
    const reversed = Object.fromEntries(Object.entries(input).reverse().map(([k, v]) => [k, Array.isArray(v) ? [...v].reverse() : v]));
    assert.deepEqual(compute(reversed), compute(input));
  });
});

describe('Refusals', () => {
  const base = example();
  const withObject = (o) => ({ objects: [...base.objects, { id: 'S-8', stratum: 'A', weight: 1, ...o }] });
  const withInspector = (p) => ({ inspectors: [...base.inspectors, { id: 'I-9', cap: 1, skills: [], ...p }] });
  const beacon = (changes) => ({ beacon: { ...quicknet, ...changes } });
  const plan = (changes) => ({ plan: { ...base.plan, ...changes } });
  const cases = {
    DuplicateObject: [withObject({ id: 'S-1' }), 'duplicate', /S-1/],
    DuplicateInspector: [withInspector({ id: 'I-1' }), 'duplicate', /I-1/],
    DuplicatePair: [{ ineligible: [['I-1', 'S-2'], ['I-1', 'S-2']] }, 'duplicate', /I-1, S-2/],
    DuplicateOrganisation: [{ contributions: [share('D-1', 'OrgA', 1), share('D-1', 'OrgA', 2)] }, 'duplicate', /OrgA/],
    EmptyId: [withObject({ id: '' }), 'name', /object ""/],
    LowerCaseId: [withObject({ id: 's-8' }), 'name', /s-8/],
    LongId: [withInspector({ id: 'I'.repeat(65) }), 'name', /III/],
    LabelNotNormal: [withObject({ stratum: 'e\u0301' }), 'name', /S-8/],
    LabelTooLong: [withObject({ stratum: '量'.repeat(22) }), 'name', /S-8/],
    WeightZero: [withObject({ weight: 0 }), 'weight', /S-8/],
    WeightBeyond32Bits: [withObject({ weight: 2 ** 32 }), 'syntax', /S-8/],
    QuotaAboveStratum: [plan({ quota: { A: 5 } }), 'quota', /stratum A/],
    QuotaOfAbsentStratum: [plan({ quota: { Z: 1 } }), 'quota', /stratum Z/],
    QuotaAndRates: [plan({ rates: {} }), 'plan', /plan/],
    RateWithoutDenominator: [{ plan: { assign: [[], []], rates: { A: [1, 0] } } }, 'plan', /A/],
    OneSlot: [plan({ assign: [[]] }), 'plan', /assign/],
    UnknownMember: [{ extra: 1 }, 'syntax', /extra/],
    WrongCommitment: [{ contributions: [{ ...share('D-1', 'OrgA', 1), commitment: '00'.repeat(32) }] }, 'commitment', /OrgA/],
    CopiedCommitment: [{ contributions: [{ ...share('D-1', 'OrgA', 1), org: 'OrgB' }] }, 'commitment', /OrgB/],
    CommitmentOfAnotherDraw: [{ contributions: [share('D-2', 'OrgA', 1)] }, 'commitment', /OrgA/],
    UpperCaseHex: [beacon({ signature: quicknet.signature.toUpperCase() }), 'syntax', /signature/],
    SignatureOfNextRound: [beacon({ round: 1001 }), 'beacon', /1001/],
    NoSignature: [beacon({ signature: '' }), 'syntax', /signature/],
    SecretWithoutSeal: [{ sealedSecret: '00'.repeat(32) }, 'seal', /sealedSecret/],
    SealWithoutSecret: [plan({ seal: '00'.repeat(32) }), 'seal', /sealedSecret/],
    WrongSeal: [{ ...plan({ seal: '00'.repeat(32) }), sealedSecret: '00'.repeat(32) }, 'seal', /sealedSecret/],
    Infeasible: [{ inspectors: base.inspectors.slice(2) }, 'infeasible', /S-/],
  };
  for (const [name, [changes, kind, entry]] of Object.entries(cases)) {
    test(name, () => {
      const error = refusal(() => draw.compute(example(changes)));
      assert.equal(error.kind, kind, error.message);
      assert.match(error.entry, entry);
    });
  }
});

describe('Ticket', () => {
  test('OneHashTellsEveryObjectWhetherItWasDrawn', () => {
    const random = generator(7);
    for (let n = 0; n < 200; n++) {
      const objects = Array.from({ length: 12 }, (_, i) => ({ id: `S-${i}`, stratum: 'A', weight: n % 2 ? 1 : 1 + random(9) }));
      const plan = { quota: { A: random(13) }, assign: [[], []] };
      const out = compute(example({ objects, plan, ineligible: [], inspectors: example().inspectors.map((p) => ({ ...p, cap: 20 })) }));
      const result = out.strata.A;
      const drawn = new Set([...result.outright, ...result.selected.map((s) => s.id)]);
      for (const o of objects) assert.equal(draw.verifyTicket({ seed: out.seed, ...o, result }).drawn, drawn.has(o.id));
    }
  });
});

describe('Directories', () => {
  test('StratumThatThePlanDoesNotNameIsNotDrawn', () => {
    const out = compute(example({ plan: { quota: { A: 1 }, assign: [[], []] } }));
    assert.deepEqual(Object.keys(out.strata), ['A']);
    assert.equal(draw.verifyTicket({ seed: out.seed, id: 'S-5', weight: 1, result: out.strata.B }).reason, 'stratum-not-drawn');
  });
});

describe('Ways to run it', () => {
  function command(text) {
    const dir = mkdtempSync(join(tmpdir(), 'draw-'));
    try {
      if (text !== undefined) writeFileSync(join(dir, 'input.json'), text);
      return spawnSync(process.execPath, [join(assets, 'draw.js'), ...(text === undefined ? [] : [join(dir, 'input.json')])], { encoding: 'utf8' });
    } finally {
      rmSync(dir, { recursive: true });
    }
  }
  test('CommandPrintsTheOutput', () => {
    const run = command(JSON.stringify(example()));
    assert.equal(run.status, 0, run.stderr);
    assert.equal(draw.canonical(JSON.parse(run.stdout)), draw.canonical(draw.compute(example())));
  });
  test('CommandRefusesWithOneAndExplains', () => {
    const run = command(JSON.stringify(example({ sealedSecret: '00'.repeat(32) })));
    assert.equal(run.status, 1);
    assert.equal(JSON.parse(run.stderr).entry, 'sealedSecret');
    assert.equal(command(undefined).status, 2);
  });
  // sandbox runs the two scripts as a browser would, without module or require.
  function sandbox(globals) {
    const context = vm.createContext({ TextEncoder, TextDecoder, ...globals });
    context.importScripts = (name) => vm.runInContext(readFileSync(join(assets, name), 'utf8'), context);
    context.importScripts('draw.js');
    return context;
  }
  test('ScriptOfAPageRefusesABeaconItCannotCheck', () => {
    const page = sandbox({ text: JSON.stringify(example()) });
    const seed = 'SteelyardDraw.compute(SteelyardDraw.parse(text)).seed';
    assert.throws(() => vm.runInContext(seed, page), /bls\.js is not loaded/);
    page.importScripts('bls.js');
    assert.equal(vm.runInContext(seed, page), draw.compute(example()).seed);
  });
  test('WorkerAnswersWithProgressThenOutput', () => {
    const messages = [];
    const worker = sandbox({ WorkerGlobalScope: class {}, location: { pathname: '/assets/draw.js' }, postMessage: (m) => messages.push(m) });
    worker.onmessage({ data: { text: JSON.stringify(example()) } });
    assert.ok(messages.some((m) => m.progress?.phase === 'tickets'));
    assert.equal(messages.at(-1).output.seed, draw.compute(example()).seed);
    worker.onmessage({ data: { text: '{}' } });
    assert.equal(messages.at(-1).error.kind, 'syntax');
  });
});
