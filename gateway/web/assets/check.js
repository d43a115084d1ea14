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

  // A page taken from the history may still hold a busy form.
  window.addEventListener('pageshow', function () { end(''); });
})();
