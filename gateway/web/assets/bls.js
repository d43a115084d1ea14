// Verification of a beacon signature: BLS on BLS12-381, signatures in G1, keys
// in G2, hash to curve by RFC 9380 (suite BLS12381G1_XMD:SHA-256_SSWU_RO_).
//
// The script stands alone, for a browser, a classic worker or Node. It only
// verifies public values, so nothing in it needs to run in constant time.
// Sources: RFC 9380 (hashing), draft-irtf-cfrg-bls-signature (checks of keys and
// signatures) and the ZCash encoding of points.
//
// Field elements are BigInts in [0, P). Fp2 = Fp[u]/(u²+1) as [c0, c1];
// Fp6 = Fp2[v]/(v³−(1+u)) as three Fp2; Fp12 = Fp6[w]/(w²−v) as two Fp6.
(function (root) {
  'use strict';

  const P = BigInt('0x1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab');
  const R = BigInt('0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001');
  const X = 0xd201000000010000n; // the absolute value of the curve's parameter, which is negative
  const DOMAIN = 'BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_';

  // RFC 9380 section 8.8.1 and appendix E.2: the curve 11-isogenous to G1's, and
  // the isogeny, coefficients from the constant term up; the two denominators are
  // monic and their leading one is written out.
  const ISOGENY = {
    a: BigInt('0x144698a3b8e9433d693a02c96d4982b0ea985383ee66a8d8e8981aefd881ac98936f8da0e0f97f5cf428082d584c1d'),
    b: BigInt('0x12e2908d11688030018b12e8753eee3b2016c1f0f24f4070a0b9c14fcef35ef55a23215a316ceaa5d1cc48e98e172be0'),
    z: 11n,
    xNum: field(`
      11a05f2b1e833340b809101dd99815856b303e88a2d7005ff2627b56cdb4e2c85610c2d5f2e62d6eaeac1662734649b7
      17294ed3e943ab2f0588bab22147a81c7c17e75b2f6a8417f565e33c70d1e86b4838f2a6f318c356e834eef1b3cb83bb
      0d54005db97678ec1d1048c5d10a9a1bce032473295983e56878e501ec68e25c958c3e3d2a09729fe0179f9dac9edcb0
      1778e7166fcc6db74e0609d307e55412d7f5e4656a8dbf25f1b33289f1b330835336e25ce3107193c5b388641d9b6861
      0e99726a3199f4436642b4b3e4118e5499db995a1257fb3f086eeb65982fac18985a286f301e77c451154ce9ac8895d9
      1630c3250d7313ff01d1201bf7a74ab5db3cb17dd952799b9ed3ab9097e68f90a0870d2dcae73d19cd13c1c66f652983
      0d6ed6553fe44d296a3726c38ae652bfb11586264f0f8ce19008e218f9c86b2a8da25128c1052ecaddd7f225a139ed84
      17b81e7701abdbe2e8743884d1117e53356de5ab275b4db1a682c62ef0f2753339b7c8f8c8f475af9ccb5618e3f0c88e
      080d3cf1f9a78fc47b90b33563be990dc43b756ce79f5574a2c596c928c5d1de4fa295f296b74e956d71986a8497e317
      169b1f8e1bcfa7c42e0c37515d138f22dd2ecb803a0c5c99676314baf4bb1b7fa3190b2edc0327797f241067be390c9e
      10321da079ce07e272d8ec09d2565b0dfa7dccdde6787f96d50af36003b14866f69b771f8c285decca67df3f1605fb7b
      06e08c248e260e70bd1e962381edee3d31d79d7e22c837bc23c0bf1bc24c6b68c24b1b80b64d391fa9c8ba2e8ba2d229`),
    xDen: field(`
      08ca8d548cff19ae18b2e62f4bd3fa6f01d5ef4ba35b48ba9c9588617fc8ac62b558d681be343df8993cf9fa40d21b1c
      12561a5deb559c4348b4711298e536367041e8ca0cf0800c0126c2588c48bf5713daa8846cb026e9e5c8276ec82b3bff
      0b2962fe57a3225e8137e629bff2991f6f89416f5a718cd1fca64e00b11aceacd6a3d0967c94fedcfcc239ba5cb83e19
      03425581a58ae2fec83aafef7c40eb545b08243f16b1655154cca8abc28d6fd04976d5243eecf5c4130de8938dc62cd8
      13a8e162022914a80a6f1d5f43e7a07dffdfc759a12062bb8d6b44e833b306da9bd29ba81f35781d539d395b3532a21e
      0e7355f8e4e667b955390f7f0506c6e9395735e9ce9cad4d0a43bcef24b8982f7400d24bc4228f11c02df9a29f6304a5
      0772caacf16936190f3e0c63e0596721570f5799af53a1894e2e073062aede9cea73b3538f0de06cec2574496ee84a3a
      14a7ac2a9d64a8b230b3f5b074cf01996e7f63c21bca68a81996e1cdf9822c580fa5b9489d11e2d311f7d99bbdcc5a5e
      0a10ecf6ada54f825e920b3dafc7a3cce07f8d1d7161366b74100da67f39883503826692abba43704776ec3a79a1d641
      095fc13ab9e92ad4476d6e3eb3a56680f682b4ee96f7d03776df533978f31c1593174e4b4b7865002d6384d168ecdd0a
      1`),
    yNum: field(`
      090d97c81ba24ee0259d1f094980dcfa11ad138e48a869522b52af6c956543d3cd0c7aee9b3ba3c2be9845719707bb33
      134996a104ee5811d51036d776fb46831223e96c254f383d0f906343eb67ad34d6c56711962fa8bfe097e75a2e41c696
      00cc786baa966e66f4a384c86a3b49942552e2d658a31ce2c344be4b91400da7d26d521628b00523b8dfe240c72de1f6
      01f86376e8981c217898751ad8746757d42aa7b90eeb791c09e4a3ec03251cf9de405aba9ec61deca6355c77b0e5f4cb
      08cc03fdefe0ff135caf4fe2a21529c4195536fbe3ce50b879833fd221351adc2ee7f8dc099040a841b6daecf2e8fedb
      16603fca40634b6a2211e11db8f0a6a074a7d0d4afadb7bd76505c3d3ad5544e203f6326c95a807299b23ab13633a5f0
      04ab0b9bcfac1bbcb2c977d027796b3ce75bb8ca2be184cb5231413c4d634f3747a87ac2460f415ec961f8855fe9d6f2
      0987c8d5333ab86fde9926bd2ca6c674170a05bfe3bdd81ffd038da6c26c842642f64550fedfe935a15e4ca31870fb29
      09fc4018bd96684be88c9e221e4da1bb8f3abd16679dc26c1e8b6e6a1f20cabe69d65201c78607a360370e577bdba587
      0e1bba7a1186bdb5223abde7ada14a23c42a0ca7915af6fe06985e7ed1e4d43b9b3f7055dd4eba6f2bafaaebca731c30
      19713e47937cd1be0dfd0b8f1d43fb93cd2fcbcb6caf493fd1183e416389e61031bf3a5cce3fbafce813711ad011c132
      18b46a908f36f6deb918c143fed2edcc523559b8aaf0c2462e6bfe7f911f643249d9cdf41b44d606ce07c8a4d0074d8e
      0b182cac101b9399d155096004f53f447aa7b12a3426b08ec02710e807b4633f06c851c1919211f20d4c04f00b971ef8
      0245a394ad1eca9b72fc00ae7be315dc757b3b080d4c158013e6632d3c40659cc6cf90ad1c232a6442d9d3f5db980133
      05c129645e44cf1102a159f748c4a3fc5e673d81d7e86568d9ab0f5d396a7ce46ba1049b6579afb7866b1e715475224b
      15e6be4e990f03ce4ea50b3b42df2eb5cb181d8f84965a3957add4fa95af01b2b665027efec01c7704b456be69c8b604`),
    yDen: field(`
      16112c4c3a9c98b252181140fad0eae9601a6de578980be6eec3232b5be72e7a07f3688ef60c206d01479253b03663c1
      1962d75c2381201e1a0cbd6c43c348b885c84ff731c4d59ca4a10356f453e01f78a4260763529e3532f6102c2e49a03d
      058df3306640da276faaae7d6e8eb15778c4855551ae7f310c35a5dd279cd2eca6757cd636f96f891e2538b53dbf67f2
      16b7d288798e5395f20d23bf89edb4d1d115c5dbddbcd30e123da489e726af41727364f2c28297ada8d26d98445f5416
      0be0e079545f43e4b00cc912f8228ddcc6d19c9f0f69bbb0542eda0fc9dec916a20b15dc0fd2ededda39142311a5001d
      08d9e5297186db2d9fb266eaac783182b70152c65550d881c5ecd87b6f0f5a6449f38db9dfa9cce202c6477faaf9b7ac
      166007c08a99db2fc3ba8734ace9824b5eecfdfa8d0cf8ef5dd365bc400a0051d5fa9c01a58b1fb93d1a1399126a775c
      16a3ef08be3ea7ea03bcddfabba6ff6ee5a4375efa1f4fd7feb34fd206357132b920f5b00801dee460ee415a15812ed9
      1866c8ed336c61231a1be54fd1d74cc4f9fb0ce4c6af5920abc5750c4bf39b4852cfe2f7bb9248836b233d9d55535d4a
      167a55cda70a6e1cea820597d94a84903216f763e13d87bb5308592e7ea7d4fbc7385ea3d529b35e346ef48bb8913f55
      04d2f259eea405bd48f010a01ad2911d9c6dd039bb61a6290e591b36e636a5c871a5c29f4f83060400f8b49cba8f6aa8
      0accbb67481d033ff5852c1e48c50c477f94ff8aefce42d28c0f9a88cea7913516f968986f7ebbea9684b529e2561092
      0ad6b9514c767fe3c3613144b45f1496543346d98adf02267d5ceef9a00d9b8693000763e3b90ac11e99b138573345cc
      02660400eb2e4f3b628bdd0d53cd76f2bf565b94e72927c1cb748df27942480e420517bd8714cc80d1fadc1326ed06f7
      0e0fa1d816ddc03e6b24255e0d7819c171c40f65e273b853324efcd6356caa205ca2f570f13497804415473a1d634b8f
      1`),
  };

  const G2 = [
    [BigInt('0x024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8'),
      BigInt('0x13e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e')],
    [BigInt('0x0ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289e193548608b82801'),
      BigInt('0x0606c4a02ea734cc32acd2b02bc28b99cb3e287e85a763af267492ab572e99ab3f370d275cec1da1aaa9075ff05f79be')],
  ];

  function field(text) {
    return text.trim().split(/\s+/).map((hex) => BigInt('0x' + hex));
  }

  // ---- Fp ----
  function mod(a) {
    const r = a % P;
    return r < 0n ? r + P : r;
  }
  function power(base, exponent) {
    let result = 1n;
    for (let b = base, e = exponent; e > 0n; e >>= 1n) {
      if (e & 1n) result = result * b % P;
      b = b * b % P;
    }
    return result;
  }
  // inverse by the extended Euclidean algorithm; the inverse of 0 is 0 (RFC 9380's inv0).
  function inverse(a) {
    let [r0, r1, t0, t1] = [P, mod(a), 0n, 1n];
    while (r1 > 0n) {
      const q = r0 / r1;
      [r0, r1, t0, t1] = [r1, r0 - q * r1, t1, t0 - q * t1];
    }
    return r0 === 1n ? mod(t0) : 0n;
  }
  // squareRoot returns null where there is none; P ≡ 3 (mod 4).
  function squareRoot(a) {
    const s = power(a, (P + 1n) / 4n);
    return s * s % P === a ? s : null;
  }

  // One set of curve formulas serves G1 and G2, over these two descriptions of a field.
  const Fp = {
    zero: 0n, one: 1n, b: 4n,
    add: (a, b) => (a + b) % P,
    sub: (a, b) => mod(a - b),
    mul: (a, b) => a * b % P,
    neg: (a) => (a === 0n ? 0n : P - a),
    inv: inverse,
    sqrt: squareRoot,
    equal: (a, b) => a === b,
    larger: (a) => a > (P - 1n) / 2n,
  };
  const Fp2 = {
    zero: [0n, 0n], one: [1n, 0n], b: [4n, 4n],
    add: (a, b) => [(a[0] + b[0]) % P, (a[1] + b[1]) % P],
    sub: (a, b) => [mod(a[0] - b[0]), mod(a[1] - b[1])],
    mul: (a, b) => {
      const low = a[0] * b[0];
      const high = a[1] * b[1];
      return [mod(low - high), ((a[0] + a[1]) * (b[0] + b[1]) - low - high) % P];
    },
    neg: (a) => [Fp.neg(a[0]), Fp.neg(a[1])],
    inv: (a) => {
      const n = inverse(a[0] * a[0] + a[1] * a[1]);
      return [a[0] * n % P, mod(-a[1] * n)];
    },
    sqrt: squareRoot2,
    equal: (a, b) => a[0] === b[0] && a[1] === b[1],
    larger: (a) => Fp.larger(a[1]) || (a[1] === 0n && Fp.larger(a[0])),
  };
  const conjugate2 = (a) => [a[0], Fp.neg(a[1])];
  const timesXi = (a) => [mod(a[0] - a[1]), (a[0] + a[1]) % P];
  const scale2 = (a, k) => [a[0] * k % P, a[1] * k % P];

  // squareRoot2 solves (x+yu)² = a: x² is (a0 ± |a|)/2, and y = a1/2x.
  function squareRoot2(a) {
    const norm = squareRoot(mod(a[0] * a[0] + a[1] * a[1]));
    if (norm === null) return null;
    const half = (P + 1n) / 2n;
    const x = squareRoot(mod((a[0] + norm) * half)) ?? squareRoot(mod((a[0] - norm) * half));
    if (x === null) return null;
    const root2 = x === 0n ? [0n, squareRoot(Fp.neg(a[0]))] : [x, a[1] * half % P * inverse(x) % P];
    return root2[1] !== null && Fp2.equal(Fp2.mul(root2, root2), a) ? root2 : null;
  }

  // ---- Fp6 and Fp12 ----
  const zero6 = [Fp2.zero, Fp2.zero, Fp2.zero];
  const one12 = [[Fp2.one, Fp2.zero, Fp2.zero], zero6];
  const add6 = (a, b) => a.map((c, i) => Fp2.add(c, b[i]));
  const sub6 = (a, b) => a.map((c, i) => Fp2.sub(c, b[i]));
  const neg6 = (a) => a.map(Fp2.neg);
  const timesV = (a) => [timesXi(a[2]), a[0], a[1]];
  function mul6(a, b) {
    const { add, sub, mul } = Fp2;
    const [p0, p1, p2] = [mul(a[0], b[0]), mul(a[1], b[1]), mul(a[2], b[2])];
    const cross = (i, j, p, q) => sub(sub(mul(add(a[i], a[j]), add(b[i], b[j])), p), q);
    return [add(p0, timesXi(cross(1, 2, p1, p2))), add(cross(0, 1, p0, p1), timesXi(p2)), add(cross(0, 2, p0, p2), p1)];
  }
  function inverse6(a) {
    const { add, sub, mul, inv } = Fp2;
    const c0 = sub(mul(a[0], a[0]), timesXi(mul(a[1], a[2])));
    const c1 = sub(timesXi(mul(a[2], a[2])), mul(a[0], a[1]));
    const c2 = sub(mul(a[1], a[1]), mul(a[0], a[2]));
    const n = inv(add(mul(a[0], c0), timesXi(add(mul(a[2], c1), mul(a[1], c2)))));
    return [mul(c0, n), mul(c1, n), mul(c2, n)];
  }
  function mul12(a, b) {
    const low = mul6(a[0], b[0]);
    const high = mul6(a[1], b[1]);
    return [add6(low, timesV(high)), sub6(sub6(mul6(add6(a[0], a[1]), add6(b[0], b[1])), low), high)];
  }
  const conjugate12 = (a) => [a[0], neg6(a[1])];
  function inverse12(a) {
    const n = inverse6(sub6(mul6(a[0], a[0]), timesV(mul6(a[1], a[1]))));
    return [mul6(a[0], n), neg6(mul6(a[1], n))];
  }

  // ---- points: [x, y] affine, [x, y, z] Jacobian, null at infinity ----
  function onCurve(F, [x, y]) {
    return F.equal(F.mul(y, y), F.add(F.mul(F.mul(x, x), x), F.b));
  }
  // chord returns the sum of two affine points and the slope of the line through them.
  function chord(F, p, q) {
    const { add, sub, mul, inv, equal } = F;
    if (equal(p[0], q[0]) && !equal(p[1], q[1])) return { sum: null, slope: null };
    const square = mul(p[0], p[0]);
    const slope = equal(p[0], q[0])
      ? mul(add(add(square, square), square), inv(add(p[1], p[1])))
      : mul(sub(q[1], p[1]), inv(sub(q[0], p[0])));
    const x = sub(sub(mul(slope, slope), p[0]), q[0]);
    return { sum: [x, sub(mul(slope, sub(p[0], x)), p[1])], slope };
  }
  function sum(F, p, q) {
    if (p === null || q === null) return p ?? q;
    return chord(F, p, q).sum;
  }
  function double(F, [x, y, z]) {
    const { add, sub, mul } = F;
    const twice = (a) => add(a, a);
    const yy = mul(y, y);
    const s = twice(twice(mul(x, yy)));
    const xx = mul(x, x);
    const m = add(twice(xx), xx);
    const x3 = sub(mul(m, m), twice(s));
    return [x3, sub(mul(m, sub(s, x3)), twice(twice(twice(mul(yy, yy))))), twice(mul(y, z))];
  }
  // addAffine adds the affine point q to the Jacobian point p.
  function addAffine(F, p, q) {
    const { sub, mul, equal } = F;
    if (p === null) return [q[0], q[1], F.one];
    const zz = mul(p[2], p[2]);
    const [u, s] = [mul(q[0], zz), mul(q[1], mul(zz, p[2]))];
    if (equal(u, p[0])) return equal(s, p[1]) ? double(F, p) : null;
    const [h, r] = [sub(u, p[0]), sub(s, p[1])];
    const hh = mul(h, h);
    const hhh = mul(h, hh);
    const v = mul(p[0], hh);
    const x3 = sub(sub(mul(r, r), hhh), F.add(v, v));
    return [x3, sub(mul(r, sub(v, x3)), mul(p[1], hhh)), mul(p[2], h)];
  }
  function multiply(F, point, scalar) {
    let sum = null;
    for (const bit of scalar.toString(2)) {
      if (sum !== null) sum = double(F, sum);
      if (bit === '1') sum = addAffine(F, sum, point);
    }
    return sum;
  }
  function affine(F, point) {
    if (point === null || F.equal(point[2], F.zero)) return null;
    const i = F.inv(point[2]);
    const ii = F.mul(i, i);
    return [F.mul(point[0], ii), F.mul(point[1], F.mul(ii, i))];
  }

  // decode reads a compressed point, x in 48 bytes per coordinate with the most
  // significant one first, or throws the reason why it is none.
  function decode(F, bytes, degree) {
    if (bytes.length !== 48 * degree) throw new Error(`has ${bytes.length} bytes, not ${48 * degree}`);
    if (!(bytes[0] & 0x80)) throw new Error('is not in compressed form');
    if (bytes[0] & 0x40) throw new Error('is the point at infinity');
    const parts = [];
    for (let i = 0; i < degree; i++) {
      const part = integer(bytes.subarray(48 * i, 48 * (i + 1))) & (i === 0 ? (1n << 381n) - 1n : -1n);
      if (part >= P) throw new Error('has a coordinate outside the field');
      parts.unshift(part);
    }
    const x = degree === 1 ? parts[0] : parts;
    let y = F.sqrt(F.add(F.mul(F.mul(x, x), x), F.b));
    if (y === null) throw new Error('is not on the curve');
    if (F.larger(y) !== Boolean(bytes[0] & 0x20)) y = F.neg(y);
    if (affine(F, multiply(F, [x, y], R)) !== null) throw new Error('is outside the subgroup');
    return [x, y];
  }
  function integer(bytes) {
    let hex = '0x';
    for (const b of bytes) hex += b.toString(16).padStart(2, '0');
    return BigInt(hex);
  }

  // ---- hash to G1 ----
  function expandMessage(sha256, message, length, name) {
    const domain = [...new TextEncoder().encode(name), name.length];
    const first = sha256(Uint8Array.from([...new Uint8Array(64), ...message, length >> 8, length & 255, 0, ...domain]));
    const out = [];
    let block = new Uint8Array(32);
    for (let i = 1; out.length < length; i++) {
      block = sha256(Uint8Array.from([...block.map((b, k) => b ^ first[k]), i, ...domain]));
      out.push(...block);
    }
    return Uint8Array.from(out.slice(0, length));
  }
  const polynomial = (coefficients, x) => coefficients.reduceRight((sum, c) => (sum * x + c) % P, 0n);

  // mapToCurve is the simplified SWU map (RFC 9380 section 6.6.2) to the isogenous
  // curve, followed by the isogeny.
  function mapToCurve(u) {
    const { a, b, z } = ISOGENY;
    const zuu = mod(z * u * u);
    const t = inverse(zuu * zuu + zuu);
    let x = t === 0n ? mod(b * inverse(z * a)) : mod(-b * inverse(a) % P * (1n + t));
    let y = squareRoot(polynomial([b, a, 0n, 1n], x));
    if (y === null) {
      x = zuu * x % P;
      y = squareRoot(polynomial([b, a, 0n, 1n], x));
    }
    if ((u & 1n) !== (y & 1n)) y = Fp.neg(y);
    const dx = inverse(polynomial(ISOGENY.xDen, x));
    const dy = inverse(polynomial(ISOGENY.yDen, x));
    // A zero denominator means the isogeny's kernel, whose image is infinity.
    if (dx === 0n || dy === 0n) return null;
    return [polynomial(ISOGENY.xNum, x) * dx % P, y * polynomial(ISOGENY.yNum, x) % P * dy % P];
  }
  // hashToCurve returns a point of G1; another domain serves the RFC's test vectors.
  function hashToCurve(sha256, message, domain = DOMAIN) {
    const bytes = expandMessage(sha256, message, 128, domain);
    const points = [0, 64].map((at) => mapToCurve(integer(bytes.subarray(at, at + 64)) % P));
    const point = sum(Fp, points[0], points[1]);
    return point === null ? null : affine(Fp, multiply(Fp, point, X + 1n)); // 1 − x clears the cofactor
  }

  // ---- pairing ----
  // line is the line of the given slope through the twisted point q, at p. It is
  // scaled by w³, which lies in a subfield that the final exponentiation removes.
  function line(slope, q, p) {
    const constant = Fp2.sub(Fp2.mul(slope, q[0]), q[1]);
    return [[constant, scale2(slope, Fp.neg(p[0])), Fp2.zero], [Fp2.zero, [p[1], 0n], Fp2.zero]];
  }
  // miller multiplies Miller's function of all pairs [P in G1, Q in G2]. The sign of
  // the parameter is left out: it inverts the result, and only 1 matters here.
  function miller(pairs) {
    let f = one12;
    const state = pairs.map(([p, q]) => ({ p, q, t: q }));
    const step = (s, other) => {
      const { sum: next, slope } = chord(Fp2, s.t, other);
      f = mul12(f, line(slope, s.t, s.p));
      s.t = next;
    };
    for (const bit of X.toString(2).slice(1)) {
      f = mul12(f, f);
      state.forEach((s) => step(s, s.t));
      if (bit === '1') state.forEach((s) => step(s, s.q));
    }
    return f;
  }

  const frobeniusBase = power2([1n, 1n], (P - 1n) / 6n);
  const frobeniusPowers = [0, 1, 2, 3, 4, 5].map((k) => power2(frobeniusBase, BigInt(k)));
  function power2(base, exponent) {
    let result = Fp2.one;
    for (const bit of exponent.toString(2)) {
      result = Fp2.mul(result, result);
      if (bit === '1') result = Fp2.mul(result, base);
    }
    return result;
  }
  function frobenius(a, times) {
    let f = a;
    for (let i = 0; i < times; i++) {
      f = f.map((half, odd) => half.map((c, j) => Fp2.mul(conjugate2(c), frobeniusPowers[2 * j + odd])));
    }
    return f;
  }
  function power12(base, exponent) {
    let result = one12;
    for (const bit of exponent.toString(2)) {
      result = mul12(result, result);
      if (bit === '1') result = mul12(result, base);
    }
    return result;
  }
  // isOne tells whether f is 1 after the final exponentiation. The hard part uses
  // 3(p⁴−p²+1)/r = (x−1)²(x+p)(x²+p²−1)+3; the factor 3 is prime to r.
  function isOne(f) {
    const easy = mul12(conjugate12(f), inverse12(f));
    const g = mul12(frobenius(easy, 2), easy);
    const toX = (a) => conjugate12(power12(a, X)); // x < 0, and a conjugate is an inverse here
    let h = g;
    for (let i = 0; i < 2; i++) h = mul12(toX(h), conjugate12(h));
    h = mul12(toX(h), frobenius(h, 1));
    h = mul12(mul12(toX(toX(h)), frobenius(h, 2)), conjugate12(h));
    h = mul12(h, mul12(mul12(g, g), g));
    return h.every((half, i) => half.every((c, j) => Fp2.equal(c, one12[i][j])));
  }

  // refuse returns null if signature (48 bytes) is publicKey's (96 bytes) over
  // message, otherwise the reason why not. sha256 maps bytes to bytes.
  function refuse(sha256, publicKey, message, signature) {
    let key;
    let point;
    try {
      key = decode(Fp2, publicKey, 2);
    } catch (reason) {
      return `the public key ${reason.message}`;
    }
    try {
      point = decode(Fp, signature, 1);
    } catch (reason) {
      return `the signature ${reason.message}`;
    }
    const hashed = hashToCurve(sha256, message);
    if (hashed === null) return 'the message hashes to the point at infinity';
    const negative = [G2[0], Fp2.neg(G2[1])];
    return isOne(miller([[point, negative], [hashed, key]])) ? null : 'the signature does not fit the key and the round';
  }

  const exported = Object.freeze({ refuse, hashToCurve });
  if (typeof module === 'object' && module.exports) module.exports = exported;
  else root.SteelyardBLS = exported;
})(typeof globalThis === 'object' ? globalThis : this);
