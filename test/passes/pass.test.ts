/** Passes compose in order, by name, and stop at the first refusal. */
import { describe, expect, it } from 'vitest'
import * as E from '#fp/Either'
import { pipe } from '#fp/function'
import { andThen, type Pass } from '../../passes/pass.ts'

const double: Pass<number, number> = { name: 'double', run: (n) => E.right(2 * n) }
const show: Pass<number, string> = { name: 'show', run: (n) => E.right(`<${n}>`) }
const positive: Pass<number, number, 'not positive'> = {
  name: 'positive',
  run: (n) => (n > 0 ? E.right(n) : E.left('not positive')),
}

describe('andThen', () => {
  it.each([
    ['one after the other', pipe(double, andThen(show)), 3, E.right('<6>')],
    ['grouped from the left', pipe(pipe(double, andThen(double)), andThen(show)), 1, E.right('<4>')],
    ['grouped from the right', pipe(double, andThen(pipe(double, andThen(show)))), 1, E.right('<4>')],
    ['through one that may refuse', pipe(positive, andThen(show)), 1, E.right('<1>')],
    ['up to one that refuses', pipe(positive, andThen(show)), -1, E.left('not positive')],
  ] as const)('runs passes %s', (_, pass, given, expected) => {
    expect(pass.run(given)).toEqual(expected)
  })

  it('names what it runs, in order', () => {
    expect(pipe(positive, andThen(double), andThen(show)).name).toBe('positive; double; show')
  })

  it('is in a module that can be imported at run time', async () => {
    expect(typeof (await import('../../passes/pass.ts')).andThen).toBe('function')
  })

  it('does not run what comes after a refusal', () => {
    const seen: number[] = []
    const watch: Pass<number, number> = {
      name: 'watch',
      run: (n) => {
        seen.push(n)
        return E.right(n)
      },
    }
    pipe(positive, andThen(watch)).run(-1)
    pipe(positive, andThen(watch)).run(1)
    expect(seen).toEqual([1])
  })
})
