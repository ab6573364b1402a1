import { expect, test } from 'vitest'
import { type Progress, type Surroundings, teller, waiting } from '../../src/compile/progress.ts'
import * as T from '../../src/index.ts'
import { sharedProcessor } from '../device.ts'

/** A clock that is set by hand, and the lines of a terminal. */
const surroundings = () => {
  const lines: string[] = []
  const clock = { seconds: 0 }
  const around: Surroundings = { now: () => clock.seconds, write: (line) => lines.push(line) }
  return { lines, clock, around }
}

test('a terminal is told every two seconds at most, a callback always', () => {
  const { lines, clock, around } = surroundings()
  const heard: Progress[] = []
  const tell = teller('step', (p) => heard.push(p), around)
  for (const [seconds, doing] of [
    [0.5, 'simplify'],
    [2.5, 'fusing'],
    [3, 'placing tensors'],
    [5, 'writing kernels'],
  ] as const) {
    clock.seconds = seconds
    tell(doing)
  }
  expect(lines).toEqual(['tensorloom: step: fusing, after 3 s', 'tensorloom: step: writing kernels, after 5 s'])
  expect(heard.map((p) => [p.program, p.doing, p.seconds])).toEqual([
    ['step', 'simplify', 0.5],
    ['step', 'fusing', 2.5],
    ['step', 'placing tensors', 3],
    ['step', 'writing kernels', 5],
  ])
})

test('nothing is written where there is no terminal', () => {
  const { clock } = surroundings()
  const tell = teller('step', undefined, { now: () => clock.seconds, write: undefined })
  clock.seconds = 9
  expect(() => tell('fusing')).not.toThrow()
})

test('what is waited for is told, and its end, and its failure passes through', async () => {
  const heard: string[] = []
  expect(await waiting((doing) => heard.push(doing), 'loading', Promise.resolve(7))).toBe(7)
  expect(heard).toEqual(['loading', 'ready'])
  await expect(waiting(() => {}, 'loading', Promise.reject(new Error('lost')))).rejects.toThrow('lost')
})

test('a program tells of its passes, of planning and of loading', async () => {
  const heard: string[] = []
  const device = await sharedProcessor()
  const progress = ({ program, doing }: Progress): void => void heard.push(`${program} ${doing}`)
  await T.compileOn(
    device,
    function grow(x: T.Tensor) {
      return T.add(x, 41)
    },
    [T.spec([3, 17])],
    { progress, cache: false },
  )
  const [first, ...rest] = heard
  expect(first).toBe('grow check')
  for (const doing of ['simplify', 'fusing', 'placing tensors', 'writing kernels', 'verifying the plan', 'ready'])
    expect(rest).toContain(`grow ${doing}`)
  expect(rest.at(-2)).toMatch(/^grow loading 1 kernels on .*2 threads/)
  expect(() => T.orThrow(T.compile((x: T.Tensor) => x, [T.spec([1])], { progress: 3 as never }))).toThrow(
    'compile: progress is 3, not a function',
  )
})
