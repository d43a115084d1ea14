// Says that a form is on its way, and keeps it here while there is no
// connection. Sending it twice is harmless: the form carries the key of what
// it asks for.
(function () {
  'use strict';
  for (const form of document.querySelectorAll('form[data-sending]')) {
    const progress = form.querySelector('.progress');
    form.addEventListener('submit', function (event) {
      if (!navigator.onLine) {
        event.preventDefault();
        progress.textContent = form.dataset.offline;
        return;
      }
      if (form.getAttribute('aria-busy')) return event.preventDefault();
      form.setAttribute('aria-busy', 'true');
      progress.textContent = form.dataset.sending;
    });
    // A page taken from the history may still hold a busy form.
    window.addEventListener('pageshow', function () {
      form.removeAttribute('aria-busy');
      progress.textContent = '';
    });
  }
})();
