/** The paper that one draws on, with a mouse, a finger or a pen. */
import { drawStrokes, imageOf, type Stroke } from './ink.ts'

export interface Pad {
  /** What is on it, as the network takes it; undefined where nothing is. */
  readonly image: () => Uint8Array | undefined
  readonly clear: () => void
  /** Shows a digit of MNIST in place of a drawing. */
  readonly show: (image: Uint8Array) => void
}

/** How wide the pen is, in parts of the paper's width. */
const pen = 0.08

/** Makes `canvas` a paper; `onChange` is told when something was drawn or taken away. */
export const makePad = (canvas: HTMLCanvasElement, onChange: () => void): Pad => {
  const paper = canvas.getContext('2d')!
  let strokes: (readonly [number, number])[][] = []
  let shown: Uint8Array | undefined

  const paint = (): void => {
    paper.setTransform(1, 0, 0, 1, 0, 0)
    paper.clearRect(0, 0, canvas.width, canvas.height)
    paper.strokeStyle = paper.fillStyle = getComputedStyle(canvas).color
    if (shown) paintPixels(paper, shown)
    paper.setTransform(canvas.width, 0, 0, canvas.width, 0, 0)
    drawStrokes(paper, strokes, pen)
  }
  const change = (next: readonly Stroke[], image?: Uint8Array): void => {
    strokes = next as typeof strokes
    shown = image
    paint()
    onChange()
  }
  const place = (e: PointerEvent): readonly [number, number] => {
    const box = canvas.getBoundingClientRect()
    return [(e.clientX - box.left) / box.width, (e.clientY - box.top) / box.height]
  }

  canvas.addEventListener('pointerdown', (e) => {
    canvas.setPointerCapture(e.pointerId)
    change([...(shown ? [] : strokes), [place(e)]])
  })
  canvas.addEventListener('pointermove', (e) => {
    if (!canvas.hasPointerCapture(e.pointerId)) return
    // A browser that paints 60 times a second has heard more of the pen than it tells at once.
    const heard = e.getCoalescedEvents?.() ?? []
    strokes.at(-1)?.push(...(heard.length > 0 ? heard : [e]).map(place))
    change(strokes)
  })
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', paint)
  return {
    image: () => shown ?? imageOf(strokes),
    clear: () => change([]),
    show: (image) => change([], image),
  }
}

const paintPixels = (paper: CanvasRenderingContext2D, pixels: Uint8Array): void => {
  const step = paper.canvas.width / 28
  pixels.forEach((ink, pixel) => {
    paper.globalAlpha = ink / 255
    paper.fillRect((pixel % 28) * step, Math.floor(pixel / 28) * step, step, step)
  })
  paper.globalAlpha = 1
}
