// Drawing zones on a picture by finger or mouse. Corners are [x, y] in 0..1 of the picture.

const REACH_PX = 30, HANDLE_PX = 11;
const COLOURS = { mine: "#ffc24b", other: "#8fd0ff", box: "#5fd38a", inside: "#ff7b72" };

export class Polygon {
  // `changed` is called when a corner was set, moved or removed, at the end of the move.
  constructor(element, changed) {
    this.canvas = document.createElement("canvas");
    element.append(this.canvas);
    this.changed = changed;
    this.points = null;        // of the zone that is drawn; null draws none
    this.others = {};          // the other zones, by name
    this.boxes = [];           // what a trial saw: {box, label, zones}
    this.zone = "";
    this.chosen = -1;
    this.past = [];
    this.moving = null;
    this.canvas.addEventListener("pointerdown", (event) => this.down(event));
    this.canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const kind of ["pointerup", "pointercancel"]) this.canvas.addEventListener(kind, () => this.up());
    this.watching = new ResizeObserver(() => this.draw());
    this.watching.observe(this.canvas);
  }

  edit(points, zone) {
    this.points = points?.map((point) => [...point]) ?? null;
    this.zone = zone;
    this.chosen = -1;
    this.past = [];
    this.boxes = [];
    this.draw();
  }

  place(event) {
    const area = this.canvas.getBoundingClientRect();
    const share = (value, size) => Math.min(1, Math.max(0, value / size));
    return [share(event.clientX - area.left, area.width), share(event.clientY - area.top, area.height)];
  }

  pixels([x, y]) {
    return [x * this.canvas.clientWidth, y * this.canvas.clientHeight];
  }

  distance(a, b) {
    const [ax, ay] = this.pixels(a), [bx, by] = this.pixels(b);
    return Math.hypot(ax - bx, ay - by);
  }

  down(event) {
    if (!this.points) return;
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    const at = this.place(event);
    this.past.push(this.points.map((point) => [...point]));
    const near = this.points.map((point) => this.distance(point, at));
    this.chosen = near.length ? near.indexOf(Math.min(...near)) : -1;
    if (this.chosen < 0 || near[this.chosen] > REACH_PX) {
      this.chosen = this.between(at);
      this.points.splice(this.chosen, 0, at);
    }
    this.moving = [this.points[this.chosen][0] - at[0], this.points[this.chosen][1] - at[1]];
    this.draw();
  }

  // Where a new corner goes: into the edge that it is nearest to.
  between(at) {
    if (this.points.length < 3) return this.points.length;
    let best = 0, least = Infinity;
    this.points.forEach((point, n) => {
      const next = this.points[(n + 1) % this.points.length];
      const more = this.distance(point, at) + this.distance(at, next) - this.distance(point, next);
      if (more < least) [best, least] = [n + 1, more];
    });
    return best;
  }

  move(event) {
    if (!this.moving) return;
    const at = this.place(event);
    this.points[this.chosen] = at.map((value, n) => Math.min(1, Math.max(0, value + this.moving[n])));
    this.draw();
  }

  up() {
    if (!this.moving) return;
    this.moving = null;
    this.changed();
  }

  undo() {
    if (!this.past.length) return;
    this.points = this.past.pop();
    this.chosen = -1;
    this.draw();
    this.changed();
  }

  removeCorner() {
    if (!this.points?.length) return;
    this.past.push(this.points.map((point) => [...point]));
    this.points.splice(this.chosen < 0 ? this.points.length - 1 : this.chosen, 1);
    this.chosen = -1;
    this.draw();
    this.changed();
  }

  draw() {
    const scale = devicePixelRatio || 1, { clientWidth: width, clientHeight: height } = this.canvas;
    this.canvas.width = width * scale;
    this.canvas.height = height * scale;
    const pen = this.canvas.getContext("2d");
    pen.scale(scale, scale);
    pen.font = "14px system-ui, sans-serif";
    for (const [name, points] of Object.entries(this.others)) {
      if (name !== this.zone || !this.points) this.outline(pen, points, COLOURS.other, name);
    }
    for (const { box: [x1, y1, x2, y2], label, zones } of this.boxes) {
      pen.strokeStyle = pen.fillStyle = zones.includes(this.zone) ? COLOURS.inside : COLOURS.box;
      pen.lineWidth = 2;
      pen.strokeRect(x1 * width, y1 * height, (x2 - x1) * width, (y2 - y1) * height);
      pen.fillText(label, x1 * width + 3, Math.max(14, y1 * height - 4));
    }
    if (!this.points) return;
    this.outline(pen, this.points, COLOURS.mine, this.zone);
    this.points.forEach((point, n) => {
      const [x, y] = this.pixels(point);
      pen.beginPath();
      pen.arc(x, y, HANDLE_PX, 0, 2 * Math.PI);
      pen.fillStyle = n === this.chosen ? COLOURS.mine : "#14181dcc";
      pen.fill();
      pen.lineWidth = 3;
      pen.strokeStyle = COLOURS.mine;
      pen.stroke();
    });
  }

  outline(pen, points, colour, name) {
    if (!points.length) return;
    pen.beginPath();
    points.forEach((point, n) => pen[n ? "lineTo" : "moveTo"](...this.pixels(point)));
    pen.closePath();
    pen.fillStyle = `${colour}2e`;
    pen.fill();
    pen.lineWidth = 2.5;
    pen.strokeStyle = colour;
    pen.stroke();
    const [x, y] = this.pixels([Math.min(...points.map((p) => p[0])), Math.min(...points.map((p) => p[1]))]);
    pen.fillStyle = colour;
    pen.fillText(name, x + 4, Math.max(14, y - 6));
  }

  end() {
    this.watching.disconnect();
  }
}
