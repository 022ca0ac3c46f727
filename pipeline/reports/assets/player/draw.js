/** Pictures, coasts and lines on a canvas. */
import { contour, roundLevels, softened } from './contour.js';

/** Warm, so that it stands out on every ramp in use. */
export const LOOKED = '#ff8a1f';

/** A small canvas with one pixel a cell, clear where nothing was observed. */
export function cellsCanvas({ bytes, width, height }, colours, flip = false) {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  const image = context.createImageData(width, height);
  for (let r = 0; r < height; r++)
    for (let c = 0; c < width; c++) {
      const value = bytes[(flip ? height - 1 - r : r) * width + c];
      if (value !== 255) putColour(image.data, (r * width + c) * 4, colours, value);
    }
  context.putImageData(image, 0, 0);
  return canvas;
}

export function putColour(pixels, at, colours, value) {
  const colour = Math.round((value * 255) / 254) * 3;
  pixels[at] = colours[colour];
  pixels[at + 1] = colours[colour + 1];
  pixels[at + 2] = colours[colour + 2];
  pixels[at + 3] = 255;
}

/** Fills the canvas with a picture. */
export function paint(context, picture, colours, flip) {
  const { width, height } = context.canvas;
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = 'high';
  context.drawImage(cellsCanvas(picture, colours, flip), 0, 0, width, height);
}

/** Thin lines of equal value every round step. */
export function isolines(context, picture, scale, project, wraps) {
  const { levels } = roundLevels(scale.low, scale.high);
  const soft = softened(picture);
  context.beginPath();
  for (const level of levels)
    strokes(context, soft, ((level - scale.low) * 254) / (scale.high - scale.low), project, wraps);
  context.lineWidth = context.canvas.width / 1300;
  context.strokeStyle = 'rgba(255,255,255,0.42)';
  context.stroke();
}

/** Where the model looked: lines at shares of the maximum, orange on a dark halo. */
export function lookedLines(context, picture, shares, project, wraps) {
  const unit = context.canvas.width / 480;
  const thick = Math.min(2.2, Math.max(1.3, unit * 1.4));
  context.lineJoin = context.lineCap = 'round';
  for (const [i, share] of shares.entries()) {
    context.beginPath();
    strokes(context, picture, 254 * share, project, wraps);
    context.lineWidth = thick + 2.2;
    context.strokeStyle = 'rgba(15,11,28,0.55)';
    context.stroke();
    context.lineWidth = thick * (0.75 + 0.3 * i);
    context.strokeStyle = LOOKED;
    context.stroke();
  }
}

function strokes(context, picture, level, project, wraps) {
  contour(
    picture,
    level,
    (x1, y1, x2, y2) => {
      const [a, b] = [project(x1, y1), project(x2, y2)];
      if (Math.abs(a[0] - b[0]) > context.canvas.width / 4) return;
      context.moveTo(a[0], a[1]);
      context.lineTo(b[0], b[1]);
    },
    wraps,
  );
}

/** Coast lines inside a box of degrees that fills the canvas. */
export function drawCoast(context, coast, [west, south, east, north]) {
  const { width, height } = context.canvas;
  context.lineJoin = 'round';
  context.beginPath();
  for (const line of coast)
    for (const turn of [-360, 0, 360]) {
      if (!inside(line, west - turn, east - turn)) continue;
      for (let i = 0; i < line.length; i += 2) {
        const x = ((line[i] + turn - west) / (east - west)) * width;
        const y = ((north - line[i + 1]) / (north - south)) * height;
        if (i === 0) context.moveTo(x, y);
        else context.lineTo(x, y);
      }
    }
  const unit = Math.max(1, width / 700);
  context.strokeStyle = 'rgba(255,255,255,0.55)';
  context.lineWidth = 2.4 * unit;
  context.stroke();
  context.strokeStyle = 'rgba(12,16,22,0.9)';
  context.lineWidth = unit;
  context.stroke();
}

function inside(line, west, east) {
  for (let i = 0; i < line.length; i += 2) if (line[i] >= west && line[i] <= east) return true;
  return false;
}

/** A cross at a place in pixels. */
export function drawCross(context, x, y) {
  const r = Math.max(7, context.canvas.width / 60);
  for (const [colour, thick] of [
    ['rgba(15,11,28,0.75)', 5],
    ['#fff', 2],
  ]) {
    context.beginPath();
    context.moveTo(x - r, y);
    context.lineTo(x + r, y);
    context.moveTo(x, y - r);
    context.lineTo(x, y + r);
    context.strokeStyle = colour;
    context.lineWidth = thick;
    context.lineCap = 'round';
    context.stroke();
  }
}

/** Words in the middle of an empty canvas. */
export function say(context, text) {
  const { width, height } = context.canvas;
  context.fillStyle = getComputedStyle(document.body).getPropertyValue('--soft');
  context.font = `${Math.max(14, width / 34)}px system-ui, sans-serif`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  const lines = wrapped(context, text, width * 0.86);
  lines.forEach((line, i) => {
    context.fillText(line, width / 2, height / 2 + (i - (lines.length - 1) / 2) * Math.max(20, width / 24));
  });
}

function wrapped(context, text, most) {
  const lines = [''];
  for (const word of text.split(' ')) {
    const longer = `${lines[lines.length - 1]} ${word}`.trim();
    if (context.measureText(longer).width > most) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}
