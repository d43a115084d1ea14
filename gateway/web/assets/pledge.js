// Computes the digest of the text that is shown and says whether it is the one
// that is signed.
(async function () {
  'use strict';
  const text = document.getElementById('pledge-text');
  const said = document.getElementById('pledge-computed');
  if (!text || !window.crypto || !window.crypto.subtle) return;
  const sum = new Uint8Array(await window.crypto.subtle.digest('SHA-256', new TextEncoder().encode(text.textContent)));
  const digest = Array.from(sum, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const same = digest === document.getElementById('pledge-digest').textContent;
  said.textContent = (same ? said.dataset.agrees : said.dataset.differs) + ' ' + digest;
  said.className = same ? 'hint' : 'fault';
})();
