/** Sheets of digits with what a network took them for: its answer in the corner, green where it is right, red where not. */
import { blank, type Colour, green, greyImage, grid, type Image, paste, red, white } from './image.ts'

/** A digit, what it is and what it was taken for. */
export interface Guess {
  /** 28 × 28 grey levels, ink bright. */
  readonly pixels: ArrayLike<number>
  readonly label: number
  readonly predicted: number
}

/** The figures 0 to 9 on 3 × 5 dots. */
const figures: readonly string[] = [
  '###|# #|# #|# #|###',
  ' # |## | # | # |###',
  '###|  #|###|#  |###',
  '###|  #| ##|  #|###',
  '# #|# #|###|  #|  #',
  '###|#  |###|  #|###',
  '###|#  |###|# #|###',
  '###|  #| # | # | # ',
  '###|# #|###|# #|###',
  '###|# #|###|  #|###',
]

/** A figure in white on `colour`, dots `scale` pixels wide, with a margin of one dot. */
const figure = (digit: number, colour: Colour, scale: number): Image => {
  const dots = figures[digit]!.split('|').flatMap((line, y) => [...line].map((dot, x) => ({ dot, x, y })))
  return dots
    .filter(({ dot }) => dot === '#')
    .reduce(
      (ground, { x, y }) => paste(ground, blank(scale, scale, white), (x + 1) * scale, (y + 1) * scale),
      blank(5 * scale, 7 * scale, colour),
    )
}

const tile = ({ pixels, label, predicted }: Guess): Image => {
  const colour = predicted === label ? green : red
  const ink = Uint8Array.from(pixels, (level) => 255 - level)
  const digit = greyImage(ink, 28, 28, 2)
  const frame = blank(digit.width + 4, digit.height + 4, colour)
  return paste(paste(frame, digit, 2, 2), figure(predicted, colour, 2), 0, 0)
}

/** A sheet of guesses, `columns` in a row. */
export const digitSheet = (guesses: readonly Guess[], columns: number): Image => grid(guesses.map(tile), columns)
