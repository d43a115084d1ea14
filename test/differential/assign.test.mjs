// Selection and assignment against the plainest possible reading of the definition:
// exact fractions for the ranks, exhaustive search for “can still be filled”.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compute, draw, example, generator, hex, refusal, sha256 } from './fixtures.mjs';

const lp = (x) => Buffer.concat([Buffer.from([0, 0, 0, Buffer.byteLength(x)]), Buffer.from(x)]);
const bytes = (text) => Buffer.from(text, 'hex');

// randomInput is small enough for the exhaustive search: at most 4 objects drawn.
function randomInput(random) {
  const skills = ['lead', '计量', 'fuel'];
  const some = (p) => skills.filter(() => random(100) < p);
  const inspectors = Array.from({ length: 1 + random(5) }, (_, i) => ({ id: `I-${i}`, cap: random(4), skills: some(60) }));
  const objects = Array.from({ length: 4 + random(5) }, (_, i) => ({ id: `S-${i}`, stratum: 'A', weight: 1 + random(4) }));
  const ineligible = inspectors.flatMap((p) => objects.filter(() => random(100) < 20).map((o) => [p.id, o.id]));
  const assign = Array.from({ length: 2 + random(2) }, () => some(25));
  const ladder = [[], [1], [1, 2], [2, 1]][random(4)];
  return example({ objects, inspectors, ineligible, plan: { quota: { A: 1 + random(4) }, assign, ladder } });
}

// model holds the rules of section 4 as plainly as they are written.
function model(input, order, capPlus) {
  const barred = new Set(input.ineligible.map((pair) => pair.join('/')));
  const slots = input.plan.assign.flatMap((skills, index) => order.map((object) => ({ object, index, skills })));
  const able = (p, slot) => slot.skills.every((s) => p.skills.includes(s)) && !barred.has(`${p.id}/${slot.object}`);
  const taken = new Map();
  const load = (p) => [...taken.values()].filter((q) => q === p).length;
  const may = (p, slot) => able(p, slot) && load(p) < p.cap + capPlus
    && ![...taken].some(([other, q]) => q === p && other.object === slot.object);
  const fillable = (from) => from === slots.length || input.inspectors.some((p) => {
    if (!may(p, slots[from])) return false;
    taken.set(slots[from], p);
    const good = fillable(from + 1);
    taken.delete(slots[from]);
    return good;
  });
  return { slots, taken, able, may, load, fillable };
}

// expected assigns by exhaustive search; null if the slots cannot be filled.
function expected(input, order, seed, capPlus) {
  const { slots, taken, may, load, fillable } = model(input, order, capPlus);
  if (!fillable(0)) return null;
  const base = sha256(lp('DR1/assign'), bytes(seed));
  slots.forEach((slot, s) => {
    const key = (p) => [load(p).toString().padStart(9, '0'), hex(sha256(base, [1], lp(slot.object), lp(p.id))), p.id].join();
    const candidates = input.inspectors.filter((p) => may(p, slot)).sort((a, b) => (key(a) < key(b) ? -1 : 1));
    taken.set(slot, candidates.find((p) => {
      taken.set(slot, p);
      const good = fillable(s + 1);
      taken.delete(slot);
      return good;
    }));
  });
  return Object.fromEntries(order.map((o) => [o, slots.filter((s) => s.object === o).map((s) => taken.get(s).id)]));
}

// violates tells whether the slots need more than all inspectors can give them.
function violates(input, deficient, capPlus) {
  const { slots, able } = model(input, [...new Set(deficient.map((d) => d.object))], 0);
  const chosen = slots.filter((s) => deficient.some((d) => d.object === s.object && d.slot === s.index));
  const capacity = input.inspectors.reduce((sum, p) => {
    const reach = new Set(chosen.filter((s) => able(p, s)).map((s) => s.object)).size;
    return sum + Math.min(p.cap + capPlus, reach);
  }, 0);
  return chosen.length === deficient.length && capacity < chosen.length;
}

describe('Assignment', () => {
  test('AgreesWithExhaustiveSearch', () => {
    const random = generator(1);
    const seen = { feasible: 0, climbed: 0, infeasible: 0 };
    for (let n = 0; n < 1500; n++) {
      const input = randomInput(random);
      // Plenty of inspectors shows the selection where the input itself is refused.
      const free = compute({ ...input, ineligible: [], inspectors: [1, 2, 3].map((i) => ({ id: `X-${i}`, cap: 99, skills: ['fuel', 'lead', '计量'] })) });
      assert.equal(free.order.length, input.plan.quota.A);
      try {
        const out = compute(input);
        for (const step of [0, ...input.plan.ladder]) {
          const want = expected(input, out.order, out.seed, step);
          assert.equal(want === null, step !== out.capPlus);
          if (want === null) continue;
          assert.deepEqual({ ...out.assignments }, want);
          break;
        }
        seen[out.capPlus === 0 ? 'feasible' : 'climbed']++;
      } catch (error) {
        if (error.kind !== 'infeasible') throw error;
        assert.ok(violates(input, error.details.deficient, Math.max(0, ...input.plan.ladder)), JSON.stringify(error.details));
        seen.infeasible++;
      }
    }
    assert.ok(Math.min(...Object.values(seen)) > 50, JSON.stringify(seen));
  });
  test('OrderFollowsTheKeyOfEveryDrawnObject', () => {
    const out = compute(example());
    const base = sha256(lp('DR1/assign'), bytes(out.seed));
    const drawn = Object.values(out.strata).flatMap((s) => s.selected.map((o) => o.id));
    const key = (id) => hex(sha256(base, [0], id));
    assert.deepEqual(out.order, drawn.sort((a, b) => (key(a) < key(b) ? -1 : 1)));
  });
  test('NothingDrawnNeedsNobody', () => {
    const out = compute(example({ plan: { quota: { A: 0 }, assign: [[], []] }, inspectors: [], ineligible: [] }));
    assert.deepEqual([out.order, { ...out.assignments }, out.strata.A.threshold], [[], {}, null]);
  });
  test('InspectorOnOneObjectOnlyOnce', () => {
    const error = refusal(() => compute(example({ plan: { quota: { A: 1 }, assign: [[], []] }, inspectors: [{ id: 'I-1', cap: 9, skills: [] }], ineligible: [] })));
    assert.equal(error.details.deficient.length, 2);
  });
});

describe('Selection', () => {
  // plain follows section 3 with whole numbers and no shortcuts.
  function plain(objects, quota, seed) {
    const target = sha256(lp('DR1/target'), bytes(seed));
    const ticket = (o) => BigInt(`0x${hex(sha256(target, o.id))}`);
    let [n, rest, outright] = [quota, [...objects], []];
    const equal = objects.every((o) => o.weight === objects[0].weight);
    for (let found = !equal; found;) {
      const total = rest.reduce((sum, o) => sum + o.weight, 0);
      const certain = rest.filter((o) => n > 0 && n * o.weight >= total);
      outright = [...outright, ...certain];
      rest = rest.filter((o) => !certain.includes(o));
      n -= certain.length;
      found = certain.length > 0;
    }
    const before = (a, b) => (ticket(a) * BigInt(b.weight) < ticket(b) * BigInt(a.weight) ? -1 : 1);
    return { outright: outright.map((o) => o.id).sort(), selected: rest.sort(before).slice(0, n).map((o) => o.id) };
  }
  test('AgreesWithPlainReading', () => {
    const random = generator(2);
    for (let n = 0; n < 600; n++) {
      const heavy = [1, 3, 40][random(3)];
      const objects = Array.from({ length: 1 + random(12) }, (_, i) => ({ id: `S-${i}`, stratum: '甲', weight: 1 + random(heavy) }));
      const quota = random(objects.length + 1);
      const out = compute(example({
        objects, plan: { quota: { 甲: quota }, assign: [[], []] }, ineligible: [], inspectors: ['I', 'J'].map((id) => ({ id, cap: 20, skills: [] })),
      }));
      const { outright, selected } = out.strata['甲'];
      assert.deepEqual({ outright, selected: selected.map((s) => s.id) }, plain(objects, quota, out.seed));
    }
  });
  test('RatesRoundUpOverTheFrozenDirectory', () => {
    const quota = (rates) => compute(example({ plan: { rates, assign: [[], []] } })).strata.A.quota;
    assert.deepEqual([[0, 5], [1, 100], [1, 4], [3, 10], [1, 1]].map((r) => quota({ A: r })), [0, 1, 1, 2, 4]);
  });
  test('EqualWeightsHaveNothingOutright', () => {
    const objects = example().objects.map((o) => ({ ...o, weight: 5 }));
    const { outright, selected, threshold } = compute(example({ objects, plan: { quota: { A: 4 }, assign: [['lead'], []] }, inspectors: example().inspectors.map((p) => ({ ...p, cap: 9 })) })).strata.A;
    assert.deepEqual([outright, selected.length, threshold], [[], 4, selected[3].ticket]);
  });
  test('LargeDirectoryReportsProgress', () => {
    const objects = Array.from({ length: 20000 }, (_, i) => ({ id: `S-${i}`, stratum: 'A', weight: 1 + (i % 3) }));
    const calls = [];
    const options = { checkBeacon: () => null, progress: (p) => calls.push(p) };
    draw.compute(example({ objects, plan: { quota: { A: 50 }, assign: [[], []] }, inspectors: ['I', 'J'].map((id) => ({ id, cap: 99, skills: [] })) }), options);
    for (const phase of ['objects', 'tickets', 'assignment']) {
      const own = calls.filter((c) => c.phase === phase);
      assert.equal(own.at(-1).done, own.at(-1).total);
      assert.ok(own.length <= 101);
    }
  });
});
