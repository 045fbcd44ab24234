// WebGL: solid clusters in a brain of glass. One context draws for all panels, each of which copies its picture.

const POINT = `#version 300 es
  in vec3 point; in vec3 normal; in float owner;
  uniform mat3 axes; uniform vec3 scale; uniform vec3 colours[21];
  out vec3 facing; out vec3 colour;
  void main() {
    vec3 seen = point * axes;
    facing = normal * axes;
    colour = colours[int(owner)];
    gl_Position = vec4(seen.xy * scale.xy, -seen.z * scale.z, 1.0);
  }`;
const PIXEL = `#version 300 es
  precision mediump float;
  in vec3 facing; in vec3 colour;
  uniform float glass;
  out vec4 shown;
  void main() {
    float straight = abs(normalize(facing).z);
    vec3 rim = colour * (0.03 + 0.4 * pow(1.0 - straight, 2.5));
    shown = vec4(mix(colour * (0.3 + 0.7 * straight), rim, glass), 1.0);
  }`;
export const MOST_OWNERS = 20;
const GLASS = [0.75, 0.85, 1];
const DEEPEST_MM = 500; // from the middle
const SIZES = 4; // of panels, whose glass is kept

export class Glass {
  /** Throws where the browser has no WebGL. */
  constructor() {
    this.canvas = document.createElement("canvas");
    this.gl = this.canvas.getContext("webgl2", { antialias: false }); // without a graphics card it takes three times as long
    if (!this.gl) throw new Error("no WebGL");
    this.canvas.addEventListener("webglcontextlost", () => { this.isLost = true; });
    this.program = shaders(this.gl);
    this.meshes = new WeakMap(); // mesh → what the graphics card has of it
    this.room = [0, 0]; // px that the largest panel so far took
    this.kept = new Map(); // size of a panel → its glass
  }

  close() {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }

  /**
   * Draws clusters, in the colours of their owners from 1 on, 0 to 1 each, and over them the brain's glass, which panels of one
   * size share. sight: a canvas's width and height, px; axes; pixelsPerMm; finer: px drawn for each, both ways, for smooth edges.
   */
  draw(context, sight, { brain, clusters, colours }) {
    context.fillStyle = "black";
    context.fillRect(0, 0, sight.width, sight.height);
    if (clusters) this.drawMesh(context, sight, clusters, false, [GLASS, ...colours]);
    context.globalCompositeOperation = "lighter";
    context.drawImage(this.glassOf(sight, brain), 0, 0);
    context.globalCompositeOperation = "source-over";
  }

  /** Kept until it is seen otherwise. */
  glassOf(sight, brain) {
    const size = `${sight.width} ${sight.height}`, key = JSON.stringify(sight), known = this.kept.get(size);
    if (known?.key === key && known.brain === brain) return known.canvas;
    if (this.kept.size >= SIZES) this.kept.clear();
    const canvas = known?.canvas ?? new OffscreenCanvas(sight.width, sight.height);
    this.drawMesh(canvas.getContext("2d", { alpha: false }), sight, brain, true, [GLASS, GLASS]);
    this.kept.set(size, { key, brain, canvas });
    return canvas;
  }

  drawMesh(context, { width, height, axes, pixelsPerMm, finer }, mesh, isGlass, colours) {
    const { gl, canvas, program } = this;
    this.room = [Math.max(this.room[0], width), Math.max(this.room[1], height)];
    if (canvas.width !== finer * this.room[0]) canvas.width = finer * this.room[0];
    if (canvas.height !== finer * this.room[1]) canvas.height = finer * this.room[1];
    gl.viewport(0, 0, finer * width, finer * height);
    gl.clearColor(0, 0, 0, 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl[isGlass ? "enable" : "disable"](gl.BLEND);
    gl[isGlass ? "disable" : "enable"](gl.DEPTH_TEST);
    gl.blendFunc(gl.ONE, gl.ONE);
    gl.useProgram(program.made);
    gl.uniformMatrix3fv(program.axes, false, axes.flat());
    gl.uniform3f(program.scale, (2 * pixelsPerMm) / width, (2 * pixelsPerMm) / height, 1 / DEEPEST_MM);
    gl.uniform1f(program.glass, isGlass ? 1 : 0);
    gl.uniform3fv(program.colours, colours.flat());
    if (!this.meshes.has(mesh)) this.meshes.set(mesh, this.send(mesh));
    gl.bindVertexArray(this.meshes.get(mesh));
    gl.drawElements(gl.TRIANGLES, mesh.triangles.length, gl.UNSIGNED_INT, 0);
    context.drawImage(canvas, 0, canvas.height - finer * height, finer * width, finer * height, 0, 0, width, height);
  }

  send({ points, normals, owners, triangles }) {
    const { gl } = this, array = gl.createVertexArray();
    gl.bindVertexArray(array);
    for (const [place, values, size] of [[0, points, 3], [1, normals, 3], [2, owners, 1]]) {
      gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
      gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
      gl.enableVertexAttribArray(place);
      gl.vertexAttribPointer(place, size, gl.FLOAT, false, 0, 0);
    }
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, triangles, gl.STATIC_DRAW);
    return array;
  }
}

function shaders(gl) {
  const made = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, POINT], [gl.FRAGMENT_SHADER, PIXEL]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(made, shader);
  }
  ["point", "normal", "owner"].forEach((name, place) => gl.bindAttribLocation(made, place, name));
  gl.linkProgram(made);
  return { made, ...Object.fromEntries(["axes", "scale", "colours", "glass"].map((name) => [name, gl.getUniformLocation(made, name)])) };
}
