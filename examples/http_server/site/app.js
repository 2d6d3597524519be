// Draws the figures of /metrics, asked for once a second.
'use strict';

const KEPT = 60; // seconds on the curves
const history = {rate: [], open: [], sent: []};
const $ = id => document.getElementById(id);
const show = (id, text) => { $(id).textContent = text; };

// ---- Reading

// {'name{label="x"}': number} of Prometheus's text format.
function parse(text) {
  const values = {};
  for (const line of text.split('\n')) {
    const at = line.lastIndexOf(' ');
    if (at > 0 && line[0] !== '#') values[line.slice(0, at)] = Number(line.slice(at + 1));
  }
  return values;
}

function codes(values) {
  return Object.entries(values)
    .map(([name, value]) => [/^http_requests_total\{code="(\d+)"\}$/.exec(name)?.[1], value])
    .filter(([code, value]) => code && value > 0);
}

// ---- Writing numbers

const whole = new Intl.NumberFormat('en');
const short = new Intl.NumberFormat('en', {notation: 'compact', maximumFractionDigits: 1});
const count = n => n < 100000 ? whole.format(Math.round(n)) : short.format(n);

function bytes(n) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (n >= 1024 && unit < units.length - 1) { n /= 1024; unit++; }
  return (n < 10 && unit > 0 ? n.toFixed(1) : Math.round(n)) + ' ' + units[unit];
}

function duration(s) {
  const two = n => String(Math.floor(n)).padStart(2, '0');
  const clock = two(s / 3600 % 24) + ':' + two(s / 60 % 60) + ':' + two(s % 60);
  return s < 86400 ? clock : Math.floor(s / 86400) + ' d ' + clock;
}

// ---- Curves

// The next of 1, 2, 5, 10, 20 … that is no less than n.
function ceiling(n) {
  const ten = 10 ** Math.floor(Math.log10(Math.max(n, 1)));
  return [1, 2, 5, 10].map(f => f * ten).find(c => c >= n) ?? 10 * ten;
}

function binaryCeiling(n) {
  return 2 ** Math.max(10, Math.ceil(Math.log2(Math.max(n, 1))));
}

function draw(id, values, format, top) {
  const svg = $(id);
  const {width, height} = svg.getBoundingClientRect();
  if (!width) return;
  const left = 56, right = width - 8, up = 10, down = height - 22;
  const most = top(Math.max(...values, 0));
  const x = i => right - (values.length - 1 - i) * (right - left) / (KEPT - 1);
  const y = v => down - v / most * (down - up);
  const lines = [0, .5, 1].map(part => {
    const at = y(part * most).toFixed(1);
    return `<line class="grid" x1="${left}" x2="${right}" y1="${at}" y2="${at}"/>` +
      `<text x="${left - 8}" y="${at}" dy=".35em" text-anchor="end">${format(part * most)}</text>`;
  });
  const points = values.map((v, i) => x(i).toFixed(1) + ' ' + y(v).toFixed(1));
  lines.push(`<text x="${left}" y="${height - 4}">${KEPT} s ago</text>`,
    `<text x="${right}" y="${height - 4}" text-anchor="end">now</text>`);
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  svg.innerHTML = lines.join('') + (points.length === 0 ? '' :
    `<path class="area" d="M${x(0)} ${down}L${points.join('L')}L${right} ${down}Z"/>` +
    `<path class="curve" d="M${points.join('L')}"/>` +
    `<circle class="now" cx="${right}" cy="${y(values.at(-1))}" r="3.5"/>`);
}

function drawAll() {
  draw('rate-chart', history.rate, count, ceiling);
  draw('open-chart', history.open, count, n => ceiling(Math.max(n, 2)));
  draw('sent-chart', history.sent, bytes, binaryCeiling);
}

// ---- Once a second

let before = null;

function remember(list, value) {
  list.push(value);
  if (list.length > KEPT) list.shift();
}

function update(now) {
  const answered = codes(now);
  now.total = answered.reduce((sum, [, value]) => sum + value, 0);
  const memory = now['machine_memory_bytes{state="total"}'];
  const used = memory - now['machine_memory_bytes{state="free"}'];

  // The machine's own clock, not the browser's, says how much time has passed; a machine that was restarted begins anew.
  const seconds = before ? now.machine_uptime_seconds - before.machine_uptime_seconds : 0;
  if (seconds > 0) {
    const rate = (now.total - before.total) / seconds;
    const sent = (now.http_sent_bytes_total - before.http_sent_bytes_total) / seconds;
    remember(history.rate, rate);
    remember(history.sent, sent);
    remember(history.open, now.http_connections_open);
    show('rate', count(rate));
    show('sent', bytes(sent) + '/s');
  }
  before = now;

  show('open', count(now.http_connections_open));
  show('accepted', count(now.http_connections_accepted_total));
  show('sent-total', bytes(now.http_sent_bytes_total));
  show('memory', bytes(used));
  show('memory-total', bytes(memory));
  $('memory-bar').value = used / memory;
  show('uptime', duration(now.machine_uptime_seconds));
  show('cores', count(now.machine_cores));
  show('total', count(now.total));
  $('codes').replaceChildren(...answered.map(([code, value]) => {
    const item = document.createElement('li');
    item.textContent = `${code}: ${count(value)}`;
    return item;
  }));
  drawAll();
}

function state(name, text) {
  if ($('state').className !== name) {
    $('state').className = name;
    show('state-text', text);
  }
}

async function ask() {
  try {
    const response = await fetch('/metrics', {cache: 'no-store', signal: AbortSignal.timeout(5000)});
    if (!response.ok) throw new Error(response.statusText);
    update(parse(await response.text()));
    state('up', 'up');
  } catch {
    state('down', 'no answer');
  }
  setTimeout(ask, 1000);
}

// ---- Controls

async function load() {
  const until = performance.now() + 10000;
  const worker = async () => {
    while (performance.now() < until) await fetch('/favicon.svg', {cache: 'no-store'});
  };
  $('load').disabled = true;
  await Promise.allSettled([1, 2, 3, 4].map(worker)); // a browser opens six connections at most; one stays for /metrics
  $('load').disabled = false;
}

function theme(dark) {
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
  $('theme').setAttribute('aria-pressed', dark);
  drawAll();
}

const stored = localStorage.getItem('theme');
const isDark = stored ? stored === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
theme(isDark);
$('theme').addEventListener('click', () => {
  const dark = document.documentElement.dataset.theme !== 'dark';
  localStorage.setItem('theme', dark ? 'dark' : 'light');
  theme(dark);
});
$('load').addEventListener('click', load);
addEventListener('resize', drawAll);
ask();
