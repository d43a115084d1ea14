// Reads a QR code out of a photograph and looks up what it says. The photograph
// stays in the browser. Browsers without BarcodeDetector get a decoder
// (VENDORED.md), loaded when a photograph is chosen.
(function () {
  'use strict';
  const part = document.getElementById('photo-part');
  if (!part || !window.createImageBitmap) return;
  const input = document.getElementById('photo');
  const said = document.getElementById('photo-said');
  const words = part.dataset;
  part.hidden = false;

  async function native(bitmap) {
    if (!('BarcodeDetector' in window)) return '';
    try {
      const detector = new window.BarcodeDetector({ formats: ['qr_code'] });
      const [found] = await detector.detect(bitmap);
      return found ? found.rawValue : '';
    } catch (error) {
      return ''; // some browsers name the class and lack the service
    }
  }

  // Codes that fill a photograph are read better small, far ones large.
  const sides = [1000, 2000, 500]; // px of the longer side
  async function ours(bitmap) {
    const { decodeQR } = await import(new URL(words.decoder, window.location.href).href);
    const canvas = document.createElement('canvas');
    const context = canvas.getContext('2d', { willReadFrequently: true });
    for (const side of sides) {
      const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
      canvas.width = Math.max(1, Math.round(bitmap.width * scale));
      canvas.height = Math.max(1, Math.round(bitmap.height * scale));
      context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
      try {
        const text = decodeQR(context.getImageData(0, 0, canvas.width, canvas.height));
        if (text) return text;
      } catch (error) {
        // no code at this size
      }
    }
    return '';
  }

  input.addEventListener('change', async function () {
    const file = input.files[0];
    if (!file) return;
    said.textContent = words.reading;
    let text = '';
    try {
      const bitmap = await window.createImageBitmap(file);
      text = await native(bitmap) || await ours(bitmap);
    } catch (error) {
      said.textContent = words.broken;
      input.value = '';
      return;
    }
    input.value = '';
    if (!text) {
      said.textContent = words.nothing;
      return;
    }
    said.textContent = words.found + ' ' + text;
    const question = document.getElementById('q');
    question.value = text.slice(0, question.maxLength);
    question.form.requestSubmit();
  });
})();
