/** Gradients of random programs, and steps that follow them, on every interpreter: see `interpreters.test.ts`. */
import { describe, test } from 'vitest'
import type { GraphOptions } from '../../src/testing/arb-graph.ts'
import { descentOf, gradientOf } from '../../src/testing/derivative.ts'
import { agrees, plain, runs } from './harness.ts'

const minutes = 60_000

// A loop without a known end has no reverse mode.
const differentiable: GraphOptions = { maxNodes: 30, without: ['while'] }

describe('random programs on every interpreter', () => {
  test('gradients', { timeout: 60 * minutes }, () =>
    agrees(
      'gradients',
      runs(2000, 20_000),
      plain((s) => gradientOf(s)?.sample),
      differentiable,
    ),
  )
  test('steps of descent', { timeout: 60 * minutes }, () =>
    agrees('steps of descent', runs(500, 5000), plain(descentOf), differentiable),
  )
})
