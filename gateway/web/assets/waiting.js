// Keeps what an inspector sends until it is told what became of it. A form is
// written to this device before it is sent; without a connection it waits here
// and is sent later under the same key, which the ledger takes once.
(function () {
  'use strict';
  const prefix = 'steelyard.waiting.';

  const read = (key) => { try { return JSON.parse(localStorage.getItem(prefix + key)); } catch (error) { return null; } };
  const keep = (entry) => { try { localStorage.setItem(prefix + entry.key, JSON.stringify(entry)); return true; } catch (error) { return false; } };
  const drop = (key) => localStorage.removeItem(prefix + key);
  const all = (who) => Object.keys(localStorage).filter((name) => name.startsWith(prefix)).map((name) => read(name.slice(prefix.length))).filter((entry) => entry && entry.who === who);

  // session asks for the desk as it is now: the token of its forms, or nothing
  // when nobody, or somebody else, is signed in.
  async function session(who) {
    const answer = await fetch('/desk/round', { headers: { Accept: 'text/html' }, cache: 'no-store' });
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const waiting = page.getElementById('waiting');
    const token = page.querySelector('.desk-bar input[name="_token"]');
    return waiting && token && waiting.dataset.who === who ? token.value : '';
  }

  // deliver sends one entry. The outcome is 'told' with an address, 'sign-in',
  // 'refused', or 'unknown' when no answer came that settles it.
  async function deliver(entry) {
    if (!navigator.onLine) return { outcome: 'unknown', offline: true };
    try {
      const token = await session(entry.who);
      if (!token) return { outcome: 'sign-in' };
      const body = new URLSearchParams(entry.fields);
      body.set('_token', token);
      const answer = await fetch(entry.action, { method: 'POST', body, headers: { Accept: 'text/html' } });
      const path = new URL(answer.url).pathname;
      if (answer.ok && path.startsWith('/desk/sent/')) return { outcome: 'told', address: path };
      if (answer.status === 401) return { outcome: 'sign-in' };
      if (answer.status >= 500 || answer.status === 429 || answer.status === 408) return { outcome: 'unknown' };
      return { outcome: 'refused', token };
    } catch (error) {
      return { outcome: 'unknown', offline: true };
    }
  }

  const form = document.getElementById('visit');
  if (form) {
    const said = form.querySelector('.progress:last-of-type');
    const key = form.elements.namedItem('_key').value;
    let busy = false;
    async function send() {
      if (busy) return;
      const entry = read(key);
      if (!entry) return;
      busy = true;
      said.textContent = form.dataset.sending;
      const { outcome, address, offline, token } = await deliver(entry);
      busy = false;
      if (outcome === 'told') { drop(key); window.location.assign(address); return; }
      if (outcome === 'refused') { // shown by the server beside the fields; the key makes the second sending harmless
        drop(key);
        form.elements.namedItem('_token').value = token;
        form.submit();
        return;
      }
      said.textContent = outcome === 'sign-in' ? form.dataset.signin : offline ? form.dataset.kept : form.dataset.unknown;
    }
    form.addEventListener('submit', function (event) {
      if (event.submitter && event.submitter.name === '_more') return;
      const entry = { key, who: form.dataset.who, title: form.dataset.title, action: form.getAttribute('action'), since: new Date().toISOString(), fields: [...new FormData(form)].filter(([name, value]) => name !== '_token' && typeof value === 'string') };
      if (!keep(entry)) return; // no room on this device: send as without a script
      event.preventDefault();
      send();
    });
    window.addEventListener('online', send);
    window.setInterval(function () { if (read(key)) send(); }, 15000);
  }

  const waiting = document.querySelector('section#waiting');
  if (waiting) {
    const list = waiting.querySelector('ul');
    const show = function () {
      const entries = all(waiting.dataset.who);
      waiting.hidden = entries.length === 0 && !waiting.querySelector('.progress').textContent;
      list.replaceChildren(...entries.map(function (entry) {
        const item = document.createElement('li');
        const link = document.createElement('a');
        link.href = entry.action + '?key=' + encodeURIComponent(entry.key) + '&' + new URLSearchParams(entry.fields.filter(([name]) => !name.startsWith('_')).map(([name, value]) => [name.replace(/^\{(.*)\}$/, '$1'), value]));
        link.textContent = entry.title;
        const state = document.createElement('span');
        state.textContent = list.dataset[entry.outcome === 'refused' ? 'refused' : entry.outcome === 'sign-in' ? 'signIn' : 'kept'];
        item.append(link, ' ', state);
        return item;
      }));
    };
    const sendAll = async function () {
      for (const entry of all(waiting.dataset.who)) {
        const { outcome } = await deliver(entry);
        if (outcome === 'told') { drop(entry.key); waiting.querySelector('.progress').textContent = list.dataset.done; }
        else keep({ ...entry, outcome });
        show();
      }
    };
    show();
    sendAll();
    window.addEventListener('online', sendAll);
  }
})();
