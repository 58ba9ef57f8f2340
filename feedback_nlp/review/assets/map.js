// The map of comments. Bundled with the parts of deck.gl it needs into static/map.min.js; see README.md beside it.
import { Deck, OrthographicView } from "@deck.gl/core";
import { ScatterplotLayer } from "@deck.gl/layers";

const SIZE = 1000;
const LABELS = 60;
// Without a graphics card a frame of all points takes seconds. A sample is drawn first; where even that is slow, points are
// put on a plain canvas instead, which costs some milliseconds.
const SAMPLE = 5000;
const SLOW_MS = 60;
const NEAR = 7;
const frame = document.getElementById("map");
const dark = matchMedia("(prefers-color-scheme: dark)").matches;
const TONES = {
  sentiment: { negative: [200, 87, 60], neutral: [150, 157, 168], positive: [47, 143, 131], mixed: [217, 164, 65] },
  lang: { ar: [36, 96, 167], fa: [214, 120, 38], en: [52, 140, 89], other: [150, 110, 180], und: [150, 157, 168] },
  root: { policy: [61, 106, 163], employee: [168, 85, 126], both: [119, 102, 159], other: [160, 140, 80], none: [165, 171, 180] },
};
const NONE = dark ? [80, 87, 98] : [196, 200, 206];

// The map is stretched to the frame: what counts on it is who lies beside whom.
const aspect = Math.min(Math.max(frame.clientWidth / Math.max(frame.clientHeight, 1), 0.6), 2.2);

let map = null;
let deck = null;
let colours = null;
let caught = null;
let drawn = SAMPLE;
let slow = false;

// Every place once, far-apart ones after each other, so that the first of them are a fair sample.
function shuffled(n) {
  const order = new Uint32Array(n);
  let step = Math.max(Math.floor(n * 0.6180339887), 1);
  const common = (a, b) => (b ? common(b, a % b) : a);
  while (common(step, n) > 1) { step += 1; }
  for (let i = 0, at = 0; i < n; i++, at = (at + step) % n) { order[i] = at; }
  return order;
}

function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const n = header.points;
  let at = 4 + length;
  const take = (kind, count) => {
    const array = new kind(buffer.slice(at, at + count * kind.BYTES_PER_ELEMENT));
    at += count * kind.BYTES_PER_ELEMENT;
    return array;
  };
  const places = take(Uint16Array, 2 * n);
  const found = {
    header, n,
    row: take(Uint32Array, n), topic: take(Int32Array, n), day: take(Int32Array, n),
    sentiment: take(Int8Array, n), lang: take(Int8Array, n), root: take(Int8Array, n),
  };
  const order = shuffled(n);
  for (const name of ["row", "topic", "day", "sentiment", "lang", "root"]) {
    const given = found[name];
    found[name] = given.map((_, i) => given[order[i]]);
  }
  found.position = new Float32Array(2 * n);
  for (let i = 0; i < n; i++) {
    found.position[2 * i] = (places[2 * order[i]] / 65535) * SIZE * aspect;
    found.position[2 * i + 1] = (places[2 * order[i] + 1] / 65535) * SIZE;
  }
  return found;
}

function hue(at) {
  const h = (at * 137.508) % 360, s = 0.55, l = dark ? 0.62 : 0.46;
  const f = (k) => { const x = (k + h / 30) % 12; return Math.round(255 * (l - s * Math.min(l, 1 - l) * Math.max(-1, Math.min(x - 3, 9 - x, 1)))); };
  return [f(0), f(8), f(4)];
}

function paint(of) {
  const n = map.n, out = new Uint8Array(4 * n), lists = { sentiment: "sentiments", lang: "langs", root: "roots" };
  let tone;
  if (of === "topic") {
    const tones = new Map(map.header.topics.map((topic, at) => [topic.id, hue(at)]));
    tone = (i) => tones.get(map.topic[i]) || NONE;
  } else if (of === "day") {
    const known = map.day.filter((day) => day >= 0);
    const first = known.reduce((a, b) => Math.min(a, b), Infinity), last = known.reduce((a, b) => Math.max(a, b), -Infinity);
    tone = (i) => { if (map.day[i] < 0) { return NONE; } const t = (map.day[i] - first) / Math.max(last - first, 1); return [Math.round(60 + 150 * t), Math.round(110 - 10 * t), Math.round(190 - 140 * t)]; };
  } else {
    const list = map.header[lists[of]].map((code) => TONES[of][code] || NONE);
    tone = (i) => list[map[of][i]] || NONE;
  }
  for (let i = 0; i < n; i++) {
    const rgb = tone(i);
    out[4 * i] = rgb[0]; out[4 * i + 1] = rgb[1]; out[4 * i + 2] = rgb[2];
    out[4 * i + 3] = caught && !caught.has(i) ? 40 : 205;
  }
  return out;
}

function legend(of) {
  const line = document.getElementById("map-legend");
  line.replaceChildren();
  document.querySelectorAll('#colour-names [data-of="' + of + '"]').forEach((name) => {
    const key = document.createElement("span"), spot = document.createElement("i");
    const rgb = of === "day" ? (name.dataset.code === "first" ? [60, 110, 190] : [210, 100, 50]) : TONES[of][name.dataset.code];
    key.className = "key";
    spot.style.background = "rgb(" + rgb.join(",") + ")";
    key.append(spot, name.textContent);
    line.append(key);
  });
}

function layers() {
  if (slow) { return []; }
  return [new ScatterplotLayer({
    id: "points",
    data: { length: Math.min(drawn, map.n), attributes: { getPosition: { value: map.position, size: 2 }, getFillColor: { value: colours, size: 4, normalized: true } } },
    getRadius: 1, radiusUnits: "common", radiusMinPixels: map.n > 30000 ? 1.2 : 2, radiusMaxPixels: 7,
    pickable: true, stroked: false,
    updateTriggers: { getFillColor: colours },
  })];
}

function redraw() {
  colours = paint(document.getElementById("colour").value);
  legend(document.getElementById("colour").value);
  deck.setProps({ layers: layers() });
  if (slow) { plot(); }
}

// The sample first; where it stands soon enough, all points follow.
function measure() {
  if (frame.dataset.usable) { return; }
  frame.dataset.usable = String(Math.min(drawn, map.n));
  const gl = deck.getCanvas().getContext("webgl2");
  // Reading a pixel waits until the frame is really drawn.
  const begun = performance.now();
  gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));
  slow = map.n > SAMPLE && performance.now() - begun > SLOW_MS;
  drawn = map.n;
  deck.setProps({ layers: layers() });
}

const pixels = document.createElement("canvas");
pixels.className = "map-pixels";

function radius(scale) { return Math.min(Math.max(scale, map.n > 30000 ? 1.2 : 2), 7); }

function plot() {
  const viewport = deck.getViewports()[0];
  if (!viewport) { return; }
  const ratio = Math.min(window.devicePixelRatio || 1, 2);
  const w = Math.round(viewport.width * ratio), h = Math.round(viewport.height * ratio);
  if (pixels.width !== w || pixels.height !== h) { pixels.width = w; pixels.height = h; }
  const [left, top] = viewport.project([0, 0]), [right, bottom] = viewport.project([SIZE, SIZE]);
  const sx = ((right - left) / SIZE) * ratio, sy = ((bottom - top) / SIZE) * ratio;
  const context = pixels.getContext("2d"), image = context.createImageData(w, h);
  const out = new Uint32Array(image.data.buffer), tones = new Uint32Array(colours.buffer);
  const r = radius(sx / ratio) * ratio, reach = Math.ceil(r), disc = [];
  for (let y = -reach; y <= reach; y++) { for (let x = -reach; x <= reach; x++) { if (x * x + y * y <= r * r) { disc.push([x, y]); } } }
  for (let i = 0; i < map.n; i++) {
    const x = Math.round(map.position[2 * i] * sx + left * ratio), y = Math.round(map.position[2 * i + 1] * sy + top * ratio);
    if (x < -reach || y < -reach || x >= w + reach || y >= h + reach) { continue; }
    for (let k = 0; k < disc.length; k++) {
      const u = x + disc[k][0], v = y + disc[k][1];
      if (u >= 0 && v >= 0 && u < w && v < h) { out[v * w + u] = tones[i]; }
    }
  }
  context.putImageData(image, 0, 0);
}

function nearest(x, y) {
  const viewport = deck.getViewports()[0], [px, py] = viewport.unproject([x, y]), [qx] = viewport.unproject([x + NEAR, y]);
  let best = -1, least = (qx - px) ** 2;
  for (let i = 0; i < map.n; i++) {
    const d = (map.position[2 * i] - px) ** 2 + (map.position[2 * i + 1] - py) ** 2;
    if (d < least) { least = d; best = i; }
  }
  return { index: best, x, y };
}

function rendered() {
  placeNames();
  if (slow) { plot(); }
  if (drawn >= map.n) { frame.dataset.ready = String(map.n); }
}

const names = document.createElement("div");
names.className = "map-names";

// The largest topics' names first; one that would cover another waits until the reader comes nearer.
function placeNames() {
  const viewport = deck.getViewports()[0];
  if (!viewport) { return; }
  const taken = [];
  let shown = 0;
  names.querySelectorAll("a").forEach((name) => {
    const [x, y] = viewport.project([Number(name.dataset.x) * SIZE * aspect, Number(name.dataset.y) * SIZE]);
    const w = Number(name.dataset.w) / 2 + 4, h = 13;
    const box = [x - w, y - h, x + w, y + h];
    const inside = x > w && y > h && x < viewport.width - w && y < viewport.height - h;
    const free = inside && shown < LABELS && taken.every((o) => box[2] < o[0] || box[0] > o[2] || box[3] < o[1] || box[1] > o[3]);
    name.hidden = !free;
    if (free) { taken.push(box); shown += 1; name.style.transform = "translate(" + (x - w + 4) + "px," + (y - h) + "px)"; }
  });
}

function writeNames() {
  names.replaceChildren();
  map.header.topics.filter((topic) => topic.here).forEach((topic) => {
    const name = document.createElement("a");
    name.href = "/topics/" + topic.id;
    name.textContent = topic.name;
    name.dir = "auto";
    name.dataset.x = topic.x; name.dataset.y = topic.y;
    names.append(name);
  });
  names.querySelectorAll("a").forEach((name) => { name.dataset.w = name.offsetWidth; });
}

const peek = document.createElement("div");
peek.className = "map-peek panel";
peek.dir = document.documentElement.dir;
peek.hidden = true;
let peeking = 0;

function look(info) {
  clearTimeout(peeking);
  if (info.index < 0 || lassoing) { peek.hidden = true; return; }
  peeking = setTimeout(async () => {
    const answer = await fetch("/map/peek?run=" + encodeURIComponent(map.header.run) + "&row=" + map.row[info.index], { headers: { "HX-Request": "true" } });
    if (!answer.ok) { return; }
    // Our own server's fragment, in which every comment is escaped.
    peek.innerHTML = await answer.text();
    peek.hidden = false;
    const left = Math.min(info.x + 14, frame.clientWidth - peek.offsetWidth - 8);
    const top = info.y + 16 + peek.offsetHeight > frame.clientHeight ? info.y - peek.offsetHeight - 10 : info.y + 16;
    peek.style.transform = "translate(" + Math.max(left, 4) + "px," + Math.max(top, 4) + "px)";
  }, 120);
}

let lassoing = false;
const veil = document.createElementNS("http://www.w3.org/2000/svg", "svg");
const loop = document.createElementNS("http://www.w3.org/2000/svg", "polygon");
veil.setAttribute("class", "map-veil");
veil.append(loop);

// The picture shows what the reader sees: the same colours, and the part of the map in the frame.
function pictureOf(link) {
  const address = new URL(link.href), viewport = deck.getViewports()[0];
  address.searchParams.set("colour", document.getElementById("colour").value);
  const [left, top] = viewport.unproject([0, 0]), [right, bottom] = viewport.unproject([viewport.width, viewport.height]);
  address.searchParams.set("box", [left / (SIZE * aspect), top / SIZE, right / (SIZE * aspect), bottom / SIZE].map((each) => Math.min(Math.max(each, -9), 9).toFixed(4)).join(","));
  link.href = address.href;
}

function setLasso(on) {
  lassoing = on;
  document.getElementById("lasso").setAttribute("aria-pressed", String(on));
  veil.classList.toggle("on", on);
  loop.setAttribute("points", "");
}

function within(x, y, corners) {
  let inside = false;
  for (let i = 0, j = corners.length - 1; i < corners.length; j = i++) {
    const [a, b] = corners[i], [c, d] = corners[j];
    if ((b > y) !== (d > y) && x < ((c - a) * (y - b)) / (d - b) + a) { inside = !inside; }
  }
  return inside;
}

async function catchPoints(corners) {
  const viewport = deck.getViewports()[0];
  const real = corners.map((corner) => viewport.unproject(corner));
  const found = [];
  for (let i = 0; i < map.n; i++) {
    if (within(map.position[2 * i], map.position[2 * i + 1], real)) { found.push(i); }
  }
  const state = document.getElementById("map-state");
  if (found.length > Number(frame.dataset.most)) { state.textContent = state.dataset.many; return; }
  caught = found.length ? new Set(found) : null;
  redraw();
  const list = document.getElementById("caught");
  list.hidden = !found.length;
  if (found.length) {
    await window.htmx.ajax("POST", "/map/list", { target: "#caught", swap: "innerHTML", values: { run: map.header.run, rows: found.map((i) => map.row[i]).join(",") } });
    list.scrollIntoView({ block: "nearest" });
  }
}

function listenToLasso() {
  let corners = null;
  const spot = (event) => { const box = veil.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  veil.addEventListener("pointerdown", (event) => { if (lassoing) { corners = [spot(event)]; veil.setPointerCapture(event.pointerId); } });
  veil.addEventListener("pointermove", (event) => {
    if (!corners) { return; }
    corners.push(spot(event));
    loop.setAttribute("points", corners.map((corner) => corner.join(",")).join(" "));
  });
  veil.addEventListener("pointerup", () => {
    const drawn = corners;
    corners = null;
    setLasso(false);
    if (drawn && drawn.length > 2) { catchPoints(drawn); }
  });
}

function home() {
  const zoom = Math.log2(Math.max(Math.min(frame.clientWidth / aspect, frame.clientHeight), 50) / (SIZE * 1.08));
  return { target: [(SIZE * aspect) / 2, SIZE / 2, 0], zoom, minZoom: zoom - 1, maxZoom: zoom + 9 };
}

async function load() {
  const answer = await fetch(frame.dataset.points);
  if (!answer.ok) { return; }
  map = unpack(await answer.arrayBuffer());
  caught = null;
  writeNames();
}

async function open() {
  frame.replaceChildren();
  frame.append(pixels, names, veil, peek);
  await load();
  if (!map) { return; }
  const state = document.getElementById("map-state");
  colours = paint("topic");
  deck = new Deck({
    parent: frame,
    views: new OrthographicView({ flipY: true }),
    initialViewState: home(),
    controller: true,
    layers: layers(),
    onHover: (info) => { if (!slow) { look(info); } },
    onAfterRender: () => { rendered(); measure(); },
    onLoad: () => { state.textContent = state.dataset.drawn.replace("{n}", new Intl.NumberFormat(document.documentElement.lang === "ar" ? "ar-u-nu-arab" : document.documentElement.lang).format(map.n)); },
  });
  frame.addEventListener("pointermove", (event) => {
    const box = frame.getBoundingClientRect();
    if (slow && !event.buttons) { look(nearest(event.clientX - box.left, event.clientY - box.top)); }
  });
  frame.addEventListener("pointerleave", () => look({ index: -1 }));
  listenToLasso();
  document.getElementById("colour").addEventListener("change", redraw);
  document.querySelectorAll("#export-map a").forEach((link) => link.addEventListener("click", () => pictureOf(link)));
  document.getElementById("lasso").addEventListener("click", () => setLasso(!lassoing));
  document.getElementById("whole").addEventListener("click", () => { caught = null; redraw(); deck.setProps({ initialViewState: home() }); });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") { setLasso(false); peek.hidden = true; } });
  document.addEventListener("news", () => load().then(redraw));
  document.addEventListener("decided", () => load().then(redraw));
}

open();
