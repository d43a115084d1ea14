// Reads what Fabric's membership needs of X.509 certificates (RFC 5280) and of
// public keys, and checks that one certificate of a pinned authority's issued
// another: ECDSA over P-256 with SHA-256 and no authority between, which is what
// this ledger's organisations have. What it does not know it does not judge: it
// throws Beyond, which means "ask the verify program", never "false".
(function (root) {
  'use strict';
  const node = typeof module === 'object' && module.exports;
  const { newSHA256 } = node ? require('./digest.js') : root.steelyard;
  const { P256, SM2, point, verifyP256 } = node ? require('./ecdsa.js') : root.steelyard;

  class Beyond extends Error {}
  class Refused extends Error {}

  const sha256 = (...parts) => {
    const hash = newSHA256();
    for (const part of parts) hash.update(part);
    return Uint8Array.from(hash.hex().match(/../g), (pair) => parseInt(pair, 16));
  };
  const equal = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);

  // One DER element: its tag, its content and all its bytes. Lengths must be in
  // their shortest form.
  function element(der, at) {
    const [tag, short] = [der[at], der[at + 1]];
    let [length, from] = [short, at + 2];
    if (short === undefined || (tag & 31) === 31) throw new Refused('DER: cut short, or a tag of more than one byte');
    if (short > 127) {
      const count = short & 127;
      if (count < 1 || count > 3) throw new Refused('DER: a length out of bounds');
      length = 0;
      for (let i = 0; i < count; i++) length = length * 256 + der[from++];
      if (length < 128 || length < 256 ** (count - 1)) throw new Refused('DER: a length not in its shortest form');
    }
    if (!(from + length <= der.length)) throw new Refused('DER: cut short');
    return { tag, content: der.subarray(from, from + length), whole: der.subarray(at, from + length), end: from + length };
  }
  function elements(der) {
    const found = [];
    for (let at = 0; at < der.length; at = found[found.length - 1].end) found.push(element(der, at));
    return found;
  }
  // The elements inside the one element that der is, which must have the tag.
  function inside(der, tag) {
    const outer = element(der, 0);
    if (outer.tag !== tag || outer.end !== der.length) throw new Refused('DER: not the element expected');
    return elements(outer.content);
  }
  function oid(content) {
    let [value, parts] = [0, []];
    for (const byte of content) {
      value = value * 128 + (byte & 127);
      if (byte < 128) [value, parts] = [0, [...parts, value]];
    }
    return [Math.min(2, Math.floor(parts[0] / 40)), parts[0] - 40 * Math.min(2, Math.floor(parts[0] / 40)), ...parts.slice(1)].join('.');
  }

  // The key of a SubjectPublicKeyInfo: {curve, point}.
  function publicKey(spki) {
    const [algorithm, bits, more] = inside(spki, 0x30);
    const [kind, parameters] = elements(algorithm.content);
    if (more || !bits || bits.tag !== 3) throw new Refused('a public key of another form');
    if (oid(kind.content) !== '1.2.840.10045.2.1' || !parameters || parameters.tag !== 6) throw new Beyond('a key that is none of an elliptic curve by name');
    const curve = [P256, SM2].find((known) => known.oid === oid(parameters.content));
    if (!curve) throw new Beyond('a key on another curve');
    const found = bits.content[0] === 0 ? point(curve, bits.content.subarray(1)) : null;
    if (!found) throw new Refused('a public key that is no point of its curve');
    return { curve, point: found };
  }

  function time({ tag, content }) {
    const text = String.fromCharCode(...content);
    const match = (tag === 23 ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/ : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/).exec(text);
    if (!match || (tag !== 23 && tag !== 24)) throw new Beyond('a time of another form');
    const [year, month, ...rest] = match.slice(1).map(Number);
    return Date.UTC(tag === 23 ? year + (year < 50 ? 2000 : 1900) : year, month - 1, ...rest);
  }

  const known = { subjectKey: '2.5.29.14', keyUsage: '2.5.29.15', alternative: '2.5.29.17', basic: '2.5.29.19', names: '2.5.29.30', authorityKey: '2.5.29.35', usage: '2.5.29.37' };
  function extensionsOf(der) {
    const found = new Map();
    for (const { content } of inside(der, 0x30)) {
      const [id, ...rest] = elements(content);
      const name = oid(id.content);
      const critical = rest[0].tag === 1 && rest.shift().content[0] !== 0;
      if (found.has(name)) throw new Refused('an extension twice');
      if (critical && !Object.values(known).includes(name)) throw new Beyond('a critical extension ' + name);
      found.set(name, rest[0].content);
    }
    return found;
  }

  function parse(der) {
    const [tbs, algorithm, bits, more] = inside(der, 0x30);
    if (more || !bits || bits.tag !== 3 || bits.content[0] !== 0) throw new Refused('no certificate');
    const parts = elements(tbs.content);
    if (parts[0].tag !== 0xa0) throw new Beyond('a certificate without extensions'); // version 1
    const [, , inner, issuer, validity, subject, key] = parts;
    if (!key || !equal(inner.whole, algorithm.whole)) throw new Refused('a certificate that names two algorithms');
    const [from, until] = elements(validity.content).map(time);
    const block = parts.find(({ tag }) => tag === 0xa3);
    const units = [];
    for (const set of elements(subject.content)) {
      for (const attribute of elements(set.content)) {
        const [type, value] = elements(attribute.content);
        if (oid(type.content) === '2.5.4.11') units.push(new TextDecoder('utf-8', { fatal: true }).decode(value.content));
      }
    }
    return {
      tbs: tbs.whole, algorithm: oid(elements(algorithm.content)[0].content), signature: bits.content.subarray(1),
      issuer: issuer.whole, subject: subject.whole, from, until, units, key: publicKey(key.whole),
      extensions: block ? extensionsOf(block.content) : new Map(),
    };
  }

  // The certificate of a PEM text.
  function fromPEM(text) {
    const match = /^\s*-----BEGIN CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+?)-----END CERTIFICATE-----\s*$/.exec(text);
    if (!match) throw new Refused('no certificate in PEM');
    return parse(Uint8Array.from(atob(match[1].replace(/\s/g, '')), (c) => c.charCodeAt(0)));
  }

  // Whether a certificate may sign others: it says so, and its key usage, where
  // it has one, has keyCertSign (bit 5).
  function isAuthority({ extensions }) {
    const basic = extensions.get(known.basic), usage = extensions.get(known.keyUsage);
    const [flag] = basic ? inside(basic, 0x30) : [];
    if (!flag || flag.tag !== 1 || flag.content[0] !== 0xff) return false;
    if (!usage) return true;
    const bits = element(usage, 0);
    return bits.tag === 3 && (bits.content[1] & 4) !== 0;
  }

  // Throws unless one of the roots issued the certificate. As in Fabric's MSP it
  // is judged as of its issue: an old signature stays as good as it was.
  function checkIssued(certificate, roots) {
    if (certificate.algorithm !== '1.2.840.10045.4.3.2') throw new Beyond('a certificate signed with another algorithm than ECDSA with SHA-256');
    if (certificate.key.curve !== P256) throw new Beyond('a certificate of a key on another curve than P-256');
    const at = certificate.from + 1000;
    for (const authority of roots) {
      if (!equal(authority.subject, certificate.issuer)) continue;
      if (authority.key.curve !== P256 || authority.extensions.has(known.names)) throw new Beyond('a root of a kind this page does not know');
      if (isAuthority(authority) && at <= certificate.until && authority.from <= at && at <= authority.until &&
        verifyP256(authority.key.point, sha256(certificate.tbs), certificate.signature, false)) return;
    }
    throw new Refused('no pinned root issued the certificate');
  }

  const made = { Beyond, Refused, sha256, equal, publicKey, fromPEM, isAuthority, checkIssued };
  if (node) module.exports = made; else Object.assign(root.steelyard, made);
})(typeof self !== 'undefined' ? self : this);
