// Checks the transcript of a draw step by step, offline, in plain JavaScript.
//
// A second reader, written from TRANSCRIPT.md and the definition DR-1 alone, so that
// two programs can be held against each other. It runs in Node, as a script of a page
// (SteelyardTranscript) and as a classic worker; draw.js and bls.js lie beside it.
//
//   node transcript.js TRANSCRIPT.json   one line per step; exit code 1: a step fails, 2: the file cannot be read
//
// What a transcript does not hold reads NOT SHOWN, never PASS. Blocks and signatures of
// the ledger are for another program.
(function (root) {
  'use strict';

  const inNode = typeof module === 'object' && module.exports;
  const asWorker = !inNode && typeof root.WorkerGlobalScope === 'function';
  if (asWorker && !root.SteelyardDraw) root.importScripts(...new URL(root.location.href).searchParams.getAll('with'));
  const draw = inNode ? require('./draw.js') : root.SteelyardDraw;
  const { hex, unhex, DrawError } = draw;
  const parts = draw.parts;
  const { checkMembers, checkList, checkInteger, checkHex, checkString, H, LP, u32, concat } = parts;

  const [PASS, FAIL, NOT_SHOWN] = ['PASS', 'FAIL', 'NOT SHOWN'];
  // Standard values of the plan's members, in seconds: a day, and Fabric's quarter of an hour.
  const MARGIN = 86400;
  const TIME_WINDOW = 900;
  const OBSERVATIONS = 2;
  // The hashes of a result, in the order of the definition; a sealed draw has one more.
  const HASHES = ['planHash', 'objectsRoot', 'inspectorsRoot', 'ineligibleRoot', 'freeze', 'contribution', 'chainHash', 'seed'];
  const WHOLE = Number.MAX_SAFE_INTEGER;

  // ---- reading: the shape of the document, before any step ----
  const unreadable = (entry, message) => {
    throw new DrawError('syntax', entry, message);
  };
  const digest = (value, entry) => hex(checkHex(value, entry, 32));
    const count = (value, entry) => checkInteger(value, entry, 0, WHOLE);
  const text = (value, entry) => checkString(value, entry);
  const textList = (value, entry) => checkList(value, entry).map((v, i) => text(v, `${entry}[${i}]`));
  const record = (fields) => (value, entry) => {
    checkMembers(value, entry, Object.keys(fields));
    for (const [name, read] of Object.entries(fields)) read(value[name], `${entry}.${name}`);
  };
  const listOf = (read) => (value, entry) => checkList(value, entry).forEach((v, i) => read(v, `${entry}[${i}]`));

  const object = record({ id: text, stratum: text, weight: (v, e) => checkInteger(v, e, 0, 0xffffffff) });
  const inspector = record({ id: text, cap: (v, e) => checkInteger(v, e, 0, 0xffffffff), skills: textList });
  const pair = (value, entry) => {
    if (textList(value, entry).length !== 2) unreadable(entry, 'a pair [inspector, object] is expected');
  };
  const directories = (value, entry) => {
    checkMembers(value, entry, ['inspectors', 'ineligible'], ['objects', 'files']);
    if (Object.hasOwn(value, 'objects') === Object.hasOwn(value, 'files')) unreadable(entry, 'either objects or files is expected');
    if (Object.hasOwn(value, 'objects')) listOf(object)(value.objects, `${entry}.objects`);
    else textList(value.files, `${entry}.files`);
    listOf(inspector)(value.inspectors, `${entry}.inspectors`);
    listOf(pair)(value.ineligible, `${entry}.ineligible`);
  };
  const chain = record({
    scheme: text, publicKey: (v, e) => checkHex(v, e, 96), period: (v, e) => checkInteger(v, e, 0, 0xffffffff),
    genesisTime: (v, e) => checkInteger(v, e, -WHOLE, WHOLE), genesisSeed: (v, e) => checkHex(v, e, null), beaconId: text,
  });
  const MEMBERS = {
    definition: (value, entry) => value === 'DR-1' || unreadable(entry, 'DR-1 is expected'),
    draw: text,
    plan: () => {}, // whether it is a plan is the first step
    approvals: listOf(record({ step: text, org: text, hash: digest })),
    directories,
    freeze: record({
      planHash: digest, objectsRoot: digest, objects: count, inspectorsRoot: digest, inspectors: count,
      ineligibleRoot: digest, ineligible: count, freeze: digest, round: count,
    }),
    commitments: listOf(record({ org: text, commitment: digest })),
    reveals: listOf(record({ org: text, secret: digest })),
    close: record({ freeze: digest, contribution: digest, time: count }),
    observations: listOf(record({ org: text, freeze: digest, contribution: digest, time: count })),
    beacon: record({ chain, round: count, signature: (v, e) => checkHex(v, e, 48) }),
    sealedSecret: (value, entry) => value === null || digest(value, entry),
    leaves: listOf(record({ org: text, root: digest, leaves: count })),
    result: () => {}, // three steps compare it with what they recompute
    substitutions: listOf(record({ stratum: text, object: text, by: text, reason: text })),
    ledger: () => {},
  };
  // read refuses a document that is no transcript, by throwing a DrawError.
  function read(document) {
    const required = ['definition', 'draw', 'plan'];
    checkMembers(document, 'transcript', required, Object.keys(MEMBERS));
    for (const name of Object.keys(document)) MEMBERS[name](document[name], name);
    return document;
  }

  // ---- steps ----
  // Each step is a method that returns [status, detail]. It throws a DrawError for what
  // is wrong, or Missing for what it rests on and does not have.
  class Missing extends Error {}
  const missing = (what) => {
    throw new Missing(what);
  };
  const wrong = (entry, message) => {
    throw new DrawError('transcript', entry, message);
  };
  const pass = (detail = '') => [PASS, detail];

  function unique(list, name, what) {
    const seen = new Set();
    for (const entry of list) {
      if (seen.has(name(entry))) wrong(`${what} ${name(entry)}`, 'stands twice');
      seen.add(name(entry));
    }
    return seen;
  }
  // same compares two JSON values; the order of members does not count.
  function same(a, b) {
    return draw.canonical(a ?? null) === draw.canonical(b ?? null);
  }

  class Check {
    constructor(transcript, options) {
      this.t = transcript;
      this.options = options;
      this.known = new Map();
      this.passed = new Set();
    }
    // once keeps what several steps rest on; what could not be had stays so.
    once(name, make) {
      if (!this.known.has(name)) {
        try {
          this.known.set(name, { value: make() });
        } catch (error) {
          this.known.set(name, { error });
        }
      }
      const { value, error } = this.known.get(name);
      if (error !== undefined) throw error;
      return value;
    }
    // given is once for a step that rests on it: a fault there is told by its own step.
    given(name) {
      try {
        return this[name]();
      } catch (error) {
        if (error instanceof DrawError) missing(`${name}: ${error.message}`);
        throw error;
      }
    }
    // rest asks for an earlier step to have passed.
    rest(name) {
      if (this.passed.has(name)) return;
      missing(`${name} did not pass`);
    }
    member(name) {
      return Object.hasOwn(this.t, name) ? this.t[name] : missing(name);
    }

    // ---- what the steps rest on ----
    plan() {
      return this.once('plan', () => {
        this.drawNumber();
        const value = this.t.plan;
        const read = parts.readPlan(value);
        const natural = (member, standard, most = WHOLE) => (Object.hasOwn(value, member) ? checkInteger(value[member], `plan.${member}`, 0, most) : standard);
        const pin = Object.hasOwn(value, 'beacon') ? checkMembers(value.beacon, 'plan.beacon', [], Object.keys(value.beacon ?? {})) : {};
        const demonstration = Object.hasOwn(value, 'demonstration') ? value.demonstration : false;
        if (typeof demonstration !== 'boolean') wrong('plan.demonstration', 'true or false is expected');
        return {
          ...read, demonstration,
          hash: hex(draw.planHash(value)),
          regulator: Object.hasOwn(value, 'regulator') ? checkString(value.regulator, 'plan.regulator') : null,
          observations: natural('observations', OBSERVATIONS, 64),
          margin: natural('margin', MARGIN),
          timeWindow: natural('timeWindow', TIME_WINDOW),
          chainHash: Object.hasOwn(pin, 'chainHash') ? digest(pin.chainHash, 'plan.beacon.chainHash') : null,
        };
      });
    }
    drawNumber() {
      return parts.checkLabel(this.t.draw, 'draw');
    }
    lists() {
      return this.once('lists', () => {
        const shown = this.member('directories');
        const listed = Object.hasOwn(shown, 'files') ? this.listedInFiles(shown.files) : shown.objects;
        return {
          objects: parts.readObjects(listed), inspectors: parts.readInspectors(shown.inspectors),
          ineligible: parts.readIneligible(shown.ineligible),
        };
      });
    }
    listedInFiles(names) {
      if (!this.options.readFile) missing('the files of the directory, which this program cannot read');
      return names.flatMap((name) => readCSV(name, this.options.readFile(name)));
    }
    // others are the organisations in the list but the regulator.
    others(list) {
      const { regulator } = this.given('plan');
      return [...new Set(list.map((entry) => entry.org).filter((org) => org !== regulator))];
    }
    contribution() {
      return this.once('contribution', () => {
        this.rest('reveals');
        const secrets = new Map(this.member('reveals').map((r) => [r.org, r.secret]));
        const list = this.member('commitments').map(({ org, commitment }) => ({ org, commitment, secret: secrets.get(org) ?? null }));
        return hex(parts.contribution(this.drawNumber(), list));
      });
    }
    // deadline is the frozen round's time less the margin, on the pinned chain.
    deadline() {
      return this.once('deadline', () => {
        const { margin, chainHash } = this.given('plan');
        const { period, genesis, chainHash: own } = parts.readChain(this.member('beacon').chain);
        if (chainHash === null) missing('the chain that the plan pins');
        if (hex(own) !== chainHash) missing('the parameters of the pinned chain');
        return BigInt(genesis) + BigInt(this.member('freeze').round - 1) * BigInt(period) - BigInt(margin);
      });
    }
    beacon() {
      return this.once('beacon', () => {
        const { chain: parameters, round, signature } = this.member('beacon');
        const { chainHash } = this.given('plan');
        const own = parts.readChain(parameters);
        if (chainHash !== null && hex(own.chainHash) !== chainHash) wrong('beacon.chain', 'is not the chain that the plan pins');
        if (Object.hasOwn(this.t, 'freeze') && round !== this.t.freeze.round) wrong('beacon.round', `is not the frozen round ${this.t.freeze.round}`);
        const read = parts.readBeacon({ chain: parameters, round, signature }, this.options.checkBeacon ?? parts.beaconCheck());
        if (chainHash === null) missing('the chain that the plan pins');
        this.member('freeze');
        return read;
      });
    }
    seed() {
      return this.once('seed', () => {
        const F = this.member('freeze').freeze;
        const C = this.given('contribution');
        const read = this.given('beacon');
        const S = parts.openSeed(unhex(F), unhex(C), read);
        const plan = this.given('plan');
        const secret = this.t.sealedSecret ?? null;
        if (plan.seal !== null && secret === null) missing('the secret: the draw is sealed');
        const sealed = parts.unseal(this.drawNumber(), plan, secret, S);
        return { S, sealed, seed: sealed ?? S, F, C, chainHash: hex(read.chainHash) };
      });
    }
    groups() {
      return this.once('groups', () => parts.quotas(this.given('lists').objects, this.given('plan').counts));
    }
    selection() {
      return this.once('selection', () => {
        const { seed } = this.given('seed');
        return parts.select(this.given('lists').objects, this.groups(), seed, () => {});
      });
    }
    assignment() {
      return this.once('assignment', () => {
        const { inspectors, ineligible } = this.given('lists');
        return parts.assign(this.given('selection').drawn, this.given('plan'), inspectors, ineligible, this.given('seed').seed, () => {});
      });
    }

    // ---- the steps, in the order of TRANSCRIPT.md ----
    checkPlan() {
      const { hash, margin, timeWindow, demonstration } = this.plan();
      if (!demonstration && margin <= 2 * timeWindow) wrong('plan.margin', `${margin} s is not above twice the time window of ${timeWindow} s`);
      if (hash !== this.member('freeze').planHash) wrong('plan', `its hash ${hash} is not the frozen one`);
      return pass(demonstration ? 'a demonstration, whose times prove nothing' : hash);
    }
    checkPlanApproval() {
      const { hash } = this.given('plan');
      return this.approved('plan', hash, 1);
    }
    checkFreezeApproval() {
      const list = this.member('approvals');
      return this.approved('freeze', this.member('freeze').freeze, 2, list);
    }
    approved(name, hash, needed, list = this.member('approvals')) {
      const unknown = list.find((a) => a.step !== 'plan' && a.step !== 'freeze');
      if (name === 'plan' && unknown !== undefined) wrong('approvals', `there is no step ${JSON.stringify(unknown.step)} to approve`);
      const approvals = list.filter((a) => a.step === name);
      approvals.forEach((a) => parts.checkLabel(a.org, 'organisation'));
      const other = approvals.find((a) => a.hash !== hash);
      if (other !== undefined) wrong(`approval of ${other.org}`, `is of ${other.hash}`);
      const orgs = this.others(approvals);
      if (orgs.length < needed) wrong('approvals', `${orgs.length} of ${needed} other organisations approved ${hash}`);
      return pass(orgs.join(', '));
    }
    checkDirectories() {
      const lists = this.lists();
      const frozen = this.member('freeze');
      const roots = this.roots(lists);
      for (const name of ['objects', 'inspectors', 'ineligible']) {
        if (lists[name].length !== frozen[name]) wrong(name, `${lists[name].length} entries, not the frozen ${frozen[name]}`);
        if (roots[name] !== frozen[`${name}Root`]) wrong(name, `root ${roots[name]} is not the frozen one`);
      }
      return pass(`${lists.objects.length} objects, ${lists.inspectors.length} inspectors, ${lists.ineligible.length} ineligible pairs`);
    }
    shownResult() {
      const result = this.member('result');
      return checkMembers(result, 'result', [], Object.keys(result ?? {}));
    }
    roots({ objects, inspectors, ineligible }) {
      return {
        objects: hex(draw.merkleRoot(objects, draw.objectLeaf)),
        inspectors: hex(draw.merkleRoot(inspectors, draw.inspectorLeaf)),
        ineligible: hex(draw.merkleRoot(ineligible, draw.pairLeaf)),
      };
    }
    checkFreeze() {
      const f = this.member('freeze');
      checkInteger(f.round, 'freeze.round', 1, WHOLE);
      const roots = [f.objectsRoot, f.inspectorsRoot, f.ineligibleRoot].map(unhex);
      const F = hex(parts.freeze(this.drawNumber(), unhex(f.planHash), roots, [f.objects, f.inspectors, f.ineligible]));
      return F === f.freeze ? pass(F) : wrong('freeze', `F would be ${F}`);
    }
    checkCommitments() {
      const list = this.member('commitments');
      list.forEach((c) => parts.checkLabel(c.org, 'organisation'));
      return pass([...unique(list, (c) => c.org, 'organisation')].join(', '));
    }
    checkReveals() {
      const reveals = this.member('reveals');
      this.rest('commitments');
      const committed = new Map(this.member('commitments').map((c) => [c.org, c.commitment]));
      unique(reveals, (r) => r.org, 'organisation');
      for (const { org, secret } of reveals) {
        if (!committed.has(org)) wrong(`organisation ${org}`, 'revealed without a commitment');
        if (hex(draw.commitment(this.drawNumber(), org, unhex(secret))) !== committed.get(org)) wrong(`organisation ${org}`, 'the secret does not fit the commitment');
      }
      const withheld = [...committed.keys()].filter((org) => !reveals.some((r) => r.org === org));
      return pass(withheld.length === 0 ? 'all revealed' : `withheld: ${withheld.join(', ')}`);
    }
    checkClose() {
      const close = this.member('close');
      if (close.freeze !== this.member('freeze').freeze) wrong('close.freeze', 'is not F');
      const C = this.given('contribution');
      if (close.contribution !== C) wrong('close.contribution', `C would be ${C}`);
      if (BigInt(close.time) >= this.given('deadline')) wrong('close.time', 'is not before the round less the margin');
      return pass(C);
    }
    checkObservations() {
      const list = this.member('observations');
      const close = this.member('close');
      const deadline = this.given('deadline');
      const needed = this.given('plan').observations;
      for (const { org, freeze, contribution, time } of list) {
        parts.checkLabel(org, 'organisation');
        if (freeze !== close.freeze || contribution !== close.contribution) wrong(`observation of ${org}`, 'is of another close');
        if (time < close.time || BigInt(time) >= deadline) wrong(`observation of ${org}`, 'is before the close, or not before the round less the margin');
      }
      const orgs = this.others(list);
      if (orgs.length < needed) wrong('observations', `${orgs.length} of ${needed} other organisations saw this close in time`);
      return pass(orgs.join(', '));
    }
    checkBeacon() {
      const { round } = this.beacon();
      return pass(`round ${round}`);
    }
    checkSeed() {
      const got = this.seed();
      const f = this.member('freeze');
      const result = this.member('result');
      checkMembers(result, 'result', [], [...HASHES, 'sealedSeed', 'strata', 'order', 'capPlus', 'assignments']);
      const want = {
        planHash: f.planHash, objectsRoot: f.objectsRoot, inspectorsRoot: f.inspectorsRoot, ineligibleRoot: f.ineligibleRoot,
        freeze: got.F, contribution: got.C, chainHash: got.chainHash, seed: hex(got.S),
        ...(got.sealed === null ? {} : { sealedSeed: hex(got.sealed) }),
      };
      for (const name of [...HASHES, 'sealedSeed']) {
        if (result[name] !== want[name]) wrong(`result.${name}`, `${want[name] ?? 'none'} is expected`);
      }
      return pass(hex(got.seed));
    }
    checkSelection() {
      const { strata } = this.selection();
      return same(this.shownResult().strata, strata) ? pass() : wrong('result.strata', 'is not what is recomputed');
    }
    checkAssignment() {
      const got = this.assignment();
      const result = this.shownResult();
      for (const name of ['order', 'capPlus', 'assignments']) {
        if (!same(result[name], got[name])) wrong(`result.${name}`, 'is not what is recomputed');
      }
      return pass();
    }
    checkSealedLeaves() {
      const list = this.member('leaves');
      const plan = this.given('plan');
      if (plan.seal === null) wrong('leaves', 'the draw is not sealed');
      const { assignments } = this.given('assignment');
      const root32 = hex(sealedRoot(unhex(this.t.sealedSecret), assignments));
      const size = Object.keys(assignments).length;
      for (const { org, root: said, leaves } of list) {
        if (said !== root32 || leaves !== size) wrong(`leaves of ${org}`, `${size} leaves of root ${root32} are expected`);
      }
      return list.length === 0 ? missing('leaves') : pass(list.map((l) => l.org).join(', '));
    }
    checkSubstitutions() {
      const list = this.member('substitutions');
      const { strata } = this.given('selection');
      const { objects } = this.given('lists');
      const queues = new Map();
      const present = new Map(Object.keys(strata).map((name) => [name, new Set([...strata[name].outright, ...strata[name].selected.map((s) => s.id)])]));
      for (const { stratum, object: out, by, reason } of list) {
        const group = this.groups().find((g) => g.stratum === stratum) ?? wrong(`stratum ${stratum}`, 'is not in the plan');
        if (!queues.has(stratum)) queues.set(stratum, parts.standby(objects, group, this.given('seed').seed));
        const next = queues.get(stratum).shift();
        if (!present.get(stratum).delete(out)) wrong(`object ${out}`, 'is not among those to be inspected');
        if (by !== next) wrong(`object ${by}`, `${next ?? 'nobody'} is next`);
        if (reason === '') wrong(`object ${out}`, 'no reason is given');
        present.get(stratum).add(by);
      }
      return pass(`${list.length}`);
    }
    checkLedger() {
      return missing('blocks are checked by a program that knows the ledger');
    }
  }

  // sealedRoot is the root over the salted leaves of an outcome, in the order of the salts.
  function sealedRoot(secret, assignments) {
    const leaves = Object.keys(assignments).map((id) => {
      const salt = H(LP('DR1/salt'), secret, LP(id));
      return { salt, bytes: concat(salt, LP(id), u32(assignments[id].length), ...assignments[id].map(LP)) };
    });
    leaves.sort((a, b) => parts.compareBytes(a.salt, b.salt));
    return draw.merkleRoot(leaves, (leaf) => leaf.bytes);
  }
  // readCSV reads a file of the directory; ids hold no commas, strata may be quoted.
  function readCSV(name, content) {
    const lines = content.replace(/\r\n/g, '\n').replace(/\n$/, '').split('\n');
    if (lines.shift() !== 'id,stratum,weight') wrong(name, 'the header id,stratum,weight is expected');
    let last = '';
    return lines.map((line, i) => {
      const row = /^([^,"]*),([^,"]*|"(?:[^"]|"")*"),([1-9][0-9]{0,9})$/.exec(line) ?? wrong(`${name} row ${i + 1}`, 'id, stratum and weight are expected');
      if (row[1] <= last) wrong(`${name} row ${i + 1}`, 'the ids are not in order');
      last = row[1];
      const stratum = row[2].startsWith('"') ? row[2].slice(1, -1).replaceAll('""', '"') : row[2];
      return { __proto__: null, id: row[1], stratum, weight: Number(row[3]) };
    });
  }

  const STEPS = [
    ['plan', 'checkPlan'], ['plan approval', 'checkPlanApproval'], ['directories', 'checkDirectories'], ['freeze', 'checkFreeze'],
    ['freeze approval', 'checkFreezeApproval'], ['commitments', 'checkCommitments'], ['reveals', 'checkReveals'], ['close', 'checkClose'],
    ['observations', 'checkObservations'], ['beacon', 'checkBeacon'], ['seed', 'checkSeed'], ['selection', 'checkSelection'],
    ['assignment', 'checkAssignment'], ['sealed leaves', 'checkSealedLeaves'], ['substitutions', 'checkSubstitutions'], ['ledger', 'checkLedger'],
  ];

  // verify returns {name, status, detail} per step, or throws a DrawError if the value is
  // no transcript. options.readFile(name) gives the text of a CSV file of the directory;
  // options.checkBeacon is as in draw.js.
  function verify(transcript, options = {}) {
    const check = new Check(read(transcript), options);
    const sealed = Object.hasOwn(transcript, 'leaves') || Object.hasOwn(transcript.plan ?? {}, 'seal');
    return STEPS.filter(([name]) => sealed || name !== 'sealed leaves').map(([name, method]) => {
      const [status, detail] = run(check, method);
      if (status === PASS) check.passed.add(name);
      return { name, status, detail };
    });
  }
  function run(check, method) {
    try {
      return check[method]();
    } catch (error) {
      if (error instanceof Missing) return [NOT_SHOWN, error.message];
      if (error instanceof DrawError) return [FAIL, error.message];
      throw error;
    }
  }

  const exported = Object.freeze({ verify, read, sealedRoot, readCSV });

  // ---- as a worker: {text} → {steps} or {error} ----
  function serveWorker() {
    root.onmessage = ({ data }) => {
      try {
        root.postMessage({ steps: verify(draw.parse(data.text)) });
      } catch (error) {
        root.postMessage({ error: error.message });
      }
    };
  }
  // ---- as a command ----
  function main(file) {
    if (file === undefined) {
      process.stderr.write('usage: node transcript.js TRANSCRIPT.json\n');
      return 2;
    }
    const fs = require('node:fs');
    const path = require('node:path');
    let steps;
    try {
      const readFile = (name) => {
        if (path.basename(name) !== name) wrong(name, 'is not a file beside the transcript');
        const full = path.join(path.dirname(file), name);
        return fs.existsSync(full) ? draw.decode(fs.readFileSync(full)) : missing(`the file ${name}`);
      };
      steps = verify(draw.parse(draw.decode(fs.readFileSync(file))), { readFile });
    } catch (error) {
      process.stderr.write(`${file}: ${error.message}\n`);
      return 2;
    }
    for (const { name, status, detail } of steps) process.stdout.write(`${status.padEnd(9)} ${name}${detail && `: ${detail}`}\n`);
    return steps.some((s) => s.status === FAIL) ? 1 : 0;
  }

  if (inNode) {
    module.exports = exported;
    if (require.main === module) process.exitCode = main(process.argv[2]);
  } else {
    root.SteelyardTranscript = exported;
    if (asWorker) serveWorker();
  }
})(typeof globalThis === 'object' ? globalThis : this);
