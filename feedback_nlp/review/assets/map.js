// The map of comments. Bundled with the parts of deck.gl it needs into static/map.min.js; see README.md beside it.
import { Deck, OrthographicView } from "@deck.gl/core";
import { ScatterplotLayer } from "@deck.gl/layers";

const SIZE = 1000;
const LABELS = 60;
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
  found.position = Float32Array.from(places, (value, at) => (value / 65535) * SIZE * (at % 2 ? 1 : aspect));
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
  return [new ScatterplotLayer({
    id: "points",
    data: { length: map.n, attributes: { getPosition: { value: map.position, size: 2 }, getFillColor: { value: colours, size: 4, normalized: true } } },
    getRadius: 1, radiusUnits: "common", radiusMinPixels: map.n > 30000 ? 1.2 : 2, radiusMaxPixels: 7,
    pickable: true, stroked: false,
    updateTriggers: { getFillColor: colours },
  })];
}

function redraw() {
  colours = paint(document.getElementById("colour").value);
  legend(document.getElementById("colour").value);
  deck.setProps({ layers: layers() });
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
  map.header.topics.forEach((topic) => {
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
  frame.append(names, veil, peek);
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
    onHover: look,
    onAfterRender: () => { placeNames(); frame.dataset.ready = String(map.n); },
    onLoad: () => { state.textContent = state.dataset.drawn.replace("{n}", new Intl.NumberFormat(document.documentElement.lang).format(map.n)); },
  });
  listenToLasso();
  document.getElementById("colour").addEventListener("change", redraw);
  document.getElementById("lasso").addEventListener("click", () => setLasso(!lassoing));
  document.getElementById("whole").addEventListener("click", () => { caught = null; redraw(); deck.setProps({ initialViewState: home() }); });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") { setLasso(false); peek.hidden = true; } });
  document.addEventListener("news", () => load().then(redraw));
  document.addEventListener("decided", () => load().then(redraw));
}

open();
