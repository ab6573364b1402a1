/** Images as plain data: red, green and blue bytes, row by row. What becomes a PNG file is made of these. */
import { PNG } from 'pngjs'

/** `data` holds 3 bytes a pixel. */
export interface Image {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array
}

/** Red, green and blue, 0 to 255. */
export type Colour = readonly [red: number, green: number, blue: number]

export const white: Colour = [255, 255, 255]
export const green: Colour = [46, 125, 80]
export const red: Colour = [200, 50, 47]

/** An image of one colour. */
export const blank = (width: number, height: number, colour: Colour): Image => ({
  width,
  height,
  data: Uint8Array.from({ length: 3 * width * height }, (_, i) => colour[i % 3]!),
})

/** Grey levels (0 to 255) as an image, each pixel `scale` pixels wide and high. */
export const greyImage = (levels: ArrayLike<number>, width: number, height: number, scale = 1): Image => {
  const out = blank(width * scale, height * scale, white)
  for (let p = 0; p < out.width * out.height; p++) {
    const [x, y] = [Math.floor((p % out.width) / scale), Math.floor(p / out.width / scale)]
    out.data.fill(levels[y * width + x]!, 3 * p, 3 * p + 3)
  }
  return out
}

/** A square of values as grey levels, the least white, the greatest black. */
export const shaded = (values: ArrayLike<number>, size: number, scale: number): Image => {
  const all = Array.from(values)
  const [low, high] = [Math.min(...all), Math.max(...all)]
  const levels = all.map((v) => 255 - (255 * (v - low)) / (high - low || 1))
  return greyImage(levels, size, size, scale)
}

/** Writes `image` into the pixels of `ground`; what lies outside is cut off. */
const draw = (ground: Image, image: Image, x: number, y: number): void => {
  const width = Math.min(image.width, ground.width - x)
  for (let row = 0; row < Math.min(image.height, ground.height - y); row++) {
    const from = 3 * row * image.width
    ground.data.set(image.data.subarray(from, from + 3 * width), 3 * ((y + row) * ground.width + x))
  }
}

/** `image` on top of `ground` with its upper left corner at (x, y), as a new image. */
export const paste = (ground: Image, image: Image, x: number, y: number): Image => {
  const both = { ...ground, data: ground.data.slice() }
  draw(both, image, x, y)
  return both
}

/** Images of one size side by side, `columns` in a row, `gap` pixels apart. */
export const grid = (images: readonly Image[], columns: number, gap = 4): Image => {
  const { width, height } = images[0] ?? { width: 0, height: 0 }
  const rows = Math.ceil(images.length / columns)
  const sheet = blank(columns * (width + gap) + gap, rows * (height + gap) + gap, white)
  images.forEach((image, i) => {
    draw(sheet, image, gap + (i % columns) * (width + gap), gap + Math.floor(i / columns) * (height + gap))
  })
  return sheet
}

/** The image as a PNG file. */
export const encodePng = ({ width, height, data }: Image): Uint8Array => {
  const png = new PNG({ width, height, colorType: 2 })
  for (let i = 0; i < 4 * width * height; i++) png.data[i] = i % 4 === 3 ? 255 : data[3 * (i >> 2) + (i % 4)]!
  // Flat colours pack best as they are: half the size of pngjs' defaults.
  return PNG.sync.write(png, { colorType: 2, filterType: 0, deflateStrategy: 0 })
}
