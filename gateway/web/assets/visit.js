// Shows tolerance, signed error and verdict while an inspector types, and makes
// rows with the digests of evidence. The files stay here.
(function () {
  'use strict';
  const form = document.getElementById('visit');
  if (!form) return;
  const words = document.getElementById('visit-tables').dataset;
  const tables = JSON.parse(words.tables);
  for (const element of form.querySelectorAll('.with-script')) element.hidden = false;
  for (const element of form.querySelectorAll('.without-script')) element.hidden = true;

  const plus = (text) => (/^[^-]*[1-9]/.test(text) ? '+' + text : text);
  const icons = { pass: '✓', fail: '✕', none: '?' };
  const tones = { pass: 'good', fail: 'bad', none: 'unknown' };

  function look(row) {
    const value = (name) => { const e = form.elements.namedItem(row.dataset.at + name); return e ? e.value.trim() : ''; };
    const found = window.steelyard.evaluateMeasurement({
      category: value('category'), class: value('class'), occasion: value('occasion'), unit: value('unit'), interval: value('interval'),
      indication: value('indication'), reference: value('reference'), rule: value('rule.id'), version: value('rule.version'),
    }, tables);
    const said = row.querySelector('.said');
    said.replaceChildren();
    if (found.error !== undefined) said.append(words.error + ' ' + plus(found.error) + ' ' + value('unit') + ' · ');
    if (found.limit) said.append(words.mpe + ' ' + found.lower + ' … ' + plus(found.upper) + ' ' + (found.limit === 'percent' ? '%' : found.unit) + ' ');
    if (found.verdict) {
      const tag = document.createElement('span');
      tag.className = 'tag tone-' + tones[found.verdict];
      tag.dataset.verdict = found.verdict;
      tag.textContent = icons[found.verdict] + ' ' + words[found.verdict];
      said.append(tag);
    }
  }
  for (const row of form.querySelectorAll('.measured')) {
    row.addEventListener('input', function () { look(row); });
    look(row);
  }

  // What only a draw has is asked for where a draw is the ground.
  const ground = form.elements.namedItem('basis.kind');
  const ofDraw = form.querySelector('[data-ground="draw"]');
  function fit() {
    ofDraw.hidden = ground.value !== 'draw';
    ofDraw.open = !ofDraw.hidden;
    for (const control of ofDraw.querySelectorAll('input, button')) control.disabled = ofDraw.hidden;
    if (ground.value === 'follow-up') form.querySelector('[data-ground="follow-up"]').open = true;
  }
  if (ofDraw) {
    ground.addEventListener('change', fit);
    window.addEventListener('pageshow', fit); // a browser fills a form in anew after the way back
    fit();
  }

  const input = document.getElementById('files');
  const progress = document.getElementById('files-progress');
  const list = document.getElementById('evidence');
  if (!window.Worker) return;

  function digest(file, told) {
    return new Promise(function (resolve, reject) {
      const worker = new Worker(form.dataset.worker);
      worker.onerror = function () { worker.terminate(); reject(new Error('worker')); };
      worker.onmessage = function ({ data }) {
        if (data.percent !== undefined) return told(data.percent);
        worker.terminate();
        if (data.failed) reject(new Error('unreadable')); else resolve(data.digests);
      };
      worker.postMessage({ file, c14n: new URL(form.dataset.c14n, window.location.href).href });
    });
  }

  // emptyRow is the last row, after which a further one is made.
  function emptyRow() {
    const rows = list.querySelectorAll('fieldset.row');
    const row = rows[rows.length - 1];
    const next = row.cloneNode(true);
    for (const element of next.querySelectorAll('[name], [id], [for]')) {
      for (const attribute of ['name', 'id', 'for']) {
        const value = element.getAttribute(attribute);
        if (value) element.setAttribute(attribute, value.replace('evidence[' + (rows.length - 1) + ']', 'evidence[' + rows.length + ']'));
      }
      if ('value' in element) element.value = '';
    }
    const legend = next.querySelector('legend');
    legend.textContent = legend.textContent.replace(String(rows.length), String(rows.length + 1));
    row.after(next);
    return row;
  }

  input.addEventListener('change', async function () {
    const failed = [], ready = [];
    for (const file of input.files) {
      try {
        const found = await digest(file, function (percent) { progress.textContent = form.dataset.reading + ' ' + file.name + ' ' + percent + ' %'; });
        const row = emptyRow();
        row.querySelector('[name$=".digest"]').value = found.sha256;
        row.querySelector('select').value = file.type.startsWith('video/') ? 'film' : file.type.startsWith('image/') ? 'photo' : 'record';
        ready.push(file.name);
      } catch (error) {
        failed.push(file.name);
      }
    }
    input.value = '';
    progress.textContent = (ready.length ? form.dataset.ready + ' ' + ready.join(', ') : '') + (failed.length ? ' ' + form.dataset.failed + ' ' + failed.join(', ') : '');
  });
})();
