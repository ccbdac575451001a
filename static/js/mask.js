/* The mask: what is to change, painted over an image. Strokes are kept as strokes, so that they
   can be undone, and drawn once more at the image's own size when they are done. */

const dialog = document.getElementById("mask-dialog");
const LARGEST_SIDE = 1600; // of the canvas on screen, in pixels
const BLUE = "oklch(0.6 0.21 262)";
const SENT = "#fff"; // what is opaque in the file changes

let acts = []; // in their order: strokes, and what is done to all of it
let stroke = null; // the one that is being painted
let erasing = false;
let size = { width: 1, height: 1 }; // of the image
let cursor = null; // where the keyboard's brush is
let opener = null;

const part = (selector) => dialog.querySelector(selector);
const canvas = dialog?.querySelector("canvas");
const brush = () => (Number(part("#brush").value) / 100) * Math.min(size.width, size.height);

function lay(context, act, colour, scale) {
  context.globalCompositeOperation = "source-over";
  context.fillStyle = context.strokeStyle = colour;
  const { width, height } = context.canvas;
  if (act.kind === "clear") context.clearRect(0, 0, width, height);
  if (act.kind === "invert") {
    context.globalCompositeOperation = "xor";
    context.fillRect(0, 0, width, height);
  }
  if (act.kind !== "stroke") return;
  if (act.erasing) context.globalCompositeOperation = "destination-out";
  context.lineCap = context.lineJoin = "round";
  context.lineWidth = act.width * scale;
  context.beginPath();
  const [first, ...others] = act.points;
  context.moveTo(first.x * scale, first.y * scale);
  for (const point of others) context.lineTo(point.x * scale, point.y * scale);
  context.stroke();
  // A line of no length is not drawn, not even its round ends.
  context.beginPath();
  context.arc(first.x * scale, first.y * scale, (act.width * scale) / 2, 0, 2 * Math.PI);
  context.fill();
}

function draw(on, colour) {
  const context = on.getContext("2d");
  context.clearRect(0, 0, on.width, on.height);
  for (const act of acts) lay(context, act, colour, on.width / size.width);
  return context;
}

function show() {
  const context = draw(canvas, BLUE);
  const scale = canvas.width / size.width;
  if (!cursor) return;
  context.globalCompositeOperation = "source-over";
  for (const [colour, width] of [["#fff", 6], ["#000", 2]]) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    context.arc(cursor.x * scale, cursor.y * scale, (brush() * scale) / 2, 0, 2 * Math.PI);
    context.stroke();
  }
}

function act(kind, facts = {}) {
  const done = { kind, ...facts };
  acts.push(done);
  show();
  return done;
}

/* ── By hand ── */

function where(event) {
  const box = canvas.getBoundingClientRect();
  return {
    x: ((event.clientX - box.left) / box.width) * size.width,
    y: ((event.clientY - box.top) / box.height) * size.height,
  };
}

function down(event) {
  if (event.button) return;
  canvas.setPointerCapture(event.pointerId);
  cursor = null;
  stroke = act("stroke", { erasing, width: brush(), points: [where(event)] });
}

function moved(event) {
  if (!stroke) return;
  const all = event.getCoalescedEvents?.() ?? [];
  for (const one of all.length ? all : [event]) stroke.points.push(where(one));
  show();
}

/* ── By keys ── */

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function keyed(event) {
  if (event.key in STEPS) {
    event.preventDefault();
    const [x, y] = STEPS[event.key];
    const from = cursor ?? { x: size.width / 2, y: size.height / 2 };
    const step = brush() / 2;
    cursor = {
      x: Math.min(size.width, Math.max(0, from.x + x * step)),
      y: Math.min(size.height, Math.max(0, from.y + y * step)),
    };
    show();
  }
  if (event.key === " ") {
    event.preventDefault();
    cursor ??= { x: size.width / 2, y: size.height / 2 };
    act("stroke", { erasing, width: brush(), points: [{ ...cursor }] });
  }
}

function undo() {
  acts.pop();
  show();
}

/* ── The dialog ── */

function say(sentence) {
  const place = document.getElementById("mask-refusal");
  place.textContent = sentence;
}

function erase(on) {
  erasing = on;
  part('[data-mask="paint"]').setAttribute("aria-pressed", String(!on));
  part('[data-mask="erase"]').setAttribute("aria-pressed", String(on));
}

function open(button) {
  const { paint, picture, width, height, ratio } = button.dataset;
  if (paint !== part("[name=painted_over]").value) acts = [];
  opener = button;
  size = { width: Number(width), height: Number(height) };
  part("[name=painted_over]").value = paint;
  const image = part(".mask-painter__stage img");
  Object.assign(image, { src: picture, width: size.width, height: size.height });
  part(".mask-painter__stage").dataset.ratio = ratio;
  const scale = Math.min(1, LARGEST_SIDE / Math.max(size.width, size.height));
  canvas.width = Math.max(1, Math.round(size.width * scale));
  canvas.height = Math.max(1, Math.round(size.height * scale));
  stroke = cursor = null;
  erase(false);
  say("");
  dialog.showModal();
  canvas.focus({ focusVisible: false });
  show();
}

function send(file) {
  const carrier = new DataTransfer();
  carrier.items.add(file);
  part("[name=mask]").files = carrier.files;
  htmx.trigger("#mask-form", "submit");
}

function done() {
  say("");
  const whole = document.createElement("canvas");
  Object.assign(whole, size);
  draw(whole, SENT);
  whole.toBlob((blob) => {
    if (blob) send(new File([blob], "mask.png", { type: "image/png" }));
    else say("This image is too large to be painted over in this browser. Use a mask file instead.");
  }, "image/png");
}

const DOES = {
  paint: () => erase(false),
  erase: () => erase(true),
  undo,
  clear: () => act("clear"),
  invert: () => act("invert"),
  done,
  cancel: () => dialog.close(),
};

if (dialog) {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-paint]");
    if (button) open(button);
  });
  dialog.addEventListener("click", (event) => DOES[event.target.closest("[data-mask]")?.dataset.mask]?.());
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== "z" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    undo();
  });
  canvas.addEventListener("pointerdown", down);
  canvas.addEventListener("pointermove", moved);
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (stroke = null));
  canvas.addEventListener("keydown", keyed);
  canvas.addEventListener("blur", () => {
    cursor = null;
    show();
  });
  part("#brush").addEventListener("input", (event) => {
    event.target.setAttribute("aria-valuetext", `${event.target.value} hundredths of the image`);
  });
  part("[name=mask]").addEventListener("change", (event) => {
    say("");
    if (event.target.files.length) htmx.trigger("#mask-form", "submit");
  });
  // The event comes before its answer stands in the page.
  let kept = false;
  document.addEventListener("mask-kept", () => (kept = true));
  part("#mask-form").addEventListener("htmx:afterRequest", () => {
    if (!kept) return;
    kept = false;
    dialog.close();
    (opener?.isConnected ? opener : document.querySelector("[data-paint]"))?.focus();
    htmx.trigger("#refetch", "refetch");
  });
}
