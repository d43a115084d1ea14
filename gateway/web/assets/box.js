// The one box: takes text, a file or a picture of a code, chosen, dropped or
// pasted, and goes to the answer. Files and pictures are read here; only digests
// and the text of a code go to the server. Without this script the same form
// sends the file.
(function () {
  'use strict';
  const form = document.getElementById('box');
  if (!form || !window.Worker || !window.URLSearchParams || !window.createImageBitmap) return;
  const question = document.getElementById('q');
  const said = document.getElementById('box-said');
  const words = form.dataset;
  const pickers = form.querySelectorAll('input[type=file]');
  let worker = null;
  let turn = 0; // what was begun in an earlier one has been given up

  // From here on the form cannot send a file: it asks for what is typed alone.
  for (const picker of pickers) picker.removeAttribute('name');
  form.method = 'get';
  form.action = '/check';
  form.enctype = 'application/x-www-form-urlencoded';
  form.classList.add('live');
  for (const element of form.querySelectorAll('.without-script')) element.hidden = true;
  for (const element of form.querySelectorAll('.with-script')) element.hidden = false;

  function stop(message) {
    turn++;
    if (worker) worker.terminate();
    worker = null;
    form.removeAttribute('aria-busy');
    said.textContent = message;
  }

  function digest(file) {
    return new Promise(function (resolve, reject) {
      worker = new Worker(words.worker);
      worker.onerror = reject;
      worker.onmessage = function ({ data }) {
        if (data.percent !== undefined) said.textContent = file.name + ' · ' + words.reading + ' ' + data.percent + ' %';
        else if (data.failed) reject(new Error('unreadable'));
        else resolve(data);
      };
      worker.postMessage({ file, c14n: new URL(words.c14n, window.location.href).href });
    });
  }

  // check goes to the answer for a file. A picture may hold a code, and may be a
  // certificate itself: the server is asked for both.
  async function check(file) {
    stop('');
    if (file.size === 0) return stop(words.empty);
    const mine = turn;
    const query = new URLSearchParams({ local: '1' });
    form.setAttribute('aria-busy', 'true');
    try {
      if (file.type.startsWith('image/')) {
        said.textContent = words.picture;
        const code = await window.steelyard.readCode(file, words.decoder);
        if (mine !== turn) return;
        query.set(code ? 'q' : 'picture', code ? code.slice(0, question.maxLength) : '1');
      }
      const found = await digest(file);
      if (mine !== turn) return;
      for (const algorithm of Object.keys(found.digests)) query.set(algorithm, found.digests[algorithm]);
      if (found.unread) query.set('xml', '1');
    } catch (error) {
      if (mine === turn) stop(words.failed);
      return;
    }
    stop('');
    window.location.assign('/check?' + query.toString());
  }

  function take(files) {
    form.scrollIntoView({ block: 'nearest' });
    if (files.length === 1) check(files[0]);
    else stop(words.several);
  }

  form.addEventListener('submit', function (event) {
    if (question.value.trim()) return stop(''); // what is typed goes before a file that is being read
    event.preventDefault();
    if (form.hasAttribute('aria-busy')) return;
    stop(words.none);
    question.focus();
  });
  for (const picker of pickers) {
    picker.addEventListener('change', function () {
      const files = Array.from(picker.files);
      picker.value = ''; // the same one can be chosen again
      if (files.length > 0) take(files);
    });
  }

  // A file let go anywhere on the page is as good as one chosen; without this
  // the browser would leave the page to open it.
  function carriesFile(event) { return event.dataTransfer && Array.from(event.dataTransfer.types).includes('Files'); }
  document.addEventListener('dragover', function (event) {
    if (!carriesFile(event)) return;
    event.preventDefault();
    form.classList.add('over');
  });
  document.addEventListener('dragleave', function (event) { if (!event.relatedTarget) form.classList.remove('over'); });
  document.addEventListener('drop', function (event) {
    form.classList.remove('over');
    if (!carriesFile(event)) return;
    event.preventDefault();
    take(event.dataTransfer.files);
  });

  // So is what is pasted. Spreadsheets put a picture of a cell beside its text,
  // and say so by HTML; there the text is meant.
  document.addEventListener('paste', function (event) {
    const pasted = event.clipboardData;
    if (!pasted) return;
    const text = pasted.getData('text/plain').trim();
    if (pasted.files.length > 0 && !(text && pasted.types.includes('text/html'))) {
      event.preventDefault();
      take(pasted.files);
    } else if (text && !event.target.closest('input, textarea, select')) {
      event.preventDefault();
      question.value = text.slice(0, question.maxLength);
      question.focus();
    }
  });

  // A page taken from the history may still hold a busy form.
  window.addEventListener('pageshow', function (event) { if (event.persisted) stop(''); });
})();
