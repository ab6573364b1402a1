/** What one thread of the processor can do at most: chains of vector products and sums that do not wait for each other. */
import { header, joined, name, section, unsigned, vector } from '../../../codegen/targets/wasm/encode.ts'
import { makeFrame } from '../../../codegen/targets/wasm/frame.ts'
import { valueType } from '../../../codegen/targets/wasm/instructions.ts'

const chains = 12
const turns = 20_000
const [one, almostOne] = [0x3f800000, 0x3f7fffff]

/** `f(turns)`: every turn multiplies and adds in each chain. */
const probe = (): Uint8Array<ArrayBuffer> => {
  const f = makeFrame(1)
  const states = Array.from({ length: chains }, () => f.local('v128'))
  const [factor, turn] = [f.local('v128'), f.local('i32')]
  f.words([almostOne, almostOne, almostOne, almostOne])
  f.set(factor)
  states.forEach((state, i) => {
    f.words([one + i, one, one, one])
    f.set(state)
  })
  f.within('loop', 'none', () => {
    for (const state of states) {
      f.get(state)
      f.get(factor)
      f.emit('f32x4.mul')
      f.get(factor)
      f.emit('f32x4.add')
      f.set(state)
    }
    f.get(turn)
    f.i32(1)
    f.emit('i32.add')
    f.tee(turn)
    f.get(0)
    f.emit('i32.lt_u')
    f.emit('br_if', unsigned(0))
  })
  for (const state of states) f.get(state)
  for (let i = 1; i < chains; i++) f.emit('f32x4.add')
  f.emit('f32x4.extract_lane', [0])
  const type = joined([[0x60], vector([[valueType.i32]]), vector([[valueType.f32]])])
  return joined([
    header,
    section(1, vector([type])),
    section(3, vector([unsigned(0)])),
    section(7, vector([[...name('f'), 0x00, ...unsigned(0)]])),
    section(10, vector([f.code()])),
  ])
}

/** 10^9 operations on f32 a second, the best of a hundred times. */
export const peakOfThread = (): number => {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(probe()))
  const f = exports['f'] as (turns: number) => number
  let best = 0
  for (let i = 0; i < 100; i++) {
    const start = performance.now()
    f(turns)
    best = Math.max(best, (turns * chains * 8) / (performance.now() - start) / 1e6)
  }
  return best
}

/** What a product of square matrices of a row's size reaches of it. */
export const rateOf = (program: string, ms: number): number | undefined => {
  const size = /^matmul(\d+)$/.exec(program)?.[1]
  return size === undefined ? undefined : (2 * Number(size) ** 3) / ms / 1e6
}
