// Counts down to what waits for this desk, and looks now and then whether
// something else does. Without this script the times stand as they were when
// the page was made. The gateway's clock counts, not the visitor's.
(function () {
  'use strict';
  const lookAgain = 30; // seconds
  const begun = Date.now();
  let ahead = 0; // the gateway's clock before the visitor's, in ms

  function shown() { return document.getElementById('windows'); }

  function span(box, seconds) {
    const units = [[86400, box.dataset.days], [3600, box.dataset.hours], [60, box.dataset.minutes], [1, box.dataset.seconds]];
    let at = units.findIndex((unit) => seconds >= unit[0]);
    if (at < 0) at = units.length - 1;
    const say = (unit, rest) => unit[1].replace('%[1]d', String(Math.floor(rest / unit[0])));
    const rest = seconds % units[at][0];
    const more = units[at + 1];
    return say(units[at], seconds) + (more && rest >= more[0] ? ' ' + say(more, rest) : '');
  }

  function tick() {
    const box = shown();
    let first = '';
    for (const time of box.querySelectorAll('time')) {
      const left = Math.floor((Date.parse(time.dateTime) - Date.now() - ahead) / 1000);
      const text = left > 0 ? box.dataset.left.replace('%[1]s', span(box, left)) : box.dataset.past;
      if (time.textContent !== text) time.textContent = text;
      if (!first) first = text;
    }
    document.title = (first ? first + ' · ' : '') + box.dataset.title;
  }

  function set(now) { ahead = Date.parse(now) - Date.now(); }

  async function look() {
    if (document.visibilityState !== 'visible' || !navigator.onLine) return;
    try {
      const answer = await fetch('/desk/windows', { headers: { Accept: 'text/html' } });
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      const next = page.getElementById('windows');
      if (!next) return; // signed out
      next.dataset.title = shown().dataset.title;
      set(next.dataset.now);
      shown().replaceWith(document.importNode(next, true));
      tick();
    } catch (error) {
      // no connection; the next look may have one
    }
  }

  if (!shown()) return;
  set(shown().dataset.now);
  tick();
  window.setInterval(tick, 1000);
  window.setInterval(look, lookAgain * 1000);
  // A page taken from the history is as old as it is.
  window.addEventListener('pageshow', function (event) { if (event.persisted || Date.now() - begun > lookAgain * 1000) look(); });
})();
