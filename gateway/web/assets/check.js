// Hashes the chosen file in this browser instead of uploading it. Without this
// script the form sends the file; with it, only digests go to the server.
(function () {
  'use strict';
  const form = document.getElementById('file-form');
  if (!form || !window.Worker || !window.URLSearchParams) return;
  const input = document.getElementById('file');
  const serial = document.getElementById('file-serial');
  const progress = document.getElementById('file-progress');
  const button = form.querySelector('button');
  let worker = null;

  for (const element of form.querySelectorAll('.without-script')) element.hidden = true;
  for (const element of form.querySelectorAll('.with-script')) element.hidden = false;

  function end(message) {
    if (worker) worker.terminate();
    worker = null;
    button.disabled = false;
    form.removeAttribute('aria-busy');
    progress.textContent = message;
  }

  form.addEventListener('submit', function (event) {
    event.preventDefault(); // from here on nothing of the file is sent
    if (worker) return;
    const file = input.files[0];
    if (!file) return end(form.dataset.none);
    if (file.size === 0) return end(form.dataset.empty);
    button.disabled = true;
    form.setAttribute('aria-busy', 'true');
    progress.textContent = form.dataset.reading + ' 0 %';
    try {
      worker = new Worker(form.dataset.worker);
    } catch (error) {
      return end(form.dataset.failed);
    }
    worker.onerror = function () { end(form.dataset.failed); };
    worker.onmessage = function (message) {
      const said = message.data;
      if (said.failed) return end(form.dataset.failed);
      if (said.percent !== undefined) {
        progress.textContent = form.dataset.reading + ' ' + said.percent + ' %';
        return;
      }
      const query = new URLSearchParams(said.digests);
      if (said.unread) query.set('xml', '1');
      if (serial.value.trim()) query.set('serial', serial.value.trim());
      end('');
      window.location.assign('/check?' + query.toString());
    };
    worker.postMessage({ file, c14n: new URL(form.dataset.c14n, window.location.href).href });
  });

  // A file let go anywhere on the page, or pasted, is as good as one chosen;
  // without this the browser would leave the page to open it.
  function take(files) {
    if (worker || files.length === 0) return;
    const one = new DataTransfer();
    one.items.add(files[0]);
    input.files = one.files;
    progress.textContent = form.dataset.taken + ' ' + files[0].name;
    form.scrollIntoView({ block: 'nearest' });
    button.focus();
  }
  function carriesFile(event) { return event.dataTransfer && Array.from(event.dataTransfer.types).includes('Files'); }
  document.addEventListener('dragover', function (event) { if (carriesFile(event)) event.preventDefault(); });
  document.addEventListener('drop', function (event) {
    if (!carriesFile(event) || event.target.type === 'file') return; // a file control takes its own
    event.preventDefault();
    take(event.dataTransfer.files);
  });
  document.addEventListener('paste', function (event) {
    if (event.clipboardData && event.clipboardData.files.length > 0) { event.preventDefault(); take(event.clipboardData.files); }
  });

  // A page taken from the history may still hold a busy form.
  window.addEventListener('pageshow', function () { end(''); });
})();
