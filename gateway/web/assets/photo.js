// Reads a QR code out of a picture, in the browser. Browsers without
// BarcodeDetector get a decoder (VENDORED.md), loaded with the first picture.
(function () {
  'use strict';

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

  // Codes that fill a picture are read better small, far ones large.
  const sides = [1000, 2000, 500]; // px of the longer side
  async function ours(bitmap, decoder) {
    const { decodeQR } = await import(new URL(decoder, window.location.href).href);
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

  // readCode gives the text of a code in a picture; empty: there is none, or the
  // browser cannot read the picture. It fails when the decoder cannot be loaded.
  async function readCode(file, decoder) {
    let bitmap;
    try {
      bitmap = await window.createImageBitmap(file);
    } catch (error) {
      return '';
    }
    return await native(bitmap) || await ours(bitmap, decoder);
  }

  window.steelyard = Object.assign(window.steelyard || {}, { readCode });
})();
