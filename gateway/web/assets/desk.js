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
    // What is folded and wrong is opened, or the browser could not point at it.
    form.addEventListener('invalid', function (event) {
      for (let within = event.target.closest('details'); within; within = within.parentElement.closest('details')) within.open = true;
    }, true);
    // A page taken from the history may still hold a busy form.
    window.addEventListener('pageshow', function () {
      form.removeAttribute('aria-busy');
      progress.textContent = '';
    });
  }
})();

// Follows long work. Without this script a link looks again.
(function () {
  'use strict';
  function follow() {
    const shown = document.getElementById('work');
    if (!shown || !shown.dataset.again) return;
    window.setTimeout(async function () {
      try {
        const answer = await fetch('/desk/work/' + shown.dataset.again, { headers: { Accept: 'text/html' } });
        const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
        const next = page.getElementById('work');
        if (next) shown.replaceWith(document.importNode(next, true));
      } catch (error) {
        // no connection; the next look may have one
      }
      follow();
    }, 1000);
  }
  follow();
})();
