// Makes a row with the digests of each chosen file. The files stay here: the
// input has no name, and only what stands in the rows is sent.
(function () {
  'use strict';
  const form = document.getElementById('anchor-form');
  if (!form || !window.Worker) return;
  const input = document.getElementById('files');
  const progress = document.getElementById('files-progress');
  const list = document.getElementById('certificates');
  for (const element of form.querySelectorAll('.with-script')) element.hidden = false;

  const cell = (row, name) => row.querySelector('[name$=".' + name + '"]');

  function emptyRow() {
    const rows = list.querySelectorAll('fieldset.row');
    for (const row of rows) if (!cell(row, 'number').value && !cell(row, 'sha256').value) return row;
    const last = rows[rows.length - 1];
    const row = last.cloneNode(true);
    const from = '[' + (rows.length - 1) + ']';
    const to = '[' + rows.length + ']';
    for (const element of row.querySelectorAll('[name], [id], [for], [aria-describedby]')) {
      for (const attribute of ['name', 'id', 'for', 'aria-describedby']) {
        const value = element.getAttribute(attribute);
        if (value) element.setAttribute(attribute, value.replaceAll(from, to));
      }
      if ('value' in element) element.value = '';
    }
    const legend = row.querySelector('legend');
    legend.textContent = legend.textContent.replace(String(rows.length), String(rows.length + 1));
    last.after(row);
    return row;
  }

  function digest(file, told) {
    return new Promise(function (resolve, reject) {
      const worker = new Worker(form.dataset.worker);
      worker.onerror = function () { worker.terminate(); reject(new Error('worker')); };
      worker.onmessage = function (message) {
        const said = message.data;
        if (said.percent !== undefined) return told(said.percent);
        worker.terminate();
        if (said.failed) reject(new Error('unreadable'));
        else resolve(said.digests);
      };
      worker.postMessage({ file, c14n: new URL(form.dataset.c14n, window.location.href).href });
    });
  }

  input.addEventListener('change', async function () {
    const files = [...input.files];
    input.disabled = true;
    let done = 0;
    const failed = [];
    for (const file of files) {
      const at = (done + 1) + '/' + files.length + ' ' + file.name;
      try {
        const found = await digest(file, function (percent) { progress.textContent = form.dataset.reading + ' ' + at + ' ' + percent + ' %'; });
        const row = emptyRow();
        cell(row, 'number').value = file.name.replace(/\.[^.]*$/, '');
        cell(row, 'sha256').value = found.sha256;
        cell(row, 'sm3').value = found.sm3;
      } catch (error) {
        failed.push(file.name);
      }
      done++;
    }
    input.disabled = false;
    input.value = '';
    progress.textContent = form.dataset.ready + ' ' + (done - failed.length) + (failed.length ? ' · ' + form.dataset.failed + ' ' + failed.join(', ') : '');
  });
})();
