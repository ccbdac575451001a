/* Pictures that are looked at closely: zoom and pan by mouse, wheel, keys and fingers.

   Pictures of one view move together: `k` is how many times larger than fitted they are, `u` and
   `v` by how much of its fitted size each is moved. */

const STEP = 1.25;
const PAN = 80; // pixels by an arrow key
const SWIPE = 60; // pixels by which a finger turns the page

export class View {
  /* `frames` are elements that hold an <img> each, whose width and height are the original's and
     whose data-original is where that is. `changed` is told of every change, `turned` of a swipe;
     with `grow` a small picture is fitted by making it larger, too. */
  constructor(frames, { changed = () => {}, turned = null, mostHeight = () => Infinity, grow = false } = {}) {
    Object.assign(this, { k: 1, u: 0, v: 0, changed, turned, mostHeight, grow });
    this.panes = frames.map((frame) => new Pane(frame, this));
    new ResizeObserver(() => this.draw()).observe(frames[0]);
    this.draw();
  }

  /* How many screen pixels one of the first picture's is shown with, in percent. */
  get percent() {
    return Math.round(this.panes[0].fit * this.k * 100);
  }

  get zoomed() {
    return this.k > 1.001;
  }

  get most() {
    return Math.max(4, 4 / Math.min(...this.panes.map((pane) => pane.fit)));
  }

  /* Zoom to `k` times the fitted size; what lies under (x, y), counted from the middle of a pane,
     stays there. */
  zoomTo(k, pane = this.panes[0], x = 0, y = 0) {
    const to = Math.min(Math.max(k, 1), this.most);
    const change = 1 / to - 1 / this.k;
    this.u += (x / (pane.width * pane.fit)) * change;
    this.v += (y / (pane.height * pane.fit)) * change;
    this.k = to;
    this.draw();
  }

  in(...at) {
    this.zoomTo(this.k * STEP, ...at);
  }

  out(...at) {
    this.zoomTo(this.k / STEP, ...at);
  }

  fit() {
    this.zoomTo(1);
  }

  /* A pixel of the screen for each of the picture's. */
  full(pane = this.panes[0], ...at) {
    this.zoomTo(1 / pane.fit, pane, ...at);
  }

  /* Nearer, where that is the fit. */
  toggle(pane, ...at) {
    if (this.zoomed) this.fit();
    else if (pane.fit < 0.99) this.full(pane, ...at);
    else this.zoomTo(2, pane, ...at);
  }

  move(x, y, pane = this.panes[0]) {
    this.u += x / (pane.width * pane.fit * this.k);
    this.v += y / (pane.height * pane.fit * this.k);
    this.draw();
  }

  draw() {
    for (const pane of this.panes) pane.measure(this.mostHeight(), this.grow);
    const [u, v] = [Math.max(...this.panes.map((pane) => pane.room(this.k).u)), Math.max(...this.panes.map((pane) => pane.room(this.k).v))];
    this.u = Math.min(Math.max(this.u, -u), u);
    this.v = Math.min(Math.max(this.v, -v), v);
    for (const pane of this.panes) pane.draw(this);
    this.changed(this);
  }

  /* What a key does; whether it did anything. */
  press(key) {
    const pans = { ArrowLeft: [PAN, 0], ArrowRight: [-PAN, 0], ArrowUp: [0, PAN], ArrowDown: [0, -PAN] };
    if (key in pans && this.zoomed) this.move(...pans[key]);
    else if (key === "+" || key === "=") this.in();
    else if (key === "-" || key === "_" || key === "−") this.out();
    else if (key === "0") this.fit();
    else if (key === "1") this.full();
    else return false;
    return true;
  }
}

class Pane {
  constructor(frame, view) {
    this.frame = frame;
    this.view = view;
    this.img = frame.querySelector("img");
    this.width = Number(this.img.getAttribute("width"));
    this.height = Number(this.img.getAttribute("height"));
    this.fit = 1;
    this.fingers = new Map();
    this.img.draggable = false;
    this.listen();
  }

  measure(mostHeight, grow) {
    const style = getComputedStyle(this.frame);
    const wide = this.frame.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const high = mostHeight === Infinity ? this.frame.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom) : mostHeight;
    this.fit = Math.max(Math.min(wide / this.width, high / this.height, grow ? Infinity : 1), 0.001);
    this.img.classList.add("is-fitted");
    this.img.style.width = `${this.width * this.fit}px`;
    this.img.style.height = `${this.height * this.fit}px`;
  }

  /* How far the picture can be moved before its edge comes into the frame. */
  room(k) {
    const [wide, high] = [this.width * this.fit * k, this.height * this.fit * k];
    return {
      u: Math.max(wide - this.frame.clientWidth, 0) / 2 / wide,
      v: Math.max(high - this.frame.clientHeight, 0) / 2 / high,
    };
  }

  draw({ k, u, v, zoomed }) {
    const room = this.room(k);
    const x = Math.min(Math.max(u, -room.u), room.u) * this.width * this.fit * k;
    const y = Math.min(Math.max(v, -room.v), room.v) * this.height * this.fit * k;
    this.img.style.transform = zoomed ? `translate(${x}px, ${y}px) scale(${k})` : "";
    this.frame.classList.toggle("is-zoomed", zoomed);
    if (zoomed) this.sharpen(k);
  }

  /* The thumbnail shows what it can; beyond that the original takes its place, once it is there. */
  async sharpen(k) {
    const shown = this.width * this.fit * k * devicePixelRatio;
    const { original } = this.frame.dataset;
    const has = this.img.naturalWidth;
    if (!original || this.asked || !has || has >= this.width || shown <= has * 1.05) return;
    this.asked = true;
    const whole = new Image();
    whole.src = original;
    try {
      await whole.decode();
      this.img.src = whole.src;
    } catch {
      this.asked = false; // a later step asks again
    }
  }

  /* Where a pointer is, counted from the middle of the frame. */
  at({ clientX, clientY }) {
    const box = this.frame.getBoundingClientRect();
    return [clientX - box.left - box.width / 2, clientY - box.top - box.height / 2];
  }

  listen() {
    const { frame, view } = this;
    frame.addEventListener("dblclick", (event) => view.toggle(this, ...this.at(event)));
    frame.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    frame.addEventListener("pointerdown", (event) => this.down(event));
    frame.addEventListener("pointermove", (event) => this.moved(event));
    for (const end of ["pointerup", "pointercancel"]) frame.addEventListener(end, (event) => this.up(event));
  }

  /* With Ctrl or ⌘ (which is also how a pinch on a touch pad arrives) it zooms; without, it moves
     what is zoomed, and otherwise scrolls the page. */
  wheel(event) {
    const lines = event.deltaMode === 1 ? 16 : 1;
    if (event.ctrlKey || event.metaKey) {
      const much = Math.min(Math.max(event.deltaY * lines, -100), 100);
      this.view.zoomTo(this.view.k * Math.exp(-much / 250), this, ...this.at(event));
    } else if (this.view.zoomed) {
      this.view.move(-event.deltaX * lines, -event.deltaY * lines, this);
    } else return;
    event.preventDefault();
  }

  down(event) {
    if (event.button || event.target.closest("a, button")) return;
    this.fingers.set(event.pointerId, event);
    this.start = this.fingers.size === 1 ? event : null;
    if (this.view.zoomed || this.fingers.size > 1) this.frame.setPointerCapture(event.pointerId);
    this.frame.classList.toggle("is-held", this.view.zoomed);
  }

  moved(event) {
    const before = this.fingers.get(event.pointerId);
    if (!before) return;
    if (this.fingers.size === 2) this.pinch(before, event);
    else if (this.view.zoomed) this.view.move(event.clientX - before.clientX, event.clientY - before.clientY, this);
    this.fingers.set(event.pointerId, event);
  }

  pinch(before, now) {
    const [other] = [...this.fingers].filter(([id]) => id !== now.pointerId).map(([, finger]) => finger);
    const apart = (finger) => Math.hypot(finger.clientX - other.clientX, finger.clientY - other.clientY);
    const middle = { clientX: (now.clientX + other.clientX) / 2, clientY: (now.clientY + other.clientY) / 2 };
    this.view.zoomTo((this.view.k * apart(now)) / Math.max(apart(before), 1), this, ...this.at(middle));
    if (this.view.zoomed) this.view.move((now.clientX - before.clientX) / 2, (now.clientY - before.clientY) / 2, this);
  }

  up(event) {
    const { start } = this;
    this.fingers.delete(event.pointerId);
    this.frame.classList.remove("is-held");
    if (!start || event.type !== "pointerup" || event.pointerType !== "touch" || this.view.zoomed) return;
    const [x, y] = [event.clientX - start.clientX, event.clientY - start.clientY];
    if (Math.abs(x) > SWIPE && Math.abs(x) > 2 * Math.abs(y)) this.view.turned?.(x < 0 ? "next" : "prev");
  }
}

/* The keys of a page: they are for the picture unless something else has the focus that takes them. */
export function listenToKeys(view, turn = () => {}) {
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.target.closest("input, textarea, select, summary, [popover], .label-panel button, .notices")) return;
    const done = view.press(event.key) || (!event.shiftKey && turn(event.key));
    if (done) event.preventDefault();
  });
}

/* Buttons with data-zoom="in", "out", "fit" or "full", and the words that say how near it is. */
export function listenToButtons(view, root = document) {
  for (const button of root.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => view[button.dataset.zoom]());
  }
}
