// SHA-256 (FIPS 180-4) and SM3 (GB/T 32905) of a file, read piece by piece. As a
// worker it takes {file, c14n: address of c14n.js} and posts {percent}, then
// {digests, unread}, or {failed}. In Node it exports all for tests.
(function (root) {
  'use strict';

  const block = 64;

  // Streams bytes in blocks of 64 into compress(state, view, offset), and pads
  // the way both algorithms do: 0x80, zeros, length in bits as 64 bits.
  class Hash {
    constructor(initial, compress) {
      this.state = Uint32Array.from(initial);
      this.compress = compress;
      this.rest = new Uint8Array(block);
      this.held = 0;
      this.length = 0;
    }
    update(bytes) {
      this.length += bytes.length;
      let at = 0;
      if (this.held) {
        at = Math.min(block - this.held, bytes.length);
        this.rest.set(bytes.subarray(0, at), this.held);
        this.held += at;
        if (this.held < block) return this;
        this.run(this.rest, 0, block);
        this.held = 0;
      }
      const whole = bytes.length - (bytes.length - at) % block;
      if (whole > at) this.run(bytes, at, whole);
      this.rest.set(bytes.subarray(whole));
      this.held = bytes.length - whole;
      return this;
    }
    run(bytes, from, to) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      for (let at = from; at < to; at += block) this.compress(this.state, view, at);
    }
    hex() {
      const bits = this.length;
      const tail = new Uint8Array(this.held < 56 ? block : 2 * block);
      tail.set(this.rest.subarray(0, this.held));
      tail[this.held] = 0x80;
      const view = new DataView(tail.buffer);
      view.setUint32(tail.length - 8, Math.floor(bits / 0x20000000));
      view.setUint32(tail.length - 4, (bits % 0x20000000) * 8);
      this.run(tail, 0, tail.length);
      return Array.from(this.state, (word) => word.toString(16).padStart(8, '0')).join('');
    }
  }

  // ---- SHA-256: constants are the fractions of roots of the first primes ----
  function primes(count) {
    const found = [];
    for (let n = 2; found.length < count; n++) if (found.every((p) => n % p)) found.push(n);
    return found;
  }
  // The first 32 bits of the fraction of a root of n, exactly: the integer root
  // of n shifted left, by BigInt and bisection.
  function fraction(n, degree) {
    const target = BigInt(n) << BigInt(32 * degree);
    let [low, high] = [0n, 1n << 40n];
    while (high - low > 1n) {
      const middle = (low + high) >> 1n;
      if (middle ** BigInt(degree) <= target) low = middle; else high = middle;
    }
    return Number(low & 0xffffffffn);
  }
  const K = Uint32Array.from(primes(64), (p) => fraction(p, 3));
  const sha256Start = primes(8).map((p) => fraction(p, 2));
  const W = new Uint32Array(68);

  function sha256Block(state, view, at) {
    for (let i = 0; i < 16; i++) W[i] = view.getUint32(at + 4 * i);
    for (let i = 16; i < 64; i++) {
      const x = W[i - 15], y = W[i - 2];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      W[i] = (W[i - 16] + s0 + W[i - 7] + s1) | 0;
    }
    let a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
    for (let i = 0; i < 64; i++) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + W[i]) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g; g = f; f = e; e = (d + t1) | 0; d = c; c = b; b = a; a = (t1 + t2) | 0;
    }
    state[0] += a; state[1] += b; state[2] += c; state[3] += d; state[4] += e; state[5] += f; state[6] += g; state[7] += h;
  }

  // ---- SM3 ----
  const sm3Start = [0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e];
  function turn(x, n) { n &= 31; return n ? (x << n) | (x >>> (32 - n)) : x; }
  const T = Uint32Array.from({ length: 64 }, (_, j) => turn(j < 16 ? 0x79cc4519 : 0x7a879d8a, j));

  function sm3Block(state, view, at) {
    for (let i = 0; i < 16; i++) W[i] = view.getUint32(at + 4 * i);
    for (let i = 16; i < 68; i++) {
      const x = W[i - 16] ^ W[i - 9] ^ ((W[i - 3] << 15) | (W[i - 3] >>> 17));
      const p1 = x ^ ((x << 15) | (x >>> 17)) ^ ((x << 23) | (x >>> 9));
      W[i] = p1 ^ ((W[i - 13] << 7) | (W[i - 13] >>> 25)) ^ W[i - 6];
    }
    let a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
    for (let i = 0; i < 64; i++) {
      const a12 = (a << 12) | (a >>> 20);
      const s = (a12 + e + T[i]) | 0;
      const s1 = (s << 7) | (s >>> 25);
      const s2 = s1 ^ a12;
      const ff = i < 16 ? a ^ b ^ c : (a & b) | (a & c) | (b & c);
      const gg = i < 16 ? e ^ f ^ g : (e & f) | (~e & g);
      const t1 = (ff + d + s2 + (W[i] ^ W[i + 4])) | 0;
      const t2 = (gg + h + s1 + W[i]) | 0;
      d = c; c = (b << 9) | (b >>> 23); b = a; a = t1;
      h = g; g = (f << 19) | (f >>> 13); f = e;
      e = t2 ^ ((t2 << 9) | (t2 >>> 23)) ^ ((t2 << 17) | (t2 >>> 15));
    }
    state[0] ^= a; state[1] ^= b; state[2] ^= c; state[3] ^= d; state[4] ^= e; state[5] ^= f; state[6] ^= g; state[7] ^= h;
  }

  const newSHA256 = () => new Hash(sha256Start, sha256Block);
  const newSM3 = () => new Hash(sm3Start, sm3Block);

  // Whether a file begins like XML, perhaps after a byte order mark or spaces.
  function looksLikeXML(bytes) {
    let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
    while (at < bytes.length && [9, 10, 13, 32].includes(bytes[at])) at++;
    return bytes[at] === 0x3c;
  }

  const piece = 4 << 20; // bytes read at a time
  const maxXML = 32 << 20; // bytes; c14n.js takes no more

  // digestFile reads a File. For XML it asks content(bytes), if given, for the
  // digest of a calibration certificate's content; unread says that it was refused.
  async function digestFile(file, report, content) {
    const [sha256, sm3] = [newSHA256(), newSM3()];
    let [xml, told] = [false, -1];
    for (let at = 0; at < file.size; at += piece) {
      const bytes = new Uint8Array(await file.slice(at, at + piece).arrayBuffer());
      if (at === 0) xml = looksLikeXML(bytes);
      sha256.update(bytes);
      sm3.update(bytes);
      const percent = Math.floor(100 * Math.min(1, (at + piece) / file.size));
      if (percent !== told) report({ percent: told = percent });
    }
    if (sha256.length !== file.size) throw new Error('the file changed while it was read');
    const digests = { sha256: sha256.hex(), sm3: sm3.hex() };
    if (!xml || !content) return { digests, unread: false };
    try {
      const found = file.size > maxXML ? undefined : await content(new Uint8Array(await file.arrayBuffer()));
      if (found) digests['c14n-sha256'] = found;
      return { digests, unread: found === undefined }; // null: XML, but no certificate
    } catch (error) {
      return { digests, unread: true };
    }
  }

  const made = { newSHA256, newSM3, looksLikeXML, digestFile };
  if (typeof module !== 'undefined' && module.exports) {
    module.exports = made;
    return;
  }
  root.steelyard = Object.assign(root.steelyard || {}, made);
  if (typeof root.importScripts !== 'function') return;
  root.onmessage = function ({ data }) {
    const content = function (bytes) {
      root.importScripts(data.c14n); // only for XML
      return root.steelyard.contentDigest(bytes);
    };
    digestFile(data.file, root.postMessage.bind(root), content)
      .then((found) => root.postMessage(found), () => root.postMessage({ failed: true }));
  };
})(typeof self !== 'undefined' ? self : this);
