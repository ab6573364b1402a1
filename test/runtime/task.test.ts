/** The TaskEither face: same results, errors as values. */
import { describe, expect, it } from 'vitest'
import * as E from '#fp/Either'
import { pipe } from '#fp/function'
import * as TE from '#fp/TaskEither'
import * as task from '../../src/runtime/task.ts'
import { affine } from './plans.ts'

describe('the TaskEither face', () => {
  it('opens, loads, runs and reads in one pipe', async () => {
    const main = pipe(
      task.openDevice({ quiet: true }),
      TE.flatMap((device) => task.loadPlan(device)(affine(3, false))),
      TE.flatMap(task.run([1, 2, 3])),
      TE.flatMap(([y]) => task.read(y!)),
    )
    expect(await main()).toEqual(E.right(Float32Array.of(3, 5, 7)))
  })

  it('gives errors as values', async () => {
    expect(await task.openDevice({ provider: async () => null })()).toMatchObject(E.left({ tag: 'NoAdapter' }))
    const wrong = pipe(
      task.openDevice({ quiet: true }),
      TE.flatMap((device) => task.loadPlan(device)(affine(3, false))),
      TE.flatMap(task.run([1, 2])),
    )
    expect(await wrong()).toMatchObject(E.left({ tag: 'ArgumentError', path: '[0]' }))
  })
})
