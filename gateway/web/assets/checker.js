// The page of the offline checker: reads the chosen files, checks them with
// evidence.js and says what follows. It asks no network; its policy forbids it.
(function () {
  'use strict';
  const lib = window.steelyard;
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const data = read('data');
  const { words } = data;
  const byId = (id) => document.getElementById(id);
  let trustText = read('trust-file'); // the file's text, kept as one JSON string

  function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }
  function facts(rows) {
    return rows.filter(([, value]) => value).map(([name, value, code]) =>
      make('div', {}, make('dt', {}, name), make('dd', code ? { class: 'code' } : { dir: 'auto' }, String(value))));
  }
  function icon(tone) {
    return make('span', { class: 'icon', 'aria-hidden': 'true' }, data.icons[tone][0]);
  }

  function showTrust() {
    const target = byId('pinned');
    try {
      const trust = lib.readTrust(trustText);
      target.replaceChildren(...facts([[words.channel, trust.channel], [words.genesis, trust.genesis, true], [words.organisations, [...trust.organizations.keys()].sort().join(', ')]]));
      return trust;
    } catch (error) {
      target.replaceChildren(make('p', { class: 'fault' }, words['trust-bad'] + ' ' + error.message));
      return null;
    }
  }
  byId('trust').addEventListener('change', async function ({ target }) {
    byId('answer').replaceChildren();
    if (target.files[0]) trustText = await target.files[0].text(); else trustText = read('trust-file');
    showTrust();
  });

  // A serial number as typed: case, full-width forms and spaces at the ends do
  // not count.
  const fold = (serial) => serial.replace(/[\uff01-\uff5e]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0)).trim().toUpperCase();

  function matchOf(leaf, serial) {
    if (!fold(serial)) return 'unknown';
    const named = leaf.instruments.map((instrument) => instrument.serial).filter(Boolean).map(fold);
    if (!named.length) return 'no-serial';
    return named.includes(fold(serial)) ? 'match' : 'mismatch';
  }
  function integrityOf(result, digests, other) {
    if (other) return 'not-registered';
    if (!digests.length) return 'file-not-shown';
    return result.matched.some(({ algorithm }) => algorithm !== 'c14n-sha256') ? 'registered' : 'registered-content';
  }
  function statementsOf(leaf, integrity, match) {
    const verification = !['calibration-certificate', 'dcc'].includes(leaf.kind);
    return ['not-today', integrity === 'file-not-shown' && 'file-not-compared', integrity === 'registered-content' && 'signature-not-checked',
      match === 'match' ? 'serial-can-be-copied' : 'instrument-not-compared', !verification && 'calibration-is-no-verification',
      verification && 'accurate-only-then', 'time-is-claimed', data.embedded && 'one-operator'].filter(Boolean);
  }

  function box(tone, headline, ...children) {
    return make('section', { class: 'verdict tone-' + tone }, make('h2', {}, icon(tone), ' ' + headline), ...children);
  }
  function showResult(result, digests, serial) {
    const { leaf } = result;
    const integrity = integrityOf(result, digests, false), match = matchOf(leaf, serial);
    const outcomes = { integrity, status: 'could-not-check', issuer: 'issuer-unverified', match };
    const rows = Object.entries(outcomes).map(([question, outcome]) => {
      const { tone, text } = data.answers[outcome];
      return make('div', { class: 'answer tone-' + tone }, make('dt', {}, data.questions[question]),
        make('dd', {}, icon(tone), ' ', make('b', {}, data.icons[tone][1]), ' · ' + text));
    });
    const bad = match === 'mismatch';
    byId('answer').replaceChildren(
      box(bad ? 'bad' : 'neutral', bad ? words.mismatch : words.holds, make('dl', { class: 'answers' }, ...rows),
        make('details', { open: '' }, make('summary', {}, words['not-proven']),
          make('ul', {}, ...statementsOf(leaf, integrity, match).map((code) => make('li', {}, data.statements[code]))))),
      make('section', { class: 'card' }, make('h2', {}, words.says), make('dl', { class: 'facts' }, ...facts([
        [words.number, leaf.number], [words.kind, data.kinds[leaf.kind] || leaf.kind], [words.issuer, leaf.issuer], [words.performed, leaf.performed], [words.until, leaf.validUntil],
        [words.serials, leaf.instruments.map((instrument) => instrument.serial || instrument.id).join(', ')], [words.conclusion, [...new Set(leaf.instruments.map((i) => i.conclusion))].join(', ')],
        [words.block, result.block], [words.claimed, result.claimed], [words.endorsers, result.endorsers.join(', ')], [words.orderers, result.orderers.join(', ')],
        [words.readers, result.readers.join(', ') || words.none], [words.transaction, result.transactionId, true], [words['block-hash'], result.blockHash, true]]))));
  }
  function showOther(error) {
    const table = {
      OtherFile: ['caution', words.other, data.statements['not-registered-is-not-forged']],
      Refused: ['bad', words.refused, words['refused-text']],
    };
    const kind = error instanceof lib.OtherFile ? 'OtherFile' : error instanceof lib.Refused ? 'Refused' : '';
    const [tone, headline, text] = table[kind] || ['unknown', words.beyond, words['beyond-text']];
    byId('answer').replaceChildren(box(tone, headline, make('p', {}, text), ...(kind === 'OtherFile' ? [] : [make('p', { class: 'faint', lang: 'en' }, error.message)])));
  }

  byId('ask').addEventListener('submit', async function (event) {
    event.preventDefault();
    const button = event.target.querySelector('button'), progress = byId('progress');
    const bundle = byId('bundle').files[0], file = byId('file').files[0];
    byId('answer').replaceChildren();
    if (!bundle) {
      progress.textContent = words['no-bundle'];
      return byId('bundle').focus();
    }
    button.disabled = true;
    progress.textContent = words.working;
    try {
      const trust = showTrust();
      if (!trust) throw new Error(words['trust-bad']);
      const said = file ? await lib.digestFile(file, ({ percent }) => { progress.textContent = words.working + ' ' + percent + ' %'; }, lib.contentDigest) : { digests: {} };
      const digests = Object.entries(said.digests).map(([algorithm, value]) => ({ algorithm, value }));
      const result = lib.checkEvidence(new Uint8Array(await bundle.arrayBuffer()), trust, digests);
      showResult(result, digests, byId('serial').value);
    } catch (error) {
      showOther(error);
    }
    progress.textContent = '';
    button.disabled = false;
  });
  showTrust();
})();
