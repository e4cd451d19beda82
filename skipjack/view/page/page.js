// Draws the pictures that come over a WebSocket, sends keys and what the mouse does. wire.py says how a message is built,
// server.py what this page sends.

const AGAIN = 700; // milliseconds until the next try to connect: sooner than the server gives up

const canvas = document.querySelector("canvas");
const line = document.querySelector("[role=status]");
const context = canvas.getContext("2d", { alpha: false });
const scratch = document.createElement("canvas");
const sprites = new Map();

let socket;
let arrived = 0; // pictures over this connection
let newest = null; // the last of them
let waiting = false; // a drawing is asked for

// ---- drawing ----

function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  return { ...head, pixels: new Uint8Array(buffer, 4 + length) };
}

function fill(target, pixels, [rows, columns, channels]) {
  const image = new ImageData(columns, rows);
  for (let to = 0, from = 0; to < image.data.length; to += 4, from += channels) {
    image.data[to] = pixels[from];
    image.data[to + 1] = pixels[from + 1];
    image.data[to + 2] = pixels[from + 2];
    image.data[to + 3] = channels === 4 ? pixels[from + 3] : 255;
  }
  if (target.width !== columns) target.width = columns;
  if (target.height !== rows) target.height = rows;
  target.getContext("2d").putImageData(image, 0, 0);
  return target;
}

// Edges lie on whole pixels: neighbours meet without a seam, and pixels stay crisp.
function box(scale, x, y, width, height) {
  const [left, top] = [Math.round(x * scale), Math.round(y * scale)];
  return [left, top, Math.round((x + width) * scale) - left, Math.round((y + height) * scale) - top];
}

const shapes = {
  rectangle(scale, x, y, width, height, colour) {
    context.fillStyle = colour;
    context.fillRect(...box(scale, x, y, width, height));
  },
  circle(scale, x, y, radius, colour) {
    context.fillStyle = colour;
    context.beginPath();
    context.arc(x * scale, y * scale, Math.max(radius * scale, 0), 0, 2 * Math.PI);
    context.fill();
  },
  line(scale, x, y, x2, y2, width, colour) {
    context.strokeStyle = colour;
    context.lineWidth = Math.max(width * scale, 1);
    context.beginPath();
    context.moveTo(x * scale, y * scale);
    context.lineTo(x2 * scale, y2 * scale);
    context.stroke();
  },
  text(scale, x, y, words, size, colour) {
    context.fillStyle = colour;
    context.font = `${0.8 * size * scale}px system-ui, sans-serif`; // the rest is space between lines
    context.fillText(words, x * scale, (y + size / 2) * scale);
  },
  sprite(scale, x, y, width, height, name) {
    if (sprites.has(name)) context.drawImage(sprites.get(name), ...box(scale, x, y, width, height));
  },
  image(scale, x, y, width, height, shape, begins, pixels) {
    if (shape.includes(0)) return;
    fill(scratch, pixels.subarray(begins), shape);
    context.drawImage(scratch, ...box(scale, x, y, width, height));
  },
};

// The canvas has the scene's proportions and as many pixels as the display has there.
function paint({ size, background, items, pixels }) {
  const ratio = window.devicePixelRatio;
  const scale = ratio * Math.min(innerWidth / size[0], innerHeight / size[1]);
  const [width, height] = [Math.round(size[0] * scale), Math.round(size[1] * scale)];
  if (canvas.width !== width || canvas.height !== height) {
    [canvas.width, canvas.height] = [width, height];
    [canvas.style.width, canvas.style.height] = [`${width / ratio}px`, `${height / ratio}px`];
  }
  context.imageSmoothingEnabled = false; // a new size sets this and the next back
  context.textBaseline = "middle";
  context.fillStyle = background;
  context.fillRect(0, 0, width, height);
  for (const item of items) {
    const [kind, ...rest] = item;
    if (!item.includes(null)) shapes[kind](scale, ...rest, pixels);
  }
}

function draw() {
  waiting = false;
  if (!newest) return;
  try {
    paint(newest);
  } finally {
    send(`drawn ${arrived}`); // the server sends only a few ahead of this
  }
}

function ask() {
  if (!waiting) requestAnimationFrame(draw);
  waiting = true;
}

window.addEventListener("resize", ask);

// ---- sound ----

const LATE = 0.25; // seconds of sound that may wait: beyond, a piece is left out
let speaker; // made by a key, once there is sound: browsers let a page be heard only after one
let sounds = false; // whether some has come
let heard = 0; // when what waits will have been played

function play({ rate, pixels }) {
  sounds = true;
  if (!speaker || !pixels.length) return;
  const begins = Math.max(heard, speaker.currentTime);
  if (begins > speaker.currentTime + LATE) return;
  const buffer = speaker.createBuffer(1, pixels.length, rate);
  buffer.getChannelData(0).set(Float32Array.from(pixels, (sample) => (sample - 128) / 128));
  const source = speaker.createBufferSource();
  source.buffer = buffer;
  source.connect(speaker.destination);
  source.start(begins);
  heard = begins + buffer.duration;
}

function wake() {
  if (!sounds || speaker) return;
  try {
    speaker = new AudioContext();
  } catch {
    sounds = false; // none here
  }
}

// ---- connection ----

function send(words) {
  if (socket.readyState === WebSocket.OPEN) socket.send(words);
}

function connect() {
  const address = new URL(`socket${location.search}`, location.href);
  address.protocol = address.protocol.replace("http", "ws");
  socket = new WebSocket(address);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => {
    arrived = 0;
    line.textContent = "";
    new Set(held.values()).forEach((name) => send(`down ${name}`));
  };
  socket.onmessage = ({ data }) => {
    const message = unpack(data);
    if ("rate" in message) {
      play(message);
    } else if ("sprite" in message) {
      sprites.set(message.sprite, fill(document.createElement("canvas"), message.pixels, message.shape));
    } else {
      arrived += 1;
      newest = message;
      ask();
    }
  };
  socket.onclose = ({ code, reason }) => {
    const ended = code === 1000;
    line.textContent = reason || "The connection is lost. Trying again …";
    if (!ended) setTimeout(connect, AGAIN);
  };
}

// ---- keys ----

const NAMES = {
  __proto__: null, // no name but these
  ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down",
  " ": "space", Space: "space", Enter: "enter", Tab: "tab", Escape: "escape", Backspace: "backspace",
  Shift: "shift", "+": "plus", "=": "plus", Equal: "plus", "-": "minus", Minus: "minus",
  ".": "period", Period: "period", ",": "comma", Comma: "comma",
  "[": "bracketleft", BracketLeft: "bracketleft", "]": "bracketright", BracketRight: "bracketright",
};

const held = new Map(); // where on the keyboard -> name, as it was when the key went down

// What the key writes decides, so that a letter is where the layout has it; then where it is, for
// layouts that write other letters, and for digits and signs with shift.
function named({ key, code }) {
  if (/^([a-z0-9]|F([1-9]|10))$/i.test(key)) return key.toLowerCase();
  return NAMES[key] ?? NAMES[code] ?? /^(?:Key|Digit)(\w)$/.exec(code)?.[1].toLowerCase();
}

function release(place) {
  const name = held.get(place);
  held.delete(place);
  const still = [...held.values()].includes(name); // by the other shift key, say
  if (name && !still) send(`up ${name}`);
}

window.addEventListener("keydown", (event) => {
  const name = named(event);
  const writes = event.getModifierState("AltGraph"); // how some layouts write brackets
  if (!name || ((event.ctrlKey || event.metaKey || event.altKey) && !writes)) return; // the browser's
  event.preventDefault();
  wake();
  const place = event.code || event.key;
  if (held.has(place)) return; // it repeats
  held.set(place, name);
  send(`down ${name}`);
});
window.addEventListener("keyup", (event) => release(event.code || event.key));
window.addEventListener("blur", () => [...held.keys()].forEach(release));

// ---- mouse ----

const NOTCH = 100; // pixels that one notch of a wheel scrolls; touch pads send parts, which add up
let turned = 0;

canvas.addEventListener("pointerdown", (event) => {
  if (!newest || !canvas.clientWidth) return;
  event.preventDefault();
  wake();
  const scale = newest.size[0] / canvas.clientWidth;
  send(`click ${(event.offsetX * scale).toFixed(2)} ${(event.offsetY * scale).toFixed(2)}`);
});
canvas.addEventListener("contextmenu", (event) => event.preventDefault()); // that button plays too
canvas.addEventListener("wheel", (event) => {
  if (event.ctrlKey) return; // the browser's
  event.preventDefault();
  turned -= event.deltaY * (event.deltaMode ? NOTCH / 3 : 1);
  if (Math.abs(turned) < NOTCH) return;
  send(`wheel ${Math.sign(turned)}`); // one an event, however far it scrolls
  turned = 0;
}, { passive: false });

connect();
