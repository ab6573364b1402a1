/** A drawing as the network knows digits from MNIST: fitted into 20 × 20 pixels, its centre of mass in the middle of 28 × 28. */

/** Where the pen went, in parts of the width of the paper. */
export type Stroke = readonly (readonly [x: number, y: number])[]

const size = 28
/** As wide as the pens of MNIST. */
const pen = 2.4

const canvas: HTMLCanvasElement = Object.assign(document.createElement('canvas'), { width: size, height: size })
const paper: CanvasRenderingContext2D = canvas.getContext('2d', { willReadFrequently: true })!

/** Draws strokes on any paper; a stroke of one point is a dot. */
export const drawStrokes = (on: CanvasRenderingContext2D, strokes: readonly Stroke[], width: number): void => {
  on.lineCap = 'round'
  on.lineJoin = 'round'
  on.lineWidth = width
  for (const stroke of strokes) {
    on.beginPath()
    on.moveTo(...stroke[0]!)
    for (const point of stroke) on.lineTo(...point)
    on.stroke()
  }
}

/** What the paper has after `strokes` are drawn with their point `middle` in its middle: 784 grey levels, ink bright. */
const pixelsOf = (strokes: readonly Stroke[], scale: number, middle: readonly [number, number]): Uint8Array => {
  const [x, y] = middle.map((m) => size / 2 - scale * m) as [number, number]
  paper.setTransform(1, 0, 0, 1, 0, 0)
  paper.clearRect(0, 0, size, size)
  paper.setTransform(scale, 0, 0, scale, x, y)
  drawStrokes(paper, strokes, pen / scale)
  return Uint8Array.from({ length: size * size }, alphaOf(paper.getImageData(0, 0, size, size).data))
}

const alphaOf =
  (data: ArrayLike<number>) =>
  (_: unknown, pixel: number): number =>
    data[4 * pixel + 3]!

/** The mean place of the ink, in pixels. */
const centreOf = (pixels: Uint8Array): readonly [number, number] => {
  let [mass, x, y] = [0, 0, 0]
  pixels.forEach((ink, pixel) => {
    mass += ink
    x += ink * ((pixel % size) + 0.5)
    y += ink * (Math.floor(pixel / size) + 0.5)
  })
  return [x / mass, y / mass]
}

/** The drawing as one image of MNIST; undefined where nothing is drawn. */
export const imageOf = (strokes: readonly Stroke[]): Uint8Array | undefined => {
  if (strokes.length === 0) return undefined
  const points = strokes.flat()
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)]
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)]
  const scale = (20 - pen) / Math.max(right - left, bottom - top, 0.05)
  const middle = [(left + right) / 2, (top + bottom) / 2] as const
  const [x, y] = centreOf(pixelsOf(strokes, scale, middle))
  return pixelsOf(strokes, scale, [middle[0] + (x - size / 2) / scale, middle[1] + (y - size / 2) / scale])
}
