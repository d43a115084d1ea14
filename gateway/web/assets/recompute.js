// Recomputes a draw in this browser from its public transcript and says whether
// the result is the one on the ledger. In Node it exports inputOf and same.
(function (root) {
  'use strict';

  // inputOf takes from a transcript what the definition of the draw needs. An
  // organisation that committed and did not reveal counts with its commitment.
  function inputOf(transcript) {
    const secrets = new Map((transcript.reveals || []).map((reveal) => [reveal.org, reveal.secret]));
    return {
      draw: transcript.draw,
      plan: transcript.plan,
      objects: transcript.directories.objects,
      inspectors: transcript.directories.inspectors,
      ineligible: transcript.directories.ineligible,
      contributions: (transcript.commitments || []).map(({ org, commitment }) => ({ org, commitment, secret: secrets.get(org) ?? null })),
      sealedSecret: transcript.sealedSecret ?? null,
      beacon: { chain: transcript.beacon.chain, round: transcript.beacon.round, signature: transcript.beacon.signature },
    };
  }

  // same compares two JSON values; the order of members does not count.
  function same(a, b) {
    if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return a === b;
    if (Array.isArray(a) !== Array.isArray(b)) return false;
    const [left, right] = [Object.keys(a), Object.keys(b)];
    return left.length === right.length && left.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]));
  }

  if (typeof module === 'object' && module.exports) {
    module.exports = { inputOf, same };
    return;
  }

  const button = root.document.getElementById('recompute');
  if (!button || !root.Worker) return;
  const said = root.document.getElementById('recompute-said');
  const words = button.dataset;
  root.document.getElementById('recompute-offer').hidden = false;

  function say(text) {
    said.textContent = text;
  }

  button.addEventListener('click', async function () {
    button.disabled = true;
    say(words.reading);
    try {
      const answer = await root.fetch(words.transcript, { headers: { Accept: 'application/json' } });
      if (!answer.ok) throw new Error(String(answer.status));
      const transcript = await answer.json();
      const output = await compute(inputOf(transcript));
      say(same(output, transcript.result) ? words.agrees : words.differs);
    } catch (error) {
      say(words.failed + ' ' + error.message);
    }
    button.disabled = false;
  });

  function compute(input) {
    return new Promise(function (resolve, reject) {
      const worker = new Worker(words.worker);
      worker.onerror = function (event) { worker.terminate(); reject(new Error(event.message)); };
      worker.onmessage = function ({ data }) {
        if (data.progress) {
          const { phase, done, total } = data.progress;
          say(words.reading + ' ' + phase + ' ' + done + ' / ' + total);
          return;
        }
        worker.terminate();
        if (data.error) reject(new Error(data.error.entry + ': ' + data.error.message)); else resolve(data.output);
      };
      worker.postMessage({ input, bls: new URL(words.bls, root.location.href).href });
    });
  }
})(typeof globalThis === 'object' ? globalThis : this);
