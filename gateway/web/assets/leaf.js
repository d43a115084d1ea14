// Reads a certificate leaf (chaincode/metrology/CERTIFICATE-LEAF.md) and refuses
// bytes that are not exactly what writing it again gives.
(function (root) {
  'use strict';
  const node = typeof module === 'object' && module.exports;
  const { Refused } = node ? require('./x509.js') : root.steelyard;

  // Section 2: what a kind of document demands and allows.
  const good = ['pass', 'class'];
  const kinds = {
    'verification-certificate': { file: true, term: true, verification: true, conclusions: good },
    'verification-mark': { file: false, term: true, verification: true, conclusions: good },
    'result-notice': { file: true, verification: true, conclusions: ['fail'] },
    'calibration-certificate': { file: true, conclusions: ['none'] },
    dcc: { file: true, content: true, conclusions: ['none'] },
  };
  // The characters a text may have, as ranges; no two normal forms, nothing unseen.
  const repertoire = [
    [0x20, 0x7e], [0xa1, 0xac], [0xae, 0x2ff], [0x370, 0x373], [0x375, 0x377], [0x37a, 0x37d], [0x37f, 0x386], [0x388, 0x3ff], [0x400, 0x482],
    [0x48a, 0x52f], [0x2010, 0x2027], [0x2030, 0x205e], [0x2070, 0x20bf], [0x2100, 0x2125], [0x2127, 0x2129], [0x212c, 0x218b], [0x2190, 0x2328],
    [0x232b, 0x23ff], [0x2460, 0x2adb], [0x2add, 0x2bff], [0x3001, 0x3029], [0x3030, 0x303f], [0x3041, 0x3096], [0x309b, 0x30ff], [0x3105, 0x312f],
    [0x3190, 0x4dbf], [0x4e00, 0x9fff], [0xac00, 0xd7a3], [0xff01, 0xff9d], [0xffe0, 0xffe6], [0x20000, 0x2f7ff], [0x30000, 0x323af],
  ];
  const algorithms = ['sha256', 'sm3', 'c14n-sha256'];
  const id = /^[A-Za-z0-9._-]{1,64}$/;

  function need(holds, what) {
    if (!holds) throw new Refused('leaf: ' + what);
  }
  const matches = (form, text) => typeof text === 'string' && form.test(text);
  function isText(text) {
    return typeof text === 'string' && text !== '' && new TextEncoder().encode(text).length <= 128 && text.trim() === text && !text.includes('  ') &&
      Array.from(text).every((c) => repertoire.some(([from, to]) => c.codePointAt(0) >= from && c.codePointAt(0) <= to));
  }
  function isDate(text) {
    const match = matches(/^(19|20|21)\d\d-\d\d-\d\d$/, text);
    return match && !Number.isNaN(Date.parse(text)) && new Date(text).toISOString().slice(0, 10) === text;
  }
  function members(object, required, optional) {
    need(object !== null && typeof object === 'object' && !Array.isArray(object), 'not an object');
    need(required.every((name) => Object.hasOwn(object, name)), 'a member is missing');
    need(Object.keys(object).every((name) => required.includes(name) || optional.includes(name)), 'a member is unknown');
  }
  // RFC 8785 for what a leaf can hold: strings, lists, objects and the number 1.
  function canonical(value) {
    if (Array.isArray(value)) return '[' + value.map(canonical).join(',') + ']';
    if (value === null || typeof value !== 'object') return JSON.stringify(value);
    return '{' + Object.keys(value).sort().map((name) => JSON.stringify(name) + ':' + canonical(value[name])).join(',') + '}';
  }

  function checkDigests(leaf, rule) {
    const digests = leaf.digests ?? [];
    need(Array.isArray(digests) && digests.length <= 8 && (digests.length > 0) === rule.file && (!leaf.digests || digests.length > 0), 'digests that do not fit the kind');
    for (const digest of digests) {
      members(digest, ['algorithm', 'value'], []);
      need(algorithms.includes(digest.algorithm) && matches(/^[0-9a-f]{64}$/, digest.value), 'a digest of another form');
    }
    need(new Set(digests.map(canonical)).size === digests.length, 'a digest twice');
    need(!rule.content || digests.some(({ algorithm }) => algorithm === 'c14n-sha256'), 'no digest of the content');
  }
  function checkInstruments(leaf, rule) {
    const { instruments } = leaf;
    need(Array.isArray(instruments) && instruments.length >= 1 && instruments.length <= 200, 'instruments out of bounds');
    const ids = new Set();
    for (const instrument of instruments) {
      members(instrument, ['conclusion'], ['category', 'class', 'id', 'serial']);
      need(rule.conclusions.includes(instrument.conclusion), 'a conclusion that does not fit the kind');
      need(instrument.id !== undefined || instrument.serial !== undefined, 'an instrument without id and serial number');
      need(instrument.id === undefined || (matches(id, instrument.id) && !ids.has(instrument.id)), 'an instrument id of another form, or twice');
      need(instrument.category === undefined ? !rule.verification : isText(instrument.category), 'a category');
      need((instrument.class === undefined) === (instrument.conclusion !== 'class') && (instrument.class === undefined || isText(instrument.class)), 'an accuracy class');
      need(instrument.serial === undefined || isText(instrument.serial), 'a serial number of another form');
      ids.add(instrument.id);
    }
  }

  function parseLeaf(bytes) {
    need(bytes.length <= 32768, 'too long');
    let leaf, text;
    try {
      text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
      leaf = JSON.parse(text);
    } catch (error) {
      throw new Refused('leaf: ' + error.message);
    }
    members(leaf, ['instruments', 'issued', 'issuer', 'kind', 'number', 'performed', 'version'], ['digests', 'regulation', 'validUntil']);
    need(typeof leaf.kind === 'string' && Object.hasOwn(kinds, leaf.kind) && leaf.version === 1, 'of another kind or version');
    const rule = kinds[leaf.kind];
    need(matches(id, leaf.issuer) && isText(leaf.number), 'issuer or number');
    need(leaf.regulation === undefined ? !rule.verification : isText(leaf.regulation), 'a regulation');
    need(isDate(leaf.performed) && isDate(leaf.issued) && leaf.performed <= leaf.issued, 'dates');
    need(leaf.validUntil === undefined || (rule.term && isDate(leaf.validUntil) && leaf.issued <= leaf.validUntil), 'a validity');
    checkDigests(leaf, rule);
    checkInstruments(leaf, rule);
    need(canonical(leaf) === text, 'not in its one form');
    return leaf;
  }

  if (node) module.exports = { parseLeaf }; else Object.assign(root.steelyard, { parseLeaf });
})(typeof self !== 'undefined' ? self : this);
