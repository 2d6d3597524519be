// Draws the figures of /metrics, asked for once a second.
'use strict';
const KEPT = 60; // seconds on the curves
const curves = {rate: [], open: [], sent: []};
const $ = id => document.getElementById(id);
const show = texts => { for (const id in texts) $(id).textContent = texts[id]; };

const whole = new Intl.NumberFormat('en');
const short = new Intl.NumberFormat('en', {notation: 'compact', maximumFractionDigits: 1});
const count = n => n < 100000 ? whole.format(Math.round(n)) : short.format(n);

function bytes(n) {
  const unit = n < 1024 ? 0 : Math.min(4, Math.floor(Math.log2(n) / 10));
  n /= 1024 ** unit;
  return n.toFixed(n < 10 && unit ? 1 : 0) + ' ' + ['B', 'KiB', 'MiB', 'GiB', 'TiB'][unit];
}

function duration(s) {
  const clock = new Date(s % 86400 * 1000).toISOString().slice(11, 19);
  return s < 86400 ? clock : Math.floor(s / 86400) + ' d ' + clock;
}

// The next of 1, 2, 5, 10, 20 … that is no less than n.
function ceiling(n) {
  const ten = 10 ** Math.floor(Math.log10(Math.max(n, 1)));
  return ten * [1, 2, 5, 10].find(f => f * ten >= n);
}

function draw(id, format, top) {
  const svg = $(id + '-chart'), values = curves[id];
  const {width, height} = svg.getBoundingClientRect();
  const left = 56, right = width - 8, up = 10, down = height - 22, most = top(Math.max(...values, 0));
  const y = v => down - v / most * (down - up);
  const at = values.map((v, i) => right - (values.length - 1 - i) * (right - left) / (KEPT - 1) + ' ' + y(v));
  const text = (x, y, end, text) => `<text x="${x}" y="${y}" text-anchor="${end ? 'end' : 'start'}">${text}</text>`;
  const lines = [0, most / 2, most].map(v => `<line x1="${left}" x2="${right}" y1="${y(v)}" y2="${y(v)}"/>` +
    text(left - 8, y(v) + 4, 1, format(v)));
  lines.push(text(left, height - 4, 0, KEPT + ' s ago'), text(right, height - 4, 1, 'now'));
  if (values.length) {
    const line = at.join('L');
    lines.push(`<path class="area" d="M${line}V${down}H${at[0].split(' ')[0]}"/><path d="M${line}"/>`,
      `<circle cx="${right}" cy="${y(values.at(-1))}" r="3.5"/>`);
  }
  svg.innerHTML = lines.join('');
}

function drawAll() {
  draw('rate', count, ceiling);
  draw('open', count, n => ceiling(Math.max(n, 2)));
  draw('sent', bytes, n => 2 ** Math.max(10, Math.ceil(Math.log2(n))));
}

let before;

function update(text) {
  const now = Object.fromEntries([...text.matchAll(/^([^#].*) (.*)$/gm)].map(([, name, value]) => [name, +value]));
  const codes = Object.keys(now).filter(name => now[name] && name.startsWith('http_requests_total{'));
  now.total = codes.reduce((sum, name) => sum + now[name], 0);
  // The machine's own clock says how much time has passed; a machine that was restarted begins anew.
  const up = now.machine_uptime_seconds, seconds = up - before?.machine_uptime_seconds;
  if (seconds > 0) {
    const rate = (now.total - before.total) / seconds;
    const sent = (now.http_sent_bytes_total - before.http_sent_bytes_total) / seconds;
    const values = {rate, sent, open: now.http_connections_open};
    for (const id in values) curves[id] = [...curves[id], values[id]].slice(-KEPT);
    show({rate: count(rate), sent: bytes(sent) + '/s'});
  }
  before = now;
  const memory = now['machine_memory_bytes{state="total"}'], used = memory - now['machine_memory_bytes{state="free"}'];
  $('memory-bar').value = used / memory;
  show({open: count(now.http_connections_open), accepted: count(now.http_connections_accepted_total),
    'sent-total': bytes(now.http_sent_bytes_total), memory: bytes(used), 'memory-total': bytes(memory), uptime: duration(up),
    cores: now.machine_cores, total: count(now.total), codes: codes.map(name => name.slice(26, 29) + ': ' + count(now[name])).join(', ')});
  drawAll();
}

function state(text) {
  if ($('state').textContent !== text) show({state: text});
  $('state').className = text === 'up' ? 'up' : 'down';
}

async function ask() {
  try {
    const answer = await fetch('/metrics', {cache: 'no-store', signal: AbortSignal.timeout(5000)});
    if (!answer.ok) throw answer.statusText;
    update(await answer.text());
    state('up');
  } catch {
    state('no answer');
  }
  setTimeout(ask, 1000);
}

$('load').onclick = async () => {
  const until = Date.now() + 10000;
  const worker = async () => { while (Date.now() < until) await fetch('/favicon.svg', {cache: 'no-store'}); };
  $('load').disabled = true;
  await Promise.allSettled([1, 2, 3, 4].map(worker)); // a browser opens six connections at most; one stays for /metrics
  $('load').disabled = false;
};

function theme(dark) {
  document.documentElement.style.colorScheme = dark ? 'dark' : 'light';
  show({theme: dark ? 'Light' : 'Dark'});
  $('theme').onclick = () => {
    localStorage.theme = dark ? 'light' : 'dark';
    theme(!dark);
  };
}
theme(localStorage.theme ? localStorage.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches);
onresize = drawAll;
ask();
