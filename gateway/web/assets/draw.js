// The draw DR-1 as a function of public data, in plain JavaScript.
//
// A second implementation of the definition, written from its text alone, so that
// two programs can be held against each other. It runs in Node, as a script of a
// page (SteelyardDraw) and as a classic worker. bls.js beside it checks the beacon.
//
//   node draw.js INPUT.json      prints the output; exit code 1: the input is refused, 2: usage
//
// Integers and bytes only: no fractions, clock, locale or order of insertion.
(function (root) {
  'use strict';

  // DrawError names the rule that is broken and the entry that breaks it. kind is one
  // of syntax, name, duplicate, weight, plan, quota, commitment, beacon, seal and
  // infeasible; with the last, details holds the deficient set.
  class DrawError extends Error {
    constructor(kind, entry, message, details) {
      super(`${entry}: ${message}`);
      Object.assign(this, { name: 'DrawError', kind, entry, details: details ?? null });
    }
  }

  // ---- bytes ----
  const encoder = new TextEncoder();
  // utf8 reads ASCII itself: for names as short as ids the encoder's call costs more.
  function utf8(text) {
    const out = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 127) return encoder.encode(text);
      out[i] = unit;
    }
    return out;
  }
  function concat(...parts) {
    let [length, at] = [0, 0];
    for (const p of parts) length += p.length;
    const out = new Uint8Array(length);
    for (const p of parts) {
      out.set(p, at);
      at += p.length;
    }
    return out;
  }
  function putU32(bytes, at, n) {
    bytes[at] = n >>> 24;
    bytes[at + 1] = n >>> 16;
    bytes[at + 2] = n >>> 8;
    bytes[at + 3] = n;
  }
  function u32(n) {
    const out = new Uint8Array(4);
    putU32(out, 0, n);
    return out;
  }
  function u64(n) {
    const out = new Uint8Array(8);
    new DataView(out.buffer).setBigInt64(0, BigInt.asIntN(64, BigInt(n)));
    return out;
  }
  function LP(text) {
    const bytes = utf8(text);
    return concat(u32(bytes.length), bytes);
  }
  const HEX = Array.from({ length: 256 }, (_, b) => b.toString(16).padStart(2, '0'));
  const hex = (bytes) => Array.from(bytes, (b) => HEX[b]).join('');
  const unhex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  function compareBytes(a, b) {
    const n = Math.min(a.length, b.length);
    for (let i = 0; i < n; i++) if (a[i] !== b[i]) return a[i] - b[i];
    return a.length - b.length;
  }
  const compareText = (a, b) => (a === b ? 0 : compareBytes(utf8(a), utf8(b)));
  // compareIds is compareText for ids, which are ASCII.
  const compareIds = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

  // ---- SHA-256 (FIPS 180-4) ----
  // firstBits returns the first 32 bits of the fractional part of n^(1/root), exactly.
  function firstBits(n, degree) {
    const target = BigInt(n) << BigInt(32 * degree);
    let [low, high] = [0n, 1n << 40n];
    while (high - low > 1n) {
      const middle = (low + high) >> 1n;
      if (middle ** BigInt(degree) <= target) low = middle;
      else high = middle;
    }
    return Number(low & 0xffffffffn) | 0;
  }
  const PRIMES = [];
  for (let n = 2; PRIMES.length < 64; n++) if (PRIMES.every((p) => n % p !== 0)) PRIMES.push(n);
  const K = Int32Array.from(PRIMES, (p) => firstBits(p, 3));
  const START = Int32Array.from(PRIMES.slice(0, 8), (p) => firstBits(p, 2));
  // Scratch space, so that hashing a directory makes no garbage. A hash is computed in
  // one go, so nothing else can use it meanwhile.
  const schedule = new Int32Array(64);
  const scratch = new Uint8Array(1024);
  const state = new Int32Array(8);

  function compress(bytes, at) {
    const w = schedule;
    for (let i = 0, k = at; i < 16; i++, k += 4) w[i] = (bytes[k] << 24) | (bytes[k + 1] << 16) | (bytes[k + 2] << 8) | bytes[k + 3];
    for (let i = 16; i < 64; i++) {
      const x = w[i - 15];
      const y = w[i - 2];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
    }
    let a = state[0], b = state[1], c = state[2], d = state[3];
    let e = state[4], f = state[5], g = state[6], h = state[7];
    for (let i = 0; i < 64; i++) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g; g = f; f = e; e = (d + t1) | 0;
      d = c; c = b; b = a; a = (t1 + t2) | 0;
    }
    state[0] += a; state[1] += b; state[2] += c; state[3] += d;
    state[4] += e; state[5] += f; state[6] += g; state[7] += h;
  }
  // H hashes the concatenation of its parts.
  function H(...parts) {
    let length = 0;
    for (const part of parts) length += part.length;
    const size = (length + 72) & ~63;
    const padded = size <= scratch.length ? scratch.fill(0, length, size) : new Uint8Array(size);
    let at = 0;
    for (const part of parts) {
      padded.set(part, at);
      at += part.length;
    }
    padded[length] = 0x80;
    putU32(padded, size - 8, Math.floor(length / 0x20000000));
    putU32(padded, size - 4, length << 3);
    state.set(START);
    for (let block = 0; block < size; block += 64) compress(padded, block);
    const out = new Uint8Array(32);
    for (let i = 0; i < 8; i++) putU32(out, 4 * i, state[i]);
    return out;
  }
  const sha256 = (message) => H(message);

  // ---- JSON ----
  // parse reads strict JSON: no member twice, no text after the value, strings of
  // whole characters, integers within ±(2^53−1) only. Objects have no prototype.
  function parse(text) {
    const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
    const other = /(?:0|-?[1-9][0-9]*)(?![0-9.eE])|true|false|null/y;
    const space = /[ \t\n\r]*/y;
    let at = 0;
    const fail = (message) => {
      throw new DrawError('syntax', `offset ${at}`, message);
    };
    const token = (pattern) => {
      pattern.lastIndex = at;
      const found = pattern.exec(text);
      if (found === null) return null;
      at = pattern.lastIndex;
      return found[0];
    };
    const take = (mark) => {
      token(space);
      if (text[at] !== mark) return false;
      at++;
      return true;
    };
    function readString() {
      token(space);
      const raw = token(string) ?? fail('a string is expected');
      const value = JSON.parse(raw);
      return /[\ud800-\udfff]/u.test(value) ? fail('half of a surrogate pair') : value;
    }
    function readList(depth) {
      const list = [];
      if (take(']')) return list;
      do list.push(read(depth + 1)); while (take(','));
      return take(']') ? list : fail('a comma or ] is expected');
    }
    function readObject(depth) {
      const object = Object.create(null);
      if (take('}')) return object;
      do {
        const name = readString();
        if (name in object) fail(`member ${JSON.stringify(name)} twice`);
        if (!take(':')) fail('a colon is expected');
        object[name] = read(depth + 1);
      } while (take(','));
      return take('}') ? object : fail('a comma or } is expected');
    }
    function read(depth) {
      if (depth > 100) fail('nested too deeply');
      if (take('{')) return readObject(depth);
      if (take('[')) return readList(depth);
      if (text[at] === '"') return readString();
      const value = JSON.parse(token(other) ?? fail('a value is expected; numbers are integers'));
      return typeof value !== 'number' || Number.isSafeInteger(value) ? value : fail('an integer beyond 2^53-1');
    }
    const value = read(0);
    token(space);
    return at === text.length ? value : fail('text after the value');
  }

  // decode refuses bytes that are no UTF-8, instead of replacing them.
  function decode(bytes) {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw new DrawError('syntax', 'input', 'is not UTF-8');
    }
  }
  // canonical is RFC 8785 for the values parse returns; members sort by UTF-16 units.
  function canonical(value) {
    if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new DrawError('syntax', String(value), 'numbers are integers');
    if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
    if (value === null || typeof value !== 'object') return JSON.stringify(value);
    return `{${Object.keys(value).sort().map((k) => `${JSON.stringify(k)}:${canonical(value[k])}`).join(',')}}`;
  }

  // ---- shapes of the input ----
  function refuse(kind, entry, message) {
    throw new DrawError(kind, entry, message);
  }
  function checkMembers(value, entry, required, optional = []) {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) refuse('syntax', entry, 'an object is expected');
    for (const name of required) if (!Object.hasOwn(value, name)) refuse('syntax', `${entry}.${name}`, 'is missing');
    for (const name of Object.keys(value)) {
      if (!required.includes(name) && !optional.includes(name)) refuse('syntax', `${entry}.${name}`, 'is not a member of the definition');
    }
    return value;
  }
  function checkList(value, entry) {
    return Array.isArray(value) ? value : refuse('syntax', entry, 'a list is expected');
  }
  function checkInteger(value, entry, low, high) {
    const good = Number.isSafeInteger(value) && value >= low && value <= high;
    return good ? value : refuse('syntax', entry, `an integer from ${low} to ${high} is expected`);
  }
  function checkHex(value, entry, bytes) {
    const good = typeof value === 'string' && /^(?:[0-9a-f]{2})*$/.test(value) && (bytes === null || value.length === 2 * bytes);
    return good ? unhex(value) : refuse('syntax', entry, `${bytes === null ? 'some' : bytes} bytes in lower-case hex are expected`);
  }
  function checkString(value, entry) {
    return typeof value === 'string' ? value : refuse('syntax', entry, 'a string is expected');
  }
  function checkId(value, entry) {
    const good = /^[A-Z0-9._-]{1,64}$/.test(checkString(value, entry));
    return good ? value : refuse('name', `${entry} ${JSON.stringify(value)}`, 'an id is 1 to 64 of A-Z 0-9 . _ -');
  }
  function checkLabel(value, entry) {
    const good = checkString(value, entry) !== '' && utf8(value).length <= 64
      && (/^[\0-\x7f]*$/.test(value) || (value === value.normalize('NFC') && !/[\ud800-\udfff]/u.test(value)));
    return good ? value : refuse('name', `${entry} ${JSON.stringify(value)}`, 'a label is 1 to 64 bytes of UTF-8 in NFC');
  }
  function checkUnique(sorted, name) {
    for (let i = 1; i < sorted.length; i++) {
      if (name(sorted[i]) === name(sorted[i - 1])) refuse('duplicate', name(sorted[i]), 'stands twice');
    }
    return sorted;
  }
  const U32 = 0xffffffff;

  // ---- directories (section 1) ----
  function readObjects(list) {
    const objects = checkList(list, 'objects').map((o, i) => {
      checkMembers(o, `objects[${i}]`, ['id', 'stratum', 'weight']);
      const id = checkId(o.id, 'object');
      const weight = checkInteger(o.weight, `weight of object ${id}`, 0, U32);
      if (weight === 0) refuse('weight', `object ${id}`, 'a weight is at least 1');
      return { id, stratum: checkLabel(o.stratum, `stratum of object ${id}`), weight };
    });
    return checkUnique(objects.sort((a, b) => compareIds(a.id, b.id)), (o) => `object ${o.id}`);
  }
  function readInspectors(list) {
    const inspectors = checkList(list, 'inspectors').map((p, i) => {
      checkMembers(p, `inspectors[${i}]`, ['id', 'cap', 'skills']);
      const id = checkId(p.id, 'inspector');
      const skills = checkList(p.skills, `skills of inspector ${id}`).map((s) => checkLabel(s, `skill of inspector ${id}`));
      checkUnique(skills.sort(compareText), (s) => `skill ${s} of inspector ${id}`);
      return { id, skills, cap: checkInteger(p.cap, `cap of inspector ${id}`, 0, U32) };
    });
    return checkUnique(inspectors.sort((a, b) => compareIds(a.id, b.id)), (p) => `inspector ${p.id}`);
  }
  function readIneligible(list) {
    const pairs = checkList(list, 'ineligible').map((pair, i) => {
      if (checkList(pair, `ineligible[${i}]`).length !== 2) refuse('syntax', `ineligible[${i}]`, 'a pair [inspector, object] is expected');
      return [checkId(pair[0], 'inspector'), checkId(pair[1], 'object')];
    });
    pairs.sort((a, b) => compareIds(a[0], b[0]) || compareIds(a[1], b[1]));
    return checkUnique(pairs, (pair) => `ineligible pair ${pair.join(', ')}`);
  }
  const objectLeaf = (o) => concat(LP(o.id), LP(o.stratum), u32(o.weight));
  const inspectorLeaf = (p) => concat(LP(p.id), u32(p.cap), ...p.skills.map(LP));
  const pairLeaf = (pair) => concat(LP(pair[0]), LP(pair[1]));

  // ---- Merkle trees (RFC 6962 section 2.1) ----
  const leafHash = (leaf) => H(Uint8Array.of(0), leaf);
  const nodeHash = (left, right) => H(Uint8Array.of(1), left, right);
  // merkleRoot keeps one subtree per bit of the number of leaves read so far.
  function merkleRoot(entries, encode, progress = () => {}) {
    if (entries.length === 0) return sha256(new Uint8Array(0));
    const stack = [];
    entries.forEach((entry, i) => {
      let hash = leafHash(encode(entry));
      for (let n = i; n & 1; n >>= 1) hash = nodeHash(stack.pop(), hash);
      stack.push(hash);
      progress(i + 1);
    });
    return stack.reduceRight((right, left) => nodeHash(left, right));
  }
  // verifyInclusion checks that leaf (its bytes) stands at index in the tree of size
  // leaves; path holds the siblings' hashes, lowest first (RFC 9162 section 2.1.3.2).
  function verifyInclusion(leaf, index, size, path, root32) {
    if (!(index >= 0 && index < size)) return false;
    let [at, last, hash] = [index, size - 1, leafHash(leaf)];
    for (const sibling of path) {
      if (last === 0) return false;
      if (at % 2 === 1 || at === last) {
        hash = nodeHash(sibling, hash);
        while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, Math.floor(last / 2)];
      } else {
        hash = nodeHash(hash, sibling);
      }
      [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
    }
    return last === 0 && compareBytes(hash, root32) === 0;
  }

  // ---- plan ----
  function readPlan(plan) {
    checkMembers(plan, 'plan', [], Object.keys(plan ?? {}));
    const text = canonical(plan);
    if (text !== text.normalize('NFC')) refuse('plan', 'plan', 'has text that is not in NFC');
    if (Object.hasOwn(plan, 'quota') === Object.hasOwn(plan, 'rates')) refuse('plan', 'plan', 'either quota or rates is expected');
    const slots = checkList(Object.hasOwn(plan, 'assign') ? plan.assign : [], 'plan.assign').map((skills, i) => {
      const labels = checkList(skills, `plan.assign[${i}]`).map((s) => checkLabel(s, `skill of plan.assign[${i}]`));
      return checkUnique(labels.sort(compareText), (s) => `skill ${s} of plan.assign[${i}]`);
    });
    if (slots.length < 2) refuse('plan', 'plan.assign', 'at least two slots are expected');
    const ladder = checkList(Object.hasOwn(plan, 'ladder') ? plan.ladder : [], 'plan.ladder').map((n, i) => checkInteger(n, `plan.ladder[${i}]`, 1, U32));
    const seal = Object.hasOwn(plan, 'seal') ? checkHex(plan.seal, 'plan.seal', 32) : null;
    return { slots, ladder, seal, counts: readCounts(plan) };
  }
  // readCounts maps a stratum to the function that gives its quota for N objects.
  function readCounts(plan) {
    const counts = new Map();
    const name = Object.hasOwn(plan, 'quota') ? 'quota' : 'rates';
    const members = checkMembers(plan[name], `plan.${name}`, [], Object.keys(plan[name] ?? {}));
    for (const stratum of Object.keys(members)) {
      const [entry, value] = [`plan.${name} of ${checkLabel(stratum, 'stratum')}`, members[stratum]];
      if (name === 'quota') {
        const n = checkInteger(value, entry, 0, 0x7fffffff);
        counts.set(stratum, () => n);
        continue;
      }
      if (checkList(value, entry).length !== 2) refuse('plan', entry, 'a pair [numerator, denominator] is expected');
      const numerator = BigInt(checkInteger(value[0], entry, 0, Number.MAX_SAFE_INTEGER));
      const denominator = BigInt(checkInteger(value[1], entry, 0, Number.MAX_SAFE_INTEGER));
      if (denominator === 0n) refuse('plan', entry, 'the denominator is 0');
      counts.set(stratum, (n) => Number((BigInt(n) * numerator + denominator - 1n) / denominator));
    }
    return counts;
  }
  const planHash = (plan) => H(LP('DR1/plan'), LP(canonical(plan)));

  // ---- seed ----
  const commitment = (draw, org, secret) => H(LP('DR1/commit'), LP(draw), LP(org), secret);
  const seal = (draw, secret) => H(LP('DR1/seal'), LP(draw), secret);
  function contribution(draw, list) {
    const entries = checkList(list, 'contributions').map((c, i) => {
      checkMembers(c, `contributions[${i}]`, ['org', 'commitment', 'secret']);
      const org = checkLabel(c.org, 'organisation');
      const committed = checkHex(c.commitment, `commitment of ${org}`, 32);
      const secret = c.secret === null ? null : checkHex(c.secret, `secret of ${org}`, 32);
      return { org, committed, secret };
    });
    checkUnique(entries.sort((a, b) => compareText(a.org, b.org)), (c) => `organisation ${c.org}`);
    const parts = entries.map(({ org, committed, secret }) => {
      if (secret === null) return concat(LP(org), Uint8Array.of(0), committed);
      if (compareBytes(commitment(draw, org, secret), committed) !== 0) refuse('commitment', `organisation ${org}`, 'the secret does not fit the commitment');
      return concat(LP(org), Uint8Array.of(1), secret);
    });
    return H(LP('DR1/contrib'), u32(entries.length), ...parts);
  }
  // readChain returns a chain's key, its times (seconds) and the hash that pins it.
  function readChain(value) {
    const chain = checkMembers(value, 'beacon.chain', ['scheme', 'publicKey', 'period', 'genesisTime', 'genesisSeed', 'beaconId']);
    if (checkString(chain.scheme, 'beacon.chain.scheme') !== 'bls-unchained-g1-rfc9380') refuse('beacon', 'beacon.chain.scheme', 'bls-unchained-g1-rfc9380 is expected');
    const key = checkHex(chain.publicKey, 'beacon.chain.publicKey', 96);
    const period = checkInteger(chain.period, 'beacon.chain.period', 0, U32);
    if (period === 0) refuse('beacon', 'beacon.chain.period', 'is 0');
    const genesis = checkInteger(chain.genesisTime, 'beacon.chain.genesisTime', -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    const genesisSeed = checkHex(chain.genesisSeed, 'beacon.chain.genesisSeed', null);
    const name = checkString(chain.beaconId, 'beacon.chain.beaconId');
    return { key, period, genesis, chainHash: H(u32(period), u64(genesis), key, genesisSeed, utf8(name === 'default' ? '' : name)) };
  }
  // readBeacon returns chain hash, round and randomness, after checking the signature.
  function readBeacon(beacon, check) {
    checkMembers(beacon, 'beacon', ['chain', 'round', 'signature']);
    const { key, chainHash } = readChain(beacon.chain);
    const round = checkInteger(beacon.round, 'beacon.round', 0, Number.MAX_SAFE_INTEGER);
    if (round === 0) refuse('beacon', 'beacon.round', 'rounds count from 1');
    const signature = checkHex(beacon.signature, 'beacon.signature', 48);
    const reason = check(sha256, key, sha256(u64(round)), signature);
    if (reason !== null) refuse('beacon', `beacon round ${round}`, reason);
    return { chainHash, round, randomness: sha256(signature) };
  }
  // freeze is F over the plan's hash, the three roots and the three counts: objects,
  // inspectors, ineligible pairs.
  const freeze = (draw, hp, roots, counts) => H(LP('DR1/freeze'), LP(draw), hp, ...roots.flatMap((r, i) => [r, u64(counts[i])]));
  const openSeed = (F, C, { chainHash, round, randomness }) => H(LP('DR1/seed'), F, C, chainHash, u64(round), randomness);
  function unseal(draw, plan, sealedSecret, seed) {
    const secret = (sealedSecret ?? null) === null ? null : checkHex(sealedSecret, 'sealedSecret', 32);
    if (plan.seal === null) return secret === null ? null : refuse('seal', 'sealedSecret', 'the plan has no seal');
    if (secret === null) refuse('seal', 'sealedSecret', 'is missing; the plan has a seal');
    if (compareBytes(seal(draw, secret), plan.seal) !== 0) refuse('seal', 'sealedSecret', 'does not fit plan.seal');
    return H(LP('DR1/sealed'), seed, secret);
  }

  // ---- selection (section 3) ----
  const targetSeed = (seed) => H(LP('DR1/target'), seed);
  const ticketOf = (target, id) => H(target, utf8(id));
  const number = (bytes) => BigInt(`0x${hex(bytes)}`);

  // takeOutright lists the members whose weight makes them certain, and those that
  // remain with their quota. All that qualify are taken at once, repeatedly.
  function takeOutright(objects, members, quota) {
    const outright = [];
    let rest = members;
    let total = members.reduce((sum, i) => sum + BigInt(objects[i].weight), 0n);
    while (quota - outright.length > 0 && rest.length > 0) {
      const n = BigInt(quota - outright.length);
      const bound = Number((total + n - 1n) / n); // n·w ≥ W just where w ≥ ⌈W/n⌉
      const taken = rest.filter((i) => objects[i].weight >= bound);
      if (taken.length === 0) break;
      outright.push(...taken);
      rest = rest.filter((i) => objects[i].weight < bound);
      total -= taken.reduce((sum, i) => sum + BigInt(objects[i].weight), 0n);
    }
    return { outright: outright.sort((a, b) => a - b), rest };
  }
  // compareWeighted orders T/w by exact cross-multiplication, ties by id.
  const compareWeighted = (a, b) => {
    const [left, right] = [a.ticket * BigInt(b.weight), b.ticket * BigInt(a.weight)];
    return left < right ? -1 : left > right ? 1 : compareIds(a.id, b.id);
  };
  // rank returns the indices in rank order. Positions in objects follow the ids, so
  // they break ties; equal weights compare six bytes first, as one exact integer.
  function rank(objects, tickets, members, weighted) {
    const bytes = (i) => tickets.subarray(32 * i, 32 * i + 32);
    if (weighted) {
      const keys = members.map((i) => ({ i, id: objects[i].id, weight: objects[i].weight, ticket: number(bytes(i)) }));
      return keys.sort(compareWeighted).map((key) => key.i);
    }
    const view = new DataView(tickets.buffer);
    const keys = members.map((i) => ({ i, head: view.getUint32(32 * i) * 65536 + view.getUint16(32 * i + 4) }));
    return keys.sort((a, b) => a.head - b.head || compareBytes(bytes(a.i), bytes(b.i)) || a.i - b.i).map((key) => key.i);
  }
  // split tells whether a stratum's weights differ, who is certain and who is ranked.
  function split(objects, members, quota) {
    const weighted = members.some((i) => objects[i].weight !== objects[members[0]].weight);
    return { weighted, ...(weighted ? takeOutright(objects, members, quota) : { outright: [], rest: members }) };
  }
  // standby lists the ids of a group's ranks beyond its quota, the next one first.
  function standby(objects, { members, quota }, seed) {
    const target = targetSeed(seed);
    const tickets = new Uint8Array(32 * objects.length);
    for (const i of members) tickets.set(ticketOf(target, objects[i].id), 32 * i);
    const { weighted, outright, rest } = split(objects, members, quota);
    return rank(objects, tickets, rest, weighted).slice(quota - outright.length).map((i) => objects[i].id);
  }
  function selectStratum(objects, tickets, members, quota) {
    const { weighted, outright, rest } = split(objects, members, quota);
    const drawn = quota === outright.length ? [] : rank(objects, tickets, rest, weighted).slice(0, quota - outright.length);
    const ticket = (i) => hex(tickets.subarray(32 * i, 32 * i + 32));
    const last = drawn.at(-1);
    let threshold = null;
    if (last !== undefined) threshold = weighted ? { ticket: ticket(last), weight: objects[last].weight } : ticket(last);
    const result = {
      quota,
      outright: outright.map((i) => objects[i].id),
      selected: drawn.map((i) => ({ id: objects[i].id, ticket: ticket(i) })),
      threshold,
    };
    return { result, drawn: [...outright, ...drawn] };
  }
  // quotas groups the objects by the plan's strata; nothing is drawn from any other.
  function quotas(objects, counts) {
    const groups = new Map([...counts.keys()].map((stratum) => [stratum, []]));
    objects.forEach((o, i) => groups.get(o.stratum)?.push(i));
    return [...groups.keys()].sort(compareText).map((stratum) => {
      const members = groups.get(stratum);
      const quota = counts.get(stratum)(members.length);
      if (quota > members.length) refuse('quota', `stratum ${stratum}`, `the quota ${quota} is above its ${members.length} objects`);
      return { stratum, members, quota };
    });
  }
  function select(objects, groups, seed, progress) {
    const target = targetSeed(seed);
    const tickets = new Uint8Array(32 * objects.length);
    objects.forEach((o, i) => {
      tickets.set(ticketOf(target, o.id), 32 * i);
      progress(i + 1);
    });
    const strata = Object.create(null);
    const drawn = [];
    for (const { stratum, members, quota } of groups) {
      const selection = selectStratum(objects, tickets, members, quota);
      strata[stratum] = selection.result;
      drawn.push(...selection.drawn.map((i) => objects[i].id));
    }
    return { strata, drawn };
  }
  // verifyTicket answers one object from public data alone: was I drawn, and why not?
  // seed is the output's sealedSeed if it has one, else its seed; result is its stratum's,
  // undefined where the plan draws nothing from it.
  function verifyTicket({ seed, id, weight, result }) {
    const ticket = ticketOf(targetSeed(unhex(seed)), checkId(id, 'object'));
    if (result === undefined) return { ticket: hex(ticket), drawn: false, reason: 'stratum-not-drawn' };
    if (result.outright.includes(id)) return { ticket: hex(ticket), drawn: true, reason: 'outright' };
    if (result.threshold === null) return { ticket: hex(ticket), drawn: false, reason: 'nothing-ranked' };
    const weighted = typeof result.threshold !== 'string';
    const limit = weighted ? result.threshold : { ticket: result.threshold, weight };
    const last = { id: result.selected.at(-1)?.id ?? '', ticket: number(unhex(limit.ticket)), weight: limit.weight };
    const drawn = compareWeighted({ id, ticket: number(ticket), weight }, last) <= 0;
    return { ticket: hex(ticket), drawn, reason: drawn ? 'within-threshold' : 'above-threshold' };
  }

  // ---- assignment (section 4) ----
  // A Matching gives every open slot of every object an inspector: nobody above the
  // cap, nobody twice on an object. It is a flow slot → (inspector, object) →
  // inspector; search looks for a path in its residual network.
  class Matching {
    // slots: {object, index, eligible: [inspector…]}, grouped by object in `groups`.
    constructor(slots, groups, caps) {
      Object.assign(this, { slots, groups, caps });
      this.holder = new Int32Array(slots.length).fill(-1); // slot → inspector
      this.fixed = new Uint8Array(slots.length);
      this.used = new Float64Array(caps.length); // fixed and provisional units
      this.held = caps.map(() => new Set()); // inspector → slots not fixed
      this.load = new Float64Array(caps.length); // fixed units
    }
    place(slot, inspector) {
      this.holder[slot] = inspector;
      this.used[inspector]++;
      this.held[inspector].add(slot);
    }
    vacate(slot) {
      const inspector = this.holder[slot];
      this.holder[slot] = -1;
      this.used[inspector]--;
      this.held[inspector].delete(slot);
      return inspector;
    }
    // rival is the slot of the same object that holds the inspector, or -1.
    rival(slot, inspector) {
      return this.groups[this.slots[slot].object].find((s) => this.holder[s] === inspector) ?? -1;
    }
    // search starts from slots that need an inspector, or would once they gave up
    // theirs, and places the first one it can. It returns that start (or -1) and the
    // slots it came by.
    search(starts) {
      const cameFrom = new Map(starts.map((s) => [s, null])); // slot → {slot, inspector} that displaces it
      const queue = [...starts];
      const seen = new Set();
      for (const slot of queue) { // grows while it is read
        for (const inspector of this.slots[slot].eligible) {
          const rival = this.rival(slot, inspector);
          let next = [];
          if (rival >= 0) {
            if (rival !== slot && !this.fixed[rival]) next = [rival];
          } else if (!seen.has(inspector)) {
            seen.add(inspector);
            if (this.used[inspector] < this.caps[inspector]) return { start: this.shift(cameFrom, slot, inspector), reached: queue };
            next = this.held[inspector];
          }
          for (const s of next) {
            if (cameFrom.has(s)) continue;
            cameFrom.set(s, { slot, inspector });
            queue.push(s);
          }
        }
      }
      return { start: -1, reached: queue };
    }
    // shift moves every slot on the path to its new inspector.
    shift(cameFrom, end, inspector) {
      for (let [slot, to] = [end, inspector]; ;) {
        if (this.holder[slot] >= 0) this.vacate(slot);
        this.place(slot, to);
        const from = cameFrom.get(slot);
        if (from === null) return slot;
        [slot, to] = [from.slot, from.inspector];
      }
    }
    // fill places all slots it can and returns a Hall violator: the slots that some
    // best matching leaves open. It is empty if all are filled.
    fill() {
      const open = [];
      for (let s = 0; s < this.slots.length; s++) if (this.search([s]).start < 0) open.push(s);
      return open.length === 0 ? [] : this.search(open).reached.sort((a, b) => a - b);
    }
    // fix gives the slot to the inspector for good if all other slots can still be
    // filled, and tells whether it did; if not, nothing has changed.
    fix(slot, inspector) {
      const before = this.vacate(slot);
      const rival = this.rival(slot, inspector);
      const full = this.used[inspector] >= this.caps[inspector];
      const displaced = rival >= 0 ? [rival] : full ? [...this.held[inspector]] : [];
      if (rival >= 0) this.vacate(rival);
      this.place(slot, inspector);
      this.fixed[slot] = 1;
      this.held[inspector].delete(slot);
      if (displaced.length === 0 || this.search(displaced).start >= 0) {
        this.load[inspector]++;
        return true;
      }
      this.fixed[slot] = 0;
      this.vacate(slot);
      if (rival >= 0) this.place(rival, inspector);
      this.place(slot, before);
      return false;
    }
  }

  // openSlots lists slot 0 of every object in order, then slot 1, and so on.
  function openSlots(order, plan, inspectors, ineligible) {
    const skilled = plan.slots.map((skills) => {
      return inspectors.flatMap((p, i) => (skills.every((s) => p.skills.includes(s)) ? [i] : []));
    });
    const barred = new Map(order.map((id) => [id, new Set()]));
    for (const [inspector, object] of ineligible) barred.get(object)?.add(inspector);
    const groups = order.map(() => []);
    const slots = skilled.flatMap((able, index) => order.map((id, object) => {
      groups[object].push(index * order.length + object);
      return { object, index, eligible: able.filter((i) => !barred.get(id).has(inspectors[i].id)) };
    }));
    return { slots, groups };
  }
  // choose takes the first candidate in key order that leaves the rest fillable. Only
  // candidates of the loads it comes to are hashed.
  function choose(matching, slot, key) {
    const { eligible } = matching.slots[slot];
    const candidates = eligible.filter((i) => matching.load[i] < matching.caps[i]
      && !matching.groups[matching.slots[slot].object].some((s) => matching.fixed[s] && matching.holder[s] === i));
    const loads = [...new Set(candidates.map((i) => matching.load[i]))].sort((a, b) => a - b);
    for (const load of loads) {
      const keyed = candidates.filter((i) => matching.load[i] === load).map((i) => ({ i, key: key(i) }));
      keyed.sort((a, b) => compareBytes(a.key, b.key) || a.i - b.i);
      for (const { i } of keyed) if (matching.fix(slot, i)) return i;
    }
    throw new Error('the matching lost a slot'); // cannot happen: the holder itself is a candidate
  }
  function assign(drawn, plan, inspectors, ineligible, seed, progress) {
    const base = H(LP('DR1/assign'), seed);
    const places = drawn.map((id) => ({ id, key: H(base, Uint8Array.of(0), utf8(id)) }));
    const order = places.sort((a, b) => compareBytes(a.key, b.key) || compareIds(a.id, b.id)).map((p) => p.id);
    const { slots, groups } = openSlots(order, plan, inspectors, ineligible);
    const { matching, capPlus } = climb(slots, groups, plan, inspectors, order);
    const assignments = Object.create(null);
    for (const id of order) assignments[id] = [];
    slots.forEach((slot, s) => {
      const id = order[slot.object];
      const head = concat(base, Uint8Array.of(1), LP(id));
      assignments[id].push(inspectors[choose(matching, s, (i) => H(head, LP(inspectors[i].id)))].id);
      progress(s + 1);
    });
    return { order, capPlus, assignments };
  }
  // climb tries the caps as they are, then each step of the ladder. The violator it
  // reports is that of the largest increment, and so one of every step.
  function climb(slots, groups, plan, inspectors, order) {
    let worst = null;
    for (const capPlus of [0, ...plan.ladder]) {
      const matching = new Matching(slots, groups, inspectors.map((p) => p.cap + capPlus));
      const deficient = matching.fill();
      if (deficient.length === 0) return { matching, capPlus };
      if (worst === null || capPlus > worst.capPlus) worst = { capPlus, deficient };
    }
    const named = worst.deficient.map((s) => ({ object: order[slots[s].object], slot: slots[s].index }));
    const objects = [...new Set(named.map((d) => d.object))].sort(compareIds);
    throw new DrawError('infeasible', `objects ${objects.join(', ')}`, 'too few inspectors for their slots', { capPlus: worst.capPlus, deficient: named });
  }

  // ---- the whole (section 6) ----
  // compute maps the input to the output of the definition or throws a DrawError.
  // options.progress is called with {phase, done, total}; options.checkBeacon
  // replaces bls.js: (sha256, key, message, signature) → null or a reason.
  function compute(input, options = {}) {
    checkMembers(input, 'input', ['draw', 'plan', 'objects', 'inspectors', 'ineligible', 'contributions', 'beacon'], ['sealedSecret']);
    const draw = checkLabel(input.draw, 'draw');
    const plan = readPlan(input.plan);
    const objects = readObjects(input.objects);
    const inspectors = readInspectors(input.inspectors);
    const ineligible = readIneligible(input.ineligible);
    const groups = quotas(objects, plan.counts);
    const hp = planHash(input.plan);
    const roots = [
      merkleRoot(objects, objectLeaf, report(options, 'objects', objects.length)),
      merkleRoot(inspectors, inspectorLeaf), merkleRoot(ineligible, pairLeaf),
    ];
    const F = freeze(draw, hp, roots, [objects.length, inspectors.length, ineligible.length]);
    const C = contribution(draw, input.contributions);
    const { chainHash, round, randomness } = readBeacon(input.beacon, options.checkBeacon ?? beaconCheck());
    const S = openSeed(F, C, { chainHash, round, randomness });
    const sealedSeed = unseal(draw, plan, input.sealedSecret, S);
    const seed = sealedSeed ?? S;
    const { strata, drawn } = select(objects, groups, seed, report(options, 'tickets', objects.length));
    const assigned = assign(drawn, plan, inspectors, ineligible, seed, report(options, 'assignment', drawn.length * plan.slots.length));
    return {
      planHash: hex(hp), objectsRoot: hex(roots[0]), inspectorsRoot: hex(roots[1]), ineligibleRoot: hex(roots[2]),
      freeze: hex(F), contribution: hex(C), chainHash: hex(chainHash), seed: hex(S),
      ...(sealedSeed === null ? {} : { sealedSeed: hex(sealedSeed) }),
      strata, ...assigned,
    };
  }
  // report thins progress out to a hundred calls per phase.
  function report(options, phase, total) {
    const step = Math.max(1, Math.ceil(total / 100));
    return (done) => {
      if (options.progress && (done % step === 0 || done === total)) options.progress({ phase, done, total });
    };
  }
  function beaconCheck() {
    const bls = typeof module === 'object' && module.exports ? require('./bls.js') : root.SteelyardBLS;
    return bls ? bls.refuse : () => 'bls.js is not loaded; a beacon that is not checked is refused';
  }

  const exported = Object.freeze({
    DrawError, decode, parse, canonical, compute, verifyTicket, verifyInclusion, merkleRoot,
    objectLeaf, inspectorLeaf, pairLeaf, planHash, commitment, seal, sha256, hex, unhex,
    // For transcript.js, which checks the steps of a draw one by one.
    parts: Object.freeze({
      H, LP, u32, concat, compareBytes, compareText, beaconCheck,
      checkMembers, checkList, checkInteger, checkHex, checkString, checkId, checkLabel,
      readObjects, readInspectors, readIneligible, readPlan, readChain, readBeacon,
      freeze, contribution, openSeed, unseal, quotas, select, standby, assign,
    }),
  });

  // ---- as a worker: {text or input, bls?: address of bls.js} → {progress}… {output} or {error} ----
  function serveWorker() {
    root.onmessage = ({ data }) => {
      try {
        if (!root.SteelyardBLS) root.importScripts(data.bls ?? 'bls.js');
        const progress = (p) => root.postMessage({ progress: p });
        root.postMessage({ output: compute(data.input ?? parse(data.text), { progress }) });
      } catch (error) {
        const { kind = 'internal', entry = '', message, details = null } = error;
        root.postMessage({ error: { kind, entry, message, details } });
      }
    };
  }
  // ---- as a command ----
  function main(file) {
    if (file === undefined) {
      process.stderr.write('usage: node draw.js INPUT.json\n');
      return 2;
    }
    try {
      const input = parse(decode(require('node:fs').readFileSync(file)));
      process.stdout.write(`${JSON.stringify(compute(input), null, 2)}\n`);
      return 0;
    } catch (error) {
      if (!(error instanceof DrawError)) process.stderr.write(`${file}: ${error.message}\n`);
      else process.stderr.write(`${JSON.stringify({ error: error.kind, entry: error.entry, message: error.message, ...error.details })}\n`);
      return 1;
    }
  }

  if (typeof module === 'object' && module.exports) {
    module.exports = exported;
    if (require.main === module) process.exitCode = main(process.argv[2]);
  } else {
    root.SteelyardDraw = exported;
    if (typeof root.WorkerGlobalScope === 'function' && /\/draw[^/]*\.js$/.test(root.location.pathname)) serveWorker();
  }
})(typeof globalThis === 'object' ? globalThis : this);
