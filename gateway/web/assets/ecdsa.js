// Checks signatures on two elliptic curves: ECDSA over P-256 (FIPS 186-5) with a
// given digest, and SM2 with SM3 (GB/T 32918.2). Checking handles no secret, so
// nothing here is made constant in time. Big integers stand for everything; one
// check takes some milliseconds.
(function (root) {
  'use strict';
  const node = typeof module === 'object' && module.exports;
  const { newSM3 } = node ? require('./digest.js') : root.steelyard;

  const hex = (text) => BigInt('0x' + text);
  // Both curves are y² = x³ − 3x + b over the field of p, of prime order n.
  const P256 = {
    name: 'P-256', oid: '1.2.840.10045.3.1.7',
    p: hex('ffffffff00000001000000000000000000000000ffffffffffffffffffffffff'),
    b: hex('5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b'),
    n: hex('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'),
    g: [hex('6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296'), hex('4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5')],
  };
  const SM2 = {
    name: 'SM2', oid: '1.2.156.10197.1.301',
    p: hex('fffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffff'),
    b: hex('28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93'),
    n: hex('fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123'),
    g: [hex('32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7'), hex('bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0')],
  };

  const mod = (a, m) => { const r = a % m; return r < 0n ? r + m : r; };
  function inverse(a, m) {
    let [r0, r1, s0, s1] = [m, mod(a, m), 0n, 1n];
    while (r1 > 0n) {
      const q = r0 / r1;
      [r0, r1, s0, s1] = [r1, r0 - q * r1, s1, s0 - q * s1];
    }
    return mod(s0, m); // m is prime and a is no multiple of it
  }

  // Points are [X, Y, Z] with x = X/Z², y = Y/Z³; Z = 0 is the point at infinity.
  const infinity = [1n, 1n, 0n];
  function double([x, y, z], p) {
    if (z === 0n || y === 0n) return infinity;
    const zz = (z * z) % p, yy = (y * y) % p;
    const s = (4n * x * yy) % p;
    const m = mod(3n * (x - zz) * (x + zz), p);
    const x3 = mod(m * m - 2n * s, p);
    return [x3, mod(m * (s - x3) - 8n * yy * yy, p), (2n * y * z) % p];
  }
  function add(a, b, p) {
    if (a[2] === 0n) return b;
    if (b[2] === 0n) return a;
    const aa = (a[2] * a[2]) % p, bb = (b[2] * b[2]) % p;
    const u1 = (a[0] * bb) % p, u2 = (b[0] * aa) % p;
    const s1 = (a[1] * bb * b[2]) % p, s2 = (b[1] * aa * a[2]) % p;
    if (u1 === u2) return s1 === s2 ? double(a, p) : infinity;
    const h = mod(u2 - u1, p), r = mod(s2 - s1, p);
    const hh = (h * h) % p, hhh = (h * hh) % p, v = (u1 * hh) % p;
    const x3 = mod(r * r - hhh - 2n * v, p);
    return [x3, mod(r * (v - x3) - s1 * hhh, p), (h * a[2] * b[2]) % p];
  }
  // The affine x of k·G + l·Q, or null at infinity.
  function combine(curve, k, l, q) {
    const { p } = curve;
    const g = [...curve.g, 1n], both = add(g, [...q, 1n], p);
    const steps = [null, g, [...q, 1n], both];
    let sum = infinity;
    for (let bit = 255n; bit >= 0n; bit--) {
      sum = double(sum, p);
      const step = steps[Number((k >> bit) & 1n) + 2 * Number((l >> bit) & 1n)];
      if (step) sum = add(sum, step, p);
    }
    if (sum[2] === 0n) return null;
    const z = inverse(sum[2], p);
    return (sum[0] * z * z) % p;
  }

  function number(bytes) {
    let text = '0x0';
    for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
    return BigInt(text);
  }
  function bytesOf(value) {
    return Uint8Array.from(value.toString(16).padStart(64, '0').match(/../g), (pair) => parseInt(pair, 16));
  }

  // The point of an uncompressed encoding 04 ‖ x ‖ y, or null if it is none of
  // the curve. Both curves have cofactor 1: on the curve is in the group.
  function point(curve, encoded) {
    if (encoded.length !== 65 || encoded[0] !== 4) return null;
    const [x, y] = [number(encoded.subarray(1, 33)), number(encoded.subarray(33))];
    if (x >= curve.p || y >= curve.p) return null;
    return mod(y * y - (x * x * x - 3n * x + curve.b), curve.p) === 0n ? [x, y] : null;
  }

  // The pair of a DER SEQUENCE { INTEGER, INTEGER } in the one form it has, or null.
  function pair(der) {
    const values = [];
    if (der.length < 8 || der[0] !== 0x30 || der[1] !== der.length - 2 || der[1] > 127) return null;
    for (let at = 2; at < der.length;) {
      const [tag, length, first, second] = der.subarray(at, at + 4);
      if (tag !== 2 || length < 1 || length > 33 || at + 2 + length > der.length || first > 127) return null;
      if (length > 1 && first === 0 && second < 128) return null; // not the shortest form
      values.push(number(der.subarray(at + 2, at + 2 + length)));
      at += 2 + length;
    }
    return values.length === 2 ? values : null;
  }

  // Whether signature (DER) over a digest of 32 bytes holds with a point of P-256.
  // With lowS it must also have the smaller of the two s that would, as Fabric asks.
  function verifyP256(key, digest, signature, lowS) {
    const rs = pair(signature), { n } = P256;
    if (!rs) return false;
    const [r, s] = rs;
    if (r < 1n || r >= n || s < 1n || s >= n || (lowS && s > n >> 1n)) return false;
    const w = inverse(s, n);
    const x = combine(P256, (number(digest) * w) % n, (r * w) % n, key);
    return x !== null && x % n === r;
  }

  // Whether an SM2 signature (DER) over a message holds, with the identifier
  // that the standard gives for those who agree on none.
  function verifySM2(key, message, signature) {
    const rs = pair(signature), { n, p, b, g } = SM2;
    if (!rs) return false;
    const [r, s] = rs;
    const t = (r + s) % n;
    if (r < 1n || r >= n || s < 1n || s >= n || t === 0n) return false;
    const z = newSM3().update(Uint8Array.of(0, 128)).update(new TextEncoder().encode('1234567812345678'));
    for (const value of [p - 3n, b, ...g, ...key]) z.update(bytesOf(value));
    const e = hex(newSM3().update(bytesOf(hex(z.hex()))).update(message).hex());
    const x = combine(SM2, s, t, key);
    return x !== null && (e + x) % n === r;
  }

  const made = { P256, SM2, point, verifyP256, verifySM2 };
  if (node) module.exports = made; else Object.assign(root.steelyard, made);
})(typeof self !== 'undefined' ? self : this);
