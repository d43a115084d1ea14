// Checks a draw's transcript step by step in this browser, in a worker, and lists
// every step with its word and icon.
(function () {
  'use strict';
  const button = document.getElementById('steps');
  if (!button || !window.Worker) return;
  const said = document.getElementById('steps-said');
  const list = document.getElementById('steps-list');
  const words = button.dataset;
  const shown = { PASS: ['good', '✓', words.pass], FAIL: ['bad', '✕', words.fail], 'NOT SHOWN': ['unknown', '?', words.notShown] };
  document.getElementById('steps-offer').hidden = false;

  button.addEventListener('click', async function () {
    button.disabled = true;
    said.textContent = words.reading;
    list.hidden = true;
    try {
      const answer = await fetch(words.transcript, { headers: { Accept: 'application/json' } });
      if (!answer.ok) throw new Error(String(answer.status));
      const steps = await verify(await answer.text());
      show(steps);
      said.textContent = steps.some((s) => s.status === 'FAIL') ? words.differs : words.done;
    } catch (error) {
      said.textContent = words.failed + ' ' + error.message;
    }
    button.disabled = false;
  });

  // show fills the page's list of steps, which holds their names.
  function show(steps) {
    const found = new Map(steps.map((step) => [step.name, step]));
    for (const row of list.children) {
      const step = found.get(row.dataset.step);
      row.hidden = step === undefined;
      if (step === undefined) continue;
      const [tone, icon, word] = shown[step.status];
      const mark = row.querySelector('.tag');
      mark.className = 'tag tone-' + tone;
      mark.textContent = icon + ' ' + word;
      row.querySelector('.faint').textContent = step.detail;
    }
    list.hidden = false;
  }

  function verify(text) {
    return new Promise(function (resolve, reject) {
      const scripts = new URLSearchParams([['with', words.draw], ['with', words.bls]]);
      const worker = new Worker(words.worker + '?' + scripts);
      worker.onerror = function (event) { worker.terminate(); reject(new Error(event.message)); };
      worker.onmessage = function ({ data }) {
        worker.terminate();
        if (data.error) reject(new Error(data.error)); else resolve(data.steps);
      };
      worker.postMessage({ text });
    });
  }
})();
