package browser

import ()

// pages are all public pages of the demonstration.
var pages = []string{
	"/", "/m/M-STATION", "/m/M-STALL", "/i/I-DISPENSER", "/i/I-SCALE", "/s/S-STATION", "/s/S-MARKET", "/n/N-INSTITUTE",
	"/v/V-STATION-1", "/results", "/results?region=99", "/results?from=x", "/results/overdue", "/statistics", "/status", "/offline", "/differs", "/i/I-SCALE/differs", "/draws", "/docs", "/m/M-STATION/sheet", "/check?q=DEMO-2026-0001", "/check?q=DEMO-2026-0003&serial=x", "/check?q=nothing", "/m/none", "/d/sha256/abababababababababababababababababababababababababababababababab",
}

// faults finds, in the page itself, what keeps people out: text with a contrast
// below 4.5 (WCAG 2.2, 1.4.3), targets under 24 by 24 px (2.5.8; a link within
// a sentence is exempt), controls without a name, a page wider than the window.
const faults = `(() => {
  const found = [];
  const rgb = (text) => (text.match(/[\d.]+/g) || []).map(Number);
  const linear = (c) => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const c = rgb(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  const shown = (e) => e.checkVisibility() && e.getBoundingClientRect().right > 0;
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !shown(e)) continue;
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) found.push('contrast: ' + walk.currentNode.data.trim().slice(0, 40));
  }
  for (const e of document.querySelectorAll('a, button, input, select, summary')) {
    if (!shown(e)) continue;
    const box = e.getBoundingClientRect();
    const inText = e.tagName === 'A' && getComputedStyle(e).display === 'inline' && e.parentElement.textContent.trim() !== e.textContent.trim();
    if (!inText && (box.width < 24 || box.height < 24)) found.push('target ' + Math.round(box.width) + 'x' + Math.round(box.height) + ': ' + e.outerHTML.slice(0, 80));
    const name = e.textContent.trim() || e.getAttribute('aria-label') || (e.labels && e.labels.length && e.labels[0].textContent.trim());
    if (!name) found.push('no name: ' + e.outerHTML.slice(0, 80));
  }
  for (const e of document.querySelectorAll('[role=img]')) if (!e.getAttribute('aria-label')) found.push('no name: ' + e.outerHTML.slice(0, 60));
  for (const e of document.querySelectorAll('[aria-describedby]')) {
    for (const id of e.getAttribute('aria-describedby').trim().split(/\s+/)) if (!document.getElementById(id)) found.push('describes nothing: ' + e.id);
  }
  let level = 0;
  for (const h of document.querySelectorAll('h1, h2, h3, h4')) {
    const next = Number(h.tagName[1]);
    if (next > level + 1) found.push('heading skips a level: ' + h.textContent.trim());
    level = next;
  }
  const width = document.documentElement.scrollWidth;
  if (width > window.innerWidth) found.push('wider than the window: ' + width);
  return found;
})()`
